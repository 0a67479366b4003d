"""What the page says of a busy site, of a quiet one and of hostile names, in each form."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from digest.town import DAY, NOW, busy, case, cluster, fit, known, source
from icalendar import Calendar

from watcher.app.posting import templates
from watcher.digest import page as pages
from watcher.digest.calendar import calendar
from watcher.digest.gather import Audience, State, page_of
from watcher.digest.mail import Body, Envelope, letter
from watcher.inventory.schema import Inventory
from watcher.model.case import CaseState
from watcher.model.digest import Section
from watcher.model.expiry import Certainty
from watcher.model.ledger import Line, Place, Reason

ZONE = ZoneInfo("Europe/Vienna")
TEMPLATES = templates()


def page(state=None, audience=None, now=NOW):
    return page_of(audience or Audience(name="voice"), state or busy(), "2026-W48", now, ZONE)


def sections(made):
    return {section: [line.number for line in lines] for section, lines in made.sections}


def test_every_case_stands_where_it_belongs_worst_first():
    assert {
        Section.EXPIRED: [1, 2], Section.PRESSING: [3, 15], Section.LAST_WINDOW: [5, 4],
        Section.UNKNOWN_END: [10],
        Section.NEW: [6], Section.WORSE: [7, 8], Section.OPEN: [9],
        Section.ACKNOWLEDGED: [12, 11], Section.DONE: [14], Section.QUIET: [13],
    } == sections(page())  # fmt: skip


def test_the_subject_tells_the_state():
    assert (
        "2 expired, 1 due before the next feasible window, 1 due within 14 days, "
        "2 with one window left, 1 with an unknown end, 1 new, 2 worse, "
        "1 source silent, 1 stage of ours stalled, tickets stuck, 2 digests missed: week 48"
    ) == page().subject


def test_all_quiet_says_who_is_alive():
    made = page(State(cases=(), sources=[source("cm1"), source("cm2")]))

    assert "All quiet, 2 sources alive: week 48" == made.subject
    assert made.quiet
    assert "Nothing is due. 2 sources alive." in pages.text(made, TEMPLATES)
    assert not page().quiet


def test_nothing_due_with_nobody_alive_is_no_good_news():
    made = page(State(cases=(), sources=[]))
    html = pages.html(made, TEMPLATES)

    assert "Nothing is due, 0 sources alive: week 48" == made.subject
    assert "Nothing is due, as far as can be told: nobody would say so. 0 sources alive." in html
    assert "as far as can be told: nobody would say so." in pages.text(made, TEMPLATES)
    assert html.count("color: #116329") == 0
    assert not made.quiet


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"sources": (source("cm1"), source("stage:receiver", "silent"))},
            "1 stage of ours stalled",
        ),
        ({"books": (Line("udp", Place.RECEIVED, Reason.NONE, 99),)}, "books off by 99"),
        ({"stuck": ("2 at jira: given up",)}, "tickets stuck"),
        ({"missed": ("2026-W46", "2026-W47")}, "2 digests missed"),
        ({"sources": (source("cm1", "unknown", None),)}, "nothing is due, 0 sources alive"),
        ({"sources": (source("cm1", "silent"),)}, "1 source silent"),
    ],
)
def test_what_is_wrong_is_no_quiet_and_stands_in_the_subject(changes, words):
    told = {"cases": (), "sources": (source("cm1"),)} | changes
    made = page(State(inventory=Inventory(version=1, clusters=(cluster(),)), **told))
    html, text = pages.html(made, TEMPLATES), pages.text(made, TEMPLATES)

    assert f"{words[0].upper()}{words[1:]}: week 48" == made.subject
    assert not made.quiet
    assert "Nothing is due, as far as can be told" in html
    assert "Nothing is due, as far as can be told" in text
    assert html.count("color: #116329") == 0


def test_what_is_not_counted_yet_is_no_trouble():
    """Messages come before the counts of what was received."""
    lines = (Line("udp", Place.CASE, Reason.NONE, 5),)
    made = page(State(cases=(), sources=(source("cm1"),), books=lines))

    assert "all quiet, 1 source alive" == made.state
    for form in (pages.html(made, TEMPLATES), pages.text(made, TEMPLATES)):
        assert "0 received = 5 case; 5 received are not counted yet" in form


def test_nobody_heard_yet_is_told_beside_what_is_due():
    made = page(State(cases=known(case()), sources=(source("cm1", "unknown", None),)))

    assert "1 open, 0 sources alive" == made.state


def test_a_list_hears_of_its_own_clusters_only():
    made = page(audience=Audience(name="wien", clusters=frozenset({"wien"})))

    assert {"wien"} == {line.cluster for _, lines in made.sections for line in lines}
    assert ["wien"] == [one.name for one in made.clusters]
    assert (3, ()) == (made.alive, made.silent)


def test_what_no_list_hears_of_is_told_to_each():
    audience = Audience(name="wien", clusters=frozenset({"wien"}), strays=True)
    made = page(audience=audience)

    assert made.state.endswith("1 of no list, 2 digests missed")
    for form in (pages.html(made, TEMPLATES), pages.text(made, TEMPLATES)):
        assert "1 certificate of clusters that the inventory does not know: no list is told" in form
    assert "ghost" not in pages.text(made, TEMPLATES)
    assert 0 == page().strays


@pytest.mark.parametrize(
    ("changes", "section"),
    [
        ({"state": CaseState.ACKNOWLEDGED, "acknowledged_by": "x"}, Section.PRESSING),
        ({"state": CaseState.PLANNED, "planned_for": NOW + 2 * DAY}, Section.ACKNOWLEDGED),
        ({"state": CaseState.PLANNED, "planned_for": NOW + 9 * DAY}, Section.PRESSING),
        ({"state": CaseState.QUIET}, Section.PRESSING),
        ({"state": CaseState.QUIET, "expired": True}, Section.EXPIRED),
        ({"revoked": True}, Section.EXPIRED),
    ],
)
def test_what_ends_before_the_next_window_is_hidden_by_no_acknowledgement_and_no_quiet(
    changes, section
):
    inventory = Inventory(version=1, clusters=(cluster(),))
    made = page(State(cases=known(case(days=4, **changes)), inventory=inventory))

    assert {section: [1]} == sections(made)


def test_a_cluster_in_another_zone_reads_its_own_times():
    boston = cluster(time_zone="America/New_York")
    planned = case(state=CaseState.PLANNED, planned_for=NOW + 6 * DAY)
    made = page(State(cases=known(planned), inventory=Inventory(version=1, clusters=(boston,))))
    words = (
        "next window Sat 2026-11-28 22:00 EST to Sun 2026-11-29 04:00 EST "
        "(all times of graz are America/New_York)"
    )

    assert words in pages.html(made, TEMPLATES)
    assert words.replace("window", "window:") in pages.text(made, TEMPLATES)
    assert "change planned for Sun 2026-11-29 01:00 EST" in pages.text(made, TEMPLATES)


def test_an_acknowledgement_that_has_run_out_keeps_nothing_in_hand():
    taken = {"state": CaseState.ACKNOWLEDGED, "acknowledged_by": "x", "acknowledged_why": "why"}
    over = case(days=50, acknowledged_until=NOW - DAY, **taken)
    dark = case("cm2", days=None, acknowledged_until=NOW - DAY, **taken)
    planned = case("cm3", days=1, state=CaseState.PLANNED, planned_for=NOW - DAY)
    made = page(State(cases=known(over, dark, planned)))
    text = pages.text(made, TEMPLATES)

    assert {
        Section.OPEN: [1], Section.UNKNOWN_END: [2], Section.PRESSING: [3]
    } == sections(made)  # fmt: skip
    assert "acknowledged by x until 2026-11-22 (it has run out): why" in text
    assert "07:00 CET; that has passed, and nobody has seen a new certificate" in text


def test_no_window_is_spoken_of_where_none_is_known():
    made = page(State(cases=known(case(days=4))))

    assert "1 due within 14 days" == made.state


def test_copies_in_trust_stores_are_not_said_to_be_served():
    copy = case("cm1", "tomcat-trust", -3, trust_only=True)
    made = page(State(cases=known(copy, case("cm2", days=4, trust_only=True))))
    text = pages.text(made, TEMPLATES)

    assert {Section.COPIES: [1], Section.PRESSING: [2]} == sections(made)
    assert "1 over in trust stores only" in made.state
    assert "no longer served" not in text
    assert "copies in trust stores only" in text


def test_what_is_revoked_is_not_called_expired():
    made = page(
        State(cases=known(case(days=200, revoked=True), case("cm2", days=-1, revoked=True)))
    )

    assert made.state.startswith("1 expired, 1 revoked")


def test_quiet_hides_no_urgency_and_keeps_its_end_in_the_calendar():
    over, soon, late = (
        case(owner, days=days, state=CaseState.QUIET, state_since=NOW - 4 * DAY)
        for owner, days in (("cm1", -3), ("cm2", 3), ("cm3", 90))
    )
    made = page(
        State(cases=known(over, soon, late), inventory=Inventory(version=1, clusters=(cluster(),)))
    )
    events = Calendar.from_ical(calendar(made, "d", NOW)).events

    assert {Section.EXPIRED: [1], Section.PRESSING: [2], Section.QUIET: [3]} == sections(made)
    assert made.state.startswith("1 expired, 1 due before")
    assert 3 == pages.text(made, TEMPLATES).count("quiet, unproven: no alarm for 4 days")
    assert {"case-2@d", "case-3@d"} <= {str(event["uid"]) for event in events}


def test_what_was_done_before_last_week_is_no_news():
    old = case(state=CaseState.RESOLVED, resolved_at=NOW - 8 * DAY)

    assert {} == sections(page(State(cases=known(old))))


def test_the_year_counts_by_month_of_the_sites_zone():
    at = case(days=(38 + 17.5 / 24))  # the last hour of December in UTC
    made = page(State(cases=known(at)))

    assert [0, 0, 1] == [month.alarmed for month in made.months[:3]]
    assert 12 == len(made.months)
    assert "2027-10" == f"{made.months[-1].first:%Y-%m}"


def test_text_and_page_say_the_same():
    made = page()
    shown = re.sub(r"<[^>]*>|&[^;]*;", " ", pages.html(made, TEMPLATES))
    text = pages.text(made, TEMPLATES)

    for _, lines in made.sections:
        for line in lines:
            for word in (line.what, line.end, f"case {line.number}", line.contact.split("<")[0]):
                assert word in text
                assert word in shown


def test_the_page_loads_nothing_and_runs_nothing():
    made = pages.html(page(audience=Audience(name="x", link=lambda c: f"https://p/{c}")), TEMPLATES)

    assert not re.search(r"<(script|img|link|iframe|object|svg)|\ssrc=|url\(|@import", made)
    assert "prefers-color-scheme: dark" in made
    assert len(made) < 100_000


def crowd(count=1000):
    """Return a site of fifty clusters with so many cases, long names and silent nodes."""
    clusters = [cluster(f"cluster-{n:02d}-of-a-large-company", contact="Voice team <v@example.com>")
                for n in range(50)]  # fmt: skip
    cases = [
        case(f"node-{n:04d}-with-a-long-name", days=n % 97 - 7, cluster=clusters[n % 50].name,
             opened_at=NOW - timedelta(days=n % 30))
        for n in range(count)
    ]  # fmt: skip
    return State(
        cases=known(*cases), inventory=Inventory(version=1, clusters=tuple(clusters)),
        sources=[source(f"node-{n:04d}", "silent") for n in range(300)],
        fits={one.name: fit(why="w" * 200) for one in clusters},
    )  # fmt: skip


def test_a_large_site_is_no_larger_than_mail_clients_show():
    """Some clip at about 102 KB, and what is worst stands first."""
    made = page(crowd(), Audience(name="voice", link=lambda c: f"https://plans.example.com/{c}"))
    html, text = pages.html(made, TEMPLATES), pages.text(made, TEMPLATES)
    lines = sum(len(group.lines) for part in pages.parts(made) for group in part.groups)

    assert len(html.encode()) < 90_000
    assert pages.SHOWN == lines == html.count(" · case ") == text.count("; evidence: ")
    for form in (html, text):
        assert "and 30 more, with less to do" in form
        assert f"and {sum(part.more for part in pages.parts(made)[:1])} more" in form


def test_each_section_shows_some_lines_by_cluster():
    made = pages.parts(page(crowd()))

    assert all(sum(len(group.lines) for group in part.groups) >= pages.FEWEST for part in made)
    for part in made:
        assert len({group.cluster for group in part.groups}) == len(part.groups)


HOSTILE = (
    "x</span><script>alert(1)</script>", "a\r\nBcc: evil@example.com", "\x1b[31mred\u202egnp",
    "&lt;b&gt; \"' onload=x", "END:VEVENT\nBEGIN:VALARM", "-- \nFrom me", "=HYPERLINK(1)",
    "{{ 7*7 }}", "https://evil.example/", "\x00\x85\u2028line", "é" * 400,
)  # fmt: skip


class Elements(HTMLParser):
    """Which elements and attributes a page has."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note an element with the names of its attributes."""
        self.found.append((tag, tuple(name for name, _ in attrs)))


def poisoned(word):
    """Return the busy site with a word in every field that can hold one."""
    state = busy()
    cases = [
        replace(one, case=replace(
            one.case, key=replace(one.case.key, owner=word, cluster="graz", identity=word),
            acknowledged_by=word, acknowledged_why=word, contradiction=word,
        ))
        for one in state.cases
    ]  # fmt: skip
    graz, wien, linz = state.inventory.clusters
    named = [graz.model_copy(update={"contact": word}), wien, linz]
    inventory = state.inventory.model_copy(update={"clusters": tuple(named)})
    sources = [replace(one, source=word, node=word) for one in state.sources]
    return replace(state, cases=cases, inventory=inventory, sources=sources, stuck=(word,),
                   fits={"graz": fit(why=word, relief=word)})  # fmt: skip


@pytest.mark.parametrize("word", HOSTILE)
def test_a_hostile_name_escapes_from_no_form(word):
    plain, made = page(poisoned("word")), page(poisoned(word), Audience(name="voice"))
    html, text = pages.html(made, TEMPLATES), pages.text(made, TEMPLATES)
    raw = calendar(made, "watcher.example.com", NOW)
    mail = message_from_bytes(sent(made), policy=default)

    assert Elements(pages.html(plain, TEMPLATES)).found == Elements(html).found
    assert len(pages.text(plain, TEMPLATES).splitlines()) == len(text.splitlines())
    assert all(c.isprintable() for line in text.split("\n") for c in line)
    assert not re.search(r"^(--|From |-- $)", text, re.MULTILINE)
    assert len(Calendar.from_ical(calendar(plain, "d", NOW)).subcomponents) == len(
        Calendar.from_ical(raw).subcomponents
    )
    assert b"BEGIN:VALARM" not in raw.replace(b"\r\n ", b"").split(b"\r\n")
    assert HEADERS == [name.lower() for name in mail.keys()]  # noqa: SIM118 -- a mail is no dict


HEADERS = [
    "from", "to", "subject", "date", "message-id", "list-id", "auto-submitted",
    "x-auto-response-suppress", "x-watcher", "mime-version", "content-type",
]  # fmt: skip


def sent(made, **changes):
    told = {
        "sender": "watcher@example.com", "to": ("a@example.com",), "list": "voice",
        "domain": "watcher.example.com", "mark": "digest.2026-W48.main.voice", "at": NOW,
    }  # fmt: skip
    text, html = pages.text(made, TEMPLATES), pages.html(made, TEMPLATES)
    dates = calendar(made, "d.example", NOW)
    body = Body(subject=made.subject, text=text, html=html, calendar=dates)
    return letter(Envelope(**(told | changes)), body)


def test_the_same_week_makes_the_same_mail():
    mail = message_from_bytes(sent(page()), policy=default)

    assert sent(page()) == sent(page())
    assert "<digest.2026-W48.main.voice@watcher.example.com>" == mail["Message-ID"]
    assert "Mon, 23 Nov 2026 06:00:00 +0000" == mail["Date"]
    assert "auto-generated" == mail["Auto-Submitted"]
    assert ["text/plain", "text/html", "text/calendar"] == [
        part.get_content_type() for part in mail.walk() if not part.is_multipart()
    ]


def test_word_gets_a_width_and_a_font():
    """Outlook draws with Word, which knows no widest width and takes fonts from the cell alone."""
    html = pages.html(page(), TEMPLATES)

    assert html.count("<!--[if mso]>") == html.count("<![endif]-->") == 2
    assert 'width="680"' in html
    for name in ("pad", "sec", "group", "line", "cell", "month", "count"):
        assert re.search(f'<td[^>]*class="{name}[^>]*font-family: Arial', html)


def test_a_long_list_of_people_is_not_shown_to_each():
    many = tuple(f"p{n}@example.com" for n in range(30))

    assert b"p7@" not in sent(page(), to=many)


EVENING = datetime(2026, 12, 11, 23, 59, 59, tzinfo=UTC)


def line_in(zone, **changes):
    """Return the line of the one case of a site whose cluster is in a zone."""
    site = Inventory(version=1, clusters=(cluster(time_zone=zone),))
    made = page(State(cases=known(case(**changes)), inventory=site))
    return made, made.sections[0][1][0]


@pytest.mark.parametrize(
    ("zone", "day", "days"),
    [("Europe/Vienna", 12, 19), ("America/New_York", 11, 18), ("Pacific/Auckland", 12, 19)],
)
def test_an_end_is_told_by_the_cluster_s_day_everywhere(zone, day, days):
    ends = {"confirmed_end": EVENING, "end_earliest": EVENING, "end_latest": EVENING}
    made, line = line_in(zone, end_day=EVENING.date(), **ends)
    (event,) = (e for e in Calendar.from_ical(calendar(made, "d", NOW)).events
                if "case-1@d" == e["uid"])  # fmt: skip

    assert (f"2026-12-{day}, confirmed", days) == (line.end, line.days)
    assert date(2026, 12, day) == event["dtstart"].dt
    assert f"End: 2026-12-{day}, confirmed." in event["description"]


def test_the_last_day_is_not_over_before_the_end():
    made, line = line_in("Europe/Vienna", days=0.2)

    assert (0, False) == (line.days, line.over)
    assert "* 0 days left: tomcat of cm1" in pages.text(made, TEMPLATES)


def test_bounds_are_days_of_the_cluster():
    bounds = {"end_earliest": EVENING, "end_latest": EVENING + DAY}
    _, line = line_in("Europe/Vienna", end_day=None, certainty=Certainty.BOUNDED, **bounds)

    assert "between 2026-12-12 and 2026-12-13" == line.end


@pytest.mark.parametrize(
    ("begins", "section"),
    [(8, Section.ACKNOWLEDGED), (41, Section.OPEN), (-1, Section.OPEN)],
)
def test_a_change_that_is_not_planned_in_time_is_not_in_hand(begins, section):
    _, line = line_in(
        "Europe/Vienna", days=40, state=CaseState.PLANNED, planned_for=NOW + begins * DAY
    )

    assert section is line.section


def test_a_certificate_of_all_nodes_is_called_so():
    _, line = line_in("Europe/Vienna", owner="")

    assert "the cluster's tomcat certificate (multi-server)" == line.what
