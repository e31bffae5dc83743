"""Options that several commands share, and how a Typer application is made here."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Print at most this many.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def application(summary: str) -> typer.Typer:
    """Return an empty application in this command line's style: plain help, no shell completion, own errors."""
    return typer.Typer(
        help=summary,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def group(summary: str) -> typer.Typer:
    """Return an application whose commands are always named, even when there is only one."""
    app = application(summary)
    app.callback()(_nothing)
    return app


def _nothing() -> None:
    return None
