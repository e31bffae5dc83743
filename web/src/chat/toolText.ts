import type { IconName } from "../shell/icons.tsx";
import { isObject, readString } from "../protocol/frames.ts";

type KnownTool = "exec" | "read" | "write" | "edit" | "list" | "remember" | "recall" | "status";

const ALIASES: Record<string, KnownTool> = {
  exec: "exec", bash: "exec", shell: "exec",
  read: "read", read_file: "read",
  write: "write", write_file: "write",
  edit: "edit", apply_patch: "edit",
  list: "list", ls: "list", list_files: "list",
  remember: "remember", memory_store: "remember",
  recall: "recall", memory_search: "recall",
  session_status: "status", status: "status",
};

const ICONS: Record<KnownTool, IconName> = {
  exec: "terminal", read: "file", write: "pen", edit: "pen", list: "folder", remember: "memory", recall: "memory", status: "pulse",
};

/** Fields that say best what a call is about, most telling first. */
const TELLING = ["command", "cmd", "path", "file_path", "file", "query", "text", "url", "pattern", "name", "key"];

export function knownTool(name: string): KnownTool | undefined {
  return ALIASES[name];
}

export function toolIcon(name: string): IconName {
  const known = knownTool(name);
  return known === undefined ? "tool" : ICONS[known];
}

/** One line saying what the call acts on, from its arguments. */
export function toolTarget(args: unknown): string {
  if (typeof args === "string") return args;
  if (!isObject(args)) return "";
  const telling = TELLING.map((field) => readString(args, field)).find((value) => value !== undefined && value !== "");
  const fallback = Object.values(args).find((value) => typeof value === "string" && value !== "");
  return (telling ?? (typeof fallback === "string" ? fallback : "")).split("\n", 1)[0] ?? "";
}

/** Arguments as text for the opened card; empty when the target already says everything. */
export function toolInput(args: unknown): string {
  if (args === undefined || args === null) return "";
  if (typeof args === "string") return args.includes("\n") ? args : "";
  if (isObject(args)) {
    const values = Object.values(args);
    if (values.length === 0) return "";
    if (values.length === 1 && values[0] === toolTarget(args)) return "";
  }
  return JSON.stringify(args, null, 2);
}

/** Duration for people: "0.4 s", "12 s", "3 min". */
export function formatDuration(ms: number, locale: string): string {
  const seconds = Math.max(0, ms) / 1000;
  const [value, unit, digits] = seconds < 90 ? [seconds, "second", seconds < 10 ? 1 : 0] as const : [seconds / 60, "minute", 0] as const;
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits }).format(value);
}
