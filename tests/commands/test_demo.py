"""`make run` as README shows it: the same lines, paths as one types them, books that balance."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from ports import free_port

from watcher.cli.tables import near

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WATCHER = [sys.executable, "-P", "-m", "watcher"]
SETTINGS = "deploy/examples/demo.yaml"
EXAMPLE = "deploy/examples/alarm-technote.txt"
PORTS = {"UDP": "5514", "TCP": "5514", "SMTP": "2525"}
LAST = "Look at it from a second terminal."


def shown():
    """Return patterns for the lines of README's sample, but rules and what comes after Ctrl-C.

    Columns are as wide as the ports of a run, and `...` stands for anything.
    """
    block = re.search(r"^`make run` shows.*?```text\n(.*?)\^C", README, re.DOTALL | re.MULTILINE)
    lines = [" ".join(line.split()) for line in block[1].splitlines() if line[:1] != "─"]
    return [re.escape(line).replace(re.escape("..."), r"\S+") for line in lines]


def second_terminal():
    """Return README's block for a second terminal."""
    return README.partition("in a second terminal:\n")[2].split("```")[1]


@dataclass
class Demo:
    """The demo, in a checkout of its own, on free ports."""

    folder: Path
    environment: dict
    ports: dict
    process: subprocess.Popen

    def printed(self):
        """Yield what it prints until it has nothing more to say, with README's ports."""
        for line in self.process.stdout:
            yield re.sub("|".join(self.ports), lambda port: self.ports[port[0]], line.rstrip())
            if LAST in line:
                return

    def answer(self, words):
        """Return exit status and errors of a command beside it."""
        told = subprocess.run(  # noqa: S603 -- our own program
            [*WATCHER, *words], cwd=self.folder, env=self.environment, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        return told.returncode, told.stderr


@pytest.fixture
def demo(tmp_path):
    shutil.copytree(ROOT / "deploy" / "examples", tmp_path / "deploy" / "examples")
    ports = {f"WATCHER_INPUTS__{name}__PORT": str(free_port()) for name in PORTS}
    environment = {**os.environ, **ports, "WATCHER_WEB__PORT": str(free_port())}
    process = subprocess.Popen(  # noqa: S603 -- our own program
        [*WATCHER, "run", "--settings", SETTINGS, "--demo", EXAMPLE], cwd=tmp_path, text=True,
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    asking = environment | {"WATCHER_SETTINGS": str(tmp_path / SETTINGS)}
    yield Demo(tmp_path, asking, dict(zip(ports.values(), PORTS.values(), strict=True)), process)
    process.kill()
    process.communicate()


def test_the_demo_prints_and_answers_what_the_readme_shows(demo):
    printed = [" ".join(line.split()) for line in demo.printed()]
    (key,) = re.findall(r"/(watcher-technote-[^/]+)/ticket", "".join(printed))
    asked = second_terminal().replace("# likewise: ", "\n").splitlines()
    commands = [one.partition("#")[0] for one in asked if one.startswith("watcher ")]
    answers = {one: demo.answer(shlex.split(one.replace("KEY", key))[1:]) for one in commands}
    demo.process.send_signal(signal.SIGINT)
    told = demo.process.communicate(timeout=60)[1]

    assert [] == [one for one in shown() if not any(re.fullmatch(one, line) for line in printed)]
    assert answers == dict.fromkeys(commands, (0, ""))
    assert (len(commands), demo.process.returncode) == (8, 0)
    assert re.search(r"= 1 case \+ 1 duplicate .*; balanced\.\n$", told)


def test_the_second_terminal_knows_the_settings_of_the_demo():
    assert f'WATCHER_SETTINGS="$PWD/{SETTINGS}"' in second_terminal()
    assert f"--settings {SETTINGS}" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_a_path_is_shown_as_one_types_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert near(tmp_path / "var" / "plans") == "var/plans"
    assert near("/etc/watcher") == "/etc/watcher"
