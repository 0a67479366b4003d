"""Whom a notice tells of what, and that nothing in it escapes."""

import pytest
from digest.test_page import HOSTILE, page, poisoned
from digest.town import NOW, case, known

from watcher.digest.gather import State
from watcher.digest.notice import Passed, notice, told
from watcher.model.case import Crossing


def crossed(case_, days, silent=""):
    return Crossing(case=case_.key, days=days, at=NOW, silent=silent)


def test_a_list_that_chose_a_wider_mark_is_told_with_the_tightest():
    one, other = case("cm1"), case("cm2")
    marks = [crossed(one, 30, "a tighter one"), crossed(one, 7), crossed(other, 14)]

    assert {one.key: 7} == {key: found.days for key, found in told(marks, {30}).items()}
    assert {other.key: 14} == {key: found.days for key, found in told(marks, {14}).items()}
    assert {} == told([crossed(one, 30, "acknowledged by x")], {30})


@pytest.mark.parametrize("word", HOSTILE)
def test_a_notice_lets_nothing_escape(word):
    made = page(poisoned(word))
    passed = [Passed(days=7, line=line) for _, lines in made.sections for line in lines]
    body = notice(passed, NOW)

    assert "Certificates: 15 with 7 days left or less" == body.subject
    assert all(c.isprintable() for line in body.text.split("\n") for c in line)


def passed(mark, **changes):
    ((_, (line,)),) = page(State(cases=known(case(**changes)))).sections
    return Passed(days=mark, line=line)


def test_what_is_revoked_is_not_told_as_expired():
    body = notice([passed(0, days=9, revoked=True), passed(0, days=-1)], NOW)

    assert "Certificates: 1 expired, 1 revoked" == body.subject
    assert "* revoked: tomcat of cm1" in body.text
    assert "* its end is over: tomcat of cm1" in body.text


def test_one_day_is_a_day():
    body = notice([passed(1, days=1)], NOW)

    assert "* 1 day or less: " in body.text
