from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest
from pydantic import TypeAdapter

from homarus.config.issues import ConfigErrors
from homarus.config.load import load_text
from homarus.config.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("hush")
    assert "hush" not in f"{secret} {secret!r} {secret:>20} {[secret]}"
    assert secret.reveal() == "hush"
    assert secret == Secret("hush")
    assert secret != Secret("other")
    assert secret != "hush"
    assert copy.deepcopy(secret) is secret


def test_a_secret_can_be_neither_serialised_nor_changed() -> None:
    secret = Secret("hush")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(AttributeError):
        secret.other = 1  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(Exception, match="no serialised form"):
        TypeAdapter(Secret).dump_json(secret)


def token(tmp_path: Path, ref: str, secrets: str = "{}", **env: str) -> str:
    text = f"{{gateway: {{auth: {{token: {ref}}}}}, secrets: {{providers: {secrets}}}}}"
    found = load_text(text, tmp_path / "homarus.json", env).config.gateway.auth.token
    assert found is not None
    return found.reveal()


def test_references_are_resolved_from_variables_and_files(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"a/b": ["x", "deep"]}')
    (tmp_path / "bare").write_text("plain\n")
    sources = '{f: {source: "file", path: "keys.json"}, s: {source: "file", path: "bare", mode: "singleValue"}}'
    assert token(tmp_path, '{source: "env", provider: "default", id: "T"}', T="var") == "var"
    assert token(tmp_path, '{source: "file", provider: "f", id: "/a~1b/1"}', sources) == "deep"
    assert token(tmp_path, '{source: "file", provider: "s", id: "value"}', sources) == "plain"


@pytest.mark.parametrize(
    ("ref", "secrets", "message"),
    [
        ('{source: "exec", provider: "v", id: "x"}', "{}", "source env or file"),
        ('{source: "env", provider: "default", id: "NOPE"}', "{}", "NOPE is not set"),
        ('{source: "env", provider: "e", id: "T"}', '{e: {source: "env", allowlist: ["OTHER"]}}', "allowlist"),
        ('{source: "env", provider: "default", id: "lower"}', "{}", "capitals"),
        ('{source: "file", provider: "f", id: "/x"}', "{}", r"secrets\.providers\.f"),
        ('{source: "file", provider: "f", id: "/x"}', '{f: {source: "file", path: "none.json"}}', "cannot read"),
        ('{source: "web", provider: "f", id: "x"}', "{}", "env, file or exec"),
        ('{source: "env"}', "{}", "all three"),
    ],
)
def test_a_reference_that_cannot_be_resolved_says_why(tmp_path: Path, ref: str, secrets: str, message: str) -> None:
    with pytest.raises(ConfigErrors, match=message) as caught:
        token(tmp_path, ref, secrets, T="hush")
    assert caught.value.path == "gateway.auth.token"
    assert "hush" not in str(caught.value)
