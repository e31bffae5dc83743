import { isObject, readString, type ErrorShape } from "./frames.ts";

/** The gateway answered a request with an error. */
export class GatewayError extends Error {
  readonly code: string;
  readonly details: unknown;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly payload: unknown;

  constructor(shape: ErrorShape, payload?: unknown) {
    super(shape.message);
    this.name = "GatewayError";
    this.code = shape.code;
    this.details = shape.details;
    this.retryable = shape.retryable === true;
    this.retryAfterMs = shape.retryAfterMs;
    this.payload = payload;
  }
}

/** No answer came: the connection was lost or the time was up. The gateway may or may not have acted. */
export class NoAnswer extends Error {
  readonly cause_: "lost" | "timeout" | "offline";

  constructor(cause: "lost" | "timeout" | "offline", method: string) {
    super(`${method}: ${cause}`);
    this.name = "NoAnswer";
    this.cause_ = cause;
  }
}

export type ProblemKind =
  | "unauthorized"
  | "insecure"
  | "unsupported"
  | "origin"
  | "protocol"
  | "rateLimited"
  | "refused";

/** Why the connection stopped trying; only the user can do something about it. */
export interface Problem {
  kind: ProblemKind;
  message: string;
}

export type ConnectFailure =
  | { act: "stop"; problem: Problem }
  | { act: "pair"; requestId: string | undefined }
  | { act: "retry" }
  | { act: "retryWithDeviceToken" };

const UNAUTHORIZED = new Set([
  "AUTH_TOKEN_MISSING",
  "AUTH_TOKEN_MISMATCH",
  "AUTH_DEVICE_TOKEN_MISMATCH",
  "AUTH_BOOTSTRAP_TOKEN_INVALID",
  "AUTH_PASSWORD_MISSING",
  "AUTH_PASSWORD_MISMATCH",
  "AUTH_REQUIRED",
  "AUTH_UNAUTHORIZED",
  "AUTH_TOKEN_NOT_CONFIGURED",
  "AUTH_PASSWORD_NOT_CONFIGURED",
]);

/** Decide from the gateway's answer to `connect` what to do next. */
export function classifyConnectError(error: GatewayError): ConnectFailure {
  const code = readString(error.details, "code") ?? "";
  const stop = (kind: ProblemKind): ConnectFailure => ({ act: "stop", problem: { kind, message: error.message } });
  if (code === "PAIRING_REQUIRED") return { act: "pair", requestId: readString(error.details, "requestId") };
  if (code === "AUTH_RATE_LIMITED") return stop("rateLimited");
  if (code === "AUTH_TOKEN_MISMATCH" && isObject(error.details) && error.details["canRetryWithDeviceToken"] === true)
    return { act: "retryWithDeviceToken" };
  if (UNAUTHORIZED.has(code)) return stop("unauthorized");
  if (code === "CONTROL_UI_ORIGIN_NOT_ALLOWED") return stop("origin");
  if (code === "CONTROL_UI_DEVICE_IDENTITY_REQUIRED" || code === "DEVICE_IDENTITY_REQUIRED") return stop("insecure");
  // A clock that is minutes off makes every signature stale; trying again with the same clock cannot help.
  if (code.startsWith("DEVICE_AUTH_")) return stop("refused");
  if (isObject(error.details) && "expectedProtocol" in error.details) return stop("protocol");
  return error.code === "UNAVAILABLE" || error.retryable ? { act: "retry" } : stop("refused");
}
