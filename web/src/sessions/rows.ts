import { isObject, readNumber, readString } from "../protocol/frames.ts";

/** One conversation as the list shows it. */
export interface SessionRow {
  key: string;
  /** Name the owner gave it. */
  label: string | undefined;
  /** Best name there is: the label, or one derived from what was said. */
  title: string | undefined;
  preview: string | undefined;
  updatedAt: number;
  isRunning: boolean;
  channel: string | undefined;
  model: string | undefined;
}

export interface SessionList {
  rows: SessionRow[];
  defaultModel: string | undefined;
}

function joinModel(source: unknown): string | undefined {
  const model = readString(source, "model");
  const provider = readString(source, "modelProvider");
  return model === undefined || provider === undefined || model.startsWith(`${provider}/`) ? model : `${provider}/${model}`;
}

function readTitle(source: unknown, key: string): string | undefined {
  const candidates = ["label", "derivedTitle", "displayName", "subject"].map((field) => readString(source, field)?.trim());
  return candidates.find((title) => title !== undefined && title !== "" && title !== key);
}

/** What was said last, without the marks of Markdown, which a single line cannot show. */
function readPreview(source: unknown): string | undefined {
  return readString(source, "lastMessagePreview")?.replace(/```(?:\w+ )?|[`*]|(?<!\w)_|_(?!\w)/g, "").trim();
}

function readRow(source: unknown): SessionRow | null {
  const key = readString(source, "key");
  if (key === undefined) return null;
  const channel = readString(source, "lastChannel") ?? readString(source, "channel");
  return {
    key,
    label: readString(source, "label"),
    title: readTitle(source, key),
    preview: readPreview(source),
    updatedAt: readNumber(source, "updatedAt") ?? 0,
    isRunning: readString(source, "status") === "running",
    channel: channel === "webchat" ? undefined : channel,
    model: joinModel(source),
  };
}

/** Rows of a sessions.list answer, newest first. */
export function readSessionList(payload: unknown): SessionList {
  const sessions = isObject(payload) && Array.isArray(payload["sessions"]) ? payload["sessions"] : [];
  const rows = sessions.map(readRow).filter((row) => row !== null);
  rows.sort((a, b) => b.updatedAt - a.updatedAt);
  return { rows, defaultModel: isObject(payload) ? joinModel(payload["defaults"]) : undefined };
}

export type Age = "today" | "yesterday" | "earlier";

/** Which group of the list a time belongs to. */
export function ageOf(time: number, now: Date): Age {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  if (time >= midnight) return "today";
  return time >= midnight - 86_400_000 ? "yesterday" : "earlier";
}

/** Key of a conversation that starts in this page. */
export function newSessionKey(agentId: string): string {
  return `agent:${agentId}:dashboard:${crypto.randomUUID()}`;
}
