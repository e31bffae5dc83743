import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { buildView } from "../src/chat/reconcile.ts";
import { textOf } from "../src/chat/model.ts";
import type { MemoryStore } from "../src/protocol/credentials.ts";
import { FakeGateway } from "./fakeGateway.ts";
import { newBench, newIdentity, restart, until, untilState, type Bench } from "./support.ts";

const KEY = "agent:main:main";
let gateway: FakeGateway;
const benches: Bench[] = [];
const identity = newIdentity();

function bench(store?: MemoryStore, timing = {}): Bench {
  const made = newBench(gateway.url, { loadIdentity: () => identity, timing: { backoffBaseMs: 20, backoffMaxMs: 40, requestMs: 2_000, ...timing } }, store);
  benches.push(made);
  return made;
}

async function openChat(made: Bench): Promise<void> {
  made.connection.start();
  await untilState(made.connection, "ready");
  made.chats.open(KEY);
  await until(made.chats.subscribe, () => made.chats.get(KEY).loading === "ready");
}

function settled(made: Bench): Promise<void> {
  return until(made.chats.subscribe, () => made.chats.get(KEY).runs.length === 0);
}

/** Everything the page would show, one line per turn. */
function shown(made: Bench): string[] {
  const { history, runs } = made.chats.get(KEY);
  const view = buildView(history, runs);
  const live = view.turns.flatMap(({ run, showUser, blocks }) => [
    ...(showUser ? [`user: ${run.userText}`] : []),
    ...(blocks.length > 0 ? [`assistant: ${textOf(blocks)}`] : []),
  ]);
  return [...view.entries.map((entry) => `${entry.role}: ${textOf(entry.blocks)}`), ...live];
}

beforeEach(async () => {
  gateway = await new FakeGateway({ paceMs: 2 }).start();
});

afterEach(async () => {
  for (const { connection } of benches.splice(0)) connection.stop();
  await gateway.stop();
});

test("a message is shown at once and once, through sending, streaming and storing", async () => {
  const made = bench();
  await openChat(made);
  const counts: number[] = [];
  made.chats.subscribe(() => counts.push(shown(made).filter((line) => line === "user: hello").length));
  made.chats.send(KEY, "hello");
  expect(shown(made)).toEqual(["user: hello"]);
  await settled(made);
  expect(shown(made)).toEqual(["user: hello", "assistant: You said: hello."]);
  expect(new Set(counts)).toEqual(new Set([1]));
});

test("a tool call shows its live output, then its result, in one card", async () => {
  const made = bench();
  await openChat(made);
  const outputs = new Set<string>();
  const statuses = new Set<string>();
  made.chats.subscribe(() => {
    for (const run of made.chats.get(KEY).runs)
      for (const block of run.blocks) if (block.kind === "tool") outputs.add(block.call.output) && statuses.add(block.call.status);
  });
  made.chats.send(KEY, "list my files");
  await settled(made);
  expect(outputs).toContain("AGENTS.md\nMEMORY.md");
  expect([...statuses]).toEqual(["running", "done"]);
  const reply = made.chats.get(KEY).history.at(-1);
  expect(reply?.blocks.map((block) => block.kind)).toEqual(["tool", "text"]);
  expect(reply?.blocks[0]).toMatchObject({ call: { name: "exec", status: "done", args: { command: "find . -maxdepth 2 | sort" } } });
});

test("an unacknowledged message goes out again under the same key, and runs once", async () => {
  const made = bench();
  await openChat(made);
  gateway.mute.add("chat.send");
  made.chats.send(KEY, "hello");
  await vi.waitUntil(() => gateway.sends.length === 1);
  gateway.mute.delete("chat.send");
  gateway.dropAll();
  await settled(made);
  expect(gateway.sends).toHaveLength(2);
  expect(gateway.sends[0]?.["idempotencyKey"]).toBe(gateway.sends[1]?.["idempotencyKey"]);
  expect(shown(made)).toEqual(["user: hello", "assistant: You said: hello."]);
});

test("a message accepted just before the connection broke is not doubled", async () => {
  const made = bench();
  await openChat(made);
  gateway.paceMs = 20;
  made.chats.send(KEY, "hello");
  await vi.waitUntil(() => gateway.sends.length === 1);
  gateway.dropAll();
  await settled(made);
  expect(shown(made)).toEqual(["user: hello", "assistant: You said: hello."]);
});

test("a message written offline survives a reload of the page and is sent when the gateway is back", async () => {
  const before = bench();
  await openChat(before);
  await restart(gateway);
  await untilState(before.connection, "waiting");
  before.chats.send(KEY, "later");
  before.connection.stop();
  const after = bench(before.store);
  expect(shown(after)).toEqual(["user: later"]);
  await gateway.start();
  await openChat(after);
  await settled(after);
  expect(shown(after)).toEqual(["user: later", "assistant: You said: later."]);
  expect(gateway.sends).toHaveLength(1);
});

test("two equal messages are two messages", async () => {
  const made = bench();
  await openChat(made);
  made.chats.send(KEY, "again");
  made.chats.send(KEY, "again");
  expect(shown(made).filter((line) => line === "user: again")).toHaveLength(2);
  await settled(made);
  expect(shown(made).filter((line) => line === "user: again")).toHaveLength(2);
});

test("a run that ends while the connection is down is fetched afterwards", async () => {
  const made = bench();
  await openChat(made);
  gateway.paceMs = 15;
  made.chats.send(KEY, "hello there");
  await until(made.chats.subscribe, () => made.chats.get(KEY).runs.some((run) => run.phase === "running"));
  gateway.options.port = gateway.port;
  await gateway.stop();
  await untilState(made.connection, "waiting");
  await vi.waitUntil(() => gateway.histories.get(KEY)?.length === 2);
  await gateway.start();
  await settled(made);
  expect(shown(made)).toEqual(["user: hello there", "assistant: You said: hello there."]);
});

test("a run whose outcome a restarted gateway has forgotten does not stay open for ever", async () => {
  const made = bench();
  await openChat(made);
  gateway.paceMs = 15;
  made.chats.send(KEY, "hello there");
  await until(made.chats.subscribe, () => made.chats.get(KEY).runs.some((run) => run.phase === "running"));
  await restart(gateway);
  await untilState(made.connection, "waiting");
  await vi.waitUntil(() => gateway.histories.get(KEY)?.length === 2);
  await vi.waitUntil(() => gateway.runningCount === 0);
  gateway.forgetOutcomes();
  await gateway.start();
  await settled(made);
  expect(shown(made)).toEqual(["user: hello there", "assistant: You said: hello there."]);
});

test("stopping a run keeps what was written so far and marks it", async () => {
  const made = bench();
  await openChat(made);
  gateway.paceMs = 10;
  made.chats.send(KEY, "a long story");
  await until(made.chats.subscribe, () => made.chats.get(KEY).runs.some((run) => run.blocks.length > 0));
  await made.chats.abort(KEY);
  await settled(made);
  expect(made.chats.get(KEY).history.at(-1)).toMatchObject({ isAborted: true });
});

test("a refused message stays, says why, and can be tried again under the same key", async () => {
  const made = bench();
  await openChat(made);
  gateway.refuse.set("chat.send", { message: "send blocked by session policy" });
  const runId = made.chats.send(KEY, "hello");
  await until(made.chats.subscribe, () => made.chats.get(KEY).runs[0]?.delivery === "failed");
  expect(made.chats.get(KEY).runs[0]?.error).toBe("send blocked by session policy");
  gateway.refuse.clear();
  made.chats.retry(KEY, runId);
  await settled(made);
  expect(gateway.sends.map((send) => send["idempotencyKey"])).toEqual([runId, runId]);
});

test("a busy gateway is asked again without bothering the user", async () => {
  const made = bench();
  await openChat(made);
  gateway.refuse.set("chat.send", { code: "UNAVAILABLE", message: "starting", retryable: true, retryAfterMs: 30 });
  made.chats.send(KEY, "hello");
  await vi.waitUntil(() => gateway.sends.length >= 1);
  gateway.refuse.clear();
  await settled(made);
  expect(shown(made)).toEqual(["user: hello", "assistant: You said: hello."]);
});

test("a failed answer is shown with its reason", async () => {
  const made = bench();
  await openChat(made);
  made.chats.send(KEY, "please fail");
  await settled(made);
  expect(made.chats.get(KEY).history.at(-1)?.error).toContain("429");
});

test("a run started elsewhere appears in an open chat", async () => {
  const here = bench();
  await openChat(here);
  const there = bench();
  await openChat(there);
  there.chats.send(KEY, "from the other tab");
  await until(here.chats.subscribe, () => shown(here).length === 2 && here.chats.get(KEY).runs.length === 0);
  expect(shown(here)).toEqual(["user: from the other tab", "assistant: You said: from the other tab."]);
});

test("a history that cannot be loaded says why and loads on a second try", async () => {
  const made = bench();
  gateway.refuse.set("chat.history", { message: "disk I/O error" });
  made.connection.start();
  await untilState(made.connection, "ready");
  made.chats.open(KEY);
  await until(made.chats.subscribe, () => made.chats.get(KEY).loading === "failed");
  expect(made.chats.get(KEY).loadError).toBe("disk I/O error");
  gateway.refuse.clear();
  await made.chats.reload(KEY);
  expect(made.chats.get(KEY).loading).toBe("ready");
});
