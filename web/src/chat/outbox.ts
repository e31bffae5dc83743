import { isObject, readNumber, readString } from "../protocol/frames.ts";
import type { KeyValueStore } from "../protocol/credentials.ts";

const KEY = "homarus.outbox.v1";
const LIMIT = 100;

/** A message the gateway has not acknowledged yet. */
export interface OutboxItem {
  runId: string;
  sessionKey: string;
  text: string;
  createdAt: number;
}

function readItem(value: unknown): OutboxItem | null {
  if (!isObject(value)) return null;
  const runId = readString(value, "runId");
  const sessionKey = readString(value, "sessionKey");
  const text = readString(value, "text");
  if (runId === undefined || sessionKey === undefined || text === undefined) return null;
  return { runId, sessionKey, text, createdAt: readNumber(value, "createdAt") ?? 0 };
}

/** Messages waiting for their acknowledgement; survives a reload of the page. Oldest first. */
export class Outbox {
  readonly #store: KeyValueStore;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  list(): OutboxItem[] {
    try {
      const value: unknown = JSON.parse(this.#store.getItem(KEY) ?? "[]");
      return Array.isArray(value) ? value.map(readItem).filter((item) => item !== null) : [];
    } catch {
      return [];
    }
  }

  /** False when the box is full or the browser refuses to store; the message then lives in this page only. */
  add(item: OutboxItem): boolean {
    const items = this.list().filter((known) => known.runId !== item.runId);
    return items.length < LIMIT && this.#write([...items, item]);
  }

  remove(runId: string): void {
    const items = this.list();
    const rest = items.filter((item) => item.runId !== runId);
    if (rest.length !== items.length) this.#write(rest);
  }

  #write(items: OutboxItem[]): boolean {
    try {
      this.#store.setItem(KEY, JSON.stringify(items));
      return true;
    } catch {
      return false;
    }
  }
}
