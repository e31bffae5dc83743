from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from homarus.errors import UserError
from homarus.protocol.device_identity import (
    DeviceIdentity,
    SignedConnect,
    decode_base64,
    device_id_of,
    encode_base64url,
    normalise_fact,
    read_public_key,
    verify,
)

SEED = bytes(range(32))
DEVICE = "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c"
PUBLIC = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
NONCE = "3f1c2b9e-6a57-4c1e-9d38-5a7b0c2d4e6f"
V3 = "9NIz2T7YoqUp6tPqLfWdj43n2o3QaITTAcvIREQTFVmb24Xi1u9YzlV6_0LtpKhB8wfOSFSAuI_0TJ9_dIkbBQ"
V2 = "nHYFBSY5AtKL0ZhdJGCNWxPmqkts-qQBNyWoZaks7hEhCGIlA4vijww6QMUkuH932Iyl_228_5Sqk0Vqfir1Dw"
SIGNED = SignedConnect(
    DEVICE, "cli", "cli", "operator", ("operator.admin", "operator.read"), 1737264000000, "secret-token", NONCE, "linux"
)


def test_identity_and_signatures_match_the_vectors_of_the_reference() -> None:
    identity = DeviceIdentity.from_seed(SEED)
    assert (identity.id, identity.public_key) == (DEVICE, PUBLIC)
    assert SIGNED.text("v3") == (
        f"v3|{DEVICE}|cli|cli|operator|operator.admin,operator.read|1737264000000|secret-token|{NONCE}|linux|"
    )
    assert identity.sign(SIGNED, "v3") == V3
    assert identity.sign(SIGNED, "v2") == V2


def test_both_versions_verify_and_anything_else_does_not() -> None:
    raw = read_public_key(PUBLIC)
    assert device_id_of(raw) == DEVICE
    assert (verify(raw, V3, SIGNED), verify(raw, V2, SIGNED)) == ("v3", "v2")
    for signature in ("", "x", "A" * 86, V3[:-2], V3 + "AAAA"):
        assert verify(raw, signature, SIGNED) is None
    assert verify(read_public_key(DeviceIdentity.generate().public_key), V3, SIGNED) is None


def test_padded_and_standard_base64_are_read_too() -> None:
    standard = V3.replace("-", "+").replace("_", "/") + "=="
    assert verify(read_public_key(PUBLIC + "="), standard, SIGNED) == "v3"
    assert decode_base64(encode_base64url(b"\xff\xfe\x00")) == b"\xff\xfe\x00"


@pytest.mark.parametrize("text", ["", "AAAA", "?" * 43, "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the library's messages vary
        read_public_key(text)


def test_facts_are_trimmed_and_lowered_in_ascii_only() -> None:
    assert normalise_fact("  MacOS \u00c4\u0130 ") == "macos \u00c4\u0130"


def test_identity_file_is_made_once_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "identity" / "device.json"
    first = DeviceIdentity.load(path)
    assert DeviceIdentity.load(path).id == first.id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", json.dumps({"seed": "AAAA"}), json.dumps({"seed": 5})])
def test_damaged_identity_file_is_named_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "device.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"device\.json is damaged"):
        DeviceIdentity.load(path)
    assert path.read_text() == content
