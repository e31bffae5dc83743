import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { GatewayError, NoAnswer } from "../src/protocol/failure.ts";
import { IdentityUnavailable } from "../src/protocol/identity.ts";
import { FakeGateway } from "./fakeGateway.ts";
import { newBench, newIdentity, restart, untilState, type Bench } from "./support.ts";

let gateway: FakeGateway;
const benches: Bench[] = [];

function bench(...rest: Parameters<typeof newBench> extends [string, ...infer Rest] ? Rest : never): Bench {
  const made = newBench(gateway.url, ...rest);
  benches.push(made);
  return made;
}

beforeEach(async () => {
  gateway = await new FakeGateway().start();
});

afterEach(async () => {
  for (const { connection } of benches.splice(0)) connection.stop();
  await gateway.stop();
});

test("connects with a signature the gateway accepts, and keeps the device token", async () => {
  const { connection, credentials } = bench();
  connection.start();
  await untilState(connection, "ready");
  expect(gateway.connects[0]).toMatchObject({
    minProtocol: 3, maxProtocol: 3, role: "operator", caps: ["tool-events"], client: { id: "openclaw-control-ui", mode: "webchat" },
  });
  expect(credentials.deviceToken).toBe([...gateway.deviceTokens.values()][0]);
});

test("asks for the protocol range it is given", async () => {
  const { connection } = bench({ range: { min: 3, max: 4 } });
  connection.start();
  await untilState(connection, "ready");
  expect(gateway.connects[0]).toMatchObject({ minProtocol: 3, maxProtocol: 4 });
});

test("stops with a protocol problem when the versions do not meet", async () => {
  const { connection } = bench({ range: { min: 4, max: 4 } });
  connection.start();
  await untilState(connection, "stopped");
  expect(connection.state).toMatchObject({ problem: { kind: "protocol" } });
});

test("stops and says so when the token is wrong", async () => {
  const { connection } = bench({}, undefined, "wrong");
  connection.start();
  await untilState(connection, "stopped");
  expect(connection.state).toMatchObject({ problem: { kind: "unauthorized" } });
  expect(gateway.connects).toHaveLength(1);
});

test("falls back to the device token when the gateway token has changed", async () => {
  const identity = newIdentity();
  const { connection, credentials } = bench({ loadIdentity: () => identity });
  connection.start();
  await untilState(connection, "ready");
  credentials.saveGatewayToken("stale");
  connection.start();
  await untilState(connection, "ready");
  expect(gateway.connects.at(-1)).toMatchObject({ auth: { token: credentials.deviceToken, deviceToken: credentials.deviceToken } });
});

test("waits for approval and goes on by itself", async () => {
  gateway.pairingRequired = true;
  const { connection } = bench();
  connection.start();
  await untilState(connection, "pairing");
  expect(connection.state).toEqual({ kind: "pairing", requestId: "req-1" });
  gateway.pairingRequired = false;
  await untilState(connection, "ready");
});

test("names an insecure context instead of trying for ever", async () => {
  const { connection } = bench({ loadIdentity: () => Promise.reject(new IdentityUnavailable("insecure")) });
  connection.start();
  await untilState(connection, "stopped");
  expect(connection.state).toMatchObject({ problem: { kind: "insecure" } });
});

test("comes back after a restart and calls it one", async () => {
  const { connection } = bench();
  connection.start();
  await untilState(connection, "ready");
  gateway.dropAll(1012);
  await untilState(connection, "waiting");
  expect(connection.state).toMatchObject({ cause: "restart", attempt: 1 });
  await untilState(connection, "ready");
});

test("keeps trying while nothing listens", async () => {
  const { connection } = bench();
  connection.start();
  await untilState(connection, "ready");
  await restart(gateway);
  await vi.waitUntil(() => connection.state.kind === "waiting" && connection.state.attempt >= 2);
  await gateway.start();
  await untilState(connection, "ready");
});

test("gives up on a connection that has gone silent", async () => {
  gateway.options.tickIntervalMs = 40;
  const { connection } = bench();
  connection.start();
  await untilState(connection, "ready");
  gateway.isSilent = true;
  await untilState(connection, "waiting");
  gateway.isSilent = false;
  await untilState(connection, "ready");
});

test("a probe without an answer reconnects at once", async () => {
  const { connection } = bench();
  connection.start();
  await untilState(connection, "ready");
  gateway.mute.add("health");
  await connection.probe();
  expect(connection.state.kind).toBe("waiting");
});

test("turns refusals into errors with their code, and lost answers into NoAnswer", async () => {
  const { connection } = bench();
  await expect(connection.request("health", {})).rejects.toMatchObject({ cause_: "offline" });
  connection.start();
  await untilState(connection, "ready");
  await expect(connection.request("nope", {})).rejects.toBeInstanceOf(GatewayError);
  gateway.mute.add("health");
  await expect(connection.request("health", {}, { timeoutMs: 30 })).rejects.toMatchObject({ cause_: "timeout" });
  const lost = connection.request("health", {});
  gateway.dropAll(1006 - 6);
  await expect(lost).rejects.toBeInstanceOf(NoAnswer);
});

test("signed out by the gateway means stop, not retry", async () => {
  const { connection } = bench();
  connection.start();
  await untilState(connection, "ready");
  gateway.dropAll(4001);
  await untilState(connection, "stopped");
  expect(connection.state).toMatchObject({ problem: { kind: "unauthorized" } });
});
