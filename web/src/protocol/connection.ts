import { retryDelay } from "./backoff.ts";
import type { Credentials } from "./credentials.ts";
import { classifyConnectError, GatewayError, NoAnswer, type Problem } from "./failure.ts";
import { parseFrame, readString, type EventFrame, type ResponseFrame } from "./frames.ts";
import { buildConnectParams, PROTOCOL_RANGE, readHello } from "./handshake.ts";
import type { ClientFacts, ConnectAuth, Hello, ProtocolRange } from "./handshake.ts";
import { IdentityUnavailable, type DeviceIdentity } from "./identity.ts";
import { PendingRequests } from "./requests.ts";

/** Where the connection stands. Every state but `stopped` and `idle` moves on by itself. */
export type ConnectionState =
  | { kind: "idle" }
  | { kind: "connecting"; attempt: number }
  | { kind: "ready"; hello: Hello }
  | { kind: "waiting"; attempt: number; retryAt: number; cause: "lost" | "restart" }
  | { kind: "pairing"; requestId: string | undefined }
  | { kind: "stopped"; problem: Problem };

export interface Timing {
  challengeMs: number;
  requestMs: number;
  probeMs: number;
  backoffBaseMs: number;
  backoffMaxMs: number;
  pairingPollMs: number;
}

export const DEFAULT_TIMING: Timing = {
  challengeMs: 10_000,
  requestMs: 30_000,
  probeMs: 5_000,
  backoffBaseMs: 500,
  backoffMaxMs: 15_000,
  pairingPollMs: 3_000,
};

export interface ConnectionOptions {
  url: string;
  credentials: Credentials;
  loadIdentity: () => Promise<DeviceIdentity>;
  facts: ClientFacts;
  range?: ProtocolRange;
  timing?: Partial<Timing>;
  random?: () => number;
}

export interface RequestOptions {
  timeoutMs?: number;
  /** Wait for the second answer of a two-phase method. */
  expectFinal?: boolean;
}

const CLOSE_RESTART = 1012;
const CLOSE_AUTH_CHANGED = 4001;
const CLOSE_TICK_TIMEOUT = 4000;
const CLOSE_CONNECT_FAILED = 4008;

/** One connection to the gateway that keeps itself alive. Listeners are called in the order frames arrive. */
export class GatewayConnection {
  readonly #options: ConnectionOptions;
  readonly #timing: Timing;
  readonly #requests = new PendingRequests();
  readonly #stateListeners = new Set<() => void>();
  readonly #eventListeners = new Set<(frame: EventFrame) => void>();
  #state: ConnectionState = { kind: "idle" };
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #useDeviceToken = false;
  #nextId = 1;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  readonly getState = (): ConnectionState => this.#state;

  readonly onState = (listener: () => void): (() => void) => {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  };

  readonly onEvent = (listener: (frame: EventFrame) => void): (() => void) => {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  };

  /** Begin, or begin again after `stopped`. */
  start(): void {
    this.#attempt = 0;
    this.#useDeviceToken = false;
    this.#open();
  }

  /** Close and stay closed. */
  stop(): void {
    this.#drop(1000, "");
    this.#setState({ kind: "idle" });
  }

  /** Do not wait out the pause: the user asked, or the network came back. */
  retryNow(): void {
    if (this.#state.kind === "waiting" || this.#state.kind === "pairing") this.#open();
  }

  /** Check by a round trip that the other side is still there; reconnect when it is not. */
  async probe(): Promise<void> {
    const socket = this.#socket;
    if (this.#state.kind !== "ready") return this.retryNow();
    try {
      await this.request("health", {}, { timeoutMs: this.#timing.probeMs });
    } catch (error) {
      const isSilent = error instanceof NoAnswer && error.cause_ === "timeout";
      if (isSilent && this.#socket === socket) this.#lose("lost", CLOSE_TICK_TIMEOUT, "probe timeout");
    }
  }

  /** Ask the gateway. Throws GatewayError for a refusal and NoAnswer when none came. */
  request(method: string, params: unknown, options: RequestOptions = {}): Promise<unknown> {
    if (this.#state.kind !== "ready" || this.#socket === null) return Promise.reject(new NoAnswer("offline", method));
    return this.#send(this.#socket, method, params, options);
  }

  #send(socket: WebSocket, method: string, params: unknown, options: RequestOptions): Promise<unknown> {
    const id = String(this.#nextId++);
    const timeoutMs = options.timeoutMs ?? this.#timing.requestMs;
    const answer = this.#requests.add(id, method, timeoutMs, options.expectFinal ?? false);
    socket.send(JSON.stringify({ type: "req", id, method, params }));
    return answer;
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    for (const listener of [...this.#stateListeners]) listener();
  }

  #open(): void {
    this.#drop(1000, "");
    this.#attempt += 1;
    if (this.#state.kind !== "pairing") this.#setState({ kind: "connecting", attempt: this.#attempt });
    const socket = new WebSocket(this.#options.url);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lose("lost", CLOSE_CONNECT_FAILED, "no challenge"), this.#timing.challengeMs);
    socket.addEventListener("message", (event) => this.#receive(socket, event.data));
    socket.addEventListener("close", (event) => this.#closed(socket, event.code));
  }

  #receive(socket: WebSocket, data: unknown): void {
    if (socket !== this.#socket || typeof data !== "string") return;
    const frame = parseFrame(data);
    if (frame === null) return;
    this.#feedWatchdog();
    if (frame.type === "res") this.#requests.settle(frame satisfies ResponseFrame);
    else if (frame.event === "connect.challenge") void this.#handshake(socket, readString(frame.payload, "nonce") ?? "");
    else for (const listener of [...this.#eventListeners]) listener(frame);
  }

  async #handshake(socket: WebSocket, nonce: string): Promise<void> {
    try {
      const identity = await this.#options.loadIdentity();
      const range = this.#options.range ?? PROTOCOL_RANGE;
      const params = await buildConnectParams(identity, this.#options.facts, this.#chooseAuth(), nonce, range);
      if (socket !== this.#socket || socket.readyState !== WebSocket.OPEN) return;
      const answer = await this.#send(socket, "connect", params, { timeoutMs: this.#timing.challengeMs });
      if (socket === this.#socket) this.#welcome(answer);
    } catch (error) {
      if (socket === this.#socket) this.#refuse(error);
    }
  }

  #chooseAuth(): ConnectAuth {
    const { gatewayToken, deviceToken } = this.#options.credentials;
    if (gatewayToken !== null && !this.#useDeviceToken) return { token: gatewayToken };
    return deviceToken === null ? {} : { token: deviceToken, deviceToken };
  }

  #welcome(answer: unknown): void {
    const hello = readHello(answer);
    if (hello === null) return this.#halt({ kind: "protocol", message: "the answer to connect is not hello-ok" });
    clearTimeout(this.#timer);
    this.#attempt = 0;
    if (hello.deviceToken !== undefined) this.#options.credentials.saveDeviceToken(hello.deviceToken);
    this.#setState({ kind: "ready", hello });
    this.#feedWatchdog();
  }

  #refuse(error: unknown): void {
    if (error instanceof IdentityUnavailable) return this.#halt({ kind: error.reason, message: error.message });
    if (!(error instanceof GatewayError)) return this.#lose("lost", CLOSE_CONNECT_FAILED, "connect failed");
    const failure = classifyConnectError(error);
    if (failure.act === "stop") return this.#halt(failure.problem);
    if (failure.act === "pair") return this.#awaitPairing(failure.requestId);
    if (failure.act === "retry") return this.#lose("lost", CLOSE_CONNECT_FAILED, "connect failed");
    if (this.#useDeviceToken) this.#options.credentials.dropDeviceToken();
    const canRetry = !this.#useDeviceToken && this.#options.credentials.deviceToken !== null;
    if (!canRetry) return this.#halt({ kind: "unauthorized", message: error.message });
    this.#useDeviceToken = true;
    this.#open();
  }

  #halt(problem: Problem): void {
    this.#drop(CLOSE_CONNECT_FAILED, "connect failed");
    this.#setState({ kind: "stopped", problem });
  }

  #awaitPairing(requestId: string | undefined): void {
    this.#drop(1000, "");
    this.#setState({ kind: "pairing", requestId });
    this.#timer = setTimeout(() => this.#open(), this.#timing.pairingPollMs);
  }

  #closed(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return;
    if (code === CLOSE_AUTH_CHANGED) return this.#halt({ kind: "unauthorized", message: "this device was signed out" });
    this.#lose(code === CLOSE_RESTART ? "restart" : "lost", 1000, "");
  }

  #lose(cause: "lost" | "restart", code: number, reason: string): void {
    this.#drop(code, reason);
    const attempt = Math.max(1, this.#attempt);
    const { backoffBaseMs: baseMs, backoffMaxMs: maxMs } = this.#timing;
    const delay = retryDelay(attempt, { baseMs, maxMs, random: this.#options.random ?? Math.random });
    this.#timer = setTimeout(() => this.#open(), delay);
    this.#setState({ kind: "waiting", attempt, retryAt: Date.now() + delay, cause });
  }

  #drop(code: number, reason: string): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    const socket = this.#socket;
    this.#socket = null;
    this.#requests.failAll();
    if (socket !== null && socket.readyState <= WebSocket.OPEN) socket.close(code, reason);
  }

  #feedWatchdog(): void {
    if (this.#state.kind !== "ready") return;
    clearTimeout(this.#watchdog);
    const silenceMs = this.#state.hello.tickIntervalMs * 2;
    this.#watchdog = setTimeout(() => this.#lose("lost", CLOSE_TICK_TIMEOUT, "tick timeout"), silenceMs);
  }
}
