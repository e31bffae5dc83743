"""`homarus agent`: one turn with the assistant."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from homarus.cli.conversation import Conversation, Turn, TurnFailed
from homarus.cli.exits import ExitCode, UsageFailure
from homarus.cli.options import AsJson, application
from homarus.cli.screen import report, say, show_json

app = application("Say something to the assistant and print its answer.")

_MAX_STDIN = 1_000_000


@app.command()
def agent(
    message: Annotated[str, typer.Option("--message", "-m", help="What to say; - reads it from standard input.")],
    session: Annotated[str | None, typer.Option("--session", help="A session key; else the main session.")] = None,
    agent_id: Annotated[str | None, typer.Option("--agent", help="Which agent; without it, the default one.")] = None,
    timeout: Annotated[int, typer.Option("--timeout", min=1, max=86_400, help="Seconds the turn may take.")] = 600,
    local: Annotated[bool, typer.Option("--local", help="Answer in this process; no gateway may be running.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say something to the assistant and print its answer; Ctrl-C stops the turn."""
    if session and agent_id:
        raise UsageFailure("--session already names the agent", fix="give --session or --agent, not both")
    text = sys.stdin.read(_MAX_STDIN) if message == "-" else message
    if not text.strip():
        raise UsageFailure("the message is empty", fix='write for example: homarus agent --message "what time is it"')
    key = session or (f"agent:{agent_id}:main" if agent_id else "main")
    is_live = sys.stdout.isatty() and not as_json
    conversation = Conversation(is_live=is_live)
    try:
        outcome = conversation.run(Turn(key, text, timeout), is_local=local)
    except TurnFailed as failure:
        if as_json:
            show_json(failure.outcome)
        else:
            report(failure.message, failure.fix)
        raise typer.Exit(ExitCode.FAILURE) from None
    if as_json:
        show_json(outcome)
    elif not is_live:
        say(str(outcome.get("text", "")))
