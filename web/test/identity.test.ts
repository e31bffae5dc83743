import "fake-indexeddb/auto";
import { createHash, createPublicKey, verify } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { loadIdentity } from "../src/protocol/identity.ts";

afterEach(() => vi.unstubAllGlobals());

test("makes one identity and finds it again", async () => {
  const [first, second] = await Promise.all([loadIdentity(), loadIdentity()]);
  const third = await loadIdentity();
  expect(new Set([first.id, second.id, third.id]).size).toBe(1);
  expect(first.id).toBe(createHash("sha256").update(Buffer.from(first.publicKey, "base64url")).digest("hex"));
});

test("signs so that others can check it", async () => {
  const identity = await loadIdentity();
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: identity.publicKey }, format: "jwk" });
  const signature = Buffer.from(await identity.sign("hello"), "base64url");
  expect(verify(null, Buffer.from("hello"), key, signature)).toBe(true);
});

test("works without storage, for as long as the tab lives", async () => {
  vi.stubGlobal("indexedDB", { open: () => { throw new Error("blocked"); } });
  expect((await loadIdentity()).id).toMatch(/^[0-9a-f]{64}$/);
});

test("says that the context is not secure", async () => {
  vi.stubGlobal("crypto", {});
  await expect(loadIdentity()).rejects.toMatchObject({ reason: "insecure" });
});
