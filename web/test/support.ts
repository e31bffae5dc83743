import { ChatStore } from "../src/chat/store.ts";
import { Outbox } from "../src/chat/outbox.ts";
import { GatewayConnection, type ConnectionOptions, type ConnectionState } from "../src/protocol/connection.ts";
import { Credentials, MemoryStore } from "../src/protocol/credentials.ts";
import { toBase64Url, toHex } from "../src/protocol/signature.ts";
import type { DeviceIdentity } from "../src/protocol/identity.ts";
import type { FakeGateway } from "./fakeGateway.ts";

export async function newIdentity(): Promise<DeviceIdentity> {
  const pair = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return {
    id: toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", raw))),
    publicKey: toBase64Url(raw),
    sign: async (text) => toBase64Url(new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, new TextEncoder().encode(text)))),
  };
}

export interface Bench {
  store: MemoryStore;
  credentials: Credentials;
  connection: GatewayConnection;
  chats: ChatStore;
}

export const FAST = { backoffBaseMs: 20, backoffMaxMs: 60, pairingPollMs: 30, requestMs: 2_000, probeMs: 100, challengeMs: 1_000 };

/** A page without a browser: the objects main.tsx makes, pointed at a fake gateway. */
export function newBench(url: string, options: Partial<ConnectionOptions> = {}, store = new MemoryStore(), token = "gateway-token"): Bench {
  const credentials = new Credentials(store);
  if (token !== "") credentials.saveGatewayToken(token);
  const identity = newIdentity();
  const facts = { version: "test", platform: "Linux x86_64", locale: "en", userAgent: "test" };
  const connection = new GatewayConnection({ url, credentials, loadIdentity: () => identity, facts, timing: FAST, ...options });
  return { store, credentials, connection, chats: new ChatStore(connection, new Outbox(store)) };
}

/** Resolve when a condition holds; checked on every notification of the source. */
export function until(subscribe: (listener: () => void) => () => void, isTrue: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (isTrue()) return resolve();
    const stop = subscribe(() => {
      if (!isTrue()) return;
      stop();
      resolve();
    });
  });
}

export function untilState(connection: GatewayConnection, kind: ConnectionState["kind"]): Promise<void> {
  return until(connection.onState, () => connection.state.kind === kind);
}

export async function restart(gateway: FakeGateway): Promise<void> {
  gateway.options.port = gateway.port;
  await gateway.stop();
}
