import { expect, test } from "vitest";
import { classifyConnectError, GatewayError } from "../src/protocol/failure.ts";
import { parseFrame } from "../src/protocol/frames.ts";
import { retryDelay } from "../src/protocol/backoff.ts";
import { readHello } from "../src/protocol/handshake.ts";

test("reads responses and events", () => {
  expect(parseFrame('{"type":"res","id":"1","ok":true,"payload":null}')).toEqual({ type: "res", id: "1", ok: true, payload: null });
  expect(parseFrame('{"type":"event","event":"tick","payload":{"ts":1},"seq":4}')).toMatchObject({ event: "tick", seq: 4 });
});

test.each(["", "{", "null", "[]", "7", '{"type":"res","id":1,"ok":true}', '{"type":"res","id":"1"}', '{"type":"event"}', '{"type":"x"}'])(
  "ignores malformed frame %j",
  (text) => expect(parseFrame(text)).toBeNull(),
);

test("gives an error without a body a code and a message", () => {
  const frame = parseFrame('{"type":"res","id":"1","ok":false}');
  expect(frame).toMatchObject({ error: { code: "UNAVAILABLE", message: "the gateway gave no reason" } });
});

test("refuses hello answers of another type", () => {
  expect(readHello({ type: "something" })).toBeNull();
  expect(readHello({ type: "hello-ok", policy: { tickIntervalMs: 7 } })?.tickIntervalMs).toBe(7);
});

test("waits longer after each failure, up to the limit, with jitter", () => {
  const options = { baseMs: 100, maxMs: 1000, random: () => 1 };
  expect([1, 2, 3, 4, 5, 60].map((attempt) => retryDelay(attempt, options))).toEqual([100, 200, 400, 800, 1000, 1000]);
  expect(retryDelay(3, { ...options, random: () => 0 })).toBe(200);
});

test.each([
  [{ code: "PAIRING_REQUIRED", requestId: "r" }, "pair"],
  [{ code: "AUTH_TOKEN_MISSING" }, "stop"],
  [{ code: "AUTH_TOKEN_MISMATCH", canRetryWithDeviceToken: true }, "retryWithDeviceToken"],
  [{ code: "DEVICE_AUTH_SIGNATURE_EXPIRED" }, "stop"],
  [{ expectedProtocol: 3 }, "stop"],
])("decides what a refused connect means: %j", (details, act) => {
  expect(classifyConnectError(new GatewayError({ code: "INVALID_REQUEST", message: "no", details })).act).toBe(act);
});

test("tries again when the gateway is only busy", () => {
  expect(classifyConnectError(new GatewayError({ code: "UNAVAILABLE", message: "starting" })).act).toBe("retry");
});
