"""The plans that people have read and agreed to, word for word.

After a change that is meant to change them: `make golden`, then read the difference.
"""

from pathlib import Path

import pytest

from watcher.app.plans import PlanOrder, draw, hear, render_plans
from watcher.model.alarm import Tally

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "deploy" / "examples"
GOLDEN = Path(__file__).parent / "golden"
PLANS = {
    "technote-without-inventory": ("alarm-technote.txt", None),
    "technote": ("alarm-technote.txt", "technote.yaml"),
    "two-node-9.1": ("alarms-two-node-9.1.txt", "two-node-9.1.yaml"),
    "single-node-11.5": ("alarms-single-node-11.5.txt", "single-node-11.5.yaml"),
    "eight-node-12.5-mixed": ("alarms-eight-node-12.5.txt", "eight-node-12.5-mixed.yaml"),
    "release-15-multi-san": ("alarms-release-15.txt", "release-15-multi-san.yaml"),
}
DOCUMENTS = [(name, form) for name in PLANS for form in ("md", "html")]
DOCUMENTS.append(("technote", "json"))


def drawn(name):
    alarms, site = PLANS[name]
    order = PlanOrder(
        inputs=(str(EXAMPLES / alarms),), inventory=str(EXAMPLES / site) if site else None
    )
    return draw(hear(order, Tally()))


@pytest.mark.parametrize(("name", "form"), DOCUMENTS, ids=lambda part: part)
def test_a_plan_is_the_one_that_was_agreed_to(name, form, request):
    text = render_plans(drawn(name), form)
    golden = GOLDEN / f"{name}.{form}"
    if request.config.getoption("--write-golden"):
        golden.write_text(text, encoding="utf-8", newline="\n")

    assert golden.read_text(encoding="utf-8").splitlines() == text.splitlines()


def test_no_golden_plan_is_left_over(request):
    if request.config.getoption("--write-golden"):
        pytest.skip("they are being written just now")
    wanted = {f"{name}.{form}" for name, form in DOCUMENTS}

    assert wanted == {path.name for path in GOLDEN.iterdir()}


@pytest.mark.parametrize("name", PLANS)
def test_no_golden_plan_is_refused(name):
    (plan,) = drawn(name)

    assert plan.steps
    assert plan.withheld == plan.not_planned == ()
