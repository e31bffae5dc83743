import type { Credentials } from "../protocol/credentials.ts";
import type { GatewayConnection } from "../protocol/connection.ts";
import { exchangeCode, type Exchange } from "./exchange.ts";
import { readLoginFragment, readLoginInput, type LoginSecret } from "./link.ts";

export type LoginError = "linkUsed" | "notAccepted" | "limited" | "unreachable" | "empty";

export interface LoginState {
  isBusy: boolean;
  error: LoginError | undefined;
  /** What the last accepted input turned out to be. */
  took: "code" | "token" | undefined;
}

const START: LoginState = { isBusy: false, error: undefined, took: undefined };

/** Turns links, codes and tokens into a running connection. Lives outside the page's components: a code works once. */
export class Login {
  readonly #connection: GatewayConnection;
  readonly #credentials: Credentials;
  readonly #exchange: (code: string) => Promise<Exchange>;
  readonly #listeners = new Set<() => void>();
  #state: LoginState = START;

  constructor(
    connection: GatewayConnection,
    credentials: Credentials,
    exchange: (code: string) => Promise<Exchange> = exchangeCode,
  ) {
    this.#connection = connection;
    this.#credentials = credentials;
    this.#exchange = exchange;
  }

  readonly getState = (): LoginState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Whether this browser holds a secret from before. */
  get isRemembered(): boolean {
    return !this.#credentials.isEmpty;
  }

  /** Start the page: use the link it was opened with, or what is stored from before. */
  async begin(hash: string): Promise<void> {
    const secret = readLoginFragment(hash);
    if (secret?.kind === "token") return this.#useToken(secret.value, "token");
    if (secret?.kind !== "code") return this.#connection.start();
    this.#set({ ...START, isBusy: true });
    const error = await this.#useCode(secret.value);
    // A link opened a second time is no reason to lock out a browser that is signed in.
    if (error !== undefined) this.#set({ ...START, error: error === "notAccepted" ? "linkUsed" : error });
    if (error !== undefined) this.#connection.start();
  }

  /** Take what the user pasted; a bare value is tried as a login code first, then as the gateway token. */
  async submit(text: string): Promise<void> {
    const secret = readLoginInput(text);
    if (secret === null) return this.#set({ ...START, error: text.trim() === "" ? "empty" : "notAccepted" });
    this.#set({ ...START, isBusy: true });
    const error = secret.kind === "token" ? await this.#tryToken(secret.value) : await this.#tryCode(secret);
    if (error !== undefined) this.#set({ ...START, error });
  }

  /** Forget this browser's secrets. */
  signOut(): void {
    this.#credentials.clear();
    this.#set(START);
    this.#connection.start();
  }

  async #tryCode(secret: LoginSecret): Promise<LoginError | undefined> {
    const error = await this.#useCode(secret.value);
    if (error !== "notAccepted") return error;
    return secret.kind === "code" ? "linkUsed" : this.#tryToken(secret.value);
  }

  async #useCode(code: string): Promise<LoginError | undefined> {
    const answer = await this.#exchange(code);
    if (answer.kind === "ok") this.#useToken(answer.token, "code");
    if (answer.kind === "ok") return undefined;
    return answer.kind === "rejected" ? "notAccepted" : answer.kind;
  }

  #useToken(token: string, took: "code" | "token"): void {
    this.#credentials.saveGatewayToken(token);
    this.#set({ ...START, took });
    this.#connection.start();
  }

  /** Connect with a token of unknown worth; a wrong one is forgotten again. */
  async #tryToken(token: string): Promise<LoginError | undefined> {
    this.#credentials.clear();
    this.#credentials.saveGatewayToken(token);
    this.#connection.start();
    const outcome = await this.#outcome();
    if (outcome === "ready") this.#set({ ...START, took: "token" });
    if (outcome === "ready") return undefined;
    if (outcome !== "unreachable") this.#credentials.clear();
    return outcome;
  }

  #outcome(): Promise<"ready" | LoginError> {
    return new Promise((resolve) => {
      const stop = this.#connection.onState(() => {
        const { state } = this.#connection;
        if (state.kind === "connecting" || state.kind === "idle") return;
        stop();
        if (state.kind === "ready" || state.kind === "pairing") resolve("ready");
        else if (state.kind === "waiting") resolve("unreachable");
        else resolve(state.problem.kind === "rateLimited" ? "limited" : "notAccepted");
      });
    });
  }

  #set(state: LoginState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}
