#!/usr/bin/env python3
"""Runs a program as a unit of systemd would, without systemd: under the system
call filter of `systemd/bakewatch.service`, and, with --root, in another root
as a user without a name.

    confined.py [--root DIR] PROGRAM ARGUMENT ...
"""

import ctypes
import errno
import functools
import os
import pathlib
import subprocess
import sys

UNIT = pathlib.Path(__file__).resolve().parents[2] / "systemd/bakewatch.service"
NOBODY = 65532

ALLOW, FAIL = 0x7FFF0000, 0x00050000 | errno.EPERM
UNKNOWN = -1


@functools.cache
def members(group: str) -> frozenset:
    """The system calls of a group such as `@system-service`."""
    told = subprocess.run(
        ["systemd-analyze", "--no-pager", "syscall-filter", group],
        check=True, capture_output=True, text=True,
    ).stdout
    words = [line.strip() for line in told.splitlines()[1:]]
    calls = set()
    for word in words:
        if word.startswith("@"):
            calls |= members(word)
        elif word and not word.startswith("#"):
            calls.add(word)
    return frozenset(calls)


def allowed() -> set:
    """What the unit's lines leave, in their order."""
    calls: set = set()
    for line in UNIT.read_text().splitlines():
        key, _, value = line.partition("=")
        if key != "SystemCallFilter":
            continue
        named = set().union(*(members(group) for group in value.lstrip("~").split()))
        calls = calls - named if value.startswith("~") else calls | named
    return calls


def confine(library: ctypes.CDLL, calls: set) -> None:
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(FAIL))
    for name in sorted(calls):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number != UNKNOWN:
            library.seccomp_rule_add(context, ALLOW, number, 0)
    # Sets no_new_privs too.
    if library.seccomp_load(context) != 0:
        sys.exit("the filter cannot be loaded")


def main() -> None:
    arguments = sys.argv[1:]
    calls = allowed()
    assert {"execve", "sendto"} <= calls and "ptrace" not in calls, "the groups are read wrong"
    library = ctypes.CDLL("libseccomp.so.2")  # before the root is another
    if arguments[0] == "--root":
        os.chroot(arguments[1])
        os.chdir("/")
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        arguments = arguments[2:]
    confine(library, calls)
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main()
