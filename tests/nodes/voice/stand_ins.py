"""Small programs that stand in for speech programs, and a server that stands in for a speech service."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from msgspec import Struct, field

ESPEAK = """
import sys, wave, io
text = sys.stdin.buffer.read().decode()
open(sys.argv[0] + ".log", "a").write(" ".join(sys.argv[1:]) + "|" + text + chr(10))
if "crash" in text:
    sys.exit("espeak-ng: no such voice")
if "endless" in text:
    while True: sys.stdout.buffer.write(b"x" * 65536)
if "sleep" in text:
    import time; time.sleep(60)
made = io.BytesIO()
with wave.open(made, "wb") as f:
    f.setnchannels(1); f.setsampwidth(2); f.setframerate(22050); f.writeframes(b"ab" * 100)
data = bytearray(made.getvalue()); data[40:44] = b"\\xff\\xff\\xff\\x7f"
sys.stdout.buffer.write(data)
"""
PIPER = "import sys; sys.stdin.read(); sys.stdout.buffer.write(b'cd' * 50)"
FFMPEG = (
    "import sys; assert sys.stdin.buffer.read(4) == b'RIFF'; sys.stdout.buffer.write(b'OggS' + sys.argv[-2].encode())"
)


def install(folder: Path, **programs: str) -> dict[str, str]:
    """Write programs (an underscore stands for a dash) and return the environment that finds them, and only them."""
    folder.mkdir(exist_ok=True)
    for name, source in programs.items():
        path = folder / name.replace("_", "-")
        path.write_text(f"#!{sys.executable}\n{source}\n")
        path.chmod(0o755)
    return {"PATH": str(folder)}


class SpeechServer(Struct):
    """Answers `/v1/audio/speech`; `answer` is the status and body of the next answers."""

    url: str = ""
    answer: tuple[int, bytes] = (200, b"ID3sound")
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keys: list[str | None] = field(default_factory=list["str | None"])

    async def take(self, request: web.Request) -> web.Response:
        self.asked.append(json.loads(await request.read()))
        self.keys.append(request.headers.get("Authorization"))
        return web.Response(status=self.answer[0], body=self.answer[1])


@asynccontextmanager
async def speech_server() -> AsyncGenerator[SpeechServer]:
    made = SpeechServer()
    app = web.Application()
    app.router.add_post("/v1/audio/speech", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield made
    finally:
        await runner.cleanup()
