import { expect, test } from "vitest";
import { textOf } from "../src/chat/model.ts";
import { applyAgent, applyChat, newRun, type Run } from "../src/chat/run.ts";
import type { ChatState } from "../src/protocol/events.ts";

const START = newRun("r1", "agent:main:main", 0, "hi");

function chat(run: Run, state: ChatState, text?: string): Run {
  const message = text === undefined ? undefined : { role: "assistant", content: [{ type: "text", text }] };
  return applyChat(run, { runId: "r1", sessionKey: "k", state, message, errorMessage: state === "error" ? "boom" : undefined });
}

function agent(run: Run, stream: string, data: Record<string, unknown>): Run {
  return applyAgent(run, { runId: "r1", sessionKey: "k", stream, data, ts: 100 });
}

const TOOL = { name: "exec", toolCallId: "c1" };

test("cumulative text replaces itself", () => {
  const run = chat(chat(chat(START, "delta", "Hel"), "delta", "Hello"), "final", "Hello!");
  expect(run.blocks).toEqual([{ kind: "text", text: "Hello!" }]);
  expect(run.phase).toBe("done");
});

test.each([
  ["only the part after the tool", "Done."],
  ["the whole run", "Let me look.\n\nDone."],
])("text after a tool is a new block when deltas hold %s", (_, later) => {
  let run = chat(START, "delta", "Let me look.");
  run = agent(run, "tool", { ...TOOL, phase: "start", args: {} });
  run = chat(run, "delta", "Let me look.");
  run = agent(run, "tool", { ...TOOL, phase: "result", isError: false, result: "x" });
  run = chat(run, "final", later);
  expect(run.blocks.map((block) => block.kind)).toEqual(["text", "tool", "text"]);
  expect(textOf(run.blocks)).toBe("Let me look.\n\nDone.");
});

test("command output fills the card of a connection that gets no results", () => {
  let run = agent(START, "tool", { ...TOOL, phase: "start", args: { command: "x" } });
  run = agent(run, "command_output", { toolCallId: "c1", phase: "delta", output: "one" });
  run = agent(run, "tool", { ...TOOL, phase: "result", isError: false });
  run = agent(run, "command_output", { toolCallId: "c1", phase: "end", output: "one\ntwo", exitCode: 3 });
  expect(run.blocks[0]).toMatchObject({ call: { output: "one\ntwo", status: "failed", startedAt: 100 } });
});

test("a result without a start still makes a card, and an endless output is cut at its head", () => {
  const run = agent(START, "tool", { ...TOOL, phase: "result", isError: true, result: `${"a".repeat(60_000)}END` });
  const block = run.blocks[0];
  expect(block).toMatchObject({ kind: "tool", call: { status: "failed" } });
  expect(block?.kind === "tool" && block.call.output.length).toBe(50_001);
  expect(block?.kind === "tool" && block.call.output.endsWith("END")).toBe(true);
});

test("a tool that was cut off by the end of the run does not spin for ever", () => {
  const run = chat(agent(START, "tool", { ...TOOL, phase: "start", args: {} }), "aborted");
  expect(run.blocks[0]).toMatchObject({ call: { status: "open" } });
  expect(chat(START, "error").error).toBe("boom");
});
