/** A small gateway for this page's tests: real handshake with verified signatures, scripted answers. */
import { createHash, createPublicKey, randomUUID, verify } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { WebSocket, WebSocketServer } from "ws";

type Json = Record<string, unknown>;

export interface FakeOptions {
  token?: string;
  code?: string;
  staticDir?: string;
  port?: number;
  tickIntervalMs?: number;
  /** Pause between the events of a run, in milliseconds. */
  paceMs?: number;
}

interface Run {
  runId: string;
  sessionKey: string;
  isAborted: boolean;
}

interface Message extends Json {
  role: string;
}

const STYLE_NONCE = "only-for-tests";
const CSP =
  "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; script-src 'self'; " +
  `style-src 'self' 'nonce-${STYLE_NONCE}'; ` +
  "img-src 'self' data:; font-src 'self'; connect-src 'self'";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml",
};

const FILES_OUTPUT = "AGENTS.md\nMEMORY.md\nnotes/\nnotes/groceries.md\nnotes/travel.md\nreport.pdf";
const ANSWER =
  "Your workspace holds **five files** in two places:\n\n| Name | What it is |\n|---|---|\n| `AGENTS.md` | how I should work |\n" +
  "| `MEMORY.md` | what I remember |\n| `notes/` | your notes |\n| `report.pdf` | 214 KB, from last week |\n\nTo read one, say for example " +
  "*show me the travel notes*, or run:\n\n```sh\ncat notes/travel.md | head -n 20\n```\n";

export class FakeGateway {
  readonly options: Required<Omit<FakeOptions, "staticDir" | "port">> & FakeOptions;
  readonly sends: Json[] = [];
  readonly connects: Json[] = [];
  readonly histories = new Map<string, Message[]>();
  readonly deviceTokens = new Map<string, string>();
  pairingRequired = false;
  /** Methods that get no answer. */
  readonly mute = new Set<string>();
  /** Methods that are refused with this error. */
  readonly refuse = new Map<string, Json>();
  isSilent = false;
  paceMs: number;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #runs = new Map<string, Run>();
  readonly #dedupe = new Map<string, Json>();
  #seq = 0;
  #ticks: ReturnType<typeof setInterval> | undefined;

  constructor(options: FakeOptions = {}) {
    this.options = { token: "gateway-token", code: "CODE-1", tickIntervalMs: 30_000, paceMs: 5, ...options };
    this.paceMs = this.options.paceMs;
    this.#server = createServer((request, response) => void this.#http(request, response));
    this.#server.on("upgrade", (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (client) => this.#accept(client));
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.options.port ?? 0, "127.0.0.1", resolve));
    this.#ticks = setInterval(() => this.broadcast("tick", { ts: Date.now() }), this.options.tickIntervalMs);
    return this;
  }

  get port(): number {
    const address = this.#server.address() as AddressInfo | null;
    return address?.port ?? this.options.port ?? 0;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  get connectionCount(): number {
    return this.#sockets.clients.size;
  }

  get runningCount(): number {
    return this.#runs.size;
  }

  dropAll(code = 1012): void {
    for (const client of this.#sockets.clients) client.close(code, code === 1012 ? "service restart" : "");
  }

  /** Cut the connections without a goodbye and refuse new ones until `start` is called again. */
  async stop(): Promise<void> {
    clearInterval(this.#ticks);
    for (const client of this.#sockets.clients) client.terminate();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** What a restart without a memory of finished runs does. */
  forgetOutcomes(): void {
    this.#dedupe.clear();
  }

  broadcast(event: string, payload: Json): void {
    if (this.isSilent) return;
    const frame = JSON.stringify({ type: "event", event, payload, seq: ++this.#seq });
    for (const client of this.#sockets.clients) if (client.readyState === WebSocket.OPEN) client.send(frame);
  }

  async #http(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "POST" && request.url === "/api/login") return this.#login(request, response);
    this.#serveFile(request, response);
  }

  async #login(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const part of request) text += String(part);
    const { code } = JSON.parse(text) as { code?: string };
    const isRight = code === this.options.code;
    response.writeHead(isRight ? 200 : 401, { "Content-Type": "application/json" });
    response.end(JSON.stringify(isRight ? { token: this.options.token } : { error: "login code not valid" }));
    if (isRight) this.options.code = randomUUID();
  }

  #serveFile(request: IncomingMessage, response: ServerResponse): void {
    const dir = this.options.staticDir;
    const path = normalize(new URL(request.url ?? "/", "http://x").pathname);
    if (dir === undefined) return void response.writeHead(404).end();
    let file = join(dir, path);
    if (extname(path) === "") file = join(dir, "index.html");
    try {
      statSync(file);
      response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", "Content-Security-Policy": CSP });
      const content = readFileSync(file);
      response.end(extname(file) === ".html" ? content.toString().replace("__STYLE_NONCE__", STYLE_NONCE) : content);
    } catch {
      response.writeHead(404).end();
    }
  }

  #accept(client: WebSocket): void {
    const nonce = randomUUID();
    let isConnected = false;
    client.send(JSON.stringify({ type: "event", event: "connect.challenge", payload: { nonce, ts: Date.now() } }));
    client.on("message", (data) => {
      if (this.isSilent) return;
      const frame = JSON.parse(String(data)) as { id: string; method: string; params: Json };
      if (isConnected) return this.#request(client, frame.id, frame.method, frame.params ?? {});
      isConnected = this.#connect(client, frame.id, frame.params, nonce);
    });
  }

  #answer(client: WebSocket, id: string, payload: unknown): void {
    if (client.readyState === WebSocket.OPEN) client.send(JSON.stringify({ type: "res", id, ok: true, payload }));
  }

  #deny(client: WebSocket, id: string, error: Json, payload?: Json): void {
    client.send(JSON.stringify({ type: "res", id, ok: false, payload, error: { code: "INVALID_REQUEST", ...error } }));
  }

  #connect(client: WebSocket, id: string, params: Json, nonce: string): boolean {
    this.connects.push(params);
    const problem = this.#judge(params, nonce);
    if (problem !== null) {
      this.#deny(client, id, problem);
      client.close(1008, String(problem["message"]));
      return false;
    }
    const device = params["device"] as { id: string };
    const deviceToken = this.deviceTokens.get(device.id) ?? randomUUID();
    this.deviceTokens.set(device.id, deviceToken);
    this.#answer(client, id, this.#hello(deviceToken));
    return true;
  }

  #judge(params: Json, nonce: string): Json | null {
    const { min, max } = { min: Number(params["minProtocol"]), max: Number(params["maxProtocol"]) };
    if (max < 3 || min > 3) return { message: "protocol mismatch", details: { expectedProtocol: 3 } };
    const device = params["device"] as { id: string; publicKey: string; signature: string; signedAt: number; nonce: string };
    const auth = (params["auth"] ?? {}) as { token?: string; deviceToken?: string };
    const signature = this.#checkSignature(params, device, auth, nonce);
    if (signature !== null) return signature;
    const isRight = auth.token === this.options.token || (auth.token !== undefined && auth.token === this.deviceTokens.get(device.id));
    if (!isRight) {
      const code = auth.token === undefined ? "AUTH_TOKEN_MISSING" : "AUTH_TOKEN_MISMATCH";
      const canRetryWithDeviceToken = auth.token !== undefined && auth.deviceToken === undefined;
      return { message: "unauthorized: gateway token mismatch", details: { code, canRetryWithDeviceToken } };
    }
    if (this.pairingRequired)
      return { code: "NOT_PAIRED", message: "pairing required", details: { code: "PAIRING_REQUIRED", requestId: "req-1", reason: "not-paired" } };
    return null;
  }

  #checkSignature(
    params: Json,
    device: { id: string; publicKey: string; signature: string; signedAt: number; nonce: string },
    auth: { token?: string; deviceToken?: string },
    nonce: string,
  ): Json | null {
    const raw = Buffer.from(device.publicKey, "base64url");
    const client = params["client"] as { id: string; mode: string; platform: string };
    const fields = ["v3", device.id, client.id, client.mode, params["role"], (params["scopes"] as string[]).join(","), device.signedAt,
      auth.token ?? auth.deviceToken ?? "", nonce, client.platform.trim().toLowerCase(), ""];
    if (createHash("sha256").update(raw).digest("hex") !== device.id)
      return { message: "device identity mismatch", details: { code: "DEVICE_AUTH_DEVICE_ID_MISMATCH" } };
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: device.publicKey }, format: "jwk" });
    const isRight = verify(null, Buffer.from(fields.join("|")), key, Buffer.from(device.signature, "base64url"));
    return isRight ? null : { message: "device signature invalid", details: { code: "DEVICE_AUTH_SIGNATURE_INVALID" } };
  }

  #hello(deviceToken: string): Json {
    return {
      type: "hello-ok",
      protocol: 3,
      server: { version: "0.1.0", connId: randomUUID() },
      features: { methods: ["health", "chat.send", "chat.history", "sessions.list"], events: ["chat", "agent", "tick"] },
      snapshot: {
        presence: [], health: {}, stateVersion: { presence: 1, health: 1 }, uptimeMs: 1,
        sessionDefaults: { defaultAgentId: "main", mainKey: "main", mainSessionKey: "agent:main:main", scope: "per-sender" },
      },
      auth: { deviceToken, role: "operator", scopes: ["operator.admin"] },
      policy: { maxPayload: 26_214_400, maxBufferedBytes: 52_428_800, tickIntervalMs: this.options.tickIntervalMs },
    };
  }

  #request(client: WebSocket, id: string, method: string, params: Json): void {
    if (method === "chat.send") this.sends.push(params);
    if (this.mute.has(method)) return;
    const refusal = this.refuse.get(method);
    if (refusal !== undefined) return this.#deny(client, id, refusal);
    const handlers: Record<string, () => unknown> = {
      health: () => ({ ok: true, ts: Date.now() }),
      "sessions.subscribe": () => ({ subscribed: true }),
      "sessions.list": () => this.#listSessions(),
      "sessions.reset": () => this.#clear(String(params["key"]), "reset"),
      "sessions.delete": () => this.#clear(String(params["key"]), "delete"),
      "chat.history": () => ({ sessionKey: params["sessionKey"], messages: this.histories.get(String(params["sessionKey"])) ?? [] }),
      "chat.send": () => this.#chatSend(params),
      "chat.abort": () => this.#abort(params),
      "agent.wait": () => ({ runId: params["runId"], status: this.#dedupe.get(String(params["runId"]))?.["status"] === "ok" ? "ok" : "timeout" }),
    };
    const handler = handlers[method];
    if (handler === undefined) return this.#deny(client, id, { message: `unknown method: ${method}` });
    this.#answer(client, id, handler());
  }

  #listSessions(): Json {
    const sessions = [...this.histories].map(([key, messages]) => ({
      key,
      kind: "direct",
      updatedAt: Math.max(0, ...messages.map((message) => Number(message["timestamp"] ?? 0))),
      derivedTitle: messages.map(textOf).find((text) => text !== "")?.slice(0, 60),
      lastMessagePreview: messages.map(textOf).findLast((text) => text !== "")?.slice(0, 80),
      status: [...this.#runs.values()].some((run) => run.sessionKey === key) ? "running" : "done",
      lastChannel: key.includes(":irc:") ? "irc" : "webchat",
      modelProvider: "homarus", model: "basic",
    }));
    sessions.sort((a, b) => b.updatedAt - a.updatedAt);
    return { ts: Date.now(), path: "", count: sessions.length, defaults: { modelProvider: "homarus", model: "basic", contextTokens: 32_000 }, sessions };
  }

  #clear(key: string, reason: string): Json {
    if (reason === "delete") this.histories.delete(key);
    else this.histories.set(key, []);
    this.broadcast("sessions.changed", { sessionKey: key, reason, ts: Date.now() });
    return { ok: true, key };
  }

  #chatSend(params: Json): Json {
    const runId = String(params["idempotencyKey"]);
    const known = this.#dedupe.get(runId);
    if (known !== undefined) return known["status"] === "ok" ? known : { runId, status: "in_flight" };
    this.#dedupe.set(runId, { runId, status: "started" });
    const run: Run = { runId, sessionKey: String(params["sessionKey"]), isAborted: false };
    this.#runs.set(runId, run);
    this.store(run.sessionKey, { role: "user", content: [{ type: "text", text: params["message"] }] });
    void this.#play(run, String(params["message"]));
    return { runId, status: "started" };
  }

  store(sessionKey: string, message: Message): void {
    const history = this.histories.get(sessionKey) ?? [];
    history.push({ timestamp: Date.now(), ...message, __openclaw: { id: randomUUID().slice(0, 8), seq: history.length + 1 } });
    this.histories.set(sessionKey, history);
  }

  #abort(params: Json): Json {
    const ids = [...this.#runs.values()].filter((run) => run.sessionKey === params["sessionKey"]).map((run) => run.runId);
    for (const id of ids) this.#runs.get(id)!.isAborted = true;
    return { ok: true, aborted: ids.length > 0, runIds: ids };
  }

  async #play(run: Run, message: string): Promise<void> {
    this.#agent(run, "lifecycle", { phase: "start", startedAt: Date.now() });
    await this.#pause(2);
    if (message.includes("fail")) return this.#fail(run);
    if (message.includes("files")) await this.#playTool(run);
    await this.#playText(run, message.includes("files") ? ANSWER : `You said: ${message}. `.repeat(message.includes("long") ? 120 : 1).trim());
  }

  async #playTool(run: Run): Promise<void> {
    const toolCallId = `call_${run.runId.slice(0, 8)}`;
    const args = { command: "find . -maxdepth 2 | sort" };
    this.store(run.sessionKey, { role: "assistant", content: [{ type: "toolCall", id: toolCallId, name: "exec", arguments: args }], stopReason: "toolUse" });
    this.#agent(run, "tool", { phase: "start", name: "exec", toolCallId, args });
    const lines = FILES_OUTPUT.split("\n");
    for (let count = 1; count <= lines.length; count++) {
      await this.#pause(3);
      const partialResult = { content: [{ type: "text", text: lines.slice(0, count).join("\n") }] };
      this.#agent(run, "tool", { phase: "update", name: "exec", toolCallId, partialResult });
    }
    const result = { content: [{ type: "text", text: FILES_OUTPUT }] };
    this.store(run.sessionKey, { role: "toolResult", toolCallId, toolName: "exec", content: result.content, isError: false });
    this.#agent(run, "tool", { phase: "result", name: "exec", toolCallId, isError: false, result });
    await this.#pause(2);
  }

  async #playText(run: Run, answer: string): Promise<void> {
    const words = answer.split(/(?<=\s)/);
    let text = "";
    for (const word of words) {
      text += word;
      if (run.isAborted) break;
      this.#chat(run, "delta", text);
      await this.#pause(1);
    }
    this.store(run.sessionKey, { role: "assistant", content: [{ type: "text", text: text.trim() }], stopReason: run.isAborted ? "aborted" : "stop" });
    this.#finish(run, run.isAborted ? "aborted" : "final", text.trim());
  }

  #fail(run: Run): void {
    const errorMessage = "the model provider answered 429: too many requests";
    this.store(run.sessionKey, { role: "assistant", content: [], stopReason: "error", errorMessage });
    this.#runs.delete(run.runId);
    this.broadcast("chat", { runId: run.runId, sessionKey: run.sessionKey, seq: 9, state: "error", errorMessage });
  }

  #finish(run: Run, state: "final" | "aborted", text: string): void {
    this.#dedupe.set(run.runId, { runId: run.runId, status: "ok" });
    this.#runs.delete(run.runId);
    this.#agent(run, "lifecycle", { phase: "end", endedAt: Date.now() });
    this.#chat(run, state, text);
    this.broadcast("sessions.changed", { sessionKey: run.sessionKey, phase: "end", ts: Date.now() });
  }

  #agent(run: Run, stream: string, data: Json): void {
    this.broadcast("agent", { runId: run.runId, sessionKey: run.sessionKey, stream, data, seq: 1, ts: Date.now() });
  }

  #chat(run: Run, state: string, text: string): void {
    const message = { role: "assistant", content: [{ type: "text", text }], timestamp: Date.now() };
    this.broadcast("chat", { runId: run.runId, sessionKey: run.sessionKey, seq: 1, state, message });
  }

  #pause(steps: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.paceMs * steps));
  }
}

function textOf(message: Message): string {
  const content = message["content"];
  const first = Array.isArray(content) ? (content[0] as Json | undefined) : undefined;
  return typeof first?.["text"] === "string" ? first["text"] : "";
}
