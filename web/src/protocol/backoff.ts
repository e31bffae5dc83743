export interface BackoffOptions {
  /** First delay in milliseconds. */
  baseMs: number;
  /** Longest delay in milliseconds. */
  maxMs: number;
  random: () => number;
}

/** Delay before attempt n (from 1): doubles up to the limit, and half of it is random so that tabs do not march in step. */
export function retryDelay(attempt: number, options: BackoffOptions): number {
  const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt - 1, 20));
  return Math.round(ceiling / 2 + (ceiling / 2) * options.random());
}
