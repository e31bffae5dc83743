import { toBase64Url, toHex } from "./signature.ts";

const DATABASE = "homarus";
const STORE = "identity";
const RECORD = "device";

export interface DeviceIdentity {
  /** Lowercase hex SHA-256 of the raw public key. */
  id: string;
  /** Raw Ed25519 public key, base64url without padding. */
  publicKey: string;
  /** Base64url signature of UTF-8 text. */
  sign: (text: string) => Promise<string>;
}

/** This browser cannot hold a device identity. */
export class IdentityUnavailable extends Error {
  readonly reason: "insecure" | "unsupported";

  constructor(reason: "insecure" | "unsupported", options?: ErrorOptions) {
    super(`device identity: ${reason}`, options);
    this.name = "IdentityUnavailable";
    this.reason = reason;
  }
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB cannot be opened"));
  });
}

function settle<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB request failed"));
  });
}

async function generatePair(): Promise<CryptoKeyPair> {
  try {
    // Not extractable: a script that gets into the page can use the key, but never carry it away.
    return (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
  } catch (error) {
    throw new IdentityUnavailable("unsupported", { cause: error });
  }
}

/** Keep the first pair that was stored, so that two tabs opened at once agree on one identity. */
async function storePair(database: IDBDatabase, fresh: CryptoKeyPair): Promise<CryptoKeyPair> {
  const store = database.transaction(STORE, "readwrite").objectStore(STORE);
  const existing = (await settle(store.get(RECORD))) as CryptoKeyPair | undefined;
  if (existing !== undefined) return existing;
  await settle(store.put(fresh, RECORD));
  return fresh;
}

async function loadPair(): Promise<CryptoKeyPair> {
  let database: IDBDatabase;
  try {
    database = await openDatabase();
  } catch {
    // Private windows without storage still work: the identity then lives as long as the tab.
    return generatePair();
  }
  try {
    const store = database.transaction(STORE, "readonly").objectStore(STORE);
    const existing = (await settle(store.get(RECORD))) as CryptoKeyPair | undefined;
    return existing ?? (await storePair(database, await generatePair()));
  } finally {
    database.close();
  }
}

/** Load this browser's identity, or make one on the first visit. Throws IdentityUnavailable. */
export async function loadIdentity(): Promise<DeviceIdentity> {
  if (globalThis.crypto?.subtle === undefined) throw new IdentityUnavailable("insecure");
  const pair = await loadPair();
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const id = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", raw)));
  const sign = async (text: string): Promise<string> =>
    toBase64Url(new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, new TextEncoder().encode(text))));
  return { id, publicKey: toBase64Url(raw), sign };
}
