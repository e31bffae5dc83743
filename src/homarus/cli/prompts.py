"""Questions on the terminal, one line each: plain text in, no cursor tricks, a default for everything that has one."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Sequence

from homarus.cli.screen import clean, paint, say, warn
from homarus.errors import HomarusError, UserError

MAX_TRIES = 5
"""Wrong answers to one question before it is given up, so that a script with the wrong input ends."""


def ask(label: str, default: str = "", check: Callable[[str], object] | None = None) -> str:
    """Return the answer, the default for an empty one. `check` raises HomarusError for an answer that is wrong.

    Raises UserError when the input ends.
    """
    shown = f" [{default}]" if default else ""
    for _ in range(MAX_TRIES):
        answer = _read(f"{label}{shown}: ").strip() or default
        try:
            if check is not None:
                check(answer)
        except HomarusError as error:
            warn(error.message + (f" ({error.fix})" if error.fix else ""))
        else:
            return answer
    raise UserError(f"no usable answer to {label!r}", fix="try again, or give it as an option; --help lists them")


def ask_secret(label: str) -> str:
    """Return a secret, not shown while it is typed; empty when nothing was. Raises UserError when the input ends."""
    if not sys.stdin.isatty():
        return _read(f"{label}: ").strip()
    try:
        return getpass.getpass(f"{label} (not shown): ").strip()
    except EOFError:
        raise _ended() from None


def confirm(label: str, *, default: bool) -> bool:
    """Return whether the answer is yes."""
    hint = "Y/n" if default else "y/N"
    for _ in range(MAX_TRIES):
        answer = _read(f"{label} [{hint}]: ").strip().lower()
        if answer in {"", "y", "yes", "n", "no"}:
            return answer in {"y", "yes"} or (not answer and default)
        warn("answer y or n")
    raise UserError(f"no usable answer to {label!r}", fix="answer y or n")


def agree(label: str) -> None:
    """Return after a yes; asks on standard error. Raises UserError for no, and when nobody can answer."""
    sys.stderr.write(f"{label} [y/N]: ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        sys.stderr.write("\n")
        raise UserError("nobody answered; nothing was changed", fix="--yes answers in advance")
    if answer.strip().lower() not in {"y", "yes"}:
        raise UserError("not agreed; nothing was changed")


def choose(label: str, options: Sequence[tuple[str, str]], default: str) -> str:
    """Return the name of an option, chosen by number or name; `options` are names and what they mean."""
    for number, (name, meaning) in enumerate(options, start=1):
        say(clean(f"  {number:>2}  {name:<12} {meaning}".rstrip()))
    names = [name for name, _ in options]

    def check(answer: str) -> None:
        if answer not in names and not (answer.isdecimal() and 0 < int(answer) <= len(names)):
            raise UserError(f"there is no {answer!r}", fix=f"write a number from 1 to {len(names)}, or a name")

    answer = ask(label, default, check)
    return answer if answer in names else names[int(answer) - 1]


def heading(text: str) -> None:
    """Print the title of a step."""
    say()
    say(paint(text, "bold"))


def _read(prompt: str) -> str:
    try:
        return input(prompt)
    except EOFError:
        raise _ended() from None


def _ended() -> UserError:
    return UserError(
        "the input ended before every question was answered; nothing was changed",
        fix="use --non-interactive with options; --help lists them",
    )
