from __future__ import annotations

import pytest

from homarus.tools.policy import ToolPolicy

NAMES = ("read", "write", "edit", "list", "exec", "remember", "recall", "session_status")


def allowed(policy: ToolPolicy) -> list[str]:
    return [name for name in NAMES if policy.is_allowed(name)]


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        (ToolPolicy(), list(NAMES)),
        (ToolPolicy(profile="full"), list(NAMES)),
        (ToolPolicy(profile="coding"), list(NAMES)),
        (ToolPolicy(profile="minimal"), ["session_status"]),
        (ToolPolicy(profile="messaging"), ["session_status"]),
        (ToolPolicy(profile="no-such-profile"), []),
        (ToolPolicy(profile="minimal", also_allow=("group:fs",)), ["read", "write", "edit", "list", "session_status"]),
        (ToolPolicy(allow=("group:memory", "read")), ["read", "remember", "recall"]),
        (ToolPolicy(allow=()), []),
        (ToolPolicy(allow=("*",), deny=("group:runtime",)), [name for name in NAMES if name != "exec"]),
        (ToolPolicy(deny=("bash", "re*")), ["write", "edit", "list", "session_status"]),
        (ToolPolicy(allow=("exec",), deny=("exec",), also_allow=("exec",)), []),
        (ToolPolicy(allow=("group:unknown",)), []),
    ],
)
def test_profile_allow_and_deny_decide_together(policy: ToolPolicy, names: list[str]) -> None:
    assert allowed(policy) == names


def test_the_rule_that_refuses_is_named() -> None:
    policy = ToolPolicy(profile="coding", allow=("group:fs", "exec", "message"), deny=("exec",))
    assert policy.refusing_rule("exec") == "tools.deny"
    assert policy.refusing_rule("recall") == "tools.allow"
    assert policy.refusing_rule("message") == "tools.profile"
    assert policy.refusing_rule("read") is None
