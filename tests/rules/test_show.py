"""A store as people look it up: what holds, in order, each line with its source."""

import pytest

from watcher.errors import InputError
from watcher.model.release import Release
from watcher.rules.diff import Kind, pack_differences, view_differences
from watcher.rules.loader import load, load_pack
from watcher.rules.show import facts_given, store_view
from watcher.rules.terms import Condition


@pytest.fixture
def view(catalogue):
    def of(release=None, *given):
        known = Release.parse(release) if release else None
        return store_view(catalogue, "WEB", known, facts_given(given))

    return of


@pytest.fixture
def pack(base):
    def of(old="", new=""):
        return load_pack("x.yaml", base[1].replace(old, new) if old else base[1]).pack

    return of


def test_the_first_value_that_surely_holds_ends_the_answer(view):
    single = view("9.1").scope
    either = view("12.5").scope

    assert [line.text for line in single] == ["One certificate on each node."]
    assert [line.only_if for line in either] == [("the certificate is multi-server",), ()]


def test_restarts_are_numbered_and_carry_their_command(view):
    first, second = view("12.5").restarts

    assert (first.order, first.need, first.only_if) == (1, "required", ())
    assert (second.order, second.need, second.only_if) == (2, "optional", ("SAML SSO is on",))
    assert [command.text for command in first.commands] == ["utils service restart Web Service"]


def test_a_command_that_a_source_shows_is_not_tentative(view):
    assert [c.tentative for row in view().restarts for c in row.commands] == [False, False]


def test_a_command_that_no_source_shows_is_tentative(base):
    text = base[1].replace(
        '{service}", source: [DOC], confidence: seen', '{service}", source: [DOC], confidence: own'
    )
    row = store_view(load([("x.yaml", text)]), "web", None, {}).restarts[0]

    assert [command.tentative for command in row.commands] == [True]


ROW = "      - {service: web-service, on: changed, source: [DOC], confidence: seen}\n"


def with_second_row(base, extra):
    first = ROW.replace("seen}", "seen, when: [sso]}")
    return load([("x.yaml", base[1].replace(ROW, first + ROW.replace("seen}", extra), 1))])


def test_two_rows_for_a_service_are_one_with_either_condition(base):
    changed = with_second_row(base, "seen, when: [lsc]}")
    row = store_view(changed, "web", Release.parse("9.1"), {}).restarts[0]

    assert row.only_if == ("SAML SSO is on or phones use LSCs",)
    assert (row.need, row.why) == ("required", None)


def test_a_service_that_is_restarted_anyway_hangs_on_no_condition(base):
    row = store_view(with_second_row(base, "seen}"), "web", None, {}).restarts[0]

    assert (row.need, row.only_if) == ("required", ())


def test_rows_of_another_need_say_which_holds_when(base):
    other = with_second_row(base, "own, need: optional, when: [lsc], text: Slow.}")
    row = store_view(other, "web", None, {}).restarts[0]

    assert (row.need, row.only_if) == ("required or optional", ())
    assert row.why == "Required (only if SAML SSO is on). Optional (only if phones use LSCs): Slow."
    assert row.cite.confidence == "own"


def test_lines_carry_source_range_and_confidence(view):
    cite = view().impact[0].cite

    assert (cite.sources, cite.releases, cite.confidence) == (("DOC",), "all", "seen")


def test_contradictions_are_told_once(view):
    assert [told.id for told in view().contradictions] == ["C-1"]


def test_only_cited_sources_are_listed(view):
    assert [source.id for source in view().sources] == ["DOC"]


def test_an_unknown_store_is_told_with_the_nearest(catalogue):
    with pytest.raises(InputError, match=r"no store 'webb' \(expected web\)"):
        store_view(catalogue, "webb", None, {})


def test_a_condition_settles_its_opposite():
    facts = facts_given([Condition.MIXED], [Condition.SINGLE_NODE])

    assert facts == {
        Condition.MIXED: True,
        Condition.NON_SECURE: False,
        Condition.SINGLE_NODE: False,
        Condition.MULTI_NODE: True,
    }


def test_equal_packs_do_not_differ(pack):
    assert pack_differences([pack()], [pack()]) == ()


def test_a_changed_value_is_told_with_its_path(pack):
    (only,) = pack_differences([pack()], [pack("The pages warn.", "The pages fail.")])[:1]

    assert (only.path, only.kind) == ("stores.web.impact", Kind.REMOVED)
    assert only.old.startswith("The pages warn.;")


def test_a_scalar_is_told_old_and_new(pack):
    (only,) = pack_differences([pack()], [pack("minutes: 5", "minutes: 6")])

    assert (only.path, only.kind, only.old, only.new) == (
        "services.web-service.minutes", Kind.CHANGED, "5", "6",
    )  # fmt: skip


def test_an_id_that_goes_and_one_that_comes_are_told_by_name(pack):
    differences = pack_differences([pack()], [pack("DOC: {title: A", "NEW: {title: A")])

    assert [(one.path, one.kind, one.old or one.new) for one in differences] == [
        ("sources.DOC", Kind.REMOVED, "A document"),
        ("sources.NEW", Kind.ADDED, "A document"),
    ]


def test_a_change_of_order_alone_is_a_move(pack):
    old, new = "- {phase: renew}\n", "- {phase: step, step: look}\n"
    swapped = pack(f"{old}      {new}", f"{new}      {old}")
    (only,) = pack_differences([pack()], [swapped])

    assert (only.path, only.kind) == ("stores.web.procedure", Kind.MOVED)


def test_in_which_file_something_stands_makes_no_difference(pack):
    assert pack_differences([pack(), pack()], [pack()]) == ()


def test_two_releases_of_a_store_differ_in_what_holds(view):
    differences = view_differences(view("9.1"), view("12.5"))

    assert [(one.path, one.kind) for one in differences] == [("web.scope", Kind.ADDED)]
