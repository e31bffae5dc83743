from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from homarus.channels.irc.config import IrcConfig
from homarus.channels.irc.settings import settings_of
from homarus.errors import ConfigError

WHOLE = {
    "name": "n", "enabled": True, "dangerouslyAllowNameMatching": False, "host": "irc.test", "port": 6697, "tls": True,
    "nick": "homarus", "username": "u", "realname": "R", "password": "p", "passwordFile": "/f",
    "nickserv": {"enabled": True, "service": "NickServ", "password": "p", "passwordFile": "/f", "register": False,
                 "registerEmail": "a@b.c"},
    "dmPolicy": "allowlist", "allowFrom": ["ines!~i@boat", 7], "groupPolicy": "open", "groupAllowFrom": ["*"],
    "groups": {"#pier": {"requireMention": True, "tools": {"allow": ["a"], "alsoAllow": ["b"], "deny": ["c"]},
                         "toolsBySender": {"*": {"deny": ["x"]}}, "skills": ["s"], "enabled": True,
                         "allowFrom": ["a!b@c"], "systemPrompt": "Be brief."}},
    "channels": ["#pier"], "mentionPatterns": ["\\blobster\\b"], "markdown": {"tables": "bullets"},
    "historyLimit": 5, "dmHistoryLimit": 5, "contextVisibility": "allowlist", "dms": {"ines": {"historyLimit": 1}},
    "textChunkLimit": 350, "chunkMode": "newline", "blockStreaming": True,
    "blockStreamingCoalesce": {"minChars": 1, "maxChars": 2, "idleMs": 0}, "responsePrefix": "> ", "mediaMaxMb": 1.5,
}  # fmt: skip


def test_every_key_of_the_reference_is_accepted_at_both_levels() -> None:
    config = IrcConfig.model_validate({**WHOLE, "accounts": {"work": WHOLE}, "defaultAccount": "work"})
    assert config.accounts["work"].nickserv.register_email == "a@b.c"
    assert config.accounts["work"].allow_from == ["ines!~i@boat", "7"]
    assert config.default_account == "work"


@pytest.mark.parametrize(
    "keys",
    [
        {"nick": "9lives"}, {"nick": "a b"}, {"nick": "a\r\nQUIT"}, {"channels": ["pier"]}, {"channels": ["#a,#b"]},
        {"channels": ["#a\r\nQUIT"]}, {"mentionPatterns": ["("]}, {"mentionPatterns": ["x" * 201]}, {"port": 0},
        {"tls": "maybe"}, {"hots": "irc.test"}, {"nickserv": {"pass": "x"}}, {"flood": {"burst": 0}},
    ],
)  # fmt: skip
def test_values_that_cannot_work_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        IrcConfig.model_validate({"host": "irc.test", **keys})


def test_the_port_follows_the_transport() -> None:
    assert settings_of(IrcConfig(host="irc.test"), "default").port == 6697
    assert settings_of(IrcConfig(host="irc.test", tls=False), "default").port == 6667


def test_secrets_are_in_no_repr() -> None:
    config = IrcConfig.model_validate({"host": "h", "password": "pier-9", "nickserv": {"password": "pier-9"}})
    assert "pier-9" not in repr(config)
    assert "pier-9" not in repr(settings_of(config, "default"))
    assert settings_of(config, "default").password == "pier-9"


def test_a_password_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("pier-9\n")
    config = IrcConfig.model_validate({"host": "h", "nickserv": {"passwordFile": str(file)}})
    settings = settings_of(config, "default")
    assert settings.nickserv_password == "pier-9"
    assert settings.sasl_password == "pier-9"
    assert not settings.is_sasl_required


@pytest.mark.parametrize("text", [None, "", "two\nlines"])
def test_a_password_file_that_cannot_be_used_is_named(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "secret"
    if text is not None:
        file.write_text(text)
    config = IrcConfig.model_validate({"host": "h", "passwordFile": str(file)})
    with pytest.raises(ConfigError) as caught:
        settings_of(config, "work")
    assert caught.value.path == "channels.irc.accounts.work.passwordFile"


def test_external_without_a_certificate_is_refused() -> None:
    config = IrcConfig.model_validate({"host": "h", "sasl": {"mechanism": "external"}})
    with pytest.raises(ConfigError, match="client certificate"):
        settings_of(config, "default")
