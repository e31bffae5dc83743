"""Every example of docs/api.md is typed against a real gateway."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

from tests.e2e.process import TOKEN, gateway

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


async def run(url: str, *command: str) -> tuple[int, str]:
    environment = {"PATH": "/usr/bin:/bin", "TOKEN": TOKEN, "URL": url}
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(45):
        output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_every_example_of_the_page_works(home: Path) -> None:
    blocks = [block for block in SHELL.findall(PAGE) if "/webhook/" not in block]
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("curl ")]
    assert len(lines) >= 6
    async with gateway(home) as running:
        for line in lines:
            code, output = await run(running.url, "sh", "-c", line.replace("http://127.0.0.1:18789", running.url))
            assert code == 0, (line, output)
            assert json.loads(output)
            assert '"error"' not in output or line.endswith("openapi.json"), output
        (program,) = PYTHON.findall(PAGE)
        code, output = await run(
            running.url, sys.executable, "-c", program.replace("http://127.0.0.1:18789", running.url)
        )
        assert code == 0, output
        assert "'status': 'ok'" in output
