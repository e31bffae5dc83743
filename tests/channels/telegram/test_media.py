from __future__ import annotations

from pathlib import Path

import pytest

from homarus.channels.contract import Attachment
from homarus.errors import Permanent, Transient
from homarus.testing.ingress import MemoryIngress
from homarus.testing.telegram.faults import Fault, FaultKind
from homarus.testing.telegram.launch import Start
from homarus.testing.telegram.people import INES, People
from homarus.testing.telegram.server import TelegramServer


async def test_a_picture_comes_with_its_bytes(start: Start, people: People, ingress: MemoryIngress) -> None:
    async with start():
        people.photo(INES, b"\xff\xd8picture", caption="what is this?")
        message = await ingress.wait()
    assert message.text == "what is this?"
    assert message.attachments[0].data == b"\xff\xd8picture"


async def test_a_picture_sent_as_a_file_comes_with_its_bytes(
    start: Start, people: People, ingress: MemoryIngress
) -> None:
    async with start():
        people.file(INES, "document", b"\x89PNG", mime_type="image/png", file_name="bay.png")
        message = await ingress.wait()
    assert [(item.name, item.data) for item in message.attachments] == [("bay.png", b"\x89PNG")]


async def test_a_voice_message_is_fetched_when_asked_for(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    async with start() as (channel, _):
        people.file(INES, "voice", b"OggS", duration=4, mime_type="audio/ogg")
        voice = (await ingress.wait()).attachments[0]
        assert voice.data is None
        assert "getFile" not in server.calls
        assert await channel.fetch_media(voice) == b"OggS"


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.REFUSE, FaultKind.PAGE])
@pytest.mark.parametrize("method", ["getFile", "file"])
async def test_a_message_is_not_lost_when_its_picture_is(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress, method: str, kind: FaultKind
) -> None:
    code = 404 if method == "file" else 400
    server.faults.add(method, Fault(kind, times=2, code=code, description="Bad Request: gone"))  # a GET is tried twice
    async with start():
        people.photo(INES, b"picture", caption="look")
        message = await ingress.wait()
    assert message.text == "look"
    assert message.attachments[0].data is None
    assert message.attachments[0].ref


async def test_a_file_that_is_too_large_is_not_downloaded(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    async with start(mediaMaxMb=0.001) as (channel, _):
        people.file(INES, "document", b"x" * 2000, mime_type="image/png")
        item = (await ingress.wait()).attachments[0]
        assert item.data is None
        with pytest.raises(Permanent, match="at most 1048 are taken"):
            await channel.fetch_media(item)
    assert "file" not in server.calls


async def test_a_file_larger_than_announced_is_cut_off(start: Start, people: People, ingress: MemoryIngress) -> None:
    async with start(mediaMaxMb=0.001) as (channel, _):
        people.file(INES, "document", b"x" * 200_000, file_size=10)
        item = (await ingress.wait()).attachments[0]
        with pytest.raises(Permanent, match="larger than 1048"):
            await channel.fetch_media(item)


async def test_what_telegram_does_not_give_is_permanent(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    server.largest_download = 10
    async with start() as (channel, _):
        people.file(INES, "document", b"x" * 20)
        with pytest.raises(Permanent, match="file is too big"):
            await channel.fetch_media((await ingress.wait()).attachments[0])
        with pytest.raises(Permanent, match="no reference"):
            await channel.fetch_media(Attachment("text/plain", "a"))


async def test_a_download_that_breaks_is_transient(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    async with start() as (channel, _):
        people.file(INES, "document", b"x")
        item = (await ingress.wait()).attachments[0]
        server.faults.add("file", Fault(FaultKind.CUT, times=2))
        with pytest.raises(Transient):
            await channel.fetch_media(item)
        assert await channel.fetch_media(item) == b"x"


async def test_a_file_of_a_local_server_is_read_only_below_a_trusted_root(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(b"local")
    (tmp_path / "secret").write_bytes(b"hidden")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "secret")
    async with start(trustedLocalFileRoots=[str(tmp_path / "in")]) as (channel, _):
        people.file(INES, "document", b"x")
        item = (await ingress.wait()).attachments[0]
        place = item.ref or ""
        server.files[place] = (str(tmp_path / "in" / "a"), b"")
        assert await channel.fetch_media(item) == b"local"
        for path in (tmp_path / "secret", tmp_path / "in" / ".." / "secret", tmp_path / "in" / "link"):
            server.files[place] = (str(path), b"")
            with pytest.raises(Permanent, match="not trusted"):
                await channel.fetch_media(item)


async def test_a_path_that_climbs_is_refused(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    async with start() as (channel, _):
        people.file(INES, "document", b"x")
        item = (await ingress.wait()).attachments[0]
        server.files[item.ref or ""] = ("photos/../../bot/getMe", b"")
        with pytest.raises(Permanent, match="no path"):
            await channel.fetch_media(item)
