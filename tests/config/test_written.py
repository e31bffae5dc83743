from __future__ import annotations

from pathlib import Path

import pytest

from homarus.config.issues import ConfigErrors
from homarus.config.written import read_gateway


def test_a_section_read_alone_says_what_is_wrong_where_the_file_has_it(tmp_path: Path) -> None:
    path = tmp_path / "homarus.json"
    path.write_text('{"gateway": {"bnd": "loopback", "port": "18789", "auth": {"mode": "none?"}}, "agnets": {}}')
    with pytest.raises(ConfigErrors) as caught:
        read_gateway(path, {})
    found = {issue.path: issue.fix for issue in caught.value.issues}
    assert set(found) == {"gateway.bnd", "gateway.port", "gateway.auth.mode"}
    assert found["gateway.bnd"] == 'did you mean "bind"?'
