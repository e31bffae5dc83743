from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from homarus import certificates
certificates.defer()
import ssl
from aiohttp import connector
verified, unverified = connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED
assert ssl.SSLContext is not certificates.LateContext
assert verified.verify_mode is ssl.CERT_REQUIRED and verified.check_hostname
assert unverified.verify_mode is ssl.CERT_NONE
assert verified.get_ca_certs() == []
verified.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
assert len(verified.get_ca_certs()) == len(ssl.create_default_context().get_ca_certs())
"""


def test_authorities_are_loaded_before_the_first_handshake_and_verification_stays_strict() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
