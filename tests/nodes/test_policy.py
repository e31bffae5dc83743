"""Which commands a node may be asked for."""

from __future__ import annotations

import pytest

from homarus.nodes.policy import allowed_commands, approval_scopes, check_command, filter_commands, platform_of


@pytest.mark.parametrize(
    ("platform", "family", "expected"),
    [
        ("iOS 18.1.0", None, "ios"),
        ("iPadOS 18.1.0", "iPad", "ios"),
        ("android", "Android", "android"),
        ("macOS 15.2.0", "Mac", "macos"),
        ("darwin", None, "macos"),
        ("win32", None, "windows"),
        ("linux", None, "linux"),
        ("plan9", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_platform_is_read_from_prefix_then_family(platform: str | None, family: str | None, expected: str) -> None:
    assert platform_of(platform, family) == expected


@pytest.mark.parametrize("platform", ["ios", "android", "macos", "linux", "win32", "other"])
@pytest.mark.parametrize("command", ["camera.snap", "camera.clip", "screen.record", "sms.send", "contacts.add"])
def test_dangerous_commands_need_the_configuration(platform: str, command: str) -> None:
    assert command not in allowed_commands(platform, None)
    assert command in allowed_commands(platform, None, allow=[command])


def test_denied_commands_stay_denied_even_when_allowed() -> None:
    allowed = allowed_commands("linux", None, allow=["camera.snap"], deny=["camera.snap", "system.run"])
    assert not {"camera.snap", "system.run"} & allowed


def test_declared_commands_are_trimmed_deduplicated_and_filtered_in_order() -> None:
    declared = [" system.which ", "system.run", "system.which", "camera.list"]
    assert filter_commands(declared, allowed_commands("linux", None)) == ("system.which", "system.run")


def test_phones_do_not_run_programs() -> None:
    assert "system.run" not in allowed_commands("ios", None) | allowed_commands("android", None)


@pytest.mark.parametrize(
    ("command", "declared", "reason"),
    [
        ("no.such", ("system.run",), "command not allowlisted"),
        ("system.run", ("system.which",), "command not declared by node"),
        ("system.run", (), "node did not declare commands"),
    ],
)
def test_refusals_say_why(command: str, declared: tuple[str, ...], reason: str) -> None:
    refusal = check_command(command, declared, allowed_commands("linux", None), "linux")
    assert refusal is not None
    assert refusal.reason == reason
    assert refusal.message.startswith("node command not allowed: ")


def test_an_allowed_and_declared_command_is_not_refused() -> None:
    assert check_command("system.run", ("system.run",), allowed_commands("linux", None), "linux") is None


@pytest.mark.parametrize(
    ("commands", "scopes"),
    [
        ([], ("operator.pairing",)),
        (["canvas.hide"], ("operator.pairing", "operator.write")),
        (["canvas.hide", "system.which"], ("operator.pairing", "operator.admin")),
    ],
)
def test_approving_needs_scopes_by_what_the_node_can_do(commands: list[str], scopes: tuple[str, ...]) -> None:
    assert approval_scopes(commands) == scopes
