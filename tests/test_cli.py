"""The command line as a stranger misuses it: one line, exit status 2, no traceback."""

import io
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from watcher import __version__
from watcher.cli.main import main

ROOT = Path(__file__).parent.parent
BROKEN = ROOT / "tests" / "broken"
EXAMPLES = ROOT / "deploy" / "examples"


def transcript():
    """Return (command, what it tells) for each command of the transcript."""
    text = (BROKEN / "cli.txt").read_text(encoding="utf-8")
    return re.findall(r"^\$ (watcher.*)\n(.*)$", text, re.MULTILINE)


@pytest.fixture(scope="session")
def good_and_bad_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("broken") / "files"
    shutil.copytree(BROKEN / "files", folder)
    shutil.copy(EXAMPLES / "alarm-technote.txt", folder / "alarm.txt")
    shutil.copy(EXAMPLES / "technote.yaml", folder / "site.yaml")
    (folder / "folder").mkdir()
    for name, size in (("large.yaml", (1 << 20) + 1), ("large.txt", (16 << 20) + 1)):
        with (folder / name).open("wb") as hole:
            hole.truncate(size)
    return folder


@pytest.fixture
def run(monkeypatch, capsys, good_and_bad_files):
    """Run a line of the transcript; return status, standard output and standard error."""
    monkeypatch.chdir(good_and_bad_files)

    def command(line):
        words, _, source = line.partition(" < ")
        given = Path(source or "empty.txt").read_bytes()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        monkeypatch.setattr(sys, "argv", shlex.split(words))
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    return command


@pytest.mark.parametrize(("line", "told"), transcript(), ids=lambda text: text[:60])
def test_wrong_use_is_told_in_one_line(run, line, told):
    status, out, err = run(line)

    assert (err, status) == (f"{told}\n", 2)
    # Where a document would be, nothing is printed; a lone `watcher rules` shows its help.
    assert out == "" or line in {"watcher", "watcher rules", "watcher inventory"}


def test_every_told_line_names_what_was_expected():
    lines = [told for _, told in transcript()]

    assert len(lines) >= 50
    assert [line for line in lines if not line.startswith("watcher: error: ")] == []
    assert [line for line in lines if not line.endswith(")") or "(expected " not in line] == []


def test_a_changed_plan_is_status_1(run):
    status, out, err = run("watcher verify wrong-seal.md")

    assert (status, err) == (1, "")
    assert out.startswith("CHANGED: the seal says sha256:00")


def test_a_plan_says_which_node_is_in_no_cluster(run):
    other = EXAMPLES / "two-node-9.1.yaml"
    status, _, err = run(f"watcher plan alarm.txt -i {other}")

    assert status == 0
    assert err == "CUCM02 is in no cluster of the inventory. Clusters of the inventory: graz.\n"
    assert not run("watcher plan alarm.txt -i site.yaml")[2]


def test_a_plan_is_intact_as_it_was_written(run):
    drawn, _, told = run("watcher plan alarm.txt -o plan.md")
    status, out, _ = run("watcher verify plan.md")

    assert (drawn, status) == (0, 0)
    assert told.startswith("plan.md: ")
    assert out.startswith("intact: sha256:")


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("-o plan.HTML", "<!doctype html>"),
        ("-o plan.htm", "<!doctype html>"),
        ("-o plan.json", "{"),
        ("-o plan.txt", "# Change plan"),
        ("-o plan.markdown --format md", "# Change plan"),
        ("-o plan", "# Change plan"),
        ("-o plan.page --format html", "<!doctype html>"),
    ],
)
def test_the_name_of_the_output_chooses_the_format(run, line, begins):
    status, _, _ = run(f"watcher plan alarm.txt {line}")
    written = Path(line.split()[1]).read_text(encoding="utf-8")

    assert status == 0
    assert written.startswith(begins)


def test_a_failed_write_leaves_the_old_file(run, good_and_bad_files):
    before = sorted(path.name for path in good_and_bad_files.iterdir())
    run("watcher plan alarm.txt -o folder")

    assert sorted(path.name for path in good_and_bad_files.iterdir()) == before


def test_a_device_is_written_to_and_not_replaced(run):
    assert run("watcher plan alarm.txt -o /dev/null")[0] == 0
    assert Path("/dev/null").is_char_device()


def test_a_file_that_may_not_be_read_is_told(run, good_and_bad_files):
    locked = good_and_bad_files / "locked.yaml"
    locked.write_text("version: 1\n", encoding="utf-8")
    locked.chmod(0)
    try:
        locked.read_bytes()
    except PermissionError:
        told = "locked.yaml: permission denied (expected a readable file)"
    else:
        pytest.skip("this user reads every file")

    assert run("watcher inventory check locked.yaml")[2] == f"watcher: error: {told}\n"


def test_hostile_words_come_back_as_escapes(run):
    status, _, err = run("watcher plan 'a\x1b[2Jb\nc\u202e.txt'")

    assert status == 2
    assert err.startswith(r"watcher: error: a\x1b[2Jb\nc\u202e.txt: no such file")
    assert err.count("\n") == 1


def test_the_version_is_printed(run):
    assert run("watcher --version") == (0, f"{__version__}\n", "")


SHELL = pytest.mark.parametrize(
    ("line", "status", "told"),
    [
        ("plan alarm.txt", 0, ""),
        (
            "plan nowhere.txt",
            2,
            "nowhere.txt: no such file or directory (expected a readable file)",
        ),
        ("plan <&-", 2, "standard input is closed (expected a file or a pipe)"),
        ("plan alarm.txt >&-", 2, "standard output is closed (expected somewhere to write to)"),
        (
            "plan alarm.txt >/dev/full",
            2,
            "standard output: no space left on device (expected room to write)",
        ),
        ("rules schema | true; exit ${PIPESTATUS[0]}", 141, ""),
    ],
)


@SHELL
def test_the_command_itself_ends_as_promised(good_and_bad_files, line, status, told):
    left = subprocess.run(  # noqa: S603 -- our own command, through a shell for its redirections
        ["/bin/bash", "-c", f'"$0" -m watcher {line}', sys.executable],
        cwd=good_and_bad_files, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip

    assert (left.returncode, left.stderr.decode()) == (
        status,
        f"watcher: error: {told}\n" * bool(told),
    )
