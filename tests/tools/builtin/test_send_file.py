from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from homarus.clock import SystemClock
from homarus.errors import UserError
from homarus.gateway.outgoing_files import OutgoingFiles
from homarus.ids import Address
from homarus.storage.media import MediaStore
from homarus.storage.records import StoredFile
from homarus.tools.builtin.send_file import SendFileArgs, SendFileTool
from homarus.tools.contract import ToolContext

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


@pytest.fixture
def shelf(tmp_path: Path) -> OutgoingFiles:
    return OutgoingFiles(MediaStore(tmp_path / "media", SystemClock()))


async def test_a_copy_is_kept_as_it_was_when_the_call_was_made(context: ToolContext, shelf: OutgoingFiles) -> None:
    (context.workspace / "out").mkdir()
    (context.workspace / "out" / "chart.dat").write_bytes(PNG)
    output = await SendFileTool(shelf).run(context, SendFileArgs(path="out/chart.dat", caption="the chart"))
    (context.workspace / "out" / "chart.dat").write_bytes(b"changed")
    file = StoredFile.from_json(output.details["file"])
    assert file is not None
    assert (file.name, file.mime, file.size, output.details["caption"]) == ("chart.dat", "image/png", 16, "the chart")
    assert shelf.store.read(file.id) == PNG
    assert output.label == context.label


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd", "~/.ssh/id_rsa", "link", "pipe", "folder", "none"])
async def test_only_regular_files_of_the_workspace_are_taken(
    path: str, context: ToolContext, shelf: OutgoingFiles, tmp_path: Path
) -> None:
    (tmp_path / "outside.txt").write_text("secret")
    (context.workspace / "link").symlink_to(tmp_path / "outside.txt")
    (context.workspace / "folder").mkdir()
    os.mkfifo(context.workspace / "pipe")
    with pytest.raises(UserError):
        await SendFileTool(shelf).run(context, SendFileArgs(path=path))
    assert not (tmp_path / "media").exists()


async def test_a_chat_that_carries_no_files_says_so_before_anything_is_kept(
    context: ToolContext, shelf: OutgoingFiles, tmp_path: Path
) -> None:
    (context.workspace / "a.txt").write_text("a")
    there = replace(context, address=Address("irc", "default", "ines"))
    with pytest.raises(UserError, match="irc carries no files"):
        await SendFileTool(shelf).run(there, SendFileArgs(path="a.txt"))
    assert not (tmp_path / "media").exists()
