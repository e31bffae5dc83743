from __future__ import annotations

import pytest

from homarus.cli.exits import MEANINGS, ExitCode, UsageFailure, exit_code_of, fix_of
from homarus.errors import AuthFailed, ConfigError, HomarusError, ProtocolError, StorageError
from homarus.protocol.client_errors import NotRunning


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageFailure("x"), ExitCode.USAGE),
        (NotRunning("x"), ExitCode.NOT_RUNNING),
        (AuthFailed("x"), ExitCode.REFUSED),
        (ProtocolError("NOT_PAIRED", "pairing required"), ExitCode.REFUSED),
        (ProtocolError("INVALID_REQUEST", "missing scope: operator.admin"), ExitCode.REFUSED),
        (ProtocolError("INVALID_REQUEST", "unauthorized: gateway token mismatch"), ExitCode.REFUSED),
        (ProtocolError("INVALID_REQUEST", "key required"), ExitCode.FAILURE),
        (ConfigError("x"), ExitCode.CONFIG),
        (StorageError("x"), ExitCode.FAILURE),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: HomarusError, code: ExitCode) -> None:
    assert exit_code_of(error) == code


def test_every_exit_code_is_explained() -> None:
    assert set(MEANINGS) == set(ExitCode)


@pytest.mark.parametrize("error", [StorageError("x"), ProtocolError("INVALID_REQUEST", "x"), NotRunning("x", fix="y")])
def test_every_error_says_what_to_do(error: HomarusError) -> None:
    assert fix_of(error)
