import { expect, test } from "vitest";
import { PendingRequests } from "../src/protocol/requests.ts";

const ACCEPTED = { type: "res", id: "1", ok: true, payload: { status: "accepted" } } as const;
const FINAL = { type: "res", id: "1", ok: true, payload: { status: "ok" } } as const;

test("a two-phase request waits for its second answer", async () => {
  const requests = new PendingRequests();
  const answer = requests.add("1", "agent", 1000, true);
  requests.settle(ACCEPTED);
  requests.settle(FINAL);
  await expect(answer).resolves.toEqual({ status: "ok" });
});

test("others take the first answer and ignore the second", async () => {
  const requests = new PendingRequests();
  const answer = requests.add("1", "agent", 1000, false);
  requests.settle(ACCEPTED);
  requests.settle(FINAL);
  await expect(answer).resolves.toEqual({ status: "accepted" });
});

test("more than the limit of open requests are refused at once", async () => {
  const requests = new PendingRequests();
  const open = Array.from({ length: PendingRequests.LIMIT }, (_, index) => requests.add(String(index), "m", 1000, false));
  await expect(requests.add("more", "m", 1000, false)).rejects.toMatchObject({ cause_: "offline" });
  requests.failAll();
  const outcomes = await Promise.allSettled(open);
  expect(outcomes.every((outcome) => outcome.status === "rejected")).toBe(true);
});
