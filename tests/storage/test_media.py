from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from homarus.errors import StorageError
from homarus.storage import media
from homarus.storage.media import MediaStore
from homarus.testing.manual_clock import ManualClock


def test_a_kept_file_is_private_and_read_by_its_handle_only(tmp_path: Path) -> None:
    store = MediaStore(tmp_path / "media", ManualClock())
    kept = store.keep("a.txt", "text/plain", b"hello")
    assert store.read(kept.id) == b"hello"
    assert stat.S_IMODE((tmp_path / "media" / kept.id).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "media").stat().st_mode) == 0o700
    (tmp_path / "secret").write_text("secret")
    for handle in ("0" * 32, "../secret", kept.id.upper() + "x", ""):
        assert store.read(handle) is None


def test_the_oldest_files_make_room_but_none_of_the_last_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_TOTAL", 10)
    clock = ManualClock()
    store = MediaStore(tmp_path, clock)
    old, newer = store.keep("old", "", b"12345"), store.keep("newer", "", b"12345")
    for kept, age in ((old, 9), (newer, 8)):
        at = clock.now_ms() / 1000 - age * 24 * 3600
        os.utime(tmp_path / kept.id, (at, at))
    newest = store.keep("newest", "", b"12345")
    assert [store.read(each.id) for each in (old, newer, newest)] == [None, b"12345", b"12345"]
    at = clock.now_ms() / 1000
    for path in tmp_path.iterdir():
        os.utime(path, (at, at))
    with pytest.raises(StorageError, match="already fill"):
        store.keep("one more", "", b"1")
    assert store.read(newer.id) == b"12345"


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match="No space left"):
        MediaStore(tmp_path, ManualClock()).keep("a", "", b"1")
    assert list(tmp_path.iterdir()) == []


def test_a_file_larger_than_any_platform_takes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_FILE", 3)
    with pytest.raises(StorageError, match="at most 3"):
        MediaStore(tmp_path, ManualClock()).keep("a", "", b"1234")
