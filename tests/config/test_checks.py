from __future__ import annotations

from pathlib import Path

import pytest

from homarus.config.issues import ConfigErrors
from homarus.config.load import load_text

BROKEN = [
    ('{channels: {irc: {dmPolicy: "open", allowFrom: ["ada"]}}}', "channels.irc.allowFrom"),
    ('{channels: {irc: {dmPolicy: "allowlist"}}}', "channels.irc.allowFrom"),
    ('{channels: {irc: {accounts: {a: {dmPolicy: "open"}}}}}', "channels.irc.accounts.a.allowFrom"),
    ('{channels: {discord: {dm: {policy: "open"}}}}', "channels.discord.dm.allowFrom"),
    ("{channels: {irc: {nickserv: {register: true}}}}", "channels.irc.nickserv.registerEmail"),
    ('{channels: {telegram: {webhookUrl: "https://x"}}}', "channels.telegram.webhookSecret"),
    ('{channels: {slack: {mode: "http"}}}', "channels.slack.signingSecret"),
    ("{gateway: {channelHealthCheckMinutes: 40}}", "gateway.channelStaleEventThresholdMinutes"),
    ('{gateway: {bind: "custom"}}', "gateway.customBindHost"),
    ('{agents: {list: [{id: "a"}, {id: "a"}]}}', "agents.list[1].id"),
    ('{agents: {list: [{id: "../a"}]}}', "agents.list[0].id"),
    ('{agents: {defaults: {heartbeat: {every: "often"}}}}', "agents.defaults.heartbeat.every"),
    (
        '{agents: {defaults: {heartbeat: {activeHours: {start: "24:00"}}}}}',
        "agents.defaults.heartbeat.activeHours.start",
    ),
    ('{agents: {defaults: {sandbox: {docker: {network: "host"}}}}}', "agents.defaults.sandbox.docker.network"),
    ('{agents: {defaults: {sandbox: {docker: {network: "container:x"}}}}}', "agents.defaults.sandbox.docker.network"),
    ('{agents: {defaults: {sandbox: {docker: {binds: ["a:/b"]}}}}}', "agents.defaults.sandbox.docker.binds[0]"),
    (
        '{agents: {list: [{id: "a", sandbox: {docker: {seccompProfile: "unconfined"}}}]}}',
        "agents.list[0].sandbox.docker.seccompProfile",
    ),
    ('{tools: {allow: ["a"], alsoAllow: ["b"]}}', "tools"),
    ("{tools: {loopDetection: {warningThreshold: 20}}}", "tools.loopDetection"),
    ('{tools: {exec: {safeBins: ["/bin/cat"]}}}', "tools.exec.safeBins[0]"),
    ('{bindings: [{type: "acp", agentId: "a", match: {channel: "irc"}}]}', "bindings[0].match.peer.id"),
    ('{session: {maintenance: {pruneAfter: "soon"}}}', "session.maintenance.pruneAfter"),
    ('{session: {maintenance: {maxDiskBytes: "10 apples"}}}', "session.maintenance.maxDiskBytes"),
    ('{cron: {sessionRetention: "a day"}}', "cron.sessionRetention"),
    ('{storage: {journalRetention: "12h"}}', "storage.journalRetention"),
]


@pytest.mark.parametrize(("text", "path"), BROKEN, ids=[path for _, path in BROKEN])
def test_rules_between_keys_are_enforced(text: str, path: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_text(text, Path("/nowhere/homarus.json"), {})
    assert [issue.path for issue in caught.value.issues] == [path]
    assert caught.value.issues[0].fix


@pytest.mark.parametrize(
    "text",
    [
        '{channels: {irc: {dmPolicy: "open", allowFrom: ["*"]}}}',
        '{channels: {irc: {allowFrom: ["*"], accounts: {a: {dmPolicy: "open"}}}}}',
        '{channels: {irc: {dmPolicy: "pairing"}}}',
        '{agents: {defaults: {heartbeat: {every: "1h30m", activeHours: {start: "08:00", end: "24:00"}}}}}',
        "{session: {maintenance: {resetArchiveRetention: false, rotateBytes: 1000}}}",
    ],
)
def test_what_obeys_the_rules_passes(text: str) -> None:
    assert load_text(text, Path("/nowhere/homarus.json"), {}).exists
