"""What a hostile command would try, as a script that runs inside the sandbox and, as its control, outside.

Run from its own text by `python -I -S -c`; it imports nothing of this package. Reads one JSON object from stdin and
prints one: attack name to null when it succeeded, else to why it did not. Nothing it does leaves a trace outside.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import platform
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

NUMBERS = {
    "x86_64": {
        "ptrace": 101, "unshare": 272, "mount": 165, "keyctl": 250, "add_key": 248, "bpf": 321, "perf_event_open": 298,
        "io_uring_setup": 425, "open_by_handle_at": 304, "userfaultfd": 323, "setns": 308, "kexec_load": 246,
        "process_vm_readv": 310, "move_mount": 429, "clone3": 435,
    },
    "aarch64": {
        "ptrace": 117, "unshare": 97, "mount": 40, "keyctl": 219, "add_key": 217, "bpf": 280, "perf_event_open": 241,
        "io_uring_setup": 425, "open_by_handle_at": 265, "userfaultfd": 282, "setns": 268, "kexec_load": 104,
        "process_vm_readv": 270, "move_mount": 429, "clone3": 435,
    },
}  # fmt: skip
AF_NETLINK, AF_PACKET, AF_VSOCK, AF_ALG = 16, 17, 40, 38
TIOCSTI = 0x5412


class Bait(TypedDict):
    """What the caller planted outside: a file with `secret`, a folder, a port, an abstract socket, an fd, a process."""

    file: str
    folder: str
    port: int
    abstract: str
    fd: int
    secret: str
    pid: int
    cmdline: str


class Refused(Exception):
    """The attack did not work; the text says why."""


def read_host_file(bait: Bait) -> None:
    """Read a file of the host."""
    if bait["secret"] not in Path(bait["file"]).read_text():
        raise Refused("another file is there")


def write_host_folder(bait: Bait) -> None:
    """Write beside the workspace."""
    path = Path(bait["folder"], "written")
    path.write_text("x")
    path.unlink()


def read_inherited_fd(bait: Bait) -> None:
    """Read a file the gateway has open."""
    if bait["secret"].encode() not in os.pread(bait["fd"], 4096, 0):
        raise Refused("another file is there")


def read_environment(bait: Bait) -> None:
    """Find a secret of the gateway's environment in any process."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if bait["secret"].encode() in path.read_bytes():
                return
    raise Refused("no process shows it")


def see_host_process(bait: Bait) -> None:
    """See the gateway's process."""
    if Path(f"/proc/{bait['pid']}/cmdline").read_bytes().hex() != bait["cmdline"]:
        raise Refused("another process has this number")


def connect_tcp(bait: Bait) -> None:
    """Reach a port of the host."""
    socket.create_connection(("127.0.0.1", bait["port"]), timeout=2).close()


def send_udp(_bait: Bait) -> None:
    """Have a route out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("192.0.2.1", 53))


def connect_abstract(bait: Bait) -> None:
    """Reach an abstract unix socket of the host."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        client.connect("\0" + bait["abstract"])


def have_capabilities(_bait: Bait) -> None:
    """Have capabilities, or be able to get them."""
    status = Path("/proc/self/status").read_text()
    values = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    if int(values["CapEff"], 16) == int(values["CapBnd"], 16) == 0 and values["NoNewPrivs"] == "1":
        raise Refused("none, and no way to new ones")


def open_family(family: int, kind: int) -> Callable[[Bait], None]:
    """Return the attack that opens a socket of an unusual family."""

    def attack(_bait: Bait) -> None:
        try:
            socket.socket(family, kind).close()
        except OSError as error:
            # a family that is merely absent from this kernel is no proof of a boundary
            if error.errno not in {errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT}:
                raise

    return attack


def push_terminal_input(_bait: Bait) -> None:
    """Type into the terminal: refused by its number, before the fd is looked at."""
    reach(ctypes.CDLL(None, use_errno=True).ioctl, -1, ctypes.c_ulong(TIOCSTI), None)


def call(name: str, *arguments: int) -> Callable[[Bait], None]:
    """Return the attack that makes a system call with arguments that do no harm."""

    def attack(_bait: Bait) -> None:
        number = NUMBERS[platform.machine()][name]
        reach(ctypes.CDLL(None, use_errno=True).syscall, number, *map(ctypes.c_long, arguments))

    return attack


def reach(function: Callable[..., int], *arguments: object) -> None:
    """Succeed when the call is looked at by the kernel, even to complain about its arguments."""
    pid = os.fork()
    if pid == 0:
        result = function(*arguments)
        number = ctypes.get_errno() if result < 0 else 0
        os._exit(1 if number in {errno.EPERM, errno.EACCES, errno.ENOSYS} else 0)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        raise Refused("operation not permitted")


ATTACKS: dict[str, Callable[[Bait], None]] = {
    "read a host file": read_host_file,
    "write beside the workspace": write_host_folder,
    "read an inherited file descriptor": read_inherited_fd,
    "read the gateway's environment": read_environment,
    "see host processes": see_host_process,
    "connect to a host port": connect_tcp,
    "reach the network": send_udp,
    "connect to an abstract unix socket": connect_abstract,
    "hold capabilities": have_capabilities,
    "nested user namespace": call("unshare", 0x10000000),
    "mount": call("mount", 0, 0, 0, 0, 0),
    "move_mount": call("move_mount", -1, 0, -1, 0, 0),
    "join a namespace": call("setns", -1, 0),
    "clone3": call("clone3", 0, 0),
    "ptrace": call("ptrace", 0, 0, 0, 0),
    "read another process's memory": call("process_vm_readv", -1, 0, 0, 0, 0, 0),
    "io_uring": call("io_uring_setup", 0, 0),
    "kernel keyring": call("keyctl", -1),
    "add a kernel key": call("add_key", 0, 0, 0, 0, 0),
    "bpf": call("bpf", -1, 0, 0),
    "perf_event_open": call("perf_event_open", 0, 0, -1, -1, 0),
    "userfaultfd": call("userfaultfd", -1),
    "open_by_handle_at": call("open_by_handle_at", -1, 0, 0),
    "kexec": call("kexec_load", 0, 99, 0, 0),
    "type into the terminal": push_terminal_input,
    "netlink socket": open_family(AF_NETLINK, socket.SOCK_RAW),
    "packet socket": open_family(AF_PACKET, socket.SOCK_RAW),
    "vsock socket": open_family(AF_VSOCK, socket.SOCK_STREAM),
    "kernel crypto socket": open_family(AF_ALG, socket.SOCK_SEQPACKET),
}


def try_all(bait: Bait) -> dict[str, str | None]:
    """Try each attack; None is a success."""
    results: dict[str, str | None] = {}
    for name, attack in ATTACKS.items():
        try:
            attack(bait)
            results[name] = None
        except (OSError, Refused) as error:
            results[name] = str(error) or type(error).__name__
    return results


if __name__ == "__main__":
    sys.stdout.write(json.dumps(try_all(json.load(sys.stdin))))
