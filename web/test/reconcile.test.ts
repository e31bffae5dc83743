import { expect, test } from "vitest";
import { readHistory } from "../src/chat/history.ts";
import type { Entry } from "../src/chat/model.ts";
import { buildView, keepUnsettled, matchUsers } from "../src/chat/reconcile.ts";
import { newRun, type Run } from "../src/chat/run.ts";

function history(...messages: Record<string, unknown>[]): Entry[] {
  return readHistory({ messages: messages.map((message, index) => ({ ...message, __openclaw: { id: `m${index + 1}`, seq: index + 1 } })) });
}

function run(id: string, text: string, patch: Partial<Run> = {}): Run {
  return { ...newRun(id, "k", 0, text), delivery: "accepted", ...patch };
}

test("a stored message belongs to the send whose key it carries", () => {
  const stored = history({ role: "user", content: "hi", idempotencyKey: "r2" });
  const matches = matchUsers(stored, [run("r1", "hi"), run("r2", "hi")]);
  expect([...matches.keys()]).toEqual(["r2"]);
});

test("messages the gateway collected into one are all found in it", () => {
  const stored = history({ role: "user", content: "one\n\ntwo", idempotencyKey: "r1" });
  expect([...matchUsers(stored, [run("r1", "one"), run("r2", "two")]).keys()]).toEqual(["r1", "r2"]);
});

test("an older equal message is not taken for a new one", () => {
  const stored = history({ role: "user", content: "status" }, { role: "assistant", content: "fine" });
  const pending = run("r1", "status", { afterSeq: 2, delivery: "queued" });
  expect(buildView(stored, [pending]).turns[0]?.showUser).toBe(true);
});

test("a finished run stays until the transcript has its answer", () => {
  const done = run("r1", "hi", { phase: "done", blocks: [{ kind: "text", text: "hello" }] });
  const question = { role: "user", content: "hi" };
  expect(keepUnsettled(history(question), [done])).toEqual([done]);
  expect(keepUnsettled(history(question, { role: "assistant", content: "hello" }), [done])).toEqual([]);
});

test("a page opened in the middle of a run shows each part of it once", () => {
  const call = { type: "toolCall", id: "c1", name: "exec", arguments: {} };
  const stored = history({ role: "user", content: "hi" }, { role: "assistant", content: [{ type: "text", text: "Let me look." }, call] });
  const live: Run = {
    ...newRun("r1", "k", 0), blocks: [
      { kind: "text", text: "Let me look." },
      { kind: "tool", call: { id: "c1", name: "exec", args: {}, status: "running", output: "half", startedAt: 1, endedAt: undefined } },
      { kind: "text", text: "Found it." },
    ],
  };
  const view = buildView(stored, [live]);
  expect(view.turns[0]?.blocks).toEqual([{ kind: "text", text: "Found it." }]);
  expect(view.entries[1]?.blocks[1]).toMatchObject({ call: { status: "running", output: "half" } });
});
