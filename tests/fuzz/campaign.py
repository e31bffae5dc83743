"""Everything that is fed, in rounds: each has a fresh gateway, so that memory stays flat over a million frames."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from aiohttp import web_app
from tests.fuzz.bodies import fuzz_http, fuzz_webhook
from tests.fuzz.gateway import Target, fuzz_owner, fuzz_strangers
from tests.fuzz.interfaces import fuzz_hooks, fuzz_interfaces, fuzz_rpc_strangers
from tests.fuzz.texts import FUZZERS
from tests.fuzz.watch import Findings

from homarus.protocol.versions import PROTOCOL_VERSIONS
from homarus.testing.simulation.disk import Disk

ROUND = 8_000
READER = ["operator.read"]
OWNER = ["operator.admin", "operator.read", "operator.write", "operator.approvals", "operator.pairing"]


async def fuzz_frames(seed: int, count: int, findings: Findings, folder: Path, disk: Disk) -> Counter[str]:
    """Feed frames: a third from strangers, the rest from an owner and one who may only read, in both versions."""
    asyncio.get_running_loop().set_exception_handler(findings.on_unhandled)
    random = Random(seed)  # noqa: S311 - the same numbers every time are the point
    target = await Target.build(folder, disk)
    done = Counter[str]()
    done["frames before authentication"] += await fuzz_strangers(target, random, count // 3, findings)
    left = count - count // 3
    for who, amount, scopes in (("reader", left // 3, READER), ("owner", left - left // 3, OWNER)):
        for version, part in zip(PROTOCOL_VERSIONS, (amount // 2, amount - amount // 2), strict=True):
            done[f"frames of the {who}"] += await fuzz_owner(target, random, part, findings, scopes, version)
    return done


async def fuzz_bodies(seed: int, count: int, findings: Findings, folder: Path, disk: Disk) -> Counter[str]:
    """Feed bodies: to the gateway's routes from strangers, to its interfaces from the owner, and to webhooks."""
    asyncio.get_running_loop().set_exception_handler(findings.on_unhandled)
    random = Random(seed)  # noqa: S311 - the same numbers every time are the point
    target = await Target.build(folder, disk)
    done = Counter[str]()
    done["http requests"] += await fuzz_http(target, random, count // 4, findings)
    done["calls of programs"] += await fuzz_hooks(target, random, count // 8, findings)
    done["json-rpc before authentication"] += await fuzz_rpc_strangers(target, random, count // 16, findings)
    done["rest and json-rpc"] += await fuzz_interfaces(target, random, count // 4, findings)
    done["webhook calls"] += await fuzz_webhook(random, count - done.total(), findings)
    return done


def run(seed: int, frames: int, bodies: int, texts: int, tell: Callable[[Counter[str], Findings], None]) -> Findings:
    """Feed so many of each, round by round; `tell` hears of the progress."""
    findings, total, disk = Findings(), Counter[str](), Disk()
    with findings.watching(), tempfile.TemporaryDirectory(prefix="homarus-fuzz-") as root:
        for number, (kind, count) in enumerate(_rounds(frames, bodies, texts)):
            folder = Path(root) / str(number)
            folder.mkdir()
            # It keeps the routes of a thousand applications, and with them the gateways of earlier rounds.
            web_app._cached_build_middleware.cache_clear()  # pyright: ignore[reportPrivateUsage]
            round_seed = seed * 1_000_003 + number
            match kind:
                case "frames":
                    total.update(asyncio.run(fuzz_frames(round_seed, count, findings, folder, disk)))
                case "bodies":
                    total.update(asyncio.run(fuzz_bodies(round_seed, count, findings, folder, disk)))
                case _:
                    total[kind] += FUZZERS[kind](Random(round_seed), count, findings)  # noqa: S311
            tell(total, findings)
    disk.close()
    return findings


def _rounds(frames: int, bodies: int, texts: int) -> list[tuple[str, int]]:
    amounts = {"frames": frames, "bodies": bodies, **dict.fromkeys(FUZZERS, texts)}
    rounds: list[tuple[str, int]] = []
    for kind, amount in amounts.items():
        rounds.extend((kind, min(ROUND, amount - at)) for at in range(0, amount, ROUND))
    return rounds
