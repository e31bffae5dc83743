from __future__ import annotations

from msgspec.structs import replace

from homarus.channels import registry
from homarus.channels.unused import unused_channel_keys

MANIFEST = replace(registry.manifests()["telegram"], unused=("retry", "groups.*.ingest"))


def test_keys_are_found_at_the_top_and_below_accounts_in_file_order() -> None:
    section: dict[str, object] = {
        "groups": {"1": {"ingest": True, "enabled": True}, "ingest": {"requireMention": True}},
        "retry": {"attempts": 2},
        "accounts": {"a": {"retry": {}, "botToken": "x"}, "retry": {"groups": {"*": {"ingest": False}}}},
    }
    assert unused_channel_keys({"telegram": section, "other": {"retry": 1}}, {"telegram": MANIFEST}) == (
        "channels.telegram.groups.1.ingest",
        "channels.telegram.retry",
        "channels.telegram.accounts.a.retry",
        "channels.telegram.accounts.retry.groups.*.ingest",
    )


def test_a_channel_that_is_off_is_not_asked() -> None:
    assert unused_channel_keys({"telegram": {"enabled": False, "retry": {}}}, {"telegram": MANIFEST}) == ()
