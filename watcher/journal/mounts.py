"""Which kind of file system a folder lies on, and which kinds keep no promise.

A network file system may lose a lock while its holder lives, answer a sync before the data are
down, and let two machines write the same file: neither the journal nor an SQLite file stays whole
there. (SQLite: "How To Corrupt An SQLite Database File", sections 2.1 and 3.1.)
"""

import re
from contextlib import suppress
from pathlib import Path

from watcher.errors import InputError, Location

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "afs", "coda"),
    *("ceph", "lustre", "beegfs", "glusterfs", "gpfs", "fuse"),
}
_ESCAPE = re.compile(r"\\([0-7]{3})")


def refuse_network(path: Path) -> None:
    """Raise InputError when a file or folder (or where it will be) is not on a local disk.

    Where the kernel keeps no list of mounts nothing is refused.
    """
    with suppress(OSError):
        kind = kind_of(path.resolve(), _MOUNTS.read_text("utf-8", "surrogateescape"))
        if is_network(kind):
            raise InputError(
                f"this is a file system of kind {kind}, which keeps neither locks nor syncs",
                where=Location(str(path)),
                expected="a folder on a local disk",
            )


def is_network(kind: str) -> bool:
    """Tell whether files of this kind of file system may be written behind our back.

    FUSE counts as one: nobody can tell what stands behind it.
    """
    return kind in _NETWORK or kind.startswith("fuse.")


def kind_of(path: Path, mounts: str) -> str:
    """Return the kind of the file system that holds an absolute path; empty when unknown.

    `mounts` is text of /proc/self/mountinfo (proc(5)): the mount point is the fifth field, the
    kind follows a lone hyphen. Of several mounts on one point the last one counts.
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, hyphen, behind = line.partition(" - ")
        fields = before.split(" ")
        if hyphen and len(fields) > 4:  # noqa: PLR2004 -- the fifth field
            point = Path(_ESCAPE.sub(lambda found: chr(int(found[1], 8)), fields[4]))
            if path.is_relative_to(point) and len(point.parts) >= best:
                best, kind = len(point.parts), behind.split(" ")[0]
    return kind
