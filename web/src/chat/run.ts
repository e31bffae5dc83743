import type { AgentEvent, ChatEvent } from "../protocol/events.ts";
import { readNumber, readString, type JsonObject } from "../protocol/frames.ts";
import { newToolCall, readText, readToolOutput, type Block, type ToolCall } from "./model.ts";

/** How far a message has come: kept for later, on its way, taken by the gateway, or refused. */
export type Delivery = "queued" | "sending" | "accepted" | "failed";
export type Phase = "waiting" | "running" | "done" | "aborted" | "error";

/** A reply in the making, with the message that asked for it when this page sent it. */
export interface Run {
  /** Also the idempotency key of the send. */
  runId: string;
  sessionKey: string;
  userText: string | undefined;
  /** The last transcript position known when the run began; what it writes lies after it. */
  afterSeq: number;
  createdAt: number;
  delivery: Delivery;
  phase: Phase;
  blocks: Block[];
  error: string | undefined;
  isStopping: boolean;
}

export function newRun(runId: string, sessionKey: string, afterSeq: number, userText?: string): Run {
  const isOwn = userText !== undefined;
  return {
    runId,
    sessionKey,
    userText,
    afterSeq,
    createdAt: Date.now(),
    delivery: isOwn ? "queued" : "accepted",
    phase: isOwn ? "waiting" : "running",
    blocks: [],
    error: undefined,
    isStopping: false,
  };
}

export function isActive(run: Run): boolean {
  return run.delivery === "accepted" && (run.phase === "waiting" || run.phase === "running");
}

export function isFinished(run: Run): boolean {
  return run.phase === "done" || run.phase === "aborted" || run.phase === "error";
}

/** Cumulative text may span the whole run or only the part after the last tool: cut off what earlier blocks hold. */
function stripEarlier(text: string, earlier: readonly Block[]): string {
  let rest = text;
  for (const block of earlier) {
    if (block.kind !== "text") continue;
    const trimmed = rest.trimStart();
    if (!trimmed.startsWith(block.text.trim())) return text;
    rest = trimmed.slice(block.text.trim().length);
  }
  return rest.trimStart();
}

function withText(blocks: readonly Block[], text: string): Block[] {
  const isOpen = blocks.at(-1)?.kind === "text";
  const earlier = isOpen ? blocks.slice(0, -1) : [...blocks];
  const own = stripEarlier(text, earlier);
  if (own === "") return [...blocks];
  return [...earlier, { kind: "text", text: own }];
}

const PHASE_OF: Record<ChatEvent["state"], Phase> = { delta: "running", final: "done", aborted: "aborted", error: "error" };

function closeCalls(blocks: readonly Block[]): Block[] {
  return blocks.map((block) =>
    block.kind === "tool" && block.call.status === "running" ? { kind: "tool", call: { ...block.call, status: "open" } } : block,
  );
}

export function applyChat(run: Run, event: ChatEvent): Run {
  const text = event.message === undefined ? "" : readText(event.message["content"]);
  const phase = PHASE_OF[event.state];
  const grown = text === "" ? run.blocks : withText(run.blocks, text);
  return {
    ...run,
    delivery: "accepted",
    phase,
    blocks: phase === "running" ? grown : closeCalls(grown),
    error: event.state === "error" ? (event.errorMessage ?? "") : undefined,
    isStopping: run.isStopping && phase === "running",
  };
}

function changeCall(blocks: readonly Block[], id: string, change: (call: ToolCall) => ToolCall): Block[] {
  return blocks.map((block) =>
    block.kind === "tool" && block.call.id === id ? { kind: "tool", call: change(block.call) } : block,
  );
}

function startCall(blocks: readonly Block[], data: JsonObject, ts: number): Block[] {
  const call: ToolCall = { ...newToolCall(data, ts), status: "running" };
  const isKnown = blocks.some((block) => block.kind === "tool" && block.call.id === call.id);
  if (!isKnown) return [...blocks, { kind: "tool", call }];
  return changeCall(blocks, call.id, (known) => ({ ...known, args: call.args ?? known.args }));
}

function applyTool(blocks: readonly Block[], data: JsonObject, ts: number): Block[] {
  const id = readString(data, "toolCallId") ?? "";
  const known = blocks.some((block) => block.kind === "tool" && block.call.id === id) ? [...blocks] : startCall(blocks, data, ts);
  if (data["phase"] === "update") {
    const output = readToolOutput(data["partialResult"]);
    return output === "" ? known : changeCall(known, id, (call) => ({ ...call, output }));
  }
  if (data["phase"] !== "result") return startCall(blocks, data, ts);
  const output = readToolOutput(data["result"]);
  const status = data["isError"] === true ? "failed" : "done";
  return changeCall(known, id, (call) => ({ ...call, status, endedAt: ts, output: output === "" ? call.output : output }));
}

/** Command output comes as the whole text so far, also to connections that get no tool results. */
function applyCommandOutput(blocks: readonly Block[], data: JsonObject): Block[] {
  const id = readString(data, "toolCallId") ?? "";
  const output = readToolOutput(data["output"]);
  const exitCode = readNumber(data, "exitCode") ?? 0;
  return changeCall(blocks, id, (call) => ({
    ...call,
    output: output === "" ? call.output : output,
    status: data["phase"] === "end" && exitCode !== 0 ? "failed" : call.status,
  }));
}

function withThinking(blocks: readonly Block[], text: string): Block[] {
  const isOpen = blocks.at(-1)?.kind === "thinking";
  return [...(isOpen ? blocks.slice(0, -1) : blocks), { kind: "thinking", text }];
}

export function applyAgent(run: Run, event: AgentEvent): Run {
  const { stream, data, ts } = event;
  const begun: Run = isFinished(run) ? run : { ...run, delivery: "accepted", phase: "running" };
  if (stream === "tool") return { ...begun, blocks: applyTool(run.blocks, data, ts) };
  if (stream === "command_output") return { ...begun, blocks: applyCommandOutput(run.blocks, data) };
  if (stream === "thinking") return { ...begun, blocks: withThinking(run.blocks, readString(data, "text") ?? "") };
  if (stream === "lifecycle" && data["phase"] === "start") return begun;
  return run;
}
