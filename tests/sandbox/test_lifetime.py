"""No process of a command outlives it, whatever ends it; the controls show that without the sandbox they would."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from homarus.sandbox.bubblewrap import Bubblewrap
from homarus.sandbox.contract import Command, Limits
from homarus.sandbox.launch import Launch
from homarus.sandbox.watch import drain, wait_readable

GATEWAY = """
import asyncio, sys
from pathlib import Path
from homarus.sandbox.bubblewrap import Bubblewrap
from homarus.sandbox.contract import Command
line = f"echo started; exec sleep {sys.argv[2]}"
print_live = lambda text: print(text, end="", flush=True)
asyncio.run(Bubblewrap().run(Command(("/bin/sh", "-c", line), Path(sys.argv[1])), print_live))
"""
FIRST = """
import asyncio, ctypes, sys
from pathlib import Path
from homarus.sandbox.bubblewrap import Bubblewrap
from homarus.sandbox.contract import Command, Limits
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER: orphans come to this process
async def run(sandbox, line, **limits):
    pids = []
    await sandbox.run(Command(("/bin/sh", "-c", line), Path(sys.argv[1]), limits=Limits(**limits)), None, pids.append)
    # On a busy machine the time may be over before the sandbox is set up.
    return pids[0] if pids else await run(sandbox, line, **{name: 10 * value for name, value in limits.items()})
async def main():
    sandbox = Bubblewrap()
    pids = [await run(sandbox, "true"), await run(sandbox, "exit 3"), await run(sandbox, "sleep 60", timeout=0.5)]
    print([pid for pid in pids if Path(f"/proc/{pid}").exists()])
asyncio.run(main())
"""
PLAIN = """
import subprocess, sys
child = subprocess.Popen(["/bin/sh", "-c", f"echo started; exec sleep {sys.argv[2]}"])
child.wait()
"""


def unique() -> str:
    """Return a number of seconds nobody else sleeps."""
    return f"{1_000_000_000 + int.from_bytes(os.urandom(3), 'big')}"


def find(word: str) -> list[int]:
    """Return the processes whose command line has `word` as an argument of its own."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if path.read_bytes().split(b"\0")[:2] == [b"sleep", word.encode()]:
                found.append(int(path.parent.name))
    return found


async def has_ended(pidfd: int, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await wait_readable(pidfd)
    except TimeoutError:
        return False
    return True


async def test_a_timeout_kills_the_whole_tree(sandbox: Bubblewrap, tmp_path: Path) -> None:
    word = unique()
    line = f"sleep {word} & (setsid sleep {word} &) ; trap '' TERM INT HUP; echo up; sleep {word}"
    for seconds in (1.0, 10.0, 50.0):  # on a busy machine one may be over before the shell has begun
        done = await sandbox.run(Command(("/bin/sh", "-c", line), tmp_path, limits=Limits(timeout=seconds)))
        if done.output:
            break
    assert (done.is_timed_out, done.exit_code, done.output) == (True, -9, "up\n")
    assert find(word) == []


def test_without_a_sandbox_a_timeout_leaves_children_behind() -> None:
    word = unique()
    shell = subprocess.Popen(["/bin/sh", "-c", f"sleep {word} & echo up; wait"], stdout=subprocess.PIPE)
    assert shell.stdout is not None
    with shell.stdout:
        assert shell.stdout.readline() == b"up\n"
        while not find(word):
            os.sched_yield()
        shell.kill()
        shell.wait()
        left = find(word)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert len(left) == 1


async def test_processes_in_the_background_end_with_the_command(sandbox: Bubblewrap, tmp_path: Path) -> None:
    word = unique()
    done = await sandbox.run(Command(("/bin/sh", "-c", f"setsid sleep {word} & echo done"), tmp_path))
    assert (done.exit_code, done.output) == (0, "done\n")
    assert find(word) == []


async def test_cancelling_kills_everything(sandbox: Bubblewrap, tmp_path: Path) -> None:
    word = unique()
    started = asyncio.Event()
    line = f"sleep {word} & echo started; exec sleep {word}"
    run = asyncio.create_task(sandbox.run(Command(("/bin/sh", "-c", line), tmp_path), lambda _text: started.set()))
    await started.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert find(word) == []


async def test_cancelling_at_any_moment_of_the_start_leaves_nothing(sandbox: Bubblewrap, tmp_path: Path) -> None:
    word = unique()
    for turns in range(25):
        run = asyncio.create_task(sandbox.run(Command(("sleep", word), tmp_path)))
        for _ in range(turns * turns * 4):
            await asyncio.sleep(0)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert find(word) == []


def start_gateway(script: str, workspace: Path, word: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start a gateway process and return it with a pidfd of the command it runs."""
    gateway = subprocess.Popen([sys.executable, "-c", script, str(workspace), word], stdout=subprocess.PIPE)
    assert gateway.stdout is not None
    assert gateway.stdout.readline() == b"started\n"
    while not (pids := find(word)):  # the shell says `started` just before it becomes sleep
        os.sched_yield()
    return gateway, os.pidfd_open(pids[0])


@pytest.mark.parametrize(("script", "dies"), [(GATEWAY, True), (PLAIN, False)])
@pytest.mark.usefixtures("sandbox")
async def test_only_a_sandboxed_command_dies_with_its_killed_gateway(
    tmp_path: Path, script: str, *, dies: bool
) -> None:
    gateway, pidfd = await asyncio.to_thread(start_gateway, script, tmp_path, unique())
    try:
        gateway.kill()
        assert await has_ended(pidfd, 45.0 if dies else 0.3) is dies
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.close(pidfd)
        gateway.communicate()


def start_touch(workspace: Path) -> Launch:
    return Launch("/usr/bin/bwrap", Command(("/usr/bin/touch", "/work/ran"), workspace))


@pytest.mark.parametrize("is_released", [True, False])
@pytest.mark.usefixtures("sandbox")
async def test_a_command_waits_for_its_gateway_to_say_go(tmp_path: Path, is_released: bool) -> None:
    """If the gateway dies while bwrap starts, its handles close; the command must not run then."""
    launch = await asyncio.to_thread(start_touch, tmp_path)
    await drain(launch.status, lambda: launch.read_status() and not launch.find_init())
    if is_released:
        launch.release()
    monitor = os.dup(launch.monitor)
    try:
        if not is_released:
            launch.close()
        assert await has_ended(monitor, 45)
    finally:
        os.close(monitor)
        launch.kill()
        launch.reap()
        launch.close()
    assert (tmp_path / "ran").exists() is is_released


async def test_the_first_process_of_a_container_collects_what_commands_leave(
    sandbox: Bubblewrap, tmp_path: Path
) -> None:
    assert sandbox.name
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", FIRST, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    assert done.stdout == "[]\n"
