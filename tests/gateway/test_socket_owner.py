from __future__ import annotations

import os
import socket
from pathlib import Path

from homarus.gateway.socket_owner import owners_of_port


def test_the_user_at_the_other_end_of_a_connection_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert owners_of_port(client.getsockname()[1]) == {os.getuid()}


def test_every_user_that_holds_the_port_counts_and_other_addresses_do_not(tmp_path: Path) -> None:
    rows = [
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
        "   0: 0100007F:1267 0100007F:4965 01 00000000:00000000 00:00000000 00000000     7        0 1 1",
        "   1: 0500007F:1267 0100007F:4965 01 00000000:00000000 00:00000000 00000000     8        0 1 1",
        "   2: 0201A8C0:1267 0100007F:4965 01 00000000:00000000 00:00000000 00000000     9        0 1 1",
        "   3: short",
    ]
    (tmp_path / "tcp").write_text("\n".join(rows))
    assert owners_of_port(0x1267, tmp_path) == {7, 8}
    assert owners_of_port(1, tmp_path) == frozenset()
    assert owners_of_port(1, tmp_path / "elsewhere") is None
