import { expect, test } from "vitest";
import { buildSignedText, toBase64Url, toHex } from "../src/protocol/signature.ts";

const FIELDS = {
  deviceId: "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c",
  clientId: "cli", clientMode: "cli", role: "operator", scopes: ["operator.admin", "operator.read"],
  signedAtMs: 1737264000000, token: "secret-token", nonce: "3f1c2b9e-6a57-4c1e-9d38-5a7b0c2d4e6f", platform: "Linux ", deviceFamily: "",
};

test("signs the known vector exactly", async () => {
  const seed = Uint8Array.from({ length: 32 }, (_, index) => index);
  const pkcs8 = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20, ...seed]);
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
  const text = buildSignedText(FIELDS);
  expect(text).toBe(
    "v3|56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c|cli|cli|operator|operator.admin,operator.read|" +
      "1737264000000|secret-token|3f1c2b9e-6a57-4c1e-9d38-5a7b0c2d4e6f|linux|",
  );
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key, new TextEncoder().encode(text)));
  expect(toBase64Url(signature)).toBe("9NIz2T7YoqUp6tPqLfWdj43n2o3QaITTAcvIREQTFVmb24Xi1u9YzlV6_0LtpKhB8wfOSFSAuI_0TJ9_dIkbBQ");
});

test("lowercases ASCII letters of the platform only", () => {
  expect(buildSignedText({ ...FIELDS, platform: " MacİNTEL " }).endsWith("|macİntel|")).toBe(true);
});

test("encodes bytes without padding and with two hex digits each", () => {
  expect(toBase64Url(Uint8Array.from([251, 255, 254, 1]))).toBe("-__-AQ");
  expect(toHex(Uint8Array.from([0, 15, 255]))).toBe("000fff");
});
