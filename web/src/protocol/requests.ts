import { GatewayError, NoAnswer } from "./failure.ts";
import { readString, type ResponseFrame } from "./frames.ts";

interface Waiting {
  method: string;
  expectFinal: boolean;
  resolve: (payload: unknown) => void;
  reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
}

/** Requests in flight on one connection, by id. */
export class PendingRequests {
  static readonly LIMIT = 256;
  readonly #waiting = new Map<string, Waiting>();

  /** Register a request; the promise settles with the answer, a GatewayError, or NoAnswer. */
  add(id: string, method: string, timeoutMs: number, expectFinal: boolean): Promise<unknown> {
    if (this.#waiting.size >= PendingRequests.LIMIT) return Promise.reject(new NoAnswer("offline", method));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#take(id)?.reject(new NoAnswer("timeout", method)), timeoutMs);
      this.#waiting.set(id, { method, expectFinal, resolve, reject, timer });
    });
  }

  /** Settle the request a response belongs to. A first "accepted" answer of a two-phase method only keeps it waiting. */
  settle(frame: ResponseFrame): void {
    const waiting = this.#waiting.get(frame.id);
    if (waiting === undefined) return;
    const isFirstPhase = frame.ok && readString(frame.payload, "status") === "accepted";
    if (waiting.expectFinal && isFirstPhase) return;
    this.#take(frame.id);
    if (frame.ok) waiting.resolve(frame.payload);
    else waiting.reject(new GatewayError(frame.error ?? { code: "UNAVAILABLE", message: "no reason given" }, frame.payload));
  }

  /** The connection is gone: nobody will answer. */
  failAll(): void {
    for (const id of [...this.#waiting.keys()]) {
      const waiting = this.#take(id);
      waiting?.reject(new NoAnswer("lost", waiting.method));
    }
  }

  #take(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    return waiting;
  }
}
