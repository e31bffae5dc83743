import type { DeviceIdentity } from "./identity.ts";
import { isObject, readNumber, readString, type JsonObject } from "./frames.ts";
import { buildSignedText } from "./signature.ts";

/** Protocol versions this page speaks. */
export interface ProtocolRange {
  min: number;
  max: number;
}

export const PROTOCOL_RANGE: ProtocolRange = { min: 3, max: 3 };

const CLIENT_ID = "openclaw-control-ui";
const CLIENT_MODE = "webchat";
const ROLE = "operator";
const SCOPES = ["operator.admin", "operator.read", "operator.write", "operator.approvals", "operator.pairing"];

export interface ConnectAuth {
  token?: string;
  deviceToken?: string;
}

export interface ClientFacts {
  version: string;
  platform: string;
  locale: string;
  userAgent: string;
}

export interface Hello {
  protocol: number;
  serverVersion: string;
  connId: string;
  methods: ReadonlySet<string>;
  defaultAgentId: string;
  mainSessionKey: string;
  tickIntervalMs: number;
  deviceToken: string | undefined;
}

/** Parameters of the `connect` request, signed over the gateway's nonce. */
export async function buildConnectParams(
  identity: DeviceIdentity,
  facts: ClientFacts,
  auth: ConnectAuth,
  nonce: string,
  range: ProtocolRange,
): Promise<JsonObject> {
  const signedAt = Date.now();
  const signedText = buildSignedText({
    deviceId: identity.id,
    clientId: CLIENT_ID,
    clientMode: CLIENT_MODE,
    role: ROLE,
    scopes: SCOPES,
    signedAtMs: signedAt,
    token: auth.token ?? auth.deviceToken ?? "",
    nonce,
    platform: facts.platform,
    deviceFamily: "",
  });
  const signature = await identity.sign(signedText);
  return {
    minProtocol: range.min,
    maxProtocol: range.max,
    client: { id: CLIENT_ID, mode: CLIENT_MODE, version: facts.version, platform: facts.platform, instanceId: identity.id },
    role: ROLE,
    scopes: SCOPES,
    caps: ["tool-events"],
    auth,
    device: { id: identity.id, publicKey: identity.publicKey, signature, signedAt, nonce },
    locale: facts.locale,
    userAgent: facts.userAgent,
  };
}

/** Read the parts of hello-ok this page uses; null when the answer is something else. */
export function readHello(payload: unknown): Hello | null {
  if (!isObject(payload) || payload["type"] !== "hello-ok") return null;
  const features = isObject(payload["features"]) ? payload["features"]["methods"] : undefined;
  const methods = Array.isArray(features) ? features.filter((name) => typeof name === "string") : [];
  const snapshot = isObject(payload["snapshot"]) ? payload["snapshot"] : {};
  const defaults = snapshot["sessionDefaults"];
  return {
    protocol: readNumber(payload, "protocol") ?? 0,
    serverVersion: readString(payload["server"], "version") ?? "",
    connId: readString(payload["server"], "connId") ?? "",
    methods: new Set(methods),
    defaultAgentId: readString(defaults, "defaultAgentId") ?? "main",
    mainSessionKey: readString(defaults, "mainSessionKey") ?? "agent:main:main",
    tickIntervalMs: readNumber(payload["policy"], "tickIntervalMs") ?? 30_000,
    deviceToken: readString(payload["auth"], "deviceToken"),
  };
}
