/** Frames of the gateway protocol: JSON text messages over one WebSocket. */

export type JsonObject = Record<string, unknown>;

export interface ErrorShape {
  code: string;
  message: string;
  details?: unknown;
  retryable?: boolean;
  retryAfterMs?: number;
}

export interface ResponseFrame {
  type: "res";
  id: string;
  ok: boolean;
  payload?: unknown;
  error?: ErrorShape;
}

export interface EventFrame {
  type: "event";
  event: string;
  payload?: unknown;
  seq?: number;
}

/** The most characters one frame may have; the gateway announces the same limit as policy.maxPayload. */
export const MAX_FRAME_CHARS = 26_214_400;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function readString(source: unknown, key: string): string | undefined {
  const value = isObject(source) ? source[key] : undefined;
  return typeof value === "string" ? value : undefined;
}

export function readNumber(source: unknown, key: string): number | undefined {
  const value = isObject(source) ? source[key] : undefined;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function readError(value: unknown): ErrorShape {
  const shape: ErrorShape = {
    code: readString(value, "code") ?? "UNAVAILABLE",
    message: readString(value, "message") ?? "the gateway gave no reason",
  };
  if (isObject(value)) {
    if (value["details"] !== undefined) shape.details = value["details"];
    if (typeof value["retryable"] === "boolean") shape.retryable = value["retryable"];
  }
  const retryAfterMs = readNumber(value, "retryAfterMs");
  if (retryAfterMs !== undefined) shape.retryAfterMs = retryAfterMs;
  return shape;
}

function readResponse(frame: JsonObject): ResponseFrame | null {
  const { id, ok, payload, error } = frame;
  if (typeof id !== "string" || typeof ok !== "boolean") return null;
  return ok ? { type: "res", id, ok, payload } : { type: "res", id, ok, payload, error: readError(error) };
}

function readEvent(frame: JsonObject): EventFrame | null {
  const { event, payload } = frame;
  if (typeof event !== "string") return null;
  const seq = readNumber(frame, "seq");
  return seq === undefined ? { type: "event", event, payload } : { type: "event", event, payload, seq };
}

/** Read one received message; anything that is not a well-formed response or event is null. */
export function parseFrame(text: string): ResponseFrame | EventFrame | null {
  if (text.length > MAX_FRAME_CHARS) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  if (value["type"] === "res") return readResponse(value);
  if (value["type"] === "event") return readEvent(value);
  return null;
}
