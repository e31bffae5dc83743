"""The system call filter of the sandbox, assembled here as classic BPF bytes, so that no library is needed.

It is a second layer behind the namespaces: it removes kernel interfaces that need no file and no network to attack.
Format: an array of `struct sock_filter {u16 code; u8 jt; u8 jf; u32 k}` (linux/filter.h) over `struct seccomp_data`
(linux/seccomp.h): nr at 0, arch at 4, args[i] at 16 + 8*i, little endian on both architectures.
"""

from __future__ import annotations

import errno
import struct

from msgspec import Struct

from homarus.sandbox.syscalls import DENIED, INSPECTED

LOAD, EQUAL, ABOVE_OR_EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
KILL = 0x80000000
ALLOW = 0x7FFF0000
ERRNO = 0x00050000
NR_OFFSET, ARCH_OFFSET, FIRST_ARG, SECOND_ARG = 0, 4, 16, 24

X32_BIT = 0x40000000
# every namespace flag that fits in clone's flag word (linux/sched.h); CLONE_NEWTIME shares a bit with the signal number
NAMESPACE_FLAGS = 0x7E020000
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
SOCKET_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6


class Architecture(Struct, frozen=True):
    """One machine type: its audit number (linux/audit.h) and its column in the system call table."""

    audit: int
    column: int
    has_x32: bool = False


ARCHITECTURES = (Architecture(0xC000003E, 0, has_x32=True), Architecture(0xC00000B7, 1))


def build_program() -> bytes:
    """Return the filter for x86_64 and aarch64; any other architecture, also 32-bit calls on these, is killed."""
    program: list[bytes] = []
    for architecture in ARCHITECTURES:
        section = _section(architecture)
        # jumps reach 255 instructions, a section is longer: a mismatch steps over a jump with a 32-bit offset
        program += [_instruction(LOAD, ARCH_OFFSET), _instruction(EQUAL, architecture.audit, 1, 0)]
        program += [_instruction(0x05, len(section)), *section]
    program.append(_instruction(RETURN, KILL))
    return b"".join(program)


def _section(architecture: Architecture) -> list[bytes]:
    """Return the rules of one architecture; every path through them ends in a verdict."""
    rules = [_instruction(LOAD, NR_OFFSET)]
    if architecture.has_x32:
        rules += [_instruction(ABOVE_OR_EQUAL, X32_BIT, 0, 1), _instruction(RETURN, KILL)]
    for numbers in DENIED.values():
        number = numbers[architecture.column]
        if number is not None:
            rules += _when(number, [_deny()])
    rules += _when(INSPECTED["clone3"][architecture.column], [_deny(errno.ENOSYS)])
    rules += _when(INSPECTED["clone"][architecture.column], _refuse_flags())
    rules += _when(INSPECTED["socket"][architecture.column], _allow_only(SOCKET_FAMILIES))
    rules += _when(INSPECTED["ioctl"][architecture.column], _refuse_requests((TIOCSTI, TIOCLINUX)))
    return [*rules, _instruction(RETURN, ALLOW)]


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """Return `body` guarded by the system call number."""
    return [_instruction(EQUAL, number, 0, len(body)), *body]


def _refuse_flags() -> list[bytes]:
    return [
        _instruction(LOAD, FIRST_ARG),
        _instruction(ANY_BIT, NAMESPACE_FLAGS, 0, 1),
        _deny(),
        _instruction(RETURN, ALLOW),
    ]


def _allow_only(families: tuple[int, ...]) -> list[bytes]:
    body = [_instruction(LOAD, FIRST_ARG)]
    for family in families:
        body += [_instruction(EQUAL, family, 0, 1), _instruction(RETURN, ALLOW)]
    return [*body, _deny()]


def _refuse_requests(requests: tuple[int, ...]) -> list[bytes]:
    # the kernel takes the request as 32 bits, so the upper half of the argument must not decide
    body = [_instruction(LOAD, SECOND_ARG)]
    for request in requests:
        body += [_instruction(EQUAL, request, 0, 1), _deny()]
    return [*body, _instruction(RETURN, ALLOW)]


def _deny(number: int = errno.EPERM) -> bytes:
    return _instruction(RETURN, ERRNO | number)


def _instruction(code: int, k: int, jt: int = 0, jf: int = 0) -> bytes:
    return struct.pack("<HBBI", code, jt, jf, k)
