from __future__ import annotations

import errno
import struct

import pytest

from homarus.sandbox.seccomp import build_program
from homarus.sandbox.syscalls import DENIED, INSPECTED

X86, ARM, I386 = 0xC000003E, 0xC00000B7, 0x40000003
ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
PROGRAM = list(struct.iter_unpack("<HBBI", build_program()))
COLUMNS = [(X86, 0), (ARM, 1)]


def verdict(arch: int, number: int, *args: int) -> int:
    """Run the program as the kernel would on this call."""
    data = struct.pack("<iIQ6Q", number, arch, 0, *(args + (0,) * 6)[:6])
    at, register = 0, 0
    while True:
        operation, jt, jf, k = PROGRAM[at]
        at += 1
        if operation == 0x20:
            register = struct.unpack_from("<I", data, k)[0]
        elif operation == 0x05:
            at += k
        elif operation == 0x06:
            return k
        else:
            holds = {0x15: register == k, 0x35: register >= k, 0x45: bool(register & k)}[operation]
            at += jt if holds else jf


@pytest.mark.parametrize(("arch", "column"), COLUMNS)
def test_every_named_call_is_refused_on_both_architectures(arch: int, column: int) -> None:
    for name, numbers in DENIED.items():
        number = numbers[column]
        if number is not None:
            assert verdict(arch, number) == EPERM, name


@pytest.mark.parametrize(("arch", "column"), COLUMNS)
def test_everything_else_is_allowed(arch: int, column: int) -> None:
    named = {numbers[column] for numbers in DENIED.values()} | {numbers[column] for numbers in INSPECTED.values()}
    others = [number for number in range(600) if number not in named]
    assert {verdict(arch, number) for number in others} == {ALLOW}
    assert len(others) > 500


@pytest.mark.parametrize("arch", [I386, 0, 0xFFFFFFFF, 0xC00000F3])
def test_a_call_of_another_architecture_kills_the_process(arch: int) -> None:
    assert verdict(arch, 1) == KILL


def test_the_x32_numbers_of_x86_64_kill_the_process() -> None:
    assert verdict(X86, 0x40000000 | 165) == KILL


@pytest.mark.parametrize(("arch", "column"), COLUMNS)
@pytest.mark.parametrize("family", range(46))
def test_only_unix_and_internet_sockets_can_be_opened(arch: int, column: int, family: int) -> None:
    wanted = ALLOW if family in {1, 2, 10} else EPERM
    assert verdict(arch, INSPECTED["socket"][column], family, 1, 0) == wanted


@pytest.mark.parametrize(("arch", "column"), COLUMNS)
def test_clone_makes_threads_and_processes_but_no_namespaces(arch: int, column: int) -> None:
    clone = INSPECTED["clone"][column]
    assert verdict(arch, clone, 0x3D0F00) == ALLOW  # a thread as the C library makes it
    assert verdict(arch, clone, 0x01200011) == ALLOW  # fork
    for bit in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert verdict(arch, clone, bit | 17) == EPERM, hex(bit)
    assert verdict(arch, INSPECTED["clone3"][column], 0, 0) == ENOSYS


@pytest.mark.parametrize(("arch", "column"), COLUMNS)
def test_the_upper_half_of_an_ioctl_request_does_not_hide_it(arch: int, column: int) -> None:
    ioctl = INSPECTED["ioctl"][column]
    assert verdict(arch, ioctl, 0, 0x5412) == EPERM
    assert verdict(arch, ioctl, 0, 0x5412 | 1 << 40) == EPERM
    assert verdict(arch, ioctl, 0, 0x541C) == EPERM
    assert verdict(arch, ioctl, 0, 0x5401) == ALLOW
