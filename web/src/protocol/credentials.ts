const GATEWAY_TOKEN = "homarus.gatewayToken";
const DEVICE_TOKEN = "homarus.deviceToken";

/** The part of the browser's localStorage that is used; memory when it is blocked. */
export interface KeyValueStore {
  getItem: (key: string) => string | null;
  setItem: (key: string, value: string) => void;
  removeItem: (key: string) => void;
}

export class MemoryStore implements KeyValueStore {
  readonly #values = new Map<string, string>();
  getItem(key: string): string | null {
    return this.#values.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.#values.set(key, value);
  }
  removeItem(key: string): void {
    this.#values.delete(key);
  }
}

/** The browser's storage, or memory where it is blocked or full-time unavailable. */
export function openStore(): KeyValueStore {
  try {
    const store = globalThis.localStorage;
    store.setItem("homarus.probe", "1");
    store.removeItem("homarus.probe");
    return store;
  } catch {
    return new MemoryStore();
  }
}

/** The two secrets this browser may hold: the gateway token from the login, and the token issued to this device. */
export class Credentials {
  readonly #store: KeyValueStore;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  get gatewayToken(): string | null {
    return this.#store.getItem(GATEWAY_TOKEN);
  }

  get deviceToken(): string | null {
    return this.#store.getItem(DEVICE_TOKEN);
  }

  get isEmpty(): boolean {
    return this.gatewayToken === null && this.deviceToken === null;
  }

  saveGatewayToken(token: string): void {
    this.#store.setItem(GATEWAY_TOKEN, token);
  }

  saveDeviceToken(token: string): void {
    this.#store.setItem(DEVICE_TOKEN, token);
  }

  dropGatewayToken(): void {
    this.#store.removeItem(GATEWAY_TOKEN);
  }

  dropDeviceToken(): void {
    this.#store.removeItem(DEVICE_TOKEN);
  }

  clear(): void {
    this.dropGatewayToken();
    this.dropDeviceToken();
  }
}
