"""What the documents show is what the program does, and they point to what is there."""

import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from watcher.cli.main import COMMANDS, build, main
from watcher.inventory.loader import load

ROOT = Path(__file__).parent.parent
SKIPPED = {".venv", ".git", "node_modules"}
MACHINE = (
    "/wo" + "rk/", "/ho" + "me/", "/ro" + "ot/", "/tm" + "p/", "py" + "pi.org", "python" + "hosted",
    "far" + "m-", "index" + "-url", "trusted" + "-host",
)  # fmt: skip
"""What would tell where the project was made; written so that this file does not hold it."""
EXAMPLES = sorted((ROOT / "deploy" / "examples").glob("*.txt"))
SMALL = {"py.typed"}
"""Too small for a line of the README."""
ALLOWED = {("Makefile", "index" + "-url")}
"""`make lock` says that no host goes into the lock."""


def files(pattern):
    found = (path for path in ROOT.rglob(pattern) if not SKIPPED & set(path.parts))
    return sorted(path for path in found if path.is_file() and not ignored(path))


def ignored(path):
    return any(part.startswith(".") and part != ".ci" for part in path.relative_to(ROOT).parts)


def tracked():
    """Return what is in the repository; in an unpacked sdist, what is there."""
    if not (ROOT / ".git").exists():
        return files("*")
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 -- the git that made the checkout
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


PAGES = files("*.md")
TOLD = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def commands(path="watcher", command=None):
    command = command or typer.main.get_command(build([]))
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(f"{path} {name}", inner)


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=lambda value: str(value)[:30])
def test_the_reference_has_every_command_and_option(path, command):
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    section = reference.partition(f"\n## `{path}`\n")[2].partition("\n## ")[0]
    shown = [param for param in command.params if not getattr(param, "hidden", False)]
    options = {name for param in shown for name in param.opts if name[:1] == "-"}

    assert section
    assert {name for name in options - {"--help"} if f"`{name}`" not in section} == set()


def test_generated_pages_are_current():
    told = subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, ROOT / "docs" / "make_reference.py", "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("kind", ["rules", "inventory", "config"])
def test_the_published_schemas_are_current(run, kind):
    names = {"rules": "pack.json", "inventory": "inventory.json", "config": "settings.json"}
    name = names[kind]
    published = (ROOT / "rules" / "schema" / name).read_text(encoding="utf-8")

    assert run(f"watcher {kind} schema") == published


def keys_of(value):
    if isinstance(value, dict):
        yield from value
        for name in ("expiry", "alert"):
            yield from keys_of(value.get(name))


def test_every_field_of_a_fact_is_described(run):
    told = (ROOT / "docs" / "output.md").read_text(encoding="utf-8")
    examples = " ".join(f"deploy/examples/{path.name}" for path in EXAMPLES)
    printed = run(f"watcher parse {examples} tests/corpus/quotations.log").splitlines()
    fields = {key for line in printed for key in keys_of(json.loads(line))}

    assert {"mnemonic", "candidates", "collector", "params"} <= fields
    assert {key for key in fields if f"`{key}`" not in told} == set()


def test_the_readme_names_every_room():
    told = (ROOT / "README.md").read_text(encoding="utf-8")
    rooms = [path.name for path in (ROOT / "watcher").iterdir() if path.name[:1] not in "_."]

    assert [room for room in rooms if room not in told and room not in SMALL] == []


def test_the_inventory_that_is_shown_loads():
    told = (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8")
    shown = re.findall("```yaml\n(.*?)```", told, re.DOTALL)

    assert [load("shown", text).clusters[0].phone_groups[1].count for text in shown] == [12]


def test_the_settings_that_are_shown_hold(run, tmp_path):
    told = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall("```yaml\n(.*?)```", told, re.DOTALL)
    (tmp_path / "watcher.yaml").write_text(shown, encoding="utf-8")
    shutil.copy(ROOT / "deploy" / "examples" / "technote.yaml", tmp_path / "site.yaml")

    assert "watcher.yaml: good." in run("watcher config check watcher.yaml")


def test_the_readme_shows_every_command():
    told = (ROOT / "README.md").read_text(encoding="utf-8").partition("<!-- help:")[2]

    assert [name for name in COMMANDS if f"\n│ {name} " not in told] == []


def test_the_readme_leads_to_every_page():
    told = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = [path.name for path in (ROOT / "docs").glob("*.md")]

    assert "trust.md" in pages
    assert [name for name in pages if f"](docs/{name}" not in told] == []


def words_of(schema):
    for shape in schema["$defs"].values():
        yield from shape.get("properties", {})
        yield from shape.get("enum", ())


def test_every_key_and_word_of_an_inventory_is_described(run):
    told = (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8")
    known = set(words_of(json.loads(run("watcher inventory schema"))))

    assert {"security", "authenticated", "sun", "blackouts"} <= known
    assert {word for word in known if f"`{word}`" not in told} == set()


def test_every_option_in_a_document_exists():
    known = {name for _, command in commands() for param in command.params for name in param.opts}
    lines = [line for line in TOLD.splitlines() if re.search(r"\bwatcher [a-z]+ .*--", line)]
    shown = {name for line in lines for name in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)}

    assert shown - known <= {"--help"}
    assert len(shown) > 5


def test_nothing_says_to_install_what_the_public_index_calls_watcher():
    told = {
        str(path.relative_to(ROOT))
        for path in (*PAGES, *(ROOT / "watcher").rglob("*.py"))
        if re.search(r"pip3? install [^`\n]*\bwatcher\b", path.read_text(encoding="utf-8"))
    }

    assert told == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    text = re.sub("```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    near = [link.partition("#")[0] for link in links if not re.match("[a-z]+:|#", link)]

    assert [link for link in near if not (page.parent / link).exists()] == []


def test_no_file_tells_where_it_was_made():
    told = {
        (str(path.relative_to(ROOT)), word)
        for path in tracked()
        for word in MACHINE
        if word in path.read_text(encoding="utf-8", errors="replace").lower()
    }

    assert told - ALLOWED == set()


def transcripts(page):
    """Return (command, lines it shows) for each `$ watcher` of a page."""
    blocks = re.findall("```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    shown = re.split(r"^\$ ", "".join(blocks), flags=re.MULTILINE)[1:]
    return [(block.split("\n")[0], block.rstrip("\n").split("\n")[1:]) for block in shown]


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run a command of a page in a folder beside links to the checkout's folders."""
    for name in ("deploy", "tests", "rules"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def command(line):
        monkeypatch.setattr(sys, "argv", shlex.split(line.partition(" | ")[0]))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
        with pytest.raises(SystemExit) as left:
            main()

        # `check` says with 1 that it refuses, which is what the page shows.
        assert left.value.code == (1 if sys.argv[1] == "check" else 0)
        return capsys.readouterr().out

    return command


def missing(shown, printed):
    """Return the first shown line that does not come in order; `...` stands for anything."""
    rest = iter(line.rstrip() for line in printed)
    for line in shown:
        pattern = re.escape(line).replace(re.escape("..."), r"\S*")
        if line != "..." and not any(re.fullmatch(pattern, other) for other in rest):
            return line
    return None


def indented(text):
    """Print JSON as `python3 -m json.tool` does."""
    return json.dumps(json.loads(text), indent=4)


def test_the_readme_shows_what_is_printed(run):
    shown = transcripts(ROOT / "README.md")
    printed = {}
    for line, _ in shown:
        out = run(line)
        printed[line] = (indented(out) if "json.tool" in line else out).splitlines()

    assert len(shown) >= 7
    assert {line: missing(lines, printed[line]) for line, lines in shown} == dict.fromkeys(printed)


def test_a_line_that_is_not_printed_is_found_missing():
    assert missing(["a", "...", "c"], ["a", "b", "c"]) is None
    assert missing(["seal: ..."], ["seal: 123"]) is None
    assert missing(["c", "a"], ["a", "b", "c"]) == "a"
