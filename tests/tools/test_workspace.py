from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from homarus.errors import UserError
from homarus.tools.workspace import Workspace

ESCAPES = [
    "../secret",
    "a/../../secret",
    "a/b/../../../secret",
    "/etc/passwd",
    "/work/../etc/passwd",
    "/workspace/secret",
    "~/secret",
    "~root/x",
    "link-file",
    "link-dir/secret",
    "link-up/secret",
    "link-etc/passwd",
    "link-chain",
    "a/link-deep",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace beside a secret, full of links to it."""
    root = tmp_path / "workspace"
    (root / "a" / "b").mkdir(parents=True)
    (tmp_path / "secret").write_text("canary")
    (root / "inside.txt").write_text("inside")
    (root / "link-file").symlink_to(tmp_path / "secret")
    (root / "link-dir").symlink_to(tmp_path)
    (root / "link-up").symlink_to("..")
    (root / "link-etc").symlink_to("/etc")
    (root / "link-chain").symlink_to("link-up/secret")
    (root / "a" / "link-deep").symlink_to("../../secret")
    return root


@pytest.mark.parametrize("path", ESCAPES)
def test_no_path_reads_outside(root: Path, path: str) -> None:
    with pytest.raises(UserError, match=r"outside|link"):
        Workspace(root).read(path, 1_000)


@pytest.mark.parametrize("path", ["../secret", "link-file", "link-dir/secret", "link-up/new", "link-chain", "/tmp/x"])
def test_no_path_writes_outside(root: Path, path: str) -> None:
    with pytest.raises(UserError, match=r"outside|link"):
        Workspace(root).write(path, b"overwritten")
    assert (root.parent / "secret").read_text() == "canary"
    assert sorted(entry.name for entry in root.parent.iterdir()) == ["secret", "workspace"]


@pytest.mark.parametrize("path", ["link-dir", "link-up", "link-etc", "..", "/", "/etc"])
def test_no_path_lists_outside(root: Path, path: str) -> None:
    with pytest.raises(UserError, match=r"outside|link"), Workspace(root).folder(path):
        pass


def test_the_same_paths_opened_plainly_do_leave(root: Path) -> None:
    """The control of the three tests above."""
    leaving = [path for path in ESCAPES if path.startswith(("..", "a/", "link"))]
    opened = [path for path in leaving if (root / path).read_text()]
    assert opened == leaving


@pytest.mark.parametrize("path", ["inside.txt", "./inside.txt", "a/../inside.txt", "/work/inside.txt", "ok", "a/up"])
def test_paths_and_links_that_stay_inside_work(root: Path, path: str) -> None:
    (root / "ok").symlink_to("inside.txt")
    (root / "a" / "up").symlink_to("/work/a/b/../../ok")
    assert Workspace(root).read(path, 1_000) == b"inside"
    assert Workspace(root).read(str(root / "inside.txt"), 1_000) == b"inside"


def test_links_in_a_circle_end(root: Path) -> None:
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    with pytest.raises(UserError, match="more than 20 links"):
        Workspace(root).read("one", 1_000)


def test_a_name_that_is_swapped_for_a_link_all_the_time_never_leaks(root: Path) -> None:
    workspace = Workspace(root)
    (root / "target").mkdir()
    (root / "target" / "secret").write_text("harmless")
    (root / "swap").symlink_to("target")
    stop = threading.Event()

    def swap() -> None:
        targets = [root.parent, Path("target")]
        while not stop.is_set():
            targets.reverse()
            (root / "next").symlink_to(targets[0])
            (root / "next").rename(root / "swap")

    thread = threading.Thread(target=swap)
    thread.start()
    seen: set[bytes] = set()
    refused = 0
    try:
        while refused < 100 or not seen:
            try:
                seen.add(workspace.read("swap/secret", 1_000))
            except UserError:
                refused += 1
    finally:
        stop.set()
        thread.join()
    assert seen == {b"harmless"}


def test_a_pipe_does_not_hang_and_a_device_or_socket_is_not_opened(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(root)  # the path of a socket is at most 107 bytes
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
        for name in ("pipe", "socket", "a"):
            with pytest.raises(UserError, match=r"not a regular file|socket|folder"):
                Workspace(root).read(name, 1_000)
            with pytest.raises(UserError, match="not a regular file"):
                Workspace(root).write(name, b"x")


def test_a_device_is_not_read() -> None:
    with pytest.raises(UserError, match="a device"):
        Workspace(Path("/dev")).read("zero", 1_000)


def test_writing_replaces_the_name_and_not_the_file_behind_another_name(root: Path) -> None:
    """A hard link to the outside reads like any file, but writing it does not reach outside."""
    os.link(root.parent / "secret", root / "hard")
    assert Workspace(root).read("hard", 1_000) == b"canary"
    Workspace(root).write("hard", b"mine")
    assert (root.parent / "secret").read_text() == "canary"
    assert (root / "hard").read_text() == "mine"


def test_a_file_larger_than_the_bound_is_refused_with_advice(root: Path) -> None:
    (root / "big").write_bytes(b"x" * 2_000)
    with pytest.raises(UserError, match="larger than 1000 bytes") as caught:
        Workspace(root).read("big", 1_000)
    assert "head" in (caught.value.fix or "")


def test_writing_makes_folders_keeps_permissions_and_leaves_no_rest(root: Path) -> None:
    workspace = Workspace(root)
    assert workspace.write("new/deep/file.sh", b"one") is True
    (root / "new/deep/file.sh").chmod(0o750)
    assert workspace.write("new/deep/file.sh", b"two") is False
    assert (root / "new/deep/file.sh").read_bytes() == b"two"
    assert (root / "new/deep/file.sh").stat().st_mode & 0o777 == 0o750
    assert [entry.name for entry in (root / "new/deep").iterdir()] == ["file.sh"]


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UserError, match="disk is full"):
        Workspace(root).write("inside.txt", b"new")
    assert (root / "inside.txt").read_text() == "inside"
    assert not [entry.name for entry in root.iterdir() if entry.name.endswith(".tmp")]


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("missing", "does not exist"),
        ("inside.txt/x", "not a folder"),
        ("", "empty"),
        ("a\0b", "NUL"),
        ("x" * 300, "too long"),
        ("y/" * 2_100, "too long"),
        ("a", "a folder"),
        (".", "a folder"),
    ],
)
def test_a_path_that_cannot_be_read_says_why(root: Path, path: str, word: str) -> None:
    with pytest.raises(UserError, match=word):
        Workspace(root).read(path, 1_000)


def test_no_handle_is_left_open(root: Path) -> None:
    def handles() -> list[str]:
        return sorted(path.name for path in Path("/proc/self/fd").iterdir())

    before = handles()
    for path in [*ESCAPES, "missing", "a", "inside.txt", "a/b/c/d"]:
        for act in (lambda: Workspace(root).read(path, 10), lambda: Workspace(root).write(path + "/x/y", b"")):  # noqa: B023
            try:
                act()
            except UserError:
                continue
    assert handles() == before
