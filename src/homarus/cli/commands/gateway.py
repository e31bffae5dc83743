"""`homarus gateway`: run one, or ask a running one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer
from msgspec.structs import asdict

from homarus.cli.gateway import session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, number, rows, text
from homarus.cli.screen import facts, report, say, show_json, table, warn

app = group("Run the gateway, or ask a running one.")

Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="TCP port; 0 takes any free one.")]
Bind = Annotated[str | None, typer.Option("--bind", help="loopback, lan, tailnet, custom, or an IPv4 address.")]
Token = Annotated[str | None, typer.Option("--token", help="Shared token of clients; better in HOMARUS_GATEWAY_TOKEN.")]
Config = Annotated[Path | None, typer.Option("--config", help="Configuration file.")]
Home = Annotated[Path | None, typer.Option("--home", help="State folder.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0.1, max=3600, help="Seconds to wait for the answer.")]


@app.command()
def run(port: Port = None, bind: Bind = None, token: Token = None, config: Config = None, home: Home = None) -> None:
    """Run the gateway in the foreground until SIGTERM or Ctrl-C.

    Prints `ready http://HOST:PORT` when it answers.
    """
    from homarus.cli.serving import Start, serve

    serve(Start(home=home, config=config, port=port, bind=bind, token=token))


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show whether a gateway answers, and its version."""
    target = find_gateway()
    with session(target) as gateway:
        found = as_row(gateway.call("status"))
        hello = gateway.hello
    if as_json:
        show_json({"url": target.url, "server": hello.get("server"), "protocol": hello.get("protocol"), **found})
        return
    facts(
        [
            ("Gateway", target.url),
            ("Version", text(found, "runtimeVersion", "unknown")),
            ("Protocol", str(number(hello, "protocol"))),
            ("Channels", ", ".join(map(str, _listed(found.get("channelSummary")))) or "none"),
            ("Sessions", str(number(as_row(found.get("sessions")), "count"))),
        ]
    )


@app.command()
def reload(as_json: AsJson = False) -> None:
    """Take over the changed configuration file; with anything wrong in it, nothing changes and the exit code is 5."""
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("config.reload"))
    if as_json:
        show_json(found)
    else:
        _show_reload(found)
    if not found.get("ok"):
        raise typer.Exit(5)


@app.command()
def health(
    probe: Annotated[bool, typer.Option("--probe", help="Make a round trip to each platform.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the health of the gateway; exit code 0 means it is well."""
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("health", {"probe": True} if probe else {}))
    if as_json:
        show_json(found)
    else:
        agents = ", ".join(text(row, "agentId") for row in rows(found, "agents"))
        facts(
            [
                ("Health", "ok" if found.get("ok") else "not ok"),
                ("Agents", agents),
                ("Channels", ", ".join(as_row(found.get("channels")))),
                ("Sessions", str(number(as_row(found.get("sessions")), "count"))),
            ]
        )
        _warn_of_restart(found)
    if not found.get("ok"):
        raise typer.Exit(1)


@app.command()
def probe(as_json: AsJson = False) -> None:
    """Try to reach the gateway and time each step; exit code 3 when nothing answers, 4 when it refuses."""
    from homarus.cli.probing import try_gateway

    target = find_gateway()
    found = try_gateway(target)
    if as_json:
        show_json({"url": target.url, **found.shown()})
    else:
        facts([("Gateway", target.url), *found.lines()])
    if found.error is not None:
        raise found.error


@app.command("usage-cost")
def usage_cost(
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How many days, today included.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show what models were used and what that cost, by UTC day."""
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("usage.cost", {"days": days}))
    if as_json:
        show_json(found)
        return
    total = {"date": "total", **as_row(found.get("totals"))}
    lines = [_usage_line(row) for row in (*rows(found, "daily"), total)]
    table(("DAY", "IN", "OUT", "TOKENS", "COST"), lines if len(lines) > 1 else [], empty="No model was used.")


def _usage_line(row: Row) -> tuple[str, ...]:
    """Return a day; a cost that is not known of all calls is marked."""
    tokens = (f"{number(row, name):,}" for name in ("input", "output", "totalTokens"))
    mark = "+" if number(row, "missingCostEntries") else ""
    cost = row.get("totalCost")
    return text(row, "date"), *tokens, f"${cost if isinstance(cost, (int, float)) else 0:.4f}{mark}"


@app.command()
def call(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="A method of the gateway, such as sessions.list.")],
    params: Annotated[str, typer.Option("--params", help="Its parameters, a JSON object.")] = "{}",
    timeout: Timeout = 30.0,
) -> None:
    """Call any method and print its answer as JSON."""
    from homarus.cli.calling import Asked, ask

    ask(Asked(method, params, timeout))


@app.command()
def operations(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One operation, with what it takes.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what `gateway call`, JSON-RPC and REST can ask for: who may, and the route."""
    from homarus.cli.operations import describe_operation, list_operations

    if name is None:
        list_operations(as_json=as_json)
    else:
        describe_operation(name, as_json=as_json)


@app.command()
def discover(
    seconds: Annotated[float, typer.Option("--timeout", min=0.1, max=60, help="Seconds to listen.")] = 2.0,
    interface: Annotated[
        list[str] | None, typer.Option("--interface", help="Listen only at this address of this machine; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look for gateways on the local network that let themselves be found (discovery.mdns.mode).

    What they say of themselves is no proof: compare a fingerprint with what `homarus gateway fingerprint` prints there.
    """
    from homarus.cli.discovery import found_gateways, show_found

    found = found_gateways(seconds, interface)
    if as_json:
        show_json({"gateways": [asdict(beacon) | {"urls": beacon.urls} for beacon in found]})
    else:
        show_found(found)


@app.command()
def fingerprint(as_json: AsJson = False) -> None:
    """Print the SHA-256 of the certificate this gateway serves, for clients to pin."""
    from homarus.cli.certificate import served_certificate

    found = served_certificate()
    if as_json:
        show_json({"certificate": str(found.certificate), "sha256": found.fingerprint})
    else:
        say(f"sha256:{found.fingerprint}")


def _show_reload(found: Row) -> None:
    for issue in rows(found, "issues"):
        report(f"{text(issue, 'path') or 'configuration'}: {text(issue, 'message')}", text(issue, "fix") or None)
    if not found.get("ok"):
        say("Nothing was changed.")
        return
    applied = _listed(found.get("applied"))
    say(f"Taken over: {', '.join(map(str, applied))}." if applied else "Nothing has changed that counts at once.")
    if channels := _listed(found.get("channels")):
        say(f"Channels started or stopped: {', '.join(map(str, channels))}.")
    _warn_of_restart(found)


def _warn_of_restart(found: Row) -> None:
    if late := _listed(found.get("needsRestart")):
        warn(f"restart needed for: {', '.join(map(str, late))}")


def _listed(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
