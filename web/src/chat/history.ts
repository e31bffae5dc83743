import { isObject, readNumber, readString, type JsonObject } from "../protocol/frames.ts";
import { newToolCall, readText, readToolOutput, type Block, type Entry, type ToolCall } from "./model.ts";

/** Only the gateway's own paths: an address from elsewhere must not be loaded by this page. */
const MEDIA = /^\/media\/[0-9a-f]{32}\/[^/?#]+$/;

function readFile(source: JsonObject): Block | null {
  const url = readString(source, "url") ?? "";
  if (!MEDIA.test(url)) return null;
  const name = readString(source, "name") ?? "file";
  return { kind: "file", file: { url, name, mimeType: readString(source, "mimeType") ?? "", size: readNumber(source, "size") ?? 0 } };
}

function readBlock(source: unknown, timestamp: number): Block | null {
  if (!isObject(source)) return null;
  switch (source["type"]) {
    case "text": {
      const text = readString(source, "text") ?? "";
      return text.trim() === "" ? null : { kind: "text", text };
    }
    case "thinking": {
      const text = readString(source, "thinking") ?? "";
      return text.trim() === "" ? null : { kind: "thinking", text };
    }
    case "image":
      return { kind: "image", mimeType: readString(source, "mimeType") ?? "image" };
    case "file":
      return readFile(source);
    case "toolCall":
      return { kind: "tool", call: newToolCall(source, timestamp) };
    default:
      return null;
  }
}

function readBlocks(content: unknown, timestamp: number): Block[] {
  if (typeof content === "string") return content.trim() === "" ? [] : [{ kind: "text", text: content }];
  if (!Array.isArray(content)) return [];
  return content.map((block) => readBlock(block, timestamp)).filter((block) => block !== null);
}

/** Names of programs the owner writes with: they say nothing about who wrote. */
const OWN_CLIENTS = new Set(["openclaw-control-ui", "openclaw-tui", "webchat", "webchat-ui", "cli", "gateway-client"]);

function readSender(message: JsonObject): string | undefined {
  const label = readString(message, "senderLabel");
  return label === undefined || OWN_CLIENTS.has(label) ? undefined : label;
}

function newEntry(message: JsonObject, role: Entry["role"], seq: number, blocks: Block[]): Entry {
  const meta = message["__openclaw"];
  const stopReason = readString(message, "stopReason");
  return {
    id: readString(meta, "id") ?? `seq-${seq}`,
    seq,
    role,
    blocks,
    timestamp: readNumber(message, "timestamp") ?? 0,
    error: stopReason === "error" ? (readString(message, "errorMessage") ?? "") : undefined,
    isAborted: stopReason === "aborted" || isObject(message["openclawAbort"]),
    sendKey: stripRole(readString(message, "idempotencyKey") ?? readString(meta, "idempotencyKey")),
    senderLabel: readSender(message),
  };
}

/** Builds the shown turns from stored messages: tool results join their calls, one reply's messages become one turn. */
class TranscriptBuilder {
  readonly entries: Entry[] = [];
  readonly #calls = new Map<string, ToolCall>();

  add(message: JsonObject, position: number): void {
    const seq = readNumber(message["__openclaw"], "seq") ?? position;
    const role = readString(message, "role");
    if (role === "toolResult" || role === "tool") this.#addResult(message, seq);
    else if (role === "user") this.#addUser(message, seq);
    else if (role === "assistant") this.#addAssistant(message, seq);
    else if (role === "system") this.#addNotice(message, seq);
  }

  /** A compaction's own text is a placeholder; the page words it. */
  #addNotice(message: JsonObject, seq: number): void {
    const isCompaction = readString(message["__openclaw"], "kind") === "compaction";
    this.entries.push(newEntry(message, "notice", seq, isCompaction ? [] : readBlocks(message["content"], 0)));
  }

  #addUser(message: JsonObject, seq: number): void {
    this.entries.push(newEntry(message, "user", seq, readBlocks(message["content"], 0)));
  }

  #addAssistant(message: JsonObject, seq: number): void {
    const entry = newEntry(message, "assistant", seq, readBlocks(message["content"], readNumber(message, "timestamp") ?? 0));
    for (const block of entry.blocks) if (block.kind === "tool") this.#calls.set(block.call.id, block.call);
    const last = this.entries.at(-1);
    if (last?.role !== "assistant") this.entries.push(entry);
    else this.#extend(last, entry);
  }

  #extend(last: Entry, next: Entry): void {
    last.blocks.push(...next.blocks);
    last.seq = next.seq;
    last.timestamp = next.timestamp;
    last.error = next.error;
    last.isAborted = next.isAborted;
  }

  #addResult(message: JsonObject, seq: number): void {
    const id = readString(message, "toolCallId") ?? "";
    const call = this.#calls.get(id) ?? this.#addOrphan(message, seq);
    call.status = message["isError"] === true ? "failed" : "done";
    call.output = readToolOutput({ content: readText(message["content"]) });
    call.endedAt = readNumber(message, "timestamp");
    const last = this.entries.at(-1);
    if (last?.role === "assistant") last.seq = seq;
  }

  /** A result whose call was cut off by the history limit still gets a card. */
  #addOrphan(message: JsonObject, seq: number): ToolCall {
    const call = newToolCall(message, undefined);
    const block: Block = { kind: "tool", call };
    const last = this.entries.at(-1);
    if (last?.role === "assistant") last.blocks.push(block);
    else this.entries.push(newEntry(message, "assistant", seq, [block]));
    return call;
  }
}

/** Shown turns from the `messages` of chat.history. */
export function readHistory(payload: unknown): Entry[] {
  const messages = isObject(payload) ? payload["messages"] : undefined;
  if (!Array.isArray(messages)) return [];
  const builder = new TranscriptBuilder();
  messages.forEach((message: unknown, index) => {
    if (isObject(message)) builder.add(message, index + 1);
  });
  const hasSomething = (entry: Entry): boolean => entry.blocks.length > 0 || entry.error !== undefined || entry.isAborted;
  return builder.entries.filter((entry) => entry.role === "notice" || hasSomething(entry));
}

/** The gateway marks the row a message became as `<key>:user`. */
function stripRole(key: string | undefined): string | undefined {
  return key?.replace(/:user$/, "");
}
