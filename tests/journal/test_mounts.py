"""A journal and a database lie on a local disk, or nowhere."""

from pathlib import Path

import pytest

from watcher.errors import InputError
from watcher.journal import mounts
from watcher.journal.folder import Folder
from watcher.journal.mounts import is_network, kind_of, refuse_network

TABLE = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:26 / /srv rw - nfs4 filer:/export rw
31 30 0:27 / /srv/local rw - xfs /dev/sdb rw
32 22 0:28 / /mnt/with\\040space rw master:1 propagate_from:2 - fuse.sshfs peer: rw
33 22 0:29 / /twice rw - ext4 /dev/sdc rw
34 33 0:30 / /twice rw - cifs //filer/share rw
a broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/srvnot", "ext4"),
        ("/srv", "nfs4"),
        ("/srv/a/b", "nfs4"),
        ("/srv/local/a", "xfs"),
        ("/mnt/with space/x", "fuse.sshfs"),
        ("/twice/x", "cifs"),
    ],
)
def test_the_innermost_and_last_mount_counts(path, kind):
    assert kind == kind_of(Path(path), TABLE)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph"])
def test_network_file_systems(kind):
    assert is_network(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", ""])
def test_local_file_systems(kind):
    assert not is_network(kind)


def test_a_journal_is_refused_on_one_with_the_reason(tmp_path, monkeypatch):
    table = tmp_path / "mounts"
    table.write_text(f"1 0 0:1 / {tmp_path}/net rw - nfs4 filer:/x rw\n")
    monkeypatch.setattr(mounts, "_MOUNTS", table)
    with pytest.raises(InputError, match="file system of kind nfs4, which keeps neither locks"):
        Folder(tmp_path / "net" / "journal")

    assert not (tmp_path / "net").exists()


def test_without_a_list_of_mounts_nothing_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(mounts, "_MOUNTS", tmp_path / "none")
    refuse_network(tmp_path)
