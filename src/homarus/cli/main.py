"""`homarus`: finds the command, loads only its module, and turns errors into two lines and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from homarus import __version__
from homarus.cli import screen
from homarus.cli.exits import ExitCode, UsageFailure, exit_code_of, fix_of
from homarus.cli.plain import read_plain_call, read_plain_start
from homarus.cli.tree import COMMANDS, Entry, find, nearest
from homarus.errors import ConfigError, HomarusError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DEBUG = "HOMARUS_DEBUG"
FAILPOINT = "HOMARUS_FAILPOINT"

_SETTINGS = {
    "--home": ("HOMARUS_HOME", "PATH", "Use this state folder."),
    "--config": ("HOMARUS_CONFIG", "FILE", "Use this configuration file."),
    "--url": ("HOMARUS_GATEWAY_URL", "URL", "Talk to the gateway at this address."),
    "--token": ("HOMARUS_GATEWAY_TOKEN", "TEXT", "Show the gateway this token."),
    "--tls-fingerprint": ("HOMARUS_GATEWAY_TLS_FINGERPRINT", "SHA256", "Expect this certificate of the gateway."),
}


def main() -> None:
    """Run the command line and end the process."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors have been printed by then."""
    return _reported(lambda: _dispatch(list(arguments)))


def guarded(work: Callable[[], None]) -> int:
    """Run the gateway process this command line became, with errors printed and failpoints armed alike."""

    def armed() -> int:
        _arm_failpoint()
        work()
        return ExitCode.OK

    return _reported(armed)


def _reported(work: Callable[[], int]) -> int:
    # Looking for pydantic plugins reads the metadata of every installed package, at each start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # The list aiohttp keeps its hooks in: compiled, it brings the C++ runtime, 1 MB, for what happens at start only.
    os.environ.setdefault("FROZENLIST_NO_EXTENSIONS", "1")
    try:
        return work()
    except HomarusError as error:
        return _fail(error)
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            sys.stderr.write("\n")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has gone; nothing can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:
        # The root of the process: a person gets a line, not a traceback.
        if os.environ.get(DEBUG):
            raise
        fix = f"set {DEBUG}=1, try again and report what it prints"
        screen.report(f"unexpected: {type(error).__name__}: {error}", fix)
        return ExitCode.FAILURE


def _fail(error: HomarusError) -> int:
    if os.environ.get(DEBUG):
        raise error
    screen.report(_placed(error), fix_of(error))
    return exit_code_of(error)


def _placed(error: HomarusError) -> str:
    """Return what is wrong with the key it is about in front."""
    path = error.path if isinstance(error, ConfigError) else None
    return f"{path}: {error.message}" if path and path not in error.message else error.message


def _dispatch(arguments: list[str]) -> int:
    rest = _take_settings(arguments)
    if not rest or rest[0] in ("-h", "--help", "help"):
        return _help(rest[1:] if rest[:1] == ["help"] else [])
    if rest[0] in ("-V", "--version"):
        screen.say(f"homarus {__version__}")
        return ExitCode.OK
    entry = find(rest[0])
    if entry is None:
        raise _unknown(rest[0])
    _arm_failpoint()
    start, asked = read_plain_start(rest), read_plain_call(rest)
    if start is not None:
        from homarus.cli.serving import run_here

        run_here(start)
    elif asked is not None:
        from homarus.cli.calling import ask

        ask(asked)
    else:
        return _invoke(entry, rest[1:])
    return ExitCode.OK


def _help(names: list[str]) -> int:
    if names:
        entry = find(names[0])
        if entry is None:
            raise _unknown(names[0])
        return _invoke(entry, [*names[1:], "--help"])
    screen.say(help_text())
    return ExitCode.OK


def help_text() -> str:
    """Return the page that `homarus --help` prints."""
    lines = ["Homarus, a self-hosted assistant.", "", "Usage: homarus [options] COMMAND ...", ""]
    for group in dict.fromkeys(entry.group for entry in COMMANDS):
        lines.append(f"{group}:")
        lines += [f"  {entry.name:<10} {entry.summary}" for entry in COMMANDS if entry.group == group]
        lines.append("")
    lines.append("Options, before the command:")
    lines += [f"  {f'{name} {value}':<24} {text} ({variable})" for name, (variable, value, text) in _SETTINGS.items()]
    lines += [f"  {'--version':<24} Print the version.", "", "homarus COMMAND --help says more about a command."]
    return "\n".join(lines)


def _take_settings(arguments: list[str]) -> list[str]:
    """Take the options before the command into the environment, where every room looks for them."""
    rest = arguments
    while rest and rest[0].partition("=")[0] in _SETTINGS:
        name, has_value, value = rest[0].partition("=")
        if not has_value and len(rest) < 2:
            raise UsageFailure(f"{name} needs a value", fix=f"write: homarus {name} {_SETTINGS[name][1]} COMMAND")
        os.environ[_SETTINGS[name][0]] = value if has_value else rest[1]
        rest = rest[1 if has_value else 2 :]
    return rest


def _unknown(name: str) -> UsageFailure:
    close = nearest(name)
    fix = f"homarus {close}" if close else "homarus --help"
    kind = "option" if name.startswith("-") else "command"
    return UsageFailure(f"there is no {kind} {name!r}", fix=fix)


def _arm_failpoint() -> None:
    spec = os.environ.get(FAILPOINT)
    if not spec:
        return
    from homarus.failpoints import Failpoint, arm

    try:
        arm(spec)
    except ValueError:
        raise UsageFailure(f"{FAILPOINT}={spec} names no failpoint", fix=", ".join(Failpoint)) from None


def _invoke(entry: Entry, arguments: list[str]) -> int:
    app = import_module(entry.module).app
    from typer.exceptions import Abort, TyperException
    from typer.main import get_command

    try:
        code = get_command(app).main(args=arguments, prog_name=f"homarus {entry.name}", standalone_mode=False)
    except TyperException as error:
        return _usage(error, entry)
    except Abort:
        return ExitCode.INTERRUPTED
    return code if isinstance(code, int) else ExitCode.OK


def _usage(error: Exception, entry: Entry) -> int:
    """Print what was typed wrongly; a command group without a command shows its help."""
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", f"homarus {entry.name}")
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(f"{error}\n")
    else:
        message = str(getattr(error, "message", error)) or str(error)
        screen.report(message.removeprefix("Value error, "), f"{path} --help")
    return ExitCode.USAGE
