declare global {
  /** Where the library that locks scrolling behind a dialog looks for the nonce of its own style element. */
  var __webpack_nonce__: string | undefined;
}

/** Read the nonce the gateway wrote into this page: the policy admits style elements that carry it, and no others. */
export function takeStyleNonce(): string {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";
  globalThis.__webpack_nonce__ = nonce;
  return nonce;
}
