"""Runs a command with what a unit takes away, as far as that goes without systemd as process 1.

`confine.py JSON COMMAND...`: takes the rights away, says on descriptor 2 what could not be taken,
and becomes the command. What it takes: see `main`. libseccomp is what systemd itself uses.
"""

import ctypes
import errno
import json
import os
import resource
import socket
import sys
from contextlib import suppress

MS_REMOUNT_RO = 1 | 32 | 4096  # MS_RDONLY, MS_REMOUNT, MS_BIND of linux/mount.h
MS_BIND, MS_PRIVATE_ALL = 4096, (1 << 18) | (1 << 14)
NEWNS, NEWNET = 0x20000, 0x40000000
NO_NEW_PRIVILEGES, CAPBSET_DROP, SET_MDWE = 38, 24, 65  # PR_* of linux/prctl.h
ALLOW, ERRNO = 0x7FFF0000, 0x00050000  # SCMP_ACT_* of seccomp.h
LESS, EQUAL, GREATER = 2, 4, 6  # SCMP_CMP_*
CAPABILITIES = 41

libc = ctypes.CDLL(None, use_errno=True)


class Compare(ctypes.Structure):
    """`struct scmp_arg_cmp`."""

    _fields_ = (("argument", ctypes.c_uint), ("how", ctypes.c_int),
                ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))  # fmt: skip


def check(result: int, what: str) -> None:
    """Raise what the C library says went wrong."""
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def read_only(state: str) -> None:
    """Leave only the state folder writable (ProtectSystem=strict), and of /proc only processes."""
    check(libc.unshare(NEWNS), "unshare")
    check(libc.mount(None, b"/", None, MS_PRIVATE_ALL, None), "private")
    check(libc.mount(state.encode(), state.encode(), None, MS_BIND, None), "bind")
    check(libc.mount(None, b"/", None, MS_REMOUNT_RO, None), "read-only")
    # Another place has its own mount where pytest's folder has one.
    own = b"subset=pid,hidepid=invisible"
    check(libc.mount(b"proc", b"/proc", b"proc", 0, own), "proc")
    os.chdir(state)


def drop(uid: int) -> None:
    """Become a user without rights."""
    for number in range(CAPABILITIES):
        libc.prctl(CAPBSET_DROP, number, 0, 0, 0)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def filters(calls: list[str], families: list[str]) -> None:
    """Load SystemCallFilter= and RestrictAddressFamilies=."""
    lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    lib.seccomp_init.restype = ctypes.c_void_p
    add = lib.seccomp_rule_add_array
    add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
                    ctypes.POINTER(Compare)]  # fmt: skip
    lib.seccomp_load.argtypes = [ctypes.c_void_p]
    resolve = lib.seccomp_syscall_resolve_name
    opened = lib.seccomp_init(ALLOW)
    known = sorted(getattr(socket, name) for name in families)
    fine = {*known}
    refuse = [Compare(0, LESS, known[0], 0), Compare(0, GREATER, known[-1], 0)]
    refuse += [Compare(0, EQUAL, n, 0) for n in range(known[0], known[-1]) if n not in fine]
    for one in refuse:
        add(opened, ERRNO | errno.EAFNOSUPPORT, resolve(b"socket"), 1, ctypes.byref(one))
    listed = lib.seccomp_init(ERRNO | errno.EPERM)
    for name in calls:
        number = resolve(name.encode())
        if number >= 0:
            add(listed, ALLOW, number, 0, None)
    check(lib.seccomp_load(opened), "filter of families")
    check(lib.seccomp_load(listed), "filter of calls")


def main() -> None:
    """Take everything away in the order in which systemd does."""
    order, command = json.loads(sys.argv[1]), sys.argv[2:]
    if order.get("no_network"):
        check(libc.unshare(NEWNET), "unshare")
    if order.get("read_only"):
        read_only(order["state"])
    if order.get("uid"):
        drop(order["uid"])
    os.umask(int(order.get("umask", "022"), 8))
    with suppress(ValueError):  # a lower limit is in force
        resource.setrlimit(resource.RLIMIT_NOFILE, (order["files"], order["files"]))
    check(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no new privileges")
    if order.get("no_write_execute"):
        check(libc.prctl(SET_MDWE, 1, 0, 0, 0), "memory: write or execute")
    if order.get("calls"):
        filters(order["calls"], order["families"])
    if "LISTEN_FDS" in os.environ:
        os.environ["LISTEN_PID"] = str(os.getpid())
    os.execvp(command[0], command)  # noqa: S606 -- that is what it is for


if __name__ == "__main__":
    main()
