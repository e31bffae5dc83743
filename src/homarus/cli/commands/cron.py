"""`homarus cron`: jobs at set times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer

from homarus.cli.exits import UsageFailure
from homarus.cli.gateway import session
from homarus.cli.job_input import job_patch, new_job
from homarus.cli.options import AsJson, Limit, Yes, group
from homarus.cli.prompts import agree
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, number, rows, text
from homarus.cli.screen import duration, facts, say, show_json, table

app = group("Let the assistant do things at set times.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The job's id, its name, or the beginning of its id.")]
At = Annotated[str | None, typer.Option("--at", help="Once: an ISO time (UTC without zone), or from now, such as 20m.")]
Every = Annotated[str | None, typer.Option("--every", help="Again and again: 30s, 10m, 1h30m, 2d.")]
Cron = Annotated[str | None, typer.Option("--cron", help="By a cron expression: minute hour day month weekday.")]
Zone = Annotated[str | None, typer.Option("--tz", help="Time zone of --cron, such as Europe/London.")]
Stagger = Annotated[str | None, typer.Option("--stagger", help="Shift each job by up to this span, such as 5m.")]
Name = Annotated[str | None, typer.Option("--name", help="What the job is called.")]
Message = Annotated[str | None, typer.Option("--message", "-m", help="What the agent is asked, in a turn of its own.")]
Event = Annotated[str | None, typer.Option("--system-event", help="What the main session is told.")]
Target = Annotated[str | None, typer.Option("--session", help="main, isolated or session:NAME.")]
Agent = Annotated[str | None, typer.Option("--agent", help="The agent that does it.")]
Model = Annotated[str | None, typer.Option("--model", help="The model of the turn.")]
Thinking = Annotated[str | None, typer.Option("--thinking", help="How much the model thinks.")]
Timeout = Annotated[int | None, typer.Option("--timeout-seconds", min=0, help="Time limit of the turn; 0 for none.")]
Channel = Annotated[str | None, typer.Option("--channel", help="Tell the answer on this channel; last by default.")]
To = Annotated[str | None, typer.Option("--to", help="Who or where on the channel: a chat id, a nick, a room.")]
Account = Annotated[str | None, typer.Option("--account", help="Which account of the channel.")]
IsAnnounced = Annotated[bool | None, typer.Option("--announce/--no-deliver", help="Tell the answer in a chat or not.")]
Wake = Annotated[str | None, typer.Option("--wake", help="Main session: now or next-heartbeat (its next turn).")]


@app.command("list")
def list_jobs(
    is_all: Annotated[bool, typer.Option("--all", help="Also jobs that are switched off.")] = False,
    as_json: AsJson = False,
) -> None:
    """List jobs, the next one to run first."""
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("cron.list", {"includeDisabled": is_all}))
    if as_json:
        show_json(found)
        return
    headers = ("ID", "NEXT", "SCHEDULE", "LAST", "SESSION", "NAME")
    table(headers, [_line(job) for job in rows(found, "jobs")], empty="No jobs.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show whether the scheduler is on and what comes next."""
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("cron.status", {}))
    if as_json:
        show_json(found)
        return
    due = _moment(found.get("nextWakeAtMs"))
    facts((("scheduler", "on" if found.get("enabled") else "off"), ("jobs", text(found, "jobs")), ("next", due)))


@app.command()
def add(  # noqa: PLR0917 - options, given by name
    name: Name = None,
    at: At = None,
    every: Every = None,
    cron: Cron = None,
    tz: Zone = None,
    stagger: Stagger = None,
    message: Message = None,
    system_event: Event = None,
    target: Target = None,
    agent: Agent = None,
    model: Model = None,
    thinking: Thinking = None,
    timeout: Timeout = None,
    channel: Channel = None,
    to: To = None,
    account: Account = None,
    announce: IsAnnounced = None,
    wake: Wake = None,
    keep: Annotated[bool, typer.Option("--keep-after-run", help="Keep a one-time job once it has run.")] = False,
    is_disabled: Annotated[bool, typer.Option("--disabled", help="Add it switched off.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a job: one of --at, --every, --cron, and one of --message, --system-event."""
    job = new_job(locals())
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("cron.add", job))
    _show(found, "Added", as_json=as_json)


@app.command()
def edit(  # noqa: PLR0917 - options, given by name
    job_id: Id,
    name: Name = None,
    at: At = None,
    every: Every = None,
    cron: Cron = None,
    tz: Zone = None,
    stagger: Stagger = None,
    message: Message = None,
    system_event: Event = None,
    target: Target = None,
    agent: Agent = None,
    model: Model = None,
    thinking: Thinking = None,
    timeout: Timeout = None,
    channel: Channel = None,
    to: To = None,
    account: Account = None,
    announce: IsAnnounced = None,
    wake: Wake = None,
    as_json: AsJson = False,
) -> None:
    """Change a job; what is not named stays."""
    patch = job_patch(locals())
    if not patch:
        raise UsageFailure("nothing to change", fix="homarus cron edit --help")
    _update(job_id, patch, "Changed", as_json=as_json)


@app.command()
def enable(job_id: Id, as_json: AsJson = False) -> None:
    """Switch a job on."""
    _update(job_id, {"enabled": True}, "Switched on", as_json=as_json)


@app.command()
def disable(job_id: Id, as_json: AsJson = False) -> None:
    """Switch a job off."""
    _update(job_id, {"enabled": False}, "Switched off", as_json=as_json)


@app.command()
def run(
    job_id: Id,
    is_due_only: Annotated[bool, typer.Option("--due", help="Only when its time has come.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a job now, whether it is switched on or not."""
    with session(find_gateway()) as gateway:
        found_id = _find(gateway.call, job_id)
        found = as_row(gateway.call("cron.run", {"id": found_id, "mode": "due" if is_due_only else "force"}))
    if as_json:
        show_json(found)
    elif found.get("enqueued"):
        say(f"Started. See what becomes of it: homarus cron runs {found_id}")
    else:
        say(f"Not started: {text(found, 'reason')}.")


@app.command()
def runs(
    job_id: Annotated[str | None, typer.Argument(metavar="ID", help="Only runs of this job.")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Show what became of due times, newest first: ok, error or skipped."""
    with session(find_gateway()) as gateway:
        params: Row = {"limit": min(limit, 200), "scope": "job" if job_id else "all"}
        if job_id:
            params["id"] = _find(gateway.call, job_id, is_removed_fine=True)
        found = as_row(gateway.call("cron.runs", params))
    if as_json:
        show_json(found)
        return
    headers = ("WHEN", "TOOK", "STATUS", "DELIVERY", "JOB", "RESULT")
    table(headers, [_run_line(entry) for entry in rows(found, "entries")], empty="No runs yet.")


@app.command()
def rm(job_id: Id, yes: Yes = False, as_json: AsJson = False) -> None:
    """Remove a job; its run log stays."""
    with session(find_gateway()) as gateway:
        found_id = _find(gateway.call, job_id)
        if not yes:
            agree(f"Remove the job {found_id}?")
        found = as_row(gateway.call("cron.remove", {"id": found_id}))
    if as_json:
        show_json(found)
    else:
        say("Removed." if found.get("removed") else "There was no such job.")


def _update(job_id: str, patch: Row, verb: str, *, as_json: bool) -> None:
    with session(find_gateway()) as gateway:
        found_id = _find(gateway.call, job_id)
        found = as_row(gateway.call("cron.update", {"id": found_id, "patch": patch}))
    _show(found, verb, as_json=as_json)


def _show(job: Row, verb: str, *, as_json: bool) -> None:
    if as_json:
        show_json(job)
    else:
        say(f"{verb}: {text(job, 'name')} ({text(job, 'id')}), next run {_moment(_state(job).get('nextRunAtMs'))}.")


def _find(call: Callable[..., object], wanted: str, *, is_removed_fine: bool = False) -> str:
    """Return the id of the job that is meant by an id, the beginning of one, or a name."""
    jobs = rows(call("cron.list", {"includeDisabled": True, "limit": 200}), "jobs")
    ids = [text(job, "id") for job in jobs]
    found = [text(job, "id") for job in jobs if text(job, "id").startswith(wanted) or text(job, "name") == wanted]
    if wanted in ids or (not found and is_removed_fine):
        return wanted
    if len(found) == 1:
        return found[0]
    what = "no job is" if not found else f"{len(found)} jobs are"
    raise UsageFailure(f"{what} called {wanted!r}", fix="see `homarus cron list --all` for ids")


def _state(job: Row) -> Row:
    return as_row(job.get("state"))


def _line(job: Row) -> tuple[str, ...]:
    state = _state(job)
    due = _moment(state.get("nextRunAtMs")) if job.get("enabled") else "off"
    last = "running" if state.get("runningAtMs") else text(state, "lastStatus", "-")
    schedule = _schedule(as_row(job.get("schedule")))
    return text(job, "id")[:8], due, schedule, last, text(job, "sessionTarget"), text(job, "name")


def _schedule(schedule: Row) -> str:
    if schedule.get("kind") == "every":
        return f"every {duration(number(schedule, 'everyMs') / 1000)}"
    if schedule.get("kind") == "at":
        return "once"
    return f"{text(schedule, 'expr')} {text(schedule, 'tz')}".strip()


def _run_line(entry: Row) -> tuple[str, ...]:
    when, took = _moment(entry.get("runAtMs")), f"{number(entry, 'durationMs') / 1000:.1f} s"
    told = " ".join((text(entry, "error") or text(entry, "summary")).split())
    return when, took, text(entry, "status"), text(entry, "deliveryStatus", "-"), text(entry, "jobName"), told


def _moment(at_ms: object) -> str:
    """Return a moment in the time of this machine, `-` for none."""
    if not isinstance(at_ms, (int, float)):
        return "-"
    return datetime.fromtimestamp(at_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
