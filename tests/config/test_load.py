from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ConfigDict

from homarus.config.issues import ConfigErrors, ConfigIssue
from homarus.config.load import LoadedConfig, load, load_text, read_channels
from homarus.config.secret import Secret, SecretResolver
from homarus.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def read(tmp_path: Path, text: str, **env: str) -> LoadedConfig:
    path = tmp_path / "homarus.json"
    path.write_text(text)
    return load(path, env)


def problems(tmp_path: Path, text: str, **env: str) -> dict[str, str]:
    with pytest.raises(ConfigErrors) as caught:
        read(tmp_path, text, **env)
    return {issue.path: str(issue) for issue in caught.value.issues}


OPENCLAW = """
// written by the setup of OpenClaw 2026.4.5
{
  "$schema": "https://example.org/schema.json",
  meta: { lastTouchedVersion: "2026.4.5", lastTouchedAt: "2026-04-07T09:00:00.000Z" },
  gateway: {
    port: 18789, mode: "local", bind: "loopback",
    auth: { mode: "token", token: "${GATEWAY_SECRET}", rateLimit: { maxAttempts: 5 } },
    controlUi: { enabled: true, allowedOrigins: ["https://home.example.org"] },
    tailscale: { mode: "off", resetOnExit: false },
    reload: { mode: "hybrid" }, http: { endpoints: { chatCompletions: { enabled: true } } },
    nodes: { denyCommands: ["camera.snap"] },
  },
  agents: {
    defaults: {
      model: { primary: "local/llama", fallbacks: ["local/small"] },
      models: { "local/llama": { alias: "big" } },
      workspace: "~/.openclaw/workspace",
      compaction: { mode: "safeguard" }, maxConcurrent: 4, subagents: { maxConcurrent: 8 },
      heartbeat: { every: "30m", activeHours: { start: "08:00", end: "24:00" } },
      sandbox: { mode: "non-main", docker: { binds: ["/srv:/srv:ro"] } },
      memorySearch: { query: { hybrid: { mmr: { lambda: 0.5 } } } },
    },
    list: [
      { id: "main", default: true, identity: { name: "Clawd", emoji: "*" } },
      { id: "work", model: "local/small", groupChat: { mentionPatterns: ["@work"] }, tools: { deny: ["exec"] },
        heartbeat: { every: "1h" } },
    ],
  },
  models: {
    mode: "merge",
    providers: {
      local: {
        baseUrl: "http://127.0.0.1:8080/v1", apiKey: { source: "env", provider: "default", id: "LLM_KEY" },
        api: "openai-completions",
        models: [{ id: "llama", name: "Llama", reasoning: false, input: ["text", "image"],
                   cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
                   contextWindow: 131072, maxTokens: 8192 }],
      },
    },
  },
  channels: {
    defaults: { groupPolicy: "allowlist" },
    irc: { enabled: true, host: "irc.example.org", nick: "clawd", dmPolicy: "allowlist", allowFrom: ["ada"] },
    telegram: { enabled: false, botToken: "123:abc", dmPolicy: "pairing", groups: { "*": { requireMention: true } } },
  },
  session: { dmScope: "per-channel-peer", reset: { mode: "daily", atHour: 4 },
             resetByType: { group: { idleMinutes: 60 } },
             identityLinks: { ada: ["irc:ada"] }, maintenance: { pruneAfter: "30d", rotateBytes: "10mb" } },
  messages: { ackReactionScope: "group-mentions", queue: { mode: "collect", byChannel: { irc: "followup" } },
              groupChat: { historyLimit: 20 }, tts: { providers: { edge: { voice: "x", rate: 1.5 } } } },
  bindings: [{ agentId: "work", match: { channel: "irc", peer: { kind: "group", id: "#work" } } }],
  logging: { level: "info", consoleStyle: "pretty", redactSensitive: "tools" },
}
"""


def test_an_openclaw_file_of_the_supported_families_loads_unchanged(tmp_path: Path) -> None:
    loaded = read(tmp_path, OPENCLAW, GATEWAY_SECRET="s3cret", LLM_KEY="k3y")
    config = loaded.config
    assert config.gateway.auth.token == Secret("s3cret")
    assert config.gateway.auth.rate_limit.max_attempts == 5
    assert config.agents.defaults.model is not None
    assert config.agents.defaults.model.fallbacks == ("local/small",)
    assert config.agents.defaults.memory_search.query.hybrid.mmr.lambda_ == 0.5
    assert config.models.providers["local"].api_key == Secret("k3y")
    assert config.models.providers["local"].models[0].context_window == 131072
    assert config.bindings[0].match.peer is not None
    assert config.channels.sections["irc"]["nick"] == "clawd"
    assert config.session.reset_by_type.group is not None
    assert loaded.warnings == ()
    assert len(loaded.hash) == 64


def test_a_missing_file_means_defaults(tmp_path: Path) -> None:
    loaded = load(tmp_path / "homarus.json", {})
    assert not loaded.exists
    assert (loaded.config.gateway.port, loaded.config.gateway.bind) == (18789, "loopback")
    assert loaded.config.session.reset_triggers == ("/new", "/reset")
    assert loaded.config.agents.defaults.compaction.reserve_tokens_floor == 20000
    assert loaded.config.agents.default_id == "main"


def test_an_unknown_key_names_the_nearest_known_one(tmp_path: Path) -> None:
    found = problems(tmp_path, '{"gateway": {"prot": 1}}')
    assert found == {"gateway.prot": 'gateway.prot: unknown key. Did you mean "port"?'}


def test_a_key_in_the_wrong_place_names_the_right_one(tmp_path: Path) -> None:
    assert '"gateway.port"' in problems(tmp_path, '{"port": 1}')["port"]


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        '{gateway: {port: "18789"}, agents: {list: [{}]},'
        ' logging: {level: "inof"}, bindings: [{agentId: "x", match: {}}],'
        " session: {reset: {atHour: 24}}, nonsense: 1}",
    )
    assert set(found) == {
        "gateway.port",
        "agents.list[0].id",
        "logging.level",
        "bindings[0].match.channel",
        "session.reset.atHour",
        "nonsense",
    }
    assert "Write 18789 without quotes" in found["gateway.port"]
    assert '"info"' in found["logging.level"]


def test_values_of_secrets_are_never_shown(tmp_path: Path) -> None:
    text = '{"gateway": {"auth": {"token": 5311, "mode": "${MODE}"}}, "channels": {"irc": {"password": 5311}}}'
    with pytest.raises(ConfigErrors) as caught:
        read(tmp_path, text, MODE="hush-hush")
    assert "5311" not in str(caught.value)
    assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1,\n "b": }', "line 2, column 7"),
        ("{a: 1", "line 1, column 6"),
        ("{a: 'x\n'}", "line 1, column 7"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_broken_json5_names_the_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(ConfigErrors, match=place):
        read(tmp_path, text)


def test_a_list_instead_of_an_object_is_refused(tmp_path: Path) -> None:
    assert "one object" in problems(tmp_path, "[1]")[""]


def test_a_file_over_five_mebibytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="larger than 5 MiB"):
        read(tmp_path, "{}" + " " * (5 * 1024 * 1024))


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "homarus.json"
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(path, {})


def test_a_key_written_twice_is_a_warning(tmp_path: Path) -> None:
    loaded = read(tmp_path, '{"logging": {"level": "info", "level": "debug"}}')
    assert loaded.config.logging.level == "debug"
    assert "level" in loaded.warnings[0]


@pytest.mark.parametrize("prefix", ["HOMARUS", "OPENCLAW"])
def test_the_environment_overrides_gateway_credentials(tmp_path: Path, prefix: str) -> None:
    env = {f"{prefix}_GATEWAY_TOKEN": "from-env", f"{prefix}_GATEWAY_PASSWORD": "pass"}
    loaded = read(tmp_path, '{"gateway": {"auth": {"token": "from-file"}}}', **env)
    assert loaded.config.gateway.auth.token == Secret("from-env")
    assert loaded.config.gateway.auth.password == Secret("pass")


def test_variables_come_from_the_process_then_dotenv_then_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# comment\nexport A=dotenv\nB='dot env' # why\nC=\"x\\ny\"\n")
    text = '{"env": {"A": "file", "vars": {"D": "file"}}, "messages": {"responsePrefix": "${A}|${B}|${C}|${D}"}}'
    assert read(tmp_path, text, A="process").config.messages.response_prefix == "process|dot env|x\ny|file"


def test_a_broken_dotenv_names_the_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nnonsense\n")
    with pytest.raises(ConfigError, match="line 2"):
        read(tmp_path, "{}")


class Chat(BaseModel):
    model_config = ConfigDict(extra="forbid")
    host: str
    password: Secret | None = None


def test_channels_are_validated_by_their_own_models(tmp_path: Path) -> None:
    text = (
        '{"channels": {"irc": {"host": "h", "password": {"source": "env", "provider": "default", "id": "P"}},'
        ' "telegram": {"botToken": "x"}}}'
    )
    loaded = read(tmp_path, text, P="secret")
    found, issues = read_channels(loaded.config.channels.sections, {"irc": Chat}, loaded.secrets)
    assert issues == []
    assert list(found) == ["irc"]
    assert isinstance(found["irc"], Chat)
    assert found["irc"].password == Secret("secret")


def test_wrong_channel_sections_are_reported_together(tmp_path: Path) -> None:
    loaded = read(tmp_path, '{"channels": {"irc": {"host": 5, "nope": 1}, "telegramm": {}}}')
    _, issues = read_channels(loaded.config.channels.sections, {"irc": Chat}, loaded.secrets)
    found = {issue.path: issue for issue in issues}
    assert set(found) == {"channels.irc.host", "channels.irc.nope", "channels.telegramm"}
    assert found["channels.telegramm"].nearest == "telegram"


def test_what_is_wrong_with_channels_comes_together_with_everything_else(tmp_path: Path) -> None:
    text = """{
      gateway: {prot: 1},
      channels: {irc: {host: 5, nope: 1}, telegram: {dmPolicy: "open"}, defaults: {groupPolicy: "maybe"}},
      agents: {list: [{id: "a", nmae: "x"}]},
    }"""

    def judge(sections: Mapping[str, Mapping[str, object]], secrets: SecretResolver) -> list[ConfigIssue]:
        assert set(sections) == {"irc", "telegram"}
        told = ConfigIssue("channels.telegram", "open needs a star")
        return [*read_channels(sections, {"irc": Chat}, secrets)[1], told]

    with pytest.raises(ConfigErrors) as caught:
        load_text(text, tmp_path / "homarus.json", {}, judge=judge)
    paths = [issue.path for issue in caught.value.issues]
    assert sorted(paths) == [
        "agents.list[0].nmae",
        "channels.defaults.groupPolicy",
        "channels.irc.host",
        "channels.irc.nope",
        "channels.telegram",
        "gateway.prot",
    ]


def test_a_problem_of_a_channel_is_told_once(tmp_path: Path) -> None:
    def judge(_sections: object, _secrets: object) -> list[ConfigIssue]:
        return [ConfigIssue("channels.telegram", "open needs a star")]

    with pytest.raises(ConfigErrors) as caught:
        load_text('{channels: {telegram: {dmPolicy: "open"}}}', tmp_path / "homarus.json", {}, judge=judge)
    assert [issue.path for issue in caught.value.issues] == ["channels.telegram.allowFrom"]


def test_the_overrides_of_an_agent_are_laid_over_the_defaults(tmp_path: Path) -> None:
    tree = {
        "agents": {
            "defaults": {"heartbeat": {"every": "10m", "prompt": "look"}, "maxConcurrent": 2},
            "list": [{"id": "main"}, {"id": "work", "model": "a/b", "heartbeat": {"every": "1h"}}],
        }
    }
    agents = load_text(json.dumps(tree), tmp_path / "homarus.json", {}).config.agents
    work = agents.effective("work")
    assert (work.heartbeat.every, work.heartbeat.prompt, work.max_concurrent) == ("1h", "look", 2)
    assert work.model is not None
    assert work.model.primary == "a/b"
    assert agents.effective("main").heartbeat.every == "10m"
