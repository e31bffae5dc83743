/** What a login link or a pasted text carries. */
export type LoginSecret = { kind: "code"; value: string } | { kind: "token"; value: string } | { kind: "unknown"; value: string };

const MAX_SECRET = 512;

function fromFragment(fragment: string): LoginSecret | null {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  for (const kind of ["code", "token"] as const) {
    const value = fields.get(kind)?.trim() ?? "";
    if (value !== "" && value.length <= MAX_SECRET) return { kind, value };
  }
  return null;
}

/** The secret in a page address's fragment; fragments are never sent to a server. */
export function readLoginFragment(hash: string): LoginSecret | null {
  return fromFragment(hash);
}

/** The secret in pasted text: a whole link, `code=…`, `token=…`, or a bare value of unknown kind. */
export function readLoginInput(text: string): LoginSecret | null {
  const trimmed = text.trim();
  const hashAt = trimmed.indexOf("#");
  const linked = fromFragment(hashAt >= 0 ? trimmed.slice(hashAt) : trimmed);
  if (linked !== null) return linked;
  const isBare = trimmed !== "" && trimmed.length <= MAX_SECRET && !/\s/.test(trimmed) && !trimmed.includes("://");
  return isBare ? { kind: "unknown", value: trimmed } : null;
}
