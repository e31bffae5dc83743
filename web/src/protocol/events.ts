import { isObject, readNumber, readString, type EventFrame, type JsonObject } from "./frames.ts";

export type ChatState = "delta" | "final" | "aborted" | "error";

/** One `chat` event: the visible text of a run so far, or how it ended. */
export interface ChatEvent {
  runId: string;
  sessionKey: string;
  state: ChatState;
  message: JsonObject | undefined;
  errorMessage: string | undefined;
}

/** One `agent` event: what happens inside a run. */
export interface AgentEvent {
  runId: string;
  sessionKey: string | undefined;
  stream: string;
  data: JsonObject;
  ts: number;
}

const CHAT_STATES = new Set(["delta", "final", "aborted", "error"]);

export function readChatEvent(frame: EventFrame): ChatEvent | null {
  if (frame.event !== "chat" || !isObject(frame.payload)) return null;
  const { runId, sessionKey, state, message } = frame.payload;
  if (typeof runId !== "string" || typeof sessionKey !== "string") return null;
  if (typeof state !== "string" || !CHAT_STATES.has(state)) return null;
  return {
    runId,
    sessionKey,
    state: state as ChatState,
    message: isObject(message) ? message : undefined,
    errorMessage: readString(frame.payload, "errorMessage"),
  };
}

export function readAgentEvent(frame: EventFrame): AgentEvent | null {
  if (frame.event !== "agent" || !isObject(frame.payload)) return null;
  const { runId, stream, data } = frame.payload;
  if (typeof runId !== "string" || typeof stream !== "string" || !isObject(data)) return null;
  const sessionKey = readString(frame.payload, "sessionKey");
  return { runId, sessionKey, stream, data, ts: readNumber(frame.payload, "ts") ?? Date.now() };
}
