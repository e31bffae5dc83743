"""A tool that reads the OpenAPI document tries every REST route of a real gateway against it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from tests.e2e.process import TOKEN, gateway, write_config

PATIENCE = 360
"""Seconds for all requests of a share."""
SHARES = ("--include-path-regex", "--exclude-path-regex")
LARGEST = "^/api/(cron|agent|chat)"
"""Routes with half of all requests: they have the most parameters."""
CONFIG = """
[phases.stateful]
enabled = false

[checks]
positive_data_acceptance.enabled = false  # what fits the schema may still name a session that is not there
negative_data_rejection.enabled = false  # older forms of jobs are put right, as those who send them expect

[[operations]]
include-name = "POST /api/agent"
checks.not_a_server_error.expected-statuses = ["2xx", "4xx", 502]  # a run whose model does not exist has failed
"""


async def try_out(url: str, folder: Path, share: str) -> tuple[int, str]:
    """Return the exit code and the report; one request at a time and a seed make each run the same."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG)
    command = (
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config)),
        *("run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {TOKEN}"),
        *(share, LARGEST, "--max-examples", "5", "--seed", "1", "--workers", "1"),
        *("--request-timeout", str(PATIENCE), "--no-color"),
    )
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(PATIENCE):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode(errors="replace")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("share", SHARES)
async def test_every_route_answers_as_its_schema_says(home: Path, tmp_path: Path, share: str) -> None:
    # Jobs that are added and run every millisecond would take most of the time.
    limits = {"gateway": {"http": {"rateLimit": {"maxRequests": 1_000_000}}}}
    write_config(home, {"cron": {"enabled": False}, **limits})
    async with gateway(home) as running:
        code, report = await try_out(running.url, tmp_path, share)
        assert code == 0, report[-6000:]
        assert "generated" in report
        assert "failed unexpectedly" not in "".join(
            path.read_text(errors="replace") for path in (home / "logs").glob("*.log")
        )
