import { expect, test } from "vitest";
import { textOf } from "../src/chat/model.ts";
import { readHistory } from "../src/chat/history.ts";

const meta = (seq: number): object => ({ __openclaw: { id: `m${seq}`, seq } });

test("joins calls with their results and one reply's messages into one turn", () => {
  const entries = readHistory({
    messages: [
      { role: "user", content: "run it", timestamp: 1, ...meta(1) },
      { role: "assistant", content: [{ type: "thinking", thinking: "hm" }, { type: "toolCall", id: "c", name: "exec", arguments: { command: "x" } }], timestamp: 2, ...meta(2) },
      { role: "toolResult", toolCallId: "c", toolName: "exec", content: [{ type: "text", text: "out" }], isError: true, timestamp: 5, ...meta(3) },
      { role: "assistant", content: [{ type: "text", text: "It failed." }], stopReason: "stop", timestamp: 6, ...meta(4) },
    ],
  });
  expect(entries.map(({ role, seq }) => [role, seq])).toEqual([["user", 1], ["assistant", 4]]);
  expect(entries[1]?.blocks.map((block) => block.kind)).toEqual(["thinking", "tool", "text"]);
  expect(entries[1]?.blocks[1]).toMatchObject({ call: { status: "failed", output: "out", startedAt: 2, endedAt: 5 } });
});

test("shows a result whose call was cut off by the limit", () => {
  const entries = readHistory({ messages: [{ role: "toolResult", toolCallId: "c", toolName: "read", content: "text", ...meta(9) }] });
  expect(entries[0]?.blocks[0]).toMatchObject({ call: { name: "read", status: "done", output: "text" } });
});

test("keeps errors and stops, drops empty turns", () => {
  const entries = readHistory({
    messages: [
      { role: "assistant", content: [], stopReason: "error", errorMessage: "400 bad", ...meta(1) },
      { role: "user", content: "x", ...meta(2) },
      { role: "assistant", content: [], stopReason: "stop", ...meta(3) },
    ],
  });
  expect(entries.map((entry) => entry.error)).toEqual(["400 bad", undefined]);
});

test("names strangers but not the programs the owner writes with, and shows notes", () => {
  const entries = readHistory({
    messages: [
      { role: "user", content: "x", senderLabel: "ada", ...meta(1) },
      { role: "user", content: "y", senderLabel: "openclaw-control-ui", ...meta(2) },
      { role: "system", content: [{ type: "text", text: "Compaction" }], __openclaw: { kind: "compaction", id: "c", seq: 3 } },
      { role: "system", content: [{ type: "text", text: "outcome unknown" }], __openclaw: { kind: "note", id: "n", seq: 4 } },
    ],
  });
  expect(entries.map((entry) => entry.senderLabel)).toEqual(["ada", undefined, undefined, undefined]);
  expect(entries.map((entry) => textOf(entry.blocks))).toEqual(["x", "y", "", "outcome unknown"]);
});

test.each([undefined, null, {}, { messages: "x" }, { messages: [null, 3, { role: "alien" }] }])("survives odd input %j", (payload) => {
  expect(readHistory(payload)).toEqual([]);
});

test("shows files of this gateway and nothing from elsewhere", () => {
  const url = `/media/${"0a".repeat(16)}/chart.png`;
  const file = (address: string): object => ({ type: "file", url: address, name: "chart.png", mimeType: "image/png", size: 3 });
  const content = [file(url), file("https://host.example/a.png"), file(`/media/${"0a".repeat(16)}/a/../../api`), file("javascript:alert(1)")];
  const entries = readHistory({ messages: [{ role: "assistant", content, ...meta(1) }] });
  expect(entries[0]?.blocks).toEqual([{ kind: "file", file: { url, name: "chart.png", mimeType: "image/png", size: 3 } }]);
});
