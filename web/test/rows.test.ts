import { expect, test } from "vitest";
import { Drafts } from "../src/chat/drafts.ts";
import { toolInput, toolTarget } from "../src/chat/toolText.ts";
import { MemoryStore } from "../src/protocol/credentials.ts";
import { ageOf, readSessionList } from "../src/sessions/rows.ts";

test("lists sessions newest first with the best name there is", () => {
  const list = readSessionList({
    defaults: { modelProvider: "homarus", model: "basic" },
    sessions: [
      { key: "a", updatedAt: 1, displayName: "a", derivedTitle: "About a" },
      { key: "b", updatedAt: 2, label: "Mine", derivedTitle: "x", status: "running", lastChannel: "irc", modelProvider: "p", model: "p/m" },
      { nokey: true },
    ],
  });
  expect(list.defaultModel).toBe("homarus/basic");
  expect(list.rows.map(({ key, title }) => [key, title])).toEqual([["b", "Mine"], ["a", "About a"]]);
  expect(list.rows[0]).toMatchObject({ isRunning: true, channel: "irc", model: "p/m" });
});

test("previews what was said without its Markdown", () => {
  const preview = (text: string): string | undefined =>
    readSessionList({ sessions: [{ key: "a", lastMessagePreview: text }] }).rows[0]?.preview;
  expect(preview("Files: ```text my_file.md``` _Say_ `help` or **ask**")).toBe("Files: my_file.md Say help or ask");
});

test("groups times by the local day", () => {
  const now = new Date(2026, 10, 21, 0, 30);
  expect(ageOf(new Date(2026, 10, 21, 0, 1).getTime(), now)).toBe("today");
  expect(ageOf(new Date(2026, 10, 20, 23, 59).getTime(), now)).toBe("yesterday");
  expect(ageOf(0, now)).toBe("earlier");
});

test("names a tool call by its most telling argument and hides what that already says", () => {
  expect(toolTarget({ timeout: "5", command: "ls\nrm" })).toBe("ls");
  expect(toolTarget({ odd: "value" })).toBe("value");
  expect(toolInput({ path: "a.txt" })).toBe("");
  expect(toolInput({ path: "a.txt", content: "x" })).toContain('"content": "x"');
});

test("drafts survive a reload and do not grow without end", () => {
  const store = new MemoryStore();
  const drafts = new Drafts(store);
  for (let index = 0; index < 60; index++) drafts.set(`s${index}`, "text");
  const later = new Drafts(store);
  expect([later.get("s0"), later.get("s59")]).toEqual(["", "text"]);
});
