import { hasOutput, textOf, type Block, type Entry } from "./model.ts";
import { isFinished, type Run } from "./run.ts";

/** Clocks of the browser and the gateway may differ by this much when a message is recognised by its time. */
const CLOCK_SKEW_MS = 120_000;

function isUserOf(entry: Entry, run: Run): boolean {
  if (entry.role !== "user" || run.userText === undefined) return false;
  if (entry.sendKey === run.runId) return true;
  const isLater = run.afterSeq >= 0 ? entry.seq > run.afterSeq : entry.timestamp >= run.createdAt - CLOCK_SKEW_MS;
  const [stored, own] = [textOf(entry.blocks).trim(), run.userText.trim()];
  if (!isLater || !stored.includes(own)) return false;
  // Under another key the text must be more than ours: several messages that were collected into one.
  return entry.sendKey === undefined || stored.length > own.length;
}

/** The stored message each run answers, by run id, once the transcript has it; no message is given to two runs. */
export function matchUsers(history: readonly Entry[], runs: readonly Run[]): Map<string, Entry> {
  const matches = new Map<string, Entry>();
  const taken = new Set<Entry>();
  for (const run of runs) {
    const entry = history.find((candidate) => !taken.has(candidate) && isUserOf(candidate, run));
    if (entry === undefined) continue;
    matches.set(run.runId, entry);
    if (textOf(entry.blocks).trim() === run.userText?.trim()) taken.add(entry);
  }
  return matches;
}

function isSettled(history: readonly Entry[], run: Run, user: Entry | undefined): boolean {
  if (!isFinished(run)) return false;
  if (run.userText !== undefined && user === undefined) return false;
  const since = user?.seq ?? run.afterSeq;
  const isReplyStored = history.some((entry) => entry.role === "assistant" && entry.seq > since);
  return isReplyStored || (!hasOutput(run.blocks) && run.error === undefined);
}

/** Runs that must still be shown: all but those which ended and whose message and outcome the transcript has. */
export function keepUnsettled(history: readonly Entry[], runs: readonly Run[]): Run[] {
  const users = matchUsers(history, runs);
  return runs.filter((run) => !isSettled(history, run, users.get(run.runId)));
}

interface Stored {
  calls: Set<string>;
  texts: Set<string>;
}

function collectStored(history: readonly Entry[], afterSeq: number): Stored {
  const stored: Stored = { calls: new Set(), texts: new Set() };
  for (const entry of history) {
    for (const block of entry.blocks) {
      if (block.kind === "tool") stored.calls.add(block.call.id);
      else if (block.kind === "text" && entry.role === "assistant" && entry.seq > afterSeq) stored.texts.add(block.text.trim());
    }
  }
  return stored;
}

/** Blocks of a live run which the fetched transcript does not show already. */
export function pendingBlocks(history: readonly Entry[], run: Run): Block[] {
  const stored = collectStored(history, run.afterSeq);
  return run.blocks.filter((block) => {
    if (block.kind === "tool") return !stored.calls.has(block.call.id);
    return block.kind !== "text" || !stored.texts.has(block.text.trim());
  });
}

/** Give calls in the fetched transcript the newer state that events have brought. */
function refreshCalls(history: readonly Entry[], runs: readonly Run[]): Entry[] {
  const live = new Map<string, Block>();
  for (const run of runs)
    for (const block of run.blocks) if (block.kind === "tool") live.set(block.call.id, block);
  if (live.size === 0) return [...history];
  return history.map((entry) => {
    const isStale = entry.blocks.some((block) => block.kind === "tool" && block.call.status === "open" && live.has(block.call.id));
    if (!isStale) return entry;
    const blocks = entry.blocks.map((block) => (block.kind === "tool" ? (live.get(block.call.id) ?? block) : block));
    return { ...entry, blocks };
  });
}

/** What a run shows below the transcript. */
export interface LiveTurn {
  run: Run;
  showUser: boolean;
  blocks: Block[];
}

export interface View {
  entries: Entry[];
  turns: LiveTurn[];
}

/** Join the stored transcript and the live runs so that nothing is shown twice and nothing is missing. */
export function buildView(history: readonly Entry[], runs: readonly Run[]): View {
  const users = matchUsers(history, runs);
  const turns = runs.map((run) => ({
    run,
    showUser: run.userText !== undefined && !users.has(run.runId),
    blocks: pendingBlocks(history, run),
  }));
  return { entries: refreshCalls(history, runs), turns };
}
