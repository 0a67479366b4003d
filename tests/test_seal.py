"""A changed copy of a plan is noticed, whatever byte was touched; refolded Markdown is intact."""

import io
import json
import random
import re
import sys

import pytest
from builders import alarm, cluster, plan
from hypothesis import given
from hypothesis import strategies as st

from watcher.app.plans import render_plans
from watcher.cli.main import main
from watcher.errors import InputError
from watcher.seal import PLACEHOLDER, code, digest_of, seal, verify

PLANS = (plan([alarm(), alarm(store="tomcat-trust", certificate="sub1.der")], cluster()),)
DOCUMENTS = {form: render_plans(PLANS, form) for form in ("md", "html", "json")}
MD, HTML, JSON = DOCUMENTS.values()


def another(character, choice):
    """Return a printable character that is not the one given, nor white space."""
    others = [c for c in "!0aZ~#x>}" if c != character]
    return others[choice % len(others)]


@pytest.mark.parametrize("form", DOCUMENTS)
def test_a_document_is_intact_as_it_was_written(form):
    assert verify(DOCUMENTS[form]).intact


@pytest.mark.parametrize("form", DOCUMENTS)
@given(data=st.data())
def test_any_changed_character_is_noticed(form, data):
    text = DOCUMENTS[form]
    positions = st.integers(0, len(text) - 1).filter(lambda i: not text[i].isspace())
    at, choice = data.draw(positions), data.draw(st.integers(0, 7))

    changed = text[:at] + another(text[at], choice) + text[at + 1 :]

    assert not intact(changed)


def intact(text):
    """Tell whether a document passes; one that has lost its seal does not."""
    try:
        return verify(text).intact
    except InputError:
        return False


@pytest.mark.parametrize("form", DOCUMENTS)
@given(data=st.data())
def test_any_lost_character_is_noticed(form, data):
    text = DOCUMENTS[form].rstrip("\n")
    at = data.draw(st.integers(0, len(text) - 1).filter(lambda i: not text[i].isspace()))

    assert not intact(text[:at] + text[at + 1 :])


@given(st.integers(0, 10**6))
def test_markdown_may_be_refolded(seed):
    chance = random.Random(seed)  # noqa: S311 -- where lines break is no secret
    words = re.split(r"\s+", MD.strip())

    refolded = "".join(word + chance.choice([" ", "\n", "\r\n", "\n\n  ", "\t"]) for word in words)

    assert verify(refolded).intact


@pytest.mark.parametrize("joint", ["\r\n", "\r", "\n\n", "\n> "[:1] + "  "])
def test_markdown_survives_the_line_ends_of_mails_and_clipboards(joint):
    assert verify(MD.replace("\n", joint)).intact


def test_a_page_may_have_the_line_ends_of_another_system():
    assert verify(HTML.replace("\n", "\r\n")).intact


def test_a_page_is_compared_with_its_white_space():
    assert not verify(HTML.replace("  ", " ", 1)).intact


def test_json_may_be_written_in_another_order():
    value = json.loads(JSON)

    assert verify(json.dumps(dict(reversed(value.items())), indent=None)).intact
    assert not verify(json.dumps(value | {"format": "other"})).intact


def test_an_added_line_is_noticed():
    assert not verify(
        MD.replace("## Steps", "## Steps\n\n    admin:utils system restart\n", 1)
    ).intact


BOXES = [found.start() + 1 for found in re.finditer(r"\[ \]", MD)]


@given(st.sets(st.sampled_from(BOXES)), st.sampled_from("xX"))
def test_boxes_may_be_ticked(places, mark):
    ticked = "".join(mark if at in places else letter for at, letter in enumerate(MD))

    assert verify(ticked).intact
    assert not verify(ticked.replace("Point of no return", "Point of return", 1)).intact


@pytest.mark.parametrize("other", ["[y]", "[xx]", "[]", "x", "[x]!"])
def test_a_box_with_anything_else_is_noticed(other):
    assert not verify(MD.replace("[ ]", other, 1)).intact


@pytest.mark.parametrize("form", ["html", "json"])
def test_a_box_in_a_page_or_in_json_is_text(form):
    values = {
        "html": "<!doctype html><p>- [ ] Save</p>",
        "json": '{"text": "- [ ] Save", "seal": "' + PLACEHOLDER + '"}',
    }
    sealed = seal(values[form] + (PLACEHOLDER if form == "html" else ""))

    assert verify(sealed).intact
    assert not verify(sealed.replace("[ ]", "[x]")).intact


def quoted(text, mark):
    return "".join(f"{mark}{line}".rstrip() + "\n" for line in text.splitlines())


GREETING = "[External] Hello all,\nplease see # Change plan below.\n\n"
SIGNATURE = "\n-- \nKind regards, checksum sha256:" + "a" * 64 + "\n"
MAILS = {
    "bare": f"{GREETING}{MD}{SIGNATURE}",
    "quoted": f"{GREETING}On Monday somebody wrote:\n{quoted(MD, '> ')}{SIGNATURE}",
    "quoted twice": quoted(f"{GREETING}{quoted(MD, '> ')}{SIGNATURE}", "> "),
    "quoted without blanks": f"{GREETING}{quoted(MD, '>>')}{SIGNATURE}",
    "quoted with line ends of mail": quoted(MD, "> ").replace("\n", "\r\n"),
}


@pytest.mark.parametrize("mail", MAILS)
def test_a_plan_in_a_mail_is_intact(mail):
    assert verify(MAILS[mail]).intact
    assert verify(MAILS[mail]).around is (SIGNATURE in MAILS[mail] or "twice" in mail)


@pytest.mark.parametrize("mail", MAILS)
@given(data=st.data())
def test_any_changed_character_of_a_plan_in_a_mail_is_noticed(mail, data):
    text = MAILS[mail]
    first = text.index("# Change plan", max(0, text.find("below.")))
    last = text.index("Seal: sha256:") + len(f"Seal: {PLACEHOLDER}") - 1
    positions = st.integers(first, last).filter(lambda i: not text[i].isspace())
    at, choice = data.draw(positions), data.draw(st.integers(0, 7))

    assert not intact(text[:at] + another(text[at], choice) + text[at + 1 :])


@pytest.mark.parametrize("mail", MAILS)
def test_an_added_line_in_a_plan_in_a_mail_is_noticed(mail):
    lines = MAILS[mail].split("\n")
    at = next(number for number, line in enumerate(lines) if "## Steps" in line)

    for line in ("admin:utils system restart", "> admin:utils system restart"):
        assert not intact("\n".join([*lines[:at], line, *lines[at:]]))


def test_words_behind_the_seal_without_a_blank_are_noticed():
    assert not verify(MD.rstrip("\n") + "a").intact


def test_a_page_in_a_mail_is_not_looked_for():
    assert not verify(f"Hello,\n{HTML}").intact
    assert not verify(f"{HTML}{MD}").intact


def test_a_second_seal_does_not_hide_a_change():
    changed = MD.replace("Point of no return", "Point of return", 1)

    assert changed != MD
    assert not verify(changed).intact
    assert not verify(f"{MD}\n{changed}").intact


def test_a_text_without_a_seal_is_refused():
    with pytest.raises(InputError, match="carries no seal"):
        verify("# Change plan")


@pytest.mark.parametrize("text", ["none", f"{PLACEHOLDER} {PLACEHOLDER}"])
def test_a_document_is_sealed_once(text):
    with pytest.raises(ValueError, match="exactly once"):
        seal(text)


def test_a_byte_order_mark_does_not_count():
    assert verify("\ufeff" + MD).intact


def test_the_code_is_the_same_for_every_order_of_members():
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert re.fullmatch(r"[0-9A-F]{4}(-[0-9A-F]{4}){2}", code(digest_of({})))


@pytest.mark.parametrize("form", DOCUMENTS)
def test_every_format_carries_the_same_code(form):
    value = json.loads(JSON)

    assert value["plans"][0]["code"] in DOCUMENTS[form]


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs the program in this process and returns its exit status."""

    def program(*arguments):
        monkeypatch.setattr(sys, "argv", ["watcher", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code or 0

    return program


@pytest.fixture
def example(request, monkeypatch):
    monkeypatch.chdir(request.config.rootpath)
    return "deploy/examples/alarm-technote.txt"


@pytest.mark.parametrize("form", DOCUMENTS)
def test_a_saved_plan_is_verified(run, example, form, tmp_path, capsys):
    saved = tmp_path / f"plan.{form}"

    assert run("plan", example, "--format", form, "-o", str(saved)) == 0
    assert run("verify", str(saved)) == 0
    assert "intact: sha256:" in capsys.readouterr().out


@pytest.mark.parametrize("form", DOCUMENTS)
def test_a_changed_plan_exits_with_1(run, example, form, tmp_path, capsys):
    saved = tmp_path / "plan"
    run("plan", example, "--format", form, "-o", str(saved))
    saved.write_text(
        saved.read_text(encoding="utf-8").replace("CUCM02", "CUCM03", 1), encoding="utf-8"
    )

    assert run("verify", str(saved)) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("CHANGED")
    assert told[1].startswith("Something was altered, or text stands before or after the plan; ")


def test_a_plan_in_a_mail_is_verified_and_the_rest_is_told(run, example, tmp_path, capsys):
    saved = tmp_path / "plan.md"
    run("plan", example, "-o", str(saved))
    saved.write_text(f"Hello,\n{saved.read_text(encoding='utf-8')}", encoding="utf-8")

    assert run("verify", str(saved)) == 0
    assert "no part of it" in capsys.readouterr().out


def test_a_plan_pasted_with_other_line_ends_is_verified(
    run, example, tmp_path, monkeypatch, capsys
):
    saved = tmp_path / "plan.md"
    run("plan", example, "-o", str(saved))
    pasted = saved.read_bytes().replace(b"\n", b"\r\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pasted)))

    assert run("verify") == 0
    assert capsys.readouterr().out.startswith("intact")


def test_a_file_without_a_seal_exits_with_2(run, example, capsys):
    assert run("verify", example) == 2
    assert "carries no seal" in capsys.readouterr().err
