from __future__ import annotations

from pathlib import Path

import pytest

from homarus.channels.contract import Attachment
from homarus.errors import Transient
from homarus.gateway import incoming_files
from homarus.gateway.incoming_files import IncomingFiles
from homarus.ids import Address, AgentId
from homarus.labels import Confidentiality, Integrity, Label
from homarus.storage.records import InboundMessage

ADDRESS = Address("telegram", "default", "1")


def message(*files: dict[str, object]) -> InboundMessage:
    label = Label(Integrity.USER, Confidentiality.CHAT, ())
    payload: dict[str, object] = {"files": list(files)}
    return InboundMessage(
        id="0123456789abcdef", address=ADDRESS, external_id="1:2", kind="direct", sender_id="1", sender_name="",
        text="look", payload=payload, label=label, state="queued", received_at=0, agent_id=AgentId("main"),
    )  # fmt: skip


def file(name: str, ref: str = "r1") -> dict[str, object]:
    return {"mime": "text/plain", "name": name, "ref": ref, "size": 5}


async def fetch(address: Address, item: Attachment) -> bytes:
    assert address == ADDRESS
    if item.ref == "gone":
        raise Transient("the file is gone")
    return f"content of {item.ref}".encode()


async def test_files_are_put_into_the_workspace_under_safe_names(tmp_path: Path) -> None:
    names = ("tide table.pdf", "../../.ssh/authorized_keys", "...", "a" * 300 + ".txt")
    lines = await IncomingFiles(fetch, lambda _agent: tmp_path / "w").collect(message(*map(file, names)))
    stored = sorted(path.name for path in (tmp_path / "w" / "inbox").iterdir())
    assert stored == [
        "01234567-1-tide_table.pdf",
        "01234567-2-_.._.ssh_authorized_keys",
        "01234567-3-file",
        "01234567-4-" + "a" * 76 + ".txt",
    ]
    assert lines[0] == "[tide table.pdf is saved in the workspace as inbox/01234567-1-tide_table.pdf]"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w"]
    again = await IncomingFiles(fetch, lambda _agent: tmp_path / "w").collect(message(*map(file, names)))
    assert again == lines


async def test_a_file_that_cannot_be_had_is_named_with_the_reason(tmp_path: Path) -> None:
    files = IncomingFiles(fetch, lambda _agent: tmp_path)
    lines = await files.collect(message(file("a.txt", "gone"), file("b.txt")))
    assert lines == [
        "[a.txt could not be fetched: the file is gone]",
        "[b.txt is saved in the workspace as inbox/01234567-2-b.txt]",
    ]


async def test_people_cannot_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming_files, "MAX_FOLDER", 20)
    files = IncomingFiles(fetch, lambda _agent: tmp_path)
    lines = await files.collect(message(file("a"), file("b")))
    assert "saved" in lines[0]
    assert "the folder inbox holds 20 bytes already" in lines[1]
    monkeypatch.setattr(incoming_files, "MAX_FILES", 1)
    assert len(await files.collect(message(file("a"), file("b")))) == 1


async def test_a_link_out_of_the_workspace_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "inbox").symlink_to(tmp_path / "outside")
    [line] = await IncomingFiles(fetch, lambda _agent: tmp_path / "w").collect(message(file("a")))
    assert "could not be fetched" in line
    assert list((tmp_path / "outside").iterdir()) == []
