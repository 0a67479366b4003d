"""What stands around the steps: headline, warnings, preconditions, back-out, sources."""

import pytest
from builders import CATALOGUE, alarm, certificate, cluster, of, plan, plans, related

from watcher.inventory.schema import (
    Blackout,
    CallManagerGroup,
    Issuer,
    MaintenanceWindow,
    SecurityMode,
)
from watcher.rules.work import StepKind

COPY = alarm(store="tomcat-trust", certificate="pub.der", node="sub1")


def warnings(drawn):
    return [line.text for line in drawn.warnings]


def test_the_headline_says_the_worst_and_counts_the_rest():
    expired = alarm(
        store="ipsec", mnemonic="CertExpired", expiry="Wed Nov 18 09:14:41:000 CET 2026"
    )

    drawn = plan([alarm(), expired, alarm(store="TVS")], cluster())

    assert drawn.headline == (
        "The ipsec certificate of pub expired on 2026-11-18 (2 days ago), and 2 more"
    )


def test_the_headline_of_a_copy_says_whose_and_where():
    assert plan([COPY], cluster()).headline.startswith(
        "The copy of pub's certificate in tomcat-trust on sub1 expires on"
    )


def test_the_summary_has_five_lines():
    drawn = plan([alarm(store="TVS")], cluster())

    assert [text.partition(":")[0] for text in drawn.summary] == [
        "What", "Effect if nothing is done", "Work", "Time and phones", "Way back",
    ]  # fmt: skip


def test_a_failed_backup_stops_the_change():
    (warning,) = warnings(
        plan([alarm(), related("DRF", "DRFBackupFailure", node="sub1")], cluster())
    )

    assert warning.startswith("STOP. ")
    assert warning.endswith("(alarm DRFBackupFailure, sub1, 2026-11-20 02:10 UTC)")


def test_a_changed_security_mode_is_a_warning():
    drawn = plan([alarm(), related("TVS", "ClusterSecurityModeModified")], cluster())

    assert not any(text.startswith("STOP") for text in warnings(drawn))


@pytest.mark.parametrize("name", ["DRFBackupCompleted", "NothingOfThisKind"])
def test_other_alarms_are_no_warning(name):
    assert warnings(plan([alarm(), related("DRF", name)], cluster())) == []


def test_a_related_alarm_alone_makes_no_plan():
    assert plans([related("DRF", "DRFBackupFailure")], cluster()) == ()


def test_preconditions_name_their_steps():
    drawn = plan([alarm(store="CAPF")], cluster(security_mode=SecurityMode.MIXED))
    backup = next(s.number for s in drawn.steps if s.key == "backup")

    (line,) = (p.text for p in drawn.preconditions if p.text.startswith("P2:"))

    assert line.endswith(f"(step {backup})")


def test_the_point_of_no_return_is_the_first_change_of_a_certificate():
    drawn = plan([alarm()], cluster(certificates=(certificate(),)))

    assert drawn.point_of_no_return == of(drawn, StepKind.REGENERATE)[0].number


def test_each_change_has_a_way_back_or_a_word_why_not():
    drawn = plan([alarm(store="CallManager"), COPY], cluster())
    numbers = " ".join(line.text.partition(":")[0] for line in drawn.back_out)

    changing = of(drawn, StepKind.REGENERATE, StepKind.DELETE, StepKind.RESTART)

    assert {str(s.number) for s in changing} <= set(numbers.replace(",", "").split())


def test_every_cited_source_is_listed():
    drawn = plan([alarm(store="CAPF")], cluster())

    cited = {
        name for s in drawn.steps for line in (*s.do, *s.command) for name in line.cite.sources
    }

    assert cited <= {source.id for source in drawn.sources} <= set(CATALOGUE.sources)


def test_minutes_leave_out_what_is_optional():
    known = (certificate("CallManager"),)
    drawn = plan([alarm(store="CallManager")], cluster(release="14SU2", certificates=known))

    assert drawn.minutes == sum(s.minutes for s in drawn.steps if not s.optional)
    assert any(s.optional for s in drawn.steps)


def test_what_is_only_heard_is_said_to_be():
    drawn = plan([alarm(node="stranger")], cluster())

    assert "F1: stranger is a name in the message; no inventory confirms it." in drawn.not_known


def test_a_contradiction_is_shown_with_both_sides():
    drawn = plan([COPY], cluster())

    (item,) = (d for d in drawn.disagreements if d.id == "C-10")

    assert len(item.sides) >= 2
    assert item.default
    assert item.alternative


def test_the_way_is_explained_for_this_release():
    drawn = plan([alarm(store="CallManager")], cluster(release="9.1(2)"))

    assert not any("release is not known" in line.text for line in drawn.way_lines)


@pytest.mark.parametrize(("end", "told"), [("23:00", True), ("21:30", False)])
def test_the_summary_says_when_the_work_is_longer_than_the_longest_window(end, told):
    # From 22:00 to 23:00 is an hour; to 21:30 of the next day nearly a whole day.
    window = MaintenanceWindow(days=("sat",), start="22:00", end=end)
    drawn = plan([alarm(store="CallManager")], cluster(change_schedule=(window,)))

    assert told == ("longest maintenance window" in drawn.summary[3])


def test_the_summary_counts_resets_that_the_system_starts_itself():
    drawn = plan([alarm(store="CallManager")], cluster(release="11.5(1)SU5"))

    assert "besides the resets that the system starts by itself" in drawn.summary[3]


def test_minutes_count_one_branch_where_the_issuer_is_not_known():
    known, unknown = (
        plan([alarm()], cluster(release="14SU2", certificates=certificates))
        for certificates in ((certificate(),), ())
    )

    # The days of the CA's answer and the upload are in the other branch.
    assert 0 <= unknown.minutes - known.minutes < 30
    assert len(known.steps) < len(unknown.steps)


def test_a_lone_callmanager_group_is_a_warning():
    group = CallManagerGroup(name="CMG", nodes=("pub",))
    drawn = plan([alarm(store="TVS")], cluster(callmanager_groups=(group,)))

    assert any("CMG has one node" in text for text in warnings(drawn))


EXCEPTION = "have an exception granted for this change"


@pytest.mark.parametrize(
    ("first", "last", "margin", "left"),
    [
        # It is the 20th; the certificate ends on the 25th.
        ("2026-10-20", "2026-12-20", None, EXCEPTION),
        ("2026-11-22", "2026-12-20", None, f"take a slot before it, or {EXCEPTION}"),
        ("2026-11-22", "2026-11-23", None, "take a slot before or after it"),
        ("2026-11-22", "2026-11-23", 2, f"take a slot before it, or {EXCEPTION}"),
        ("2026-11-22", "2026-11-23", 9, "take a slot before it"),
        ("2026-11-19", "2026-11-23", 9, EXCEPTION),
        ("2026-11-24", "2026-11-24", 2, "take a slot before it"),
        ("2026-11-19", "2026-11-21", None, "take a slot after it"),
        ("2026-11-25", "2026-11-25", None, f"take a slot before it, or {EXCEPTION}"),
        ("2026-10-20", "2026-11-19", None, None),
        ("2026-11-26", "2026-11-27", None, None),
    ],
)
def test_a_freeze_is_a_warning_that_tells_what_it_leaves(first, last, margin, left):
    freeze = Blackout(first=first, last=last, reason="year end")
    drawn = plan([alarm()], cluster(blackouts=(freeze,), margin_days=margin))
    told = f"No changes from {first} to {last} (year end): {left}."

    assert ([told] if left else []) == [text for text in warnings(drawn) if "year end" in text]


def test_what_has_expired_waits_for_the_end_of_a_freeze_or_is_an_exception():
    expired = alarm(mnemonic="CertExpired", expiry="Wed Nov 18 09:14:41:000 CET 2026")
    freeze = Blackout(first="2026-11-19", last="2026-11-30", reason="year end")
    (told,) = warnings(plan([expired], cluster(blackouts=(freeze,))))

    assert told.endswith(f": take a slot after it, or {EXCEPTION}.")


def test_a_certificate_of_all_nodes_is_that_of_the_cluster():
    shared = certificate("tomcat", None, issuer=Issuer.CA_SIGNED, multi_server=True)
    drawn = plan([alarm(node="sub1")], cluster(certificates=(shared,)))
    told = "The cluster's tomcat certificate (multi-server) expires on 2026-11-25"

    assert drawn.headline.startswith(told)
    assert told in drawn.summary[0]


@pytest.mark.parametrize(
    ("name", "told"), [("CertificateRevoked", "none expired, 1 revoked."), (None, "none expired.")]
)
def test_what_is_revoked_is_counted(name, told):
    drawn = plan([alarm(mnemonic=name) if name else alarm()], cluster())

    assert f"1 certificate on graz, {told}" in drawn.summary[0]
