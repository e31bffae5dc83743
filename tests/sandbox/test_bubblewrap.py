from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from homarus.errors import Permanent, UserError
from homarus.sandbox.bubblewrap import FLOOD_BYTES, Bubblewrap
from homarus.sandbox.contract import Command, Completion, Limits

MIB = 1_048_576


async def sh(sandbox: Bubblewrap, workspace: Path, line: str, limits: Limits | None = None) -> Completion:
    return await sandbox.run(Command(("/bin/sh", "-c", line), workspace, limits=limits or Limits(timeout=30)))


def fake_program(folder: Path, script: str) -> Bubblewrap:
    path = folder / "fake-bwrap"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return Bubblewrap(program=str(path))


def open_handles() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


async def test_a_command_runs_in_the_workspace_and_its_files_stay(sandbox: Bubblewrap, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("hello")
    done = await sh(sandbox, tmp_path, "cat in.txt; pwd; whoami; echo out > out.txt")
    assert (done.exit_code, done.output) == (0, "hello/work\nsandbox\n")
    assert (tmp_path / "out.txt").read_text() == "out\n"


async def test_both_streams_arrive_in_order_and_live(sandbox: Bubblewrap, tmp_path: Path) -> None:
    pieces: list[str] = []
    line = "echo a; echo b >&2; echo c"
    done = await sandbox.run(Command(("/bin/sh", "-c", line), tmp_path), pieces.append)
    assert done.output == "".join(pieces) == "a\nb\nc\n"


@pytest.mark.parametrize(("line", "code"), [("exit 3", 3), ("kill -TERM $$", -15), ("kill -KILL $$", -9)])
async def test_the_exit_code_tells_how_it_ended(sandbox: Bubblewrap, tmp_path: Path, line: str, code: int) -> None:
    assert (await sh(sandbox, tmp_path, line)).exit_code == code


async def test_a_program_that_does_not_exist_is_named(sandbox: Bubblewrap, tmp_path: Path) -> None:
    done = await sandbox.run(Command(("no-such-program", "x"), tmp_path))
    assert done.exit_code == 127
    assert "no-such-program" in done.output


@pytest.mark.parametrize("size", [0, 5, 65_533, 900_000])
async def test_stdin_reaches_the_command_unchanged(sandbox: Bubblewrap, tmp_path: Path, size: int) -> None:
    stdin = os.urandom(size)
    done = await sandbox.run(Command(("/bin/sh", "-c", "cat > copy"), tmp_path, stdin=stdin))
    assert done.exit_code == 0
    assert (tmp_path / "copy").read_bytes() == stdin


async def test_the_environment_is_exactly_what_was_given(sandbox: Bubblewrap, tmp_path: Path) -> None:
    done = await sandbox.run(Command(("/usr/bin/env", "-u", "PWD"), tmp_path, env={"GREETING": "a b\nc"}))
    assert sorted(done.output.splitlines()) == [
        "GREETING=a b",
        "HOME=/work",
        "LANG=C.UTF-8",
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "TERM=dumb",
        "c",
    ]


async def test_cwd_is_a_folder_of_the_workspace(sandbox: Bubblewrap, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    assert (await sandbox.run(Command(("/bin/pwd",), tmp_path, cwd="sub"))).output == "/work/sub\n"


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (Command((), Path("/tmp")), "empty"),
        (Command(("a\0b",), Path("/tmp")), "NUL"),
        (Command(("true",), Path("/")), "root folder"),
        (Command(("true",), Path("relative")), "absolute"),
        (Command(("true",), Path("/no/such/folder")), "not a folder"),
        (Command(("true",), Path("/tmp"), cwd="../etc"), "outside the workspace"),
        (Command(("true",), Path("/tmp"), cwd="/etc"), "outside the workspace"),
        (Command(("true",), Path("/tmp"), env={"A=B": "c"}), "A=B"),
        (Command(("true",), Path("/tmp"), env={"A": "c\0--bind\0/\0/host"}), "NUL"),
        (Command(("true",), Path("/tmp"), env={"A": "x" * 2_000_000}), "at most"),
        (Command(("true",), Path("/tmp"), stdin=b"x" * 2_000_000), "stdin"),
    ],
)
async def test_a_command_that_cannot_be_meant_is_refused(sandbox: Bubblewrap, command: Command, word: str) -> None:
    with pytest.raises(UserError, match=word):
        await sandbox.run(command)


async def test_output_beyond_the_limit_is_cut_in_the_middle(sandbox: Bubblewrap, tmp_path: Path) -> None:
    done = await sh(sandbox, tmp_path, "seq 1 100000", Limits(timeout=30, output_bytes=2_000))
    assert done.is_truncated
    assert done.output.startswith("1\n2\n3\n")
    assert done.output.endswith("99999\n100000\n")
    assert len(done.output) < 2_100


async def test_an_endless_flood_is_stopped_and_takes_no_memory(sandbox: Bubblewrap, tmp_path: Path) -> None:
    done = await sh(sandbox, tmp_path, "yes", Limits(timeout=50))
    assert (done.exit_code, done.is_timed_out, done.is_truncated) == (-9, False, True)
    assert f"more than {FLOOD_BYTES // MIB} MiB" in done.output
    assert len(done.output) < 201_000


async def test_temporary_space_is_limited_and_the_workspace_is_not(sandbox: Bubblewrap, tmp_path: Path) -> None:
    fill = "head -c 70M /dev/zero > {0} && echo written || echo full"
    for place in ("/tmp/x", "/dev/shm/x"):
        assert (await sh(sandbox, tmp_path, fill.format(place))).output.endswith("full\n"), place
    assert (await sh(sandbox, tmp_path, fill.format("/work/x"))).output == "written\n"


@pytest.mark.parametrize("place", ["/x", "/dev/x", "/etc/x", "/usr/x", "/usr/bin/x"])
async def test_nothing_else_can_be_written(sandbox: Bubblewrap, tmp_path: Path, place: str) -> None:
    done = await sh(sandbox, tmp_path, f"echo x > {place}")
    assert done.exit_code != 0
    assert "Read-only file system" in done.output


async def test_memory_of_a_process_is_limited(sandbox: Bubblewrap, tmp_path: Path) -> None:
    hoard = "head -c 200M /dev/zero | tail -c 200M | wc -c"  # tail keeps what it may have to print
    limited = await sh(sandbox, tmp_path, hoard, Limits(timeout=30, memory_bytes=64 * MIB))
    assert "209715200" not in limited.output
    assert "209715200" in (await sh(sandbox, tmp_path, hoard)).output


async def test_the_size_of_a_file_is_limited(sandbox: Bubblewrap, tmp_path: Path) -> None:
    await sh(sandbox, tmp_path, "head -c 3M /dev/zero > big", Limits(timeout=30, file_bytes=MIB))
    assert (tmp_path / "big").stat().st_size == MIB


async def test_processor_time_is_limited(sandbox: Bubblewrap, tmp_path: Path) -> None:
    done = await sh(sandbox, tmp_path, "while :; do :; done", Limits(timeout=40, cpu_seconds=1))
    assert (done.exit_code, done.is_timed_out) == (-9, False)


async def test_the_number_of_processes_is_limited_except_under_root(sandbox: Bubblewrap, tmp_path: Path) -> None:
    line = "ulimit -p; i=0; while [ $i -lt 40 ]; do sleep 9 & i=$((i+1)); done; echo all of them"
    done = await sh(sandbox, tmp_path, line, Limits(timeout=30, processes=16))
    assert done.output.startswith("16\n")
    # the kernel exempts real root; everyone else is stopped
    assert ("all of them" in done.output) == (os.geteuid() == 0)


async def test_many_run_side_by_side_without_mixing(sandbox: Bubblewrap, tmp_path: Path) -> None:
    done = await asyncio.gather(*(sh(sandbox, tmp_path, f"echo {number}") for number in range(20)))
    assert [item.output for item in done] == [f"{number}\n" for number in range(20)]


async def test_the_loop_goes_on_while_commands_start_and_flood(sandbox: Bubblewrap, tmp_path: Path) -> None:
    done = asyncio.Event()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(count())
        await sh(sandbox, tmp_path, "head -c 20M /dev/zero")
        done.set()
    assert turns > 100


async def test_without_bubblewrap_the_error_gives_the_command_that_installs_it(tmp_path: Path) -> None:
    sandbox = Bubblewrap(program=str(tmp_path / "missing"))
    with pytest.raises(Permanent, match="cannot be started") as caught:
        await sandbox.run(Command(("true",), tmp_path))
    assert "bubblewrap" in (caught.value.fix or "")
    assert not (await sandbox.probe()).is_available


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("bwrap: Unknown option --disable-userns", "older than 0.8"),
        ("bwrap: setting up uid map: Permission denied", "user namespaces are not allowed"),
        ("bwrap: something new", "could not set it up"),
    ],
)
async def test_a_sandbox_that_cannot_be_set_up_runs_nothing(tmp_path: Path, message: str, word: str) -> None:
    sandbox = fake_program(tmp_path, f"echo '{message}' >&2; exit 1")
    with pytest.raises(Permanent, match=word) as caught:
        await sandbox.run(Command(("/usr/bin/touch", str(tmp_path / "ran")), tmp_path))
    assert caught.value.fix
    assert not (tmp_path / "ran").exists()
    probe = await sandbox.probe()
    assert (probe.is_available, probe.fix) == (False, caught.value.fix)


async def test_a_sandbox_that_hangs_while_it_is_set_up_times_out(tmp_path: Path) -> None:
    sandbox = fake_program(tmp_path, "exec sleep 1000")
    done = await sandbox.run(Command(("true",), tmp_path, limits=Limits(timeout=0.2)))
    assert (done.is_timed_out, done.exit_code) == (True, -9)


async def test_no_handle_is_left_open(sandbox: Bubblewrap, tmp_path: Path) -> None:
    await sh(sandbox, tmp_path, "true")
    before = open_handles()
    await asyncio.gather(*(sh(sandbox, tmp_path, "true") for _ in range(5)))
    with pytest.raises(Permanent):
        await Bubblewrap(program="/no/such").run(Command(("true",), tmp_path))
    with pytest.raises(UserError):
        await sandbox.run(Command(("true",), tmp_path, env={"A": "\0"}))
    assert open_handles() == before
