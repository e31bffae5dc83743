"""A configuration written for OpenClaw 2026.4 starts Homarus unchanged."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.cli import homarus
from tests.e2e.process import gateway

from homarus.testing.irc_server import IrcServer
from homarus.testing.model_server import ModelServer

CONFIG = """// Written by hand, with comments and trailing commas, as people do.
{
  meta: { lastTouchedVersion: "2026.4.14", lastTouchedAt: "2026-04-20T10:00:00.000Z" },
  gateway: {
    port: 18789,
    mode: "local",
    bind: "loopback",
    auth: { mode: "token", token: "${GATEWAY_TOKEN_OF_THE_OWNER}", rateLimit: { maxAttempts: 10, windowMs: 60000 } },
    controlUi: { enabled: true, basePath: "/", allowedOrigins: ["http://localhost:18789"] },
    reload: { mode: "hybrid", debounceMs: 300 },
    tailscale: { mode: "off", resetOnExit: false },
  },
  agents: {
    defaults: {
      workspace: "WORKSPACE",
      model: { primary: "local/large", fallbacks: ["local/small"] },
      models: { "local/large": { alias: "big", params: { temperature: 0.2 } }, "local/small": {} },
      userTimezone: "Europe/Berlin",
      timeoutSeconds: 600,
      maxConcurrent: 4,
      thinkingDefault: "low",
      llm: { idleTimeoutSeconds: 90 },
      compaction: { mode: "safeguard" },
      heartbeat: { every: "30m" },
      subagents: { maxConcurrent: 8 },
    },
    list: [
      { id: "main", default: true, name: "Home", identity: { name: "Pip", emoji: "x", theme: "lobster" } },
      { id: "work", workspace: "WORKSPACE/work", model: "local/small" },
    ],
  },
  models: {
    mode: "merge",
    providers: {
      local: {
        baseUrl: "BASE_URL",
        apiKey: "${LOCAL_MODEL_KEY}",
        api: "openai-completions",
        models: [
          {
            id: "large", name: "Large", reasoning: false, input: ["text", "image"],
            cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }, contextWindow: 128000, maxTokens: 8192,
          },
          { id: "small", name: "Small" },
        ],
      },
    },
  },
  channels: {
    defaults: { groupPolicy: "allowlist" },
    irc: {
      enabled: true, host: "127.0.0.1", port: IRC_PORT, tls: false, nick: "pip", channels: ["#home"],
      dmPolicy: "pairing", allowFrom: ["ines!ines@home.example"], groupPolicy: "allowlist",
      groups: { "#home": { requireMention: true }, "*": { requireMention: true } },
      nickserv: { enabled: false },
    },
    telegram: { enabled: false, botToken: "${TELEGRAM_BOT_TOKEN}" },
  },
  session: {
    scope: "per-sender",
    dmScope: "per-channel-peer",
    identityLinks: { ines: ["irc:ines!ines@home.example"] },
    reset: { mode: "daily", atHour: 4, idleMinutes: 240 },
    resetByType: { group: { mode: "idle", idleMinutes: 120 } },
    resetTriggers: ["/new", "/reset"],
    mainKey: "main",
  },
  messages: {
    ackReaction: "",
    ackReactionScope: "group-mentions",
    groupChat: { mentionPatterns: ["@pip", "\\\\bpip\\\\b"], historyLimit: 50 },
    queue: { mode: "collect", debounceMs: 1000, cap: 20, drop: "summarize" },
    inbound: { debounceMs: 0 },
  },
  bindings: [
    { agentId: "work", match: { channel: "irc", peer: { kind: "channel", id: "#work" } } },
    { agentId: "main", match: { channel: "irc" } },
  ],
  logging: { level: "info", consoleLevel: "info", consoleStyle: "pretty", redactSensitive: "tools" },
}
"""


async def test_it_starts_answers_with_the_configured_model_and_joins_the_channel(tmp_path: Path, home: Path) -> None:
    async with ModelServer(models=("large", "small")) as model, IrcServer() as irc:
        text = CONFIG.replace("BASE_URL", model.base_url).replace("IRC_PORT", str(irc.port))
        file = tmp_path / "openclaw.json"
        file.write_text(text.replace("WORKSPACE", str(tmp_path / "clawd")))
        secrets = {
            "GATEWAY_TOKEN_OF_THE_OWNER": "a-token-of-the-owner-1",
            "LOCAL_MODEL_KEY": "local-key-1",
            "TELEGRAM_BOT_TOKEN": "1:telegram",
        }
        async with gateway(home, secrets, ("--config", str(file))) as running:
            await irc.expect("JOIN #home")
            said = await homarus(home, "agent", "--message", "good morning", "--json")
            assert re.fullmatch(r"echo: \[\w+ [-\d]+ [:\d]+ CES?T\] good morning", said.json()["text"])
            assert model.requests[0].headers["Authorization"] == "Bearer local-key-1"
            assert model.requests[0].body["model"] == "large"
            assert await running.stop() == 0
        assert file.read_text() == text.replace("WORKSPACE", str(tmp_path / "clawd"))
