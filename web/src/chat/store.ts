import type { GatewayConnection } from "../protocol/connection.ts";
import { readAgentEvent, readChatEvent, type AgentEvent, type ChatEvent } from "../protocol/events.ts";
import { GatewayError, NoAnswer } from "../protocol/failure.ts";
import { isObject, readString, type EventFrame } from "../protocol/frames.ts";
import { readSessionList } from "../sessions/rows.ts";
import { readHistory } from "./history.ts";
import type { Entry } from "./model.ts";
import type { Outbox } from "./outbox.ts";
import { keepUnsettled } from "./reconcile.ts";
import { applyAgent, applyChat, isActive, isFinished, newRun, type Run } from "./run.ts";

export type Loading = "idle" | "loading" | "ready" | "failed";

export interface Chat {
  loading: Loading;
  loadError: string | undefined;
  history: Entry[];
  runs: Run[];
}

const EMPTY: Chat = { loading: "idle", loadError: undefined, history: [], runs: [] };
const HISTORY_LIMIT = 200;
const MAX_RUNS = 50;
const RELOAD_PAUSE_MS = 150;
const RETRY_PAUSE_MS = 1_000;

/** Only finished runs may go: what waits to be sent or still runs must stay in sight. */
function dropOldest(runs: Run[]): Run[] {
  const oldest = runs.find(isFinished);
  return runs.filter((run) => run !== oldest);
}

/** All chats of this page: stored history plus live runs, by session key. Snapshots are immutable. */
export class ChatStore {
  readonly #connection: GatewayConnection;
  readonly #outbox: Outbox;
  readonly #chats = new Map<string, Chat>();
  readonly #listeners = new Set<() => void>();
  readonly #reloads = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #fetches = new Map<string, number>();
  #flushing = false;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: GatewayConnection, outbox: Outbox) {
    this.#connection = connection;
    this.#outbox = outbox;
    for (const item of outbox.list()) {
      const run = { ...newRun(item.runId, item.sessionKey, -1, item.text), createdAt: item.createdAt };
      this.#setRun(run);
    }
    connection.onEvent((frame) => this.#receive(frame));
    connection.onState(() => this.#connectionChanged());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get(sessionKey: string): Chat {
    return this.#chats.get(sessionKey) ?? EMPTY;
  }

  /** Make sure a chat's history is here. */
  open(sessionKey: string): void {
    const { loading } = this.get(sessionKey);
    if (loading === "idle" || loading === "failed") void this.reload(sessionKey);
  }

  /** Fetch the history again; an answer that was overtaken by a later fetch is thrown away. */
  async reload(sessionKey: string): Promise<void> {
    const turn = (this.#fetches.get(sessionKey) ?? 0) + 1;
    this.#fetches.set(sessionKey, turn);
    if (this.get(sessionKey).loading !== "ready") this.#change(sessionKey, { loading: "loading", loadError: undefined });
    try {
      const payload = await this.#connection.request("chat.history", { sessionKey, limit: HISTORY_LIMIT });
      if (this.#fetches.get(sessionKey) === turn) this.#acceptHistory(sessionKey, readHistory(payload));
    } catch (error) {
      if (this.#fetches.get(sessionKey) === turn) this.#failHistory(sessionKey, error);
    }
  }

  /** Write down a message and send it as soon as there is a connection. Returns its key. */
  send(sessionKey: string, text: string): string {
    const runId = crypto.randomUUID();
    const run = newRun(runId, sessionKey, this.#lastSeq(sessionKey), text);
    this.#outbox.add({ runId, sessionKey, text, createdAt: run.createdAt });
    this.#setRun(run);
    void this.#flush();
    return runId;
  }

  /** Try a message again: under the same key when it was never accepted, as a new one when its run ended in an error. */
  retry(sessionKey: string, runId: string): void {
    const run = this.#find(sessionKey, runId);
    if (run?.userText === undefined) return;
    if (run.delivery === "failed" && run.phase === "waiting") {
      this.#outbox.add({ runId, sessionKey, text: run.userText, createdAt: run.createdAt });
      this.#setRun({ ...run, delivery: "queued", error: undefined });
      void this.#flush();
      return;
    }
    this.discard(sessionKey, runId);
    this.send(sessionKey, run.userText);
  }

  /** Forget a message that was not accepted, or a finished run's leftovers. */
  discard(sessionKey: string, runId: string): void {
    this.#outbox.remove(runId);
    this.#change(sessionKey, { runs: this.get(sessionKey).runs.filter((run) => run.runId !== runId) });
  }

  /** Stop whatever runs in a session. Throws what the request throws. */
  async abort(sessionKey: string): Promise<void> {
    const active = this.get(sessionKey).runs.filter(isActive);
    for (const run of active) this.#setRun({ ...run, isStopping: true });
    const targets = active.length > 0 ? active.map(({ runId }) => ({ sessionKey, runId })) : [{ sessionKey }];
    try {
      await Promise.all(targets.map((params) => this.#connection.request("chat.abort", params)));
    } finally {
      for (const { runId } of active) this.#patchRun(sessionKey, runId, { isStopping: false });
    }
  }

  /** Drop what is known about a session that was deleted or reset. */
  forget(sessionKey: string): void {
    for (const run of this.get(sessionKey).runs) this.#outbox.remove(run.runId);
    this.#chats.delete(sessionKey);
    this.#notify();
  }

  #connectionChanged(): void {
    if (this.#connection.state.kind !== "ready") return this.#requeue();
    for (const [sessionKey, chat] of this.#chats) {
      if (chat.loading !== "idle") void this.reload(sessionKey);
      for (const run of chat.runs) if (isActive(run)) void this.#checkRun(run);
    }
    void this.#flush();
  }

  /** The acknowledgement can no longer come on this connection: the same key goes out again on the next one. */
  #requeue(): void {
    for (const chat of [...this.#chats.values()])
      for (const run of chat.runs) if (run.delivery === "sending") this.#setRun({ ...run, delivery: "queued" });
  }

  /** After a reconnect: find out how a run that was going on has ended, if it has. */
  async #checkRun(run: Run): Promise<void> {
    try {
      const answer = await this.#connection.request("agent.wait", { runId: run.runId, timeoutMs: 0 });
      const status = readString(answer, "status");
      const isFailed = status === "error";
      if (!isFailed && status !== "ok" && (await this.#isSessionRunning(run.sessionKey))) return;
      const error = isFailed ? (readString(answer, "error") ?? "") : undefined;
      this.#patchRun(run.sessionKey, run.runId, { phase: isFailed ? "error" : "done", error });
      await this.reload(run.sessionKey);
    } catch {
      // The transcript is fetched again in any case; without this answer the run stays open until its next event.
    }
  }

  /** A restarted gateway may not know a run's outcome any more, but it knows whether the session is at work. */
  async #isSessionRunning(sessionKey: string): Promise<boolean> {
    const { rows } = readSessionList(await this.#connection.request("sessions.list", { search: sessionKey }));
    return rows.some((row) => row.key === sessionKey && row.isRunning);
  }

  async #flush(): Promise<void> {
    if (this.#flushing || this.#connection.state.kind !== "ready") return;
    this.#flushing = true;
    try {
      for (let run = this.#nextQueued(); run !== undefined; run = this.#nextQueued()) {
        if (this.#connection.state.kind !== "ready") break;
        const pauseMs = await this.#deliver(run);
        if (pauseMs === 0) continue;
        this.#flushLater(pauseMs);
        break;
      }
    } finally {
      this.#flushing = false;
    }
  }

  #flushLater(ms: number): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => void this.#flush(), ms);
  }

  #nextQueued(): Run | undefined {
    const queued = [...this.#chats.values()].flatMap((chat) => chat.runs.filter((run) => run.delivery === "queued"));
    return queued.sort((a, b) => a.createdAt - b.createdAt)[0];
  }

  /** Send one message; answers how long to wait before the next, in milliseconds. */
  async #deliver(run: Run): Promise<number> {
    const { sessionKey, runId } = run;
    this.#patchRun(sessionKey, runId, { delivery: "sending" });
    const params = { sessionKey, message: run.userText, deliver: false, idempotencyKey: runId };
    try {
      this.#accepted(run, await this.#connection.request("chat.send", params));
      return 0;
    } catch (error) {
      return this.#refused(run, error);
    }
  }

  #accepted({ sessionKey, runId }: Run, answer: unknown): void {
    this.#outbox.remove(runId);
    this.#patchRun(sessionKey, runId, { delivery: "accepted" });
    const status = readString(answer, "status");
    const isStopCommand = status === undefined && isObject(answer) && "aborted" in answer;
    if (isStopCommand) this.discard(sessionKey, runId);
    // An already finished run has no events to come; its outcome is in the transcript.
    if (status === "ok") this.#patchRun(sessionKey, runId, { phase: "done" });
    if (status === "ok" || status === "in_flight") this.#reloadSoon(sessionKey);
  }

  #refused({ sessionKey, runId }: Run, error: unknown): number {
    const isRunError = error instanceof GatewayError && readString(error.payload, "status") === "error";
    const isTransient = error instanceof NoAnswer || (error instanceof GatewayError && error.retryable && !isRunError);
    if (isTransient) {
      this.#patchRun(sessionKey, runId, { delivery: "queued" });
      return (error instanceof GatewayError ? error.retryAfterMs : undefined) ?? RETRY_PAUSE_MS;
    }
    const message = error instanceof Error ? error.message : String(error);
    this.#outbox.remove(runId);
    if (isRunError) this.#patchRun(sessionKey, runId, { delivery: "accepted", phase: "error", error: message });
    else this.#patchRun(sessionKey, runId, { delivery: "failed", error: message });
    return 0;
  }

  #receive(frame: EventFrame): void {
    const chat = readChatEvent(frame);
    if (chat !== null) return this.#receiveChat(chat);
    const agent = readAgentEvent(frame);
    if (agent !== null) return this.#receiveAgent(agent);
    if (frame.event === "sessions.changed") this.#receiveChange(frame.payload);
    else if (frame.event === "session.message") this.#receiveStored(frame.payload);
  }

  #receiveChat(event: ChatEvent): void {
    const run = this.#findOrAdopt(event.runId, event.sessionKey);
    if (run === undefined) return;
    this.#outbox.remove(run.runId);
    this.#setRun(applyChat(run, event));
    if (event.state !== "delta") this.#reloadSoon(run.sessionKey);
  }

  #receiveAgent(event: AgentEvent): void {
    const known = this.#findAnywhere(event.runId);
    const run = known ?? (event.sessionKey === undefined ? undefined : this.#findOrAdopt(event.runId, event.sessionKey));
    if (run === undefined) return;
    const next = applyAgent(run, event);
    if (next !== run) this.#setRun(next);
  }

  #receiveChange(payload: unknown): void {
    const sessionKey = readString(payload, "sessionKey");
    const reason = readString(payload, "reason");
    if (sessionKey === undefined || this.get(sessionKey).loading === "idle") return;
    if (reason === "reset" || reason === "new" || reason === "delete" || reason === "compact") this.#reloadSoon(sessionKey);
  }

  /** A message stored by someone else (another tab, a channel) is fetched with the rest of the transcript. */
  #receiveStored(payload: unknown): void {
    const sessionKey = readString(payload, "sessionKey");
    if (sessionKey === undefined || this.get(sessionKey).loading === "idle") return;
    const isOwnRunning = this.get(sessionKey).runs.some((run) => run.userText !== undefined && !isFinished(run));
    if (!isOwnRunning) this.#reloadSoon(sessionKey);
  }

  #findOrAdopt(runId: string, sessionKey: string): Run | undefined {
    const known = this.#findAnywhere(runId);
    if (known !== undefined) return known;
    if (this.get(sessionKey).loading === "idle") return undefined;
    this.#reloadSoon(sessionKey);
    return newRun(runId, sessionKey, this.#lastSeq(sessionKey));
  }

  #findAnywhere(runId: string): Run | undefined {
    for (const chat of this.#chats.values()) {
      const run = chat.runs.find((candidate) => candidate.runId === runId);
      if (run !== undefined) return run;
    }
    return undefined;
  }

  #find(sessionKey: string, runId: string): Run | undefined {
    return this.get(sessionKey).runs.find((run) => run.runId === runId);
  }

  #lastSeq(sessionKey: string): number {
    const { history, loading } = this.get(sessionKey);
    return loading === "ready" ? (history.at(-1)?.seq ?? 0) : -1;
  }

  #reloadSoon(sessionKey: string): void {
    if (this.#reloads.has(sessionKey) || this.get(sessionKey).loading === "idle") return;
    const timer = setTimeout(() => {
      this.#reloads.delete(sessionKey);
      void this.reload(sessionKey);
    }, RELOAD_PAUSE_MS);
    this.#reloads.set(sessionKey, timer);
  }

  #acceptHistory(sessionKey: string, history: Entry[]): void {
    const runs = keepUnsettled(history, this.get(sessionKey).runs);
    this.#change(sessionKey, { loading: "ready", loadError: undefined, history, runs });
  }

  #failHistory(sessionKey: string, error: unknown): void {
    if (this.get(sessionKey).loading === "ready") return;
    const isTransient = error instanceof NoAnswer && error.cause_ !== "timeout";
    const loadError = error instanceof Error ? error.message : String(error);
    this.#change(sessionKey, isTransient ? { loading: "loading" } : { loading: "failed", loadError });
  }

  #patchRun(sessionKey: string, runId: string, patch: Partial<Run>): void {
    const run = this.#find(sessionKey, runId);
    if (run !== undefined) this.#setRun({ ...run, ...patch });
  }

  #setRun(run: Run): void {
    const { runs } = this.get(run.sessionKey);
    const isKnown = runs.some((known) => known.runId === run.runId);
    const next = isKnown ? runs.map((known) => (known.runId === run.runId ? run : known)) : [...runs, run];
    this.#change(run.sessionKey, { runs: next.length > MAX_RUNS ? dropOldest(next) : next });
  }

  #change(sessionKey: string, patch: Partial<Chat>): void {
    this.#chats.set(sessionKey, { ...this.get(sessionKey), ...patch });
    this.#notify();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
