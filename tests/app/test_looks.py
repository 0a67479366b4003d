"""What a real browser makes of plan and digest: nothing wider than a telephone, nothing tiny.

The page is opened in a frame as wide as a screen; a script beside it measures. Without Chromium
these tests are skipped, and nothing else needs it.
"""

import html
import json
import re
import shutil
import subprocess
from zoneinfo import ZoneInfo

import pytest
from digest.town import DAY, NOW, busy, case, cluster, known, source
from test_golden import GOLDEN, PLANS

from watcher.app.posting import templates
from watcher.digest import page as pages
from watcher.digest.gather import Audience, State, page_of
from watcher.inventory.schema import Inventory

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENS = (360, 700, 1000)
SMALLEST = 10
"""Pixels of the smallest letters that people can be asked to read."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

MEASURE = """
const told = [];
for (const frame of document.querySelectorAll("iframe")) {
  const page = frame.contentDocument, letters = [];
  const walk = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || element.closest("title, desc")) continue;
    const drawn = element.closest("text");
    const scale = drawn ? drawn.getScreenCTM().a : 1;
    const size = parseFloat(page.defaultView.getComputedStyle(element).fontSize);
    if (element.getClientRects().length && size > 1) letters.push(size * scale);
  }
  told.push([page.documentElement.scrollWidth, Math.min(...letters)]);
}
document.body.textContent = "measured " + JSON.stringify(told);
"""


def measured(page, folder):
    """Return how wide the page gets on each screen, and how small its smallest letters are."""
    frames = "".join(
        f'<iframe width="{width}" height="800" style="border:0" srcdoc="{html.escape(page)}">'
        "</iframe>"
        for width in SCREENS
    )
    file = folder / "frames.html"
    told = f"<!doctype html><body>{frames}<script>onload = () => {{{MEASURE}}}</script>"
    file.write_text(told, encoding="utf-8")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--virtual-time-budget=20000", f"--user-data-dir={folder / 'profile'}", "--dump-dom",
        file.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603 -- a browser of the system on our own page
    return json.loads(re.search(r"measured (\[\[.*?\]\])", done.stdout)[1])


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_is_no_wider_than_the_screen_and_nowhere_tiny(name, tmp_path):
    told = measured((GOLDEN / f"{name}.html").read_text(encoding="utf-8"), tmp_path)

    assert list(SCREENS) == [width for width, _ in told]
    assert all(letters >= SMALLEST for _, letters in told)


def town_of_long_names():
    """Return thirty clusters whose names and contacts hold no place to break a line at."""
    named = [f"{'long' * 14}{number:02}" for number in range(30)]
    contacts = [f"<{'mailbox.' * 9}{number}@example.com>" for number in range(30)]
    clusters = tuple(
        cluster(name, "cm1", contact=contact)
        for name, contact in zip(named, contacts, strict=True)
    )  # fmt: skip
    cases = [case("cm1" + "y" * 60, days=days, cluster=name) for name in named for days in (-3, 9)]
    sources = [source("x" * 70, "silent", NOW - 3 * DAY)]
    return State(
        cases=known(*cases), sources=sources, inventory=Inventory(version=1, clusters=clusters),
        stuck=("z" * 90,),
    )  # fmt: skip


TOWNS = {"empty": State(cases=(), sources=()), "busy": busy(), "long names": town_of_long_names()}


@pytest.mark.parametrize("name", TOWNS)
def test_a_digest_is_no_wider_than_the_screen_and_nowhere_tiny(name, tmp_path):
    made = page_of(Audience(name="v"), TOWNS[name], "2026-W48", NOW, ZoneInfo("Europe/Vienna"))
    told = measured(pages.html(made, templates()), tmp_path)

    assert list(SCREENS) == [width for width, _ in told]
    assert all(letters >= SMALLEST for _, letters in told)
