import { readString } from "../protocol/frames.ts";

const TIMEOUT_MS = 15_000;

export type Exchange =
  | { kind: "ok"; token: string }
  | { kind: "rejected" }
  | { kind: "limited" }
  | { kind: "unreachable" };

/** Trade a one-time code for the gateway's browser token. */
export async function exchangeCode(code: string, fetcher: typeof fetch = fetch): Promise<Exchange> {
  let response: Response;
  try {
    response = await fetcher("/api/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    return { kind: "unreachable" };
  }
  if (response.status === 429) return { kind: "limited" };
  if (response.status >= 500) return { kind: "unreachable" };
  if (!response.ok) return { kind: "rejected" };
  const token = readString(await response.json().catch(() => null), "token");
  return token === undefined || token === "" ? { kind: "rejected" } : { kind: "ok", token };
}
