import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { exchangeCode } from "../src/login/exchange.ts";
import { readLoginFragment, readLoginInput } from "../src/login/link.ts";
import { Login } from "../src/login/login.ts";
import { FakeGateway } from "./fakeGateway.ts";
import { newBench, until, untilState, type Bench } from "./support.ts";

let gateway: FakeGateway;
let bench: Bench;
let login: Login;

function atGateway(path: string | URL | Request, init?: RequestInit): Promise<Response> {
  return fetch(`http://127.0.0.1:${gateway.port}${String(path)}`, init);
}

beforeEach(async () => {
  gateway = await new FakeGateway().start();
  bench = newBench(gateway.url, {}, undefined, "");
  login = new Login(bench.connection, bench.credentials, (code) => exchangeCode(code, atGateway));
});

afterEach(async () => {
  bench.connection.stop();
  await gateway.stop();
});

function failed(): Promise<void> {
  return until(login.subscribe, () => login.getState().error !== undefined);
}

test.each([
  ["#code=abc", { kind: "code", value: "abc" }],
  ["#token=t%20t", { kind: "token", value: "t t" }],
  ["#other=1", null],
  ["", null],
  [`#code=${"x".repeat(600)}`, null],
])("reads the fragment %s", (hash, expected) => expect(readLoginFragment(hash)).toEqual(expected));

test.each([
  ["http://localhost:18789/login#code=abc", { kind: "code", value: "abc" }],
  ["  code=abc ", { kind: "code", value: "abc" }],
  ["abc-123", { kind: "unknown", value: "abc-123" }],
  ["http://localhost:18789/login", null],
  ["two words", null],
  ["", null],
])("reads the pasted text %s", (text, expected) => expect(readLoginInput(text)).toEqual(expected));

test("a link signs in", async () => {
  await login.begin("#code=CODE-1");
  await untilState(bench.connection, "ready");
  expect(login.getState().took).toBe("code");
  expect(bench.credentials.gatewayToken).toBe("gateway-token");
});

test("a used link says so", async () => {
  await login.begin("#code=USED");
  expect(login.getState().error).toBe("linkUsed");
  await untilState(bench.connection, "stopped");
});

test("a used link does not sign out a browser that is signed in", async () => {
  bench.credentials.saveGatewayToken("gateway-token");
  await login.begin("#code=USED");
  await untilState(bench.connection, "ready");
});

test("a pasted code and a pasted token are told apart", async () => {
  await login.submit("CODE-1");
  expect(login.getState().took).toBe("code");
  login.signOut();
  await untilState(bench.connection, "stopped");
  await login.submit("gateway-token");
  expect(login.getState().took).toBe("token");
  expect(bench.connection.state.kind).toBe("ready");
});

test("what is neither is refused and not kept", async () => {
  await login.submit("nonsense");
  await failed();
  expect(login.getState().error).toBe("notAccepted");
  expect(bench.credentials.isEmpty).toBe(true);
});

test.each([
  [429, "limited"], [410, "rejected"], [503, "unreachable"],
])("status %d of the login is read as %s", async (status, kind) => {
  const fetcher = vi.fn(() => Promise.resolve(new Response("{}", { status })));
  expect(await exchangeCode("x", fetcher)).toEqual({ kind });
});
