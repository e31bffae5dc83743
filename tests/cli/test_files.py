from __future__ import annotations

from pathlib import Path

import pytest

from homarus.cli import files
from homarus.cli.files import data_urls
from homarus.errors import UserError


def test_files_become_data_urls_with_their_names(tmp_path: Path) -> None:
    path = tmp_path / "my chart.png"
    path.write_bytes(b"abc")
    assert data_urls([path]) == ["data:image/png;name=my%20chart.png;base64,YWJj"]


def test_what_cannot_be_read_or_is_too_much_together_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 5)
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    with pytest.raises(UserError, match="too large"):
        data_urls([path, path])
    with pytest.raises(UserError, match="cannot read"):
        data_urls([tmp_path / "none"])
