const ALLOWED = new Set(["http:", "https:", "mailto:"]);

/** The address if a link in a model's text may lead there; javascript:, data:, file: and the like may not. */
export function safeLink(address: string): string | undefined {
  try {
    // A base that is no real host: relative addresses must not become links into this page's own origin.
    const url = new URL(address, "relative://none");
    return ALLOWED.has(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}
