"""`homarus devices`: the browsers, command lines and apps that may talk to the gateway."""

from __future__ import annotations

import time
from typing import Annotated, cast

import typer

from homarus.cli.exits import UsageFailure
from homarus.cli.gateway import Session, session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, rows, text
from homarus.cli.screen import ago, clean, paint, say, show_json, table

app = group("See, approve and remove the devices that may talk to the gateway.")

Device = Annotated[str, typer.Argument(metavar="DEVICE", help="The device's id, or the first 6 characters of it.")]
Request = Annotated[
    str | None, typer.Argument(metavar="REQUEST", help="The request, as `homarus devices list` shows it.")
]
Role = Annotated[str, typer.Option("--role", help="operator or node.")]
_MIN_PREFIX = 6


@app.command("list")
def list_devices(as_json: AsJson = False) -> None:
    """List paired devices and those that wait for approval."""
    with session(find_gateway()) as gateway:
        found = gateway.call("device.pair.list", {})
    if as_json:
        show_json(found)
        return
    now = time.time_ns() // 1_000_000
    waiting = [_line(row, "requestId", "ts", now) for row in rows(found, "pending")]
    if waiting:
        table(("REQUEST", "DEVICE", "ROLE", "ASKED", "WANTS"), waiting, empty="")
        say()
    paired = [_line(row, "deviceId", "approvedAtMs", now) for row in rows(found, "paired")]
    table(("ID", "DEVICE", "ROLE", "PAIRED", "MAY"), paired, empty="No device is paired.")


@app.command()
def approve(
    request: Request = None,
    latest: Annotated[bool, typer.Option("--latest", help="The newest request.")] = False,
    as_json: AsJson = False,
) -> None:
    """Pair a device that waits."""
    with session(find_gateway()) as gateway:
        wanted = _request(gateway, request, is_latest=latest)
        found = as_row(gateway.call("device.pair.approve", {"requestId": wanted}))
    if as_json:
        show_json(found)
    else:
        say(clean(f"{_name(as_row(found.get('device')))} is paired."))


@app.command()
def reject(request: Request = None, as_json: AsJson = False) -> None:
    """Refuse a device that waits."""
    with session(find_gateway()) as gateway:
        wanted = _request(gateway, request, is_latest=False)
        found = as_row(gateway.call("device.pair.reject", {"requestId": wanted}))
    if as_json:
        show_json(found)
    else:
        say(f"Request {text(found, 'requestId')} is refused.")


@app.command()
def remove(device: Device, as_json: AsJson = False) -> None:
    """Forget a device and close its connections."""
    _change("device.pair.remove", device, {}, "{name} is removed.", as_json=as_json)


@app.command()
def rotate(
    device: Device,
    role: Role = "operator",
    scope: Annotated[list[str] | None, typer.Option("--scope", help="A scope of the new token; repeat it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give a device a new token and print it; the old one ends at once."""
    params: Row = {"role": role}
    if scope:
        params["scopes"] = list(scope)
    _change("device.token.rotate", device, params, "The new token of {name}: {token}", as_json=as_json)


@app.command()
def revoke(device: Device, role: Role = "operator", as_json: AsJson = False) -> None:
    """End the token of a device."""
    _change("device.token.revoke", device, {"role": role}, "The token of {name} has ended.", as_json=as_json)


@app.command("setup-code")
def setup_code(
    url: Annotated[str | None, typer.Option("--url", help="The address the device reaches this gateway at.")] = None,
    profile: Annotated[
        str, typer.Option("--profile", help="limited (a phone), node (runs programs), or voice-node.")
    ] = "limited",
    as_json: AsJson = False,
) -> None:
    """Print a code that pairs one new device, once, within ten minutes.

    Whoever has it can pair: show it to the device only.
    """
    params: Row = {"bootstrapProfile": profile}
    if url:
        params["publicUrl"] = url
    with session(find_gateway()) as gateway:
        made = as_row(gateway.call("device.pair.setupCode", params))
    if as_json:
        show_json(made)
        return
    say(text(made, "setupCode"))
    say(paint(f"Pairs one device with {text(made, 'gatewayUrl')}, once, within ten minutes.", "dim"))


def _change(method: str, device: str, params: Row, done: str, *, as_json: bool) -> None:
    with session(find_gateway()) as gateway:
        device_id = _device(gateway, device)
        found = as_row(gateway.call(method, {"deviceId": device_id, **params}))
    if as_json:
        show_json(found)
    else:
        say(clean(done.format(name=device_id[:12], token=text(found, "token"))))


def _device(gateway: Session, named: str) -> str:
    """Return the id of the device a person means. Raises UsageFailure when none or several are meant."""
    ids = [text(row, "deviceId") for row in rows(gateway.call("device.pair.list", {}), "paired")]
    found = [each for each in ids if each == named or (len(named) >= _MIN_PREFIX and each.startswith(named))]
    if len(found) != 1:
        what = "there is no device" if not found else f"{len(found)} devices begin with"
        raise UsageFailure(f"{what} {named!r}", fix="homarus devices list")
    return found[0]


def _request(gateway: Session, named: str | None, *, is_latest: bool) -> str:
    """Return the request a person means: as named, the newest, or the only one."""
    if named is not None:
        return named
    waiting = rows(gateway.call("device.pair.list", {}), "pending")
    if not waiting:
        raise UsageFailure("no device waits", fix="homarus devices list")
    if len(waiting) > 1 and not is_latest:
        raise UsageFailure(f"{len(waiting)} devices wait", fix="name one, as `homarus devices list` shows it")
    return text(max(waiting, key=lambda row: int(text(row, "ts", "0"))), "requestId")


def _name(row: Row) -> str:
    return text(row, "displayName") or text(row, "clientId") or text(row, "deviceId")[:12]


def _line(row: Row, identifier: str, moment: str, now: int) -> tuple[str, ...]:
    listed = row.get("scopes")
    scopes = cast("list[object]", listed) if isinstance(listed, list) else []
    may = ", ".join(str(each).removeprefix("operator.") for each in scopes) or "-"
    shown = text(row, identifier) if identifier == "requestId" else text(row, identifier)[:12]
    return shown, _name(row), text(row, "role"), ago(row.get(moment), now), may
