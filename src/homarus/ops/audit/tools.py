"""What the assistant may do on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, cast

from homarus.ops.audit.finding import AuditFinding, SetKey

if TYPE_CHECKING:
    from homarus.config.load import LoadedConfig

INTERPRETERS: Final = frozenset(
    (
        *("sh", "bash", "zsh", "dash", "fish", "python", "python3", "node", "deno", "bun", "perl", "ruby", "php"),
        *("lua", "awk", "gawk", "sed", "find", "xargs", "env", "ssh", "git", "make", "tar", "vi", "vim", "less"),
    )
)
"""Programs that run whatever their arguments say."""


def audit_tools(loaded: LoadedConfig) -> Iterator[AuditFinding]:
    """Yield what is loose about tools, commands and the log."""
    config = loaded.config
    rules, place = config.tools.exec, "tools.exec"
    if rules.host in ("gateway", "node"):
        detail = f"commands are meant to run on the {rules.host}, outside the sandbox"
        yield AuditFinding(
            "tools.exec.host_sandbox_no_sandbox_defaults",
            "critical",
            f"{place}.host",
            detail,
            "set it to auto",
            SetKey(f"{place}.host", "auto"),
        )
    if rules.security == "full":
        detail = "every command is allowed"
        yield AuditFinding(
            "tools.exec.security_full_configured", "warn", f"{place}.security", detail, "set it to allowlist"
        )
    loose = sorted(INTERPRETERS & set(rules.safe_bins or ()) - set(rules.safe_bin_profiles))
    if loose:
        yield AuditFinding(
            "tools.exec.safe_bins_interpreter_unprofiled",
            "critical",
            f"{place}.safeBins",
            f"{', '.join(loose)} run whatever their arguments say",
            "remove them, or give each a profile in tools.exec.safeBinProfiles",
        )
    if config.commands.bash:
        detail = "`!` in a chat runs shell commands"
        repair = SetKey("commands.bash", "false")
        yield AuditFinding("commands.bash_enabled", "warn", "commands.bash", detail, "set it to false", repair)
    if config.logging.redact_sensitive == "off":
        detail, key = "secrets in tool output reach the log", "logging.redactSensitive"
        yield AuditFinding("logging.redact_off", "warn", key, detail, "set it to tools", SetKey(key, "tools"))
    yield from _dangerous_flags(loaded.written, "")


def _dangerous_flags(value: object, place: str) -> Iterator[AuditFinding]:
    """Yield every switch whose own name says that it is dangerous, wherever it is in the file."""
    if isinstance(value, list):
        for number, item in enumerate(cast("list[object]", value)):
            yield from _dangerous_flags(item, f"{place}[{number}]")
    if not isinstance(value, Mapping):
        return
    for key, item in cast("Mapping[str, object]", value).items():
        here = f"{place}.{key}" if place else key
        if item is True and key.lower().startswith(("dangerous", "allowinsecure", "allowunsafe", "insecure")):
            detail = "a switch that gives protection up is on"
            fix = f"homarus config unset {here}"
            yield AuditFinding("config.insecure_or_dangerous_flags", "warn", here, detail, fix)
        yield from _dangerous_flags(item, here)
