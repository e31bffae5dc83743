import { isObject, readString, type JsonObject } from "../protocol/frames.ts";

/** `open` is a call whose result is not in the transcript (yet). */
export type ToolStatus = "running" | "done" | "failed" | "open";

export interface ToolCall {
  id: string;
  name: string;
  args: unknown;
  status: ToolStatus;
  output: string;
  startedAt: number | undefined;
  endedAt: number | undefined;
}

/** A file that went with a reply; `url` is a path of the gateway that serves this page. */
export interface SentFile {
  url: string;
  name: string;
  mimeType: string;
  size: number;
}

export type Block =
  | { kind: "text"; text: string }
  | { kind: "thinking"; text: string }
  | { kind: "image"; mimeType: string }
  | { kind: "file"; file: SentFile }
  | { kind: "tool"; call: ToolCall };

export type EntryRole = "user" | "assistant" | "notice";

/** One turn as it is shown. */
export interface Entry {
  id: string;
  /** Position of its last message in the stored transcript, from 1. */
  seq: number;
  role: EntryRole;
  blocks: Block[];
  timestamp: number;
  error: string | undefined;
  isAborted: boolean;
  /** Key of the send that made it, where the gateway tells it. */
  sendKey: string | undefined;
  senderLabel: string | undefined;
}

/** The most characters of one tool's output that are kept in the page. */
export const MAX_TOOL_OUTPUT = 50_000;

export function clipOutput(text: string): string {
  return text.length <= MAX_TOOL_OUTPUT ? text : `…${text.slice(text.length - MAX_TOOL_OUTPUT)}`;
}

/** Visible text of a message's content: a string, or the text blocks of a list. */
export function readText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((block: unknown) => (readString(block, "type") === "text" ? (readString(block, "text") ?? "") : ""))
    .filter((text) => text !== "")
    .join("\n");
}

/** Text of a tool result or partial result in any of the shapes tools use. */
export function readToolOutput(result: unknown): string {
  if (typeof result === "string") return clipOutput(result);
  if (isObject(result) && result["content"] !== undefined) return clipOutput(readText(result["content"]));
  if (result === undefined || result === null) return "";
  return clipOutput(JSON.stringify(result, null, 2));
}

export function textOf(blocks: readonly Block[]): string {
  return blocks
    .map((block) => (block.kind === "text" ? block.text : ""))
    .filter((text) => text !== "")
    .join("\n\n");
}

export function hasOutput(blocks: readonly Block[]): boolean {
  return blocks.some((block) => block.kind !== "text" || block.text.trim() !== "");
}

export function newToolCall(source: JsonObject, startedAt: number | undefined): ToolCall {
  const args = source["args"] ?? source["arguments"];
  return {
    id: readString(source, "toolCallId") ?? readString(source, "id") ?? "",
    name: readString(source, "name") ?? readString(source, "toolName") ?? "tool",
    args,
    status: "open",
    output: "",
    startedAt,
    endedAt: undefined,
  };
}
