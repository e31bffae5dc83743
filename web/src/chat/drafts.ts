import { isObject } from "../protocol/frames.ts";
import type { KeyValueStore } from "../protocol/credentials.ts";

const KEY = "homarus.drafts.v1";
const LIMIT = 50;

/** Unsent text by session key; survives a reload. The oldest drafts go first when there are too many. */
export class Drafts {
  readonly #store: KeyValueStore;
  readonly #texts = new Map<string, string>();

  constructor(store: KeyValueStore) {
    this.#store = store;
    for (const [key, text] of Object.entries(this.#read())) if (typeof text === "string") this.#texts.set(key, text);
  }

  get(sessionKey: string): string {
    return this.#texts.get(sessionKey) ?? "";
  }

  set(sessionKey: string, text: string): void {
    this.#texts.delete(sessionKey);
    if (text !== "") this.#texts.set(sessionKey, text);
    for (const oldest of [...this.#texts.keys()].slice(0, Math.max(0, this.#texts.size - LIMIT))) this.#texts.delete(oldest);
    try {
      this.#store.setItem(KEY, JSON.stringify(Object.fromEntries(this.#texts)));
    } catch {
      // A full storage costs only the draft's survival of a reload.
    }
  }

  #read(): Record<string, unknown> {
    try {
      const value: unknown = JSON.parse(this.#store.getItem(KEY) ?? "{}");
      return isObject(value) ? value : {};
    } catch {
      return {};
    }
  }
}
