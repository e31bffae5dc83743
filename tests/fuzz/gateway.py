"""A whole gateway core in this process, fed through sockets that are lists."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from aiohttp import WSMessage, WSMsgType
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from tests.fuzz.mutation import dump, invent, spoil_bytes, spoil_tree
from tests.fuzz.texts import seeds
from tests.fuzz.watch import HANG_SECONDS, Findings
from tests.gateway.fake_services import FakeChannels, make_services
from tests.gateway.raw_client import connect_params

from homarus.channels.telegram.intake import Intake
from homarus.channels.telegram.webhook import Receiver
from homarus.clock import SystemClock
from homarus.gateway.connection import Connection
from homarus.gateway.core import GatewayCore
from homarus.gateway.operations import config_schema
from homarus.gateway.peer import Peer
from homarus.gateway.server import build_core
from homarus.gateway.settings import AuthSettings, GatewaySettings
from homarus.gateway.socket import ClientSocket
from homarus.gateway.supervisor import Supervisor
from homarus.protocol.device_identity import DeviceIdentity
from homarus.sessions.store import Sessions
from homarus.storage.database import Connection as Rows
from homarus.storage.sqlite import translate
from homarus.storage.tables import metadata
from homarus.testing.simulation.disk import Disk

P = ParamSpec("P")
T = TypeVar("T")
TOKEN = "the-owner-of-this-fuzzed-gateway"
LOCAL = Peer("127.0.0.1", is_local=True, host="127.0.0.1")
PEERS = (LOCAL, Peer("203.0.113.9", is_local=False, host="h"), Peer("127.0.0.1", is_local=True, origin="http://evil"))
BATCH = 48
PATIENT = frozenset(f"{kind}.approval.{step}" for kind in ("exec", "plugin") for step in ("request", "waitDecision"))
"""Answered only when somebody has decided, so nobody can say when."""
HOOK_PATH = "/telegram/default"
HOOK_SECRET = "the-secret-of-programs-that-speak"
CONFIG = json.dumps({"gateway": {"http": {"webhooks": {"irc": {"secret": HOOK_SECRET}}}}})
KEYS = {"res": {"type", "id", "ok", "payload", "error"}, "event": {"type", "event", "payload", "seq", "stateVersion"}}


class FastClock(SystemClock):
    """Real time that limits on calls per minute do not hold up."""

    def __init__(self) -> None:
        super().__init__()
        self.extra = 0.0

    def monotonic(self) -> float:
        self.extra += 30.0
        return super().monotonic() + self.extra


class DirectDatabase:
    """A database without threads: every call is done at once."""

    dialect = "sqlite"
    is_failing = False

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    async def write(self, fn: Callable[Concatenate[Rows, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        await asyncio.sleep(0)
        return self._disk.commit(fn, *args, **kwargs)

    async def read(self, fn: Callable[Concatenate[Rows, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        await asyncio.sleep(0)
        try:
            return self._disk.look(fn, *args, **kwargs)
        except (SQLAlchemyError, UnicodeEncodeError, OverflowError) as error:
            raise translate(error) from error

    async def close(self) -> None:
        return None


class HookedChannels(FakeChannels):
    """The channels of the other tests, and one webhook that is told the secret by nobody."""

    def webhook(self, path: str) -> Any:
        return self if path == HOOK_PATH else None

    async def handle_webhook(self, headers: Mapping[str, str], body: bytes) -> int:
        return await Receiver("secret", _NOBODY, SystemClock(), album_wait=0.0).handle(headers, body)


_NOBODY = cast("Intake", None)  # reached only with the secret


class ListSocket:
    """Stands where a WebSocket does; checks every frame it is given to send."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._incoming: asyncio.Queue[WSMessage] = asyncio.Queue()
        self.answers: list[dict[str, Any]] = []
        self.challenge = ""
        self.news = asyncio.Event()
        self.is_closed = False
        self._seq = 0

    def feed(self, data: str) -> None:
        self._incoming.put_nowait(WSMessage(WSMsgType.TEXT, data, None))

    def hang_up(self) -> None:
        self._incoming.put_nowait(WSMessage(WSMsgType.CLOSED, None, None))

    async def receive(self) -> WSMessage:
        return await self._incoming.get()

    def __aiter__(self) -> ListSocket:
        return self

    async def __anext__(self) -> WSMessage:
        message = await self._incoming.get()
        if message.type is WSMsgType.CLOSED:
            raise StopAsyncIteration
        return message

    async def send_text(self, frame: bytes) -> None:
        problem = self._check(frame)
        if problem:
            self._findings.note(f"{problem}: {frame[:300]!r}")
        self.news.set()

    async def send_texts(self, frames: list[bytes]) -> None:
        for frame in frames:
            await self.send_text(frame)

    awaits_pong = False

    def ping_now(self) -> None:
        return None

    def trust(self) -> None:
        return None

    async def close(self, *, code: int, message: bytes = b"") -> None:
        self.is_closed = True
        if len(message) > 123 or not 1000 <= code < 5000:
            self._findings.note(f"an invalid close: {code} {message!r}")
        self.news.set()

    def _check(self, raw: bytes) -> str:
        try:
            frame = json.loads(raw.decode())
        except ValueError as error:
            return f"sent something that is not JSON in UTF-8 ({error})"
        if isinstance(frame, list) or "jsonrpc" in frame:
            return _check_rpc(frame)
        kind = frame.get("type")
        if kind not in KEYS or frame.keys() - KEYS[kind]:
            return "sent a frame of an unknown shape"
        if kind == "event":
            self.challenge = frame["payload"].get("nonce", self.challenge)
            return self._check_event(frame)
        self.answers.append(frame)
        return _check_answer(frame)

    def _check_event(self, frame: dict[str, Any]) -> str:
        """Events have a name, and their numbers leave none out."""
        if not isinstance(frame["event"], str):
            return "sent an event without a name"
        if "seq" in frame:
            self._seq += 1
        return "" if frame.get("seq", self._seq) == self._seq else f"left out a number before {self._seq}"


def _check_rpc(frame: Any) -> str:
    """A first frame may look like JSON-RPC; nobody is let in that way here."""
    answers: list[Any] = cast("list[Any]", frame) if isinstance(frame, list) else [frame]
    is_refusal = all("error" in each and "result" not in each for each in answers)
    return "" if is_refusal else "answered a stranger by JSON-RPC"


def _check_answer(frame: dict[str, Any]) -> str:
    if not isinstance(frame["id"], str) or not isinstance(frame["ok"], bool) or frame["ok"] == ("error" in frame):
        return "sent a response of an unknown shape"
    error = frame.get("error")
    if error is not None and not (isinstance(error.get("code"), str) and isinstance(error.get("message"), str)):
        return "sent an error of an unknown shape"
    return ""


def snapshot(connection: Rows) -> str:
    """Return a digest of everything that is stored."""
    digest = hashlib.sha256()
    for table in metadata.sorted_tables:
        # The mark that /ready leaves to find out whether the database can be written says nothing about anybody.
        rows = [tuple(row) for row in connection.execute(select(table)) if row[0] != "probe"]
        digest.update(repr(rows).encode())
    return digest.hexdigest()


class Target(Struct):
    """A gateway to be fed."""

    core: GatewayCore
    disk: Disk
    folder: Path

    @classmethod
    async def build(cls, folder: Path, disk: Disk) -> Target:
        disk.erase()
        clock = FastClock()
        services, _runs = make_services(folder, CONFIG, clock=clock)
        await services.database.close()
        database = DirectDatabase(disk)
        services = replace(services, database=database, sessions=Sessions(database, clock), channels=HookedChannels())
        settings = GatewaySettings(auth=AuthSettings(token=TOKEN))
        return cls(build_core(services, settings, Supervisor(clock)), disk, folder)


class FrameMaker:
    """Makes frames: half from the corpus, half from the declared parameters of every operation."""

    def __init__(self, random: Random, core: GatewayCore) -> None:
        self._random = random
        self._corpus = [json.loads(entry) for entry in seeds("frames.jsonl")]
        self._schemas = {each.name: each.params.model_json_schema() for each in core.registry.operations}
        self._names = list(self._schemas)
        self._count = 0

    def make(self, *, is_first: bool = False) -> str:
        """Return one frame; the first of a connection is mostly a kind of connect."""
        random = self._random
        self._count += 1
        frame = self._connect() if is_first and random.random() < 0.8 else self._request()
        if str(frame.get("method")) in PATIENT and isinstance(frame.get("params"), dict):
            frame = {**frame, "params": {**frame["params"], "timeoutMs": 1}}
        roll = random.random()
        if roll < 0.35:
            frame = spoil_tree(random, frame)
        data = dump(frame)
        if roll > 0.65:
            data = spoil_bytes(random, data, dump(random.choice(self._corpus)))
        return data.decode("utf-8", "replace")

    def _request(self) -> dict[str, Any]:
        random = self._random
        if random.random() < 0.4:
            return {**random.choice(self._corpus), "id": f"f{self._count}"}
        name = random.choice(self._names)
        schema = self._schemas[name]
        return {"type": "req", "id": f"f{self._count}", "method": name, "params": invent(random, schema, schema)}

    def _connect(self) -> dict[str, Any]:
        low, high = self._random.choice(((3, 3), (3, 4), (4, 4), (4, 2**70), (0, 5)))
        params = connect_params("nonce", token=self._random.choice(("wrong", "", TOKEN[:-1])))
        params |= {"minProtocol": low, "maxProtocol": high}
        return {"type": "req", "id": f"f{self._count}", "method": "connect", "params": params}


async def fuzz_strangers(target: Target, random: Random, count: int, findings: Findings) -> int:
    """Feed first frames, each on a connection of its own, without the secret: nothing stored may change."""
    maker = FrameMaker(random, target.core)
    before = target.disk.look(snapshot)
    for _ in range(count):
        socket = ListSocket(findings)
        data = maker.make(is_first=True)
        findings.input = data
        socket.feed(data)
        socket.feed(maker.make())
        socket.hang_up()
        began = time.process_time()
        try:
            async with asyncio.timeout(HANG_SECONDS):
                await Connection(target.core, cast("ClientSocket", socket), random.choice(PEERS)).serve()
        except Exception as error:  # noqa: BLE001 - finding these is the purpose
            findings.note(f"raised {error!r}")
        findings.time(began)
        if not socket.is_closed or any(answer["ok"] for answer in socket.answers):
            findings.note("a stranger was let in")
    if target.disk.look(snapshot) != before:
        findings.note("something stored changed before authentication")
    return count


async def fuzz_owner(
    target: Target, random: Random, count: int, findings: Findings, scopes: list[str], protocol: int
) -> int:
    """Feed frames on an authenticated connection: every request with an id of its own is answered."""
    maker = FrameMaker(random, target.core)
    socket = ListSocket(findings)
    serving = asyncio.create_task(Connection(target.core, cast("ClientSocket", socket), LOCAL).serve())
    await _log_in(socket, scopes, protocol)
    done = 0
    while done < count:
        batch = [maker.make() for _ in range(min(BATCH, count - done))]
        findings.input = "\n".join(batch)
        await _answer_batch(socket, batch, findings)
        done += len(batch)
        if serving.done():
            findings.note("the connection ended")
            break
    socket.hang_up()
    try:
        await serving
    except Exception as error:  # noqa: BLE001 - finding these is the purpose
        findings.note(f"the connection broke: {error!r}")
    return done


async def _log_in(socket: ListSocket, scopes: list[str], protocol: int) -> None:
    while not socket.challenge:
        await asyncio.sleep(0)
    identity = DeviceIdentity.generate()
    versions: dict[str, Any] = {"minProtocol": protocol, "maxProtocol": protocol}
    params = connect_params(socket.challenge, identity, token=TOKEN, scopes=scopes, **versions)
    socket.feed(dump({"type": "req", "id": "hello", "method": "connect", "params": params}).decode())
    while not socket.answers:
        await asyncio.sleep(0)
    if not socket.answers[0]["ok"]:
        raise AssertionError(socket.answers[0])


async def _answer_batch(socket: ListSocket, batch: list[str], findings: Findings) -> None:
    socket.answers.clear()
    wanted = {identifier for frame in batch if (identifier := _valid_id(frame)) is not None}
    # Made once in a process, beside the loop, for one to two seconds of CPU; not the doing of any one input.
    config_schema.warm()
    began = time.process_time()
    for frame in batch:
        socket.feed(frame)
    missing = set(wanted)
    try:
        async with asyncio.timeout(HANG_SECONDS):
            while missing := wanted - {answer["id"] for answer in socket.answers}:
                socket.news.clear()
                await socket.news.wait()
    except TimeoutError:
        culprits = [frame for frame in batch if _valid_id(frame) in missing]
        findings.input = culprits[0]
        findings.note(f"no answer to {len(missing)} frame(s)")
    if not missing:
        findings.time(began)


def _valid_id(frame: str) -> str | None:
    """Return the id of a frame that is a request."""
    try:
        value: object = json.loads(frame, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    value = cast("dict[str, object]", value)
    if value.get("type") != "req" or value.keys() - {"type", "id", "method", "params"}:
        return None
    identifier, method = value.get("id"), value.get("method")
    if isinstance(method, str) and method in PATIENT:
        return None
    return identifier if isinstance(identifier, str) and identifier and isinstance(method, str) and method else None


def _refuse(name: str) -> object:
    raise ValueError(name)
