"""No text in a message becomes a command, a mark-up element or a line of its own in a plan.

The scanners below read finished documents and share nothing with the renderer.
"""

import json
import re
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest
from builders import AS_OF, CATALOGUE, DEFAULTS, certificate, cluster, inventory, message, node
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher import pipeline, planning, render
from watcher.app.plans import render_plans
from watcher.model.alarm import Tally

TEMPLATES = {
    path.name: path.read_text(encoding="utf-8")
    for path in (Path(__file__).parent.parent / "templates").iterdir()
}
COPY = certificate("tomcat-trust", "pub", file="sub1.pem", owner="sub1")
SITE = cluster(
    node("pub", aliases=("pub.example.test",)), node("sub1"), cluster_ids=("GRZ",),
    certificates=(COPY,),
)  # fmt: skip
HOSTILE = (
    "admin:utils system restart",
    "utils system shutdown",
    "\nadmin:utils system shutdown\n",
    "x\r\nutils system restart\r\n",
    "x\u0085admin:utils system restart",
    "x\u2028admin:utils system restart\u2029",
    "\x1b[2J\x1b[1;31madmin:utils system restart\x1b]0;x\x07",
    "\u202eretsys slitu\u202c",
    "`admin:utils system restart`",
    "```\nadmin:utils system restart\n```",
    "~~~\nutils system restart",
    "</pre><script>alert(1)</script>",
    "</code></pre><img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "]]><!--",
    "-->",
    "[click](http://evil.example/)",
    "![x](http://evil.example/x.png)",
    "<http://evil.example/>",
    "| a | b |",
    "# admin:utils system restart",
    "- [ ] Type: utils system restart",
    "$(reboot)",
    "`reboot`",
    "; utils system restart",
    "{{7*7}}",
    "{% raw %}{{ plan }}",
    "%s%n%d",
    "{unit} {file} {trust_file} {service}",
    "c\u0443cm-pub",
    "\uff50\uff55\uff42",
    "pub\u200b",
    "pub.",
    "\x00\x01\x02",
    "\ufeffadmin:",
    "set cert regen CallManager",
    "=cmd|' /C calc'!A0",
    "\\u0060",
    "A" * 5000,
    "../../etc/passwd",
)
FIELDS = tuple(DEFAULTS)
FREE = {"certificate", "store", "type", "expiry", "app_id", "cluster_id", "node", "text"}
"""Fields in which any text leaves a readable message; the others have a grammar."""
FORMATS = ("md", "html", "json")


def read(*texts):
    tally = Tally()
    raw = "\n".join(texts).encode("utf-8", "surrogatepass")
    return list(planning.planned(pipeline.read([raw + b"\n"], CATALOGUE.alarms, tally)))


def drawn(*texts, site=SITE):
    return planning.plan(read(*texts), inventory(site) if site else None, CATALOGUE, AS_OF)


def closed_set(site=SITE):
    """Return every command that a plan may hold, from catalogue and inventory alone."""
    units = {store.cli_unit or name for name, store in CATALOGUE.stores.items()} | {"<unit>"}
    files = {f"{name}.pem" for name in CATALOGUE.stores} | {"<file>.pem"}
    files |= {s.file for s in CATALOGUE.stores.values() if s.file}
    files |= {c.file for c in (site.certificates if site else ()) if c.file}
    units |= set(CATALOGUE.stores)
    templates = {line.text for step in CATALOGUE.steps.values() for line in step.command}
    templates |= {line.text for q in CATALOGUE.questions.values() for line in q.command}
    filled = set()
    for template, unit, file in product(templates, units, files):
        text = template.replace("{unit}", unit).replace("{store}", unit)
        filled.add(text.replace("{trust_file}", file).replace("{file}", file))
    services = CATALOGUE.services.values()
    return filled | {c.text for s in services for c in (*s.restart, *s.stop, *s.start)}


CLOSED = closed_set()
VERBS = ("set ", "utils ", "run sql", "file ", "delete ", "unset ", "show ", "admin:")


def told_apart(document):
    """Yield each line of Markdown with the word behind its fence, or None for prose."""
    fence, word = None, None
    for line in document.split("\n"):
        found = re.match(r"\s*(`{3,}|~{3,})(.*)", line)
        if fence is None and found:
            fence, word = found[1], found[2].strip()
        elif fence and found and found[1].startswith(fence) and not found[2].strip():
            fence = None
        else:
            yield (None if fence is None else word), line.strip()
    assert fence is None, "a fence is left open"


def faults_of_markdown(document):
    """Return everything in a Markdown plan that nobody but a message can have written."""
    found = [f"character {c!r}" for c in document if c != "\n" and not " " <= c <= "~"]
    for word, line in told_apart(document):
        if word is None:
            found += faults_of_prose(line)
        elif re.match(r"E[0-9]+ \| ", line):
            found += [] if word == "text" else [f"evidence {line!r}"]
        elif word != "mermaid" and line.removeprefix("admin:") not in CLOSED:
            found.append(f"command {line!r}")
    return found


def faults_of_prose(line):
    """Return inline mark-up of one line that no template has: code spans, tags, links, images."""
    bare = re.sub(r"\\[\\`*|<_(&]", "", line)
    found = [f"line {line!r}"] if line.startswith(VERBS) else []
    found += [f"code span {line!r}"] if "`" in bare else []
    if re.search(r"<[A-Za-z/!?]", bare):
        found.append(f"tag {line!r}")
    if re.search(r"\]\(", bare):
        found.append(f"link {line!r}")
    return found


class Page(HTMLParser):
    """Elements, attributes and code of a page, as a browser would find them."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.code, self.evidence = set(), [], [], []
        self.comments, self.open = [], []
        self.prose = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Keep an element and its attributes."""
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append((tag, dict(attrs).get("class", "")))

    def handle_startendtag(self, tag, attrs):
        """Keep an element that closes itself."""
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        """Leave an element."""
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_comment(self, data):
        """Keep a comment."""
        self.comments.append(data)

    def handle_data(self, data):
        """Keep text by where it stands."""
        if ("pre", "evidence") in self.open:
            self.evidence.append(data)
        elif any(tag in {"code", "pre"} for tag, _ in self.open):
            self.code.append(data)
        elif not any(tag == "style" for tag, _ in self.open):
            self.prose.append(data)


def template_words():
    """Return the elements that the templates of a page write themselves, and the pictures'."""
    pages = "".join(text for name, text in TEMPLATES.items() if name.endswith(".html.j2"))
    text = re.sub(r"\{[%#].*?[%#]\}", "", pages, flags=re.DOTALL)
    tags = {tag.lower() for tag in re.findall(r"<([A-Za-z][A-Za-z0-9]*)", text)}
    picture = {"svg", "title", "desc", "text", "a", "g", "rect", "path"}
    return tags | picture


TAGS = template_words()
ATTRIBUTES = {
    "lang", "charset", "name", "content", "class", "style", "id", "href", "rel", "viewbox", "role",
    "xmlns", "x", "y", "width", "height", "rx", "fill", "stroke", "stroke-width",
    "stroke-dasharray", "d",
}  # fmt: skip
SAFE_VALUE = re.compile(r"[A-Za-z0-9 .,:;#_/=+-]*")
URLS = {source.url for source in CATALOGUE.sources.values()}


def faults_of_page(document):
    """Return everything in a page that its template did not put there."""
    page = Page(document)
    found = [f"element {tag}" for tag in page.tags - TAGS]
    found += [f"comment {text!r}" for text in page.comments]
    for tag, name, value in page.attributes:
        if name not in ATTRIBUTES:
            found.append(f"attribute {tag} {name}={value!r}")
        if (
            name == "href"
            and value not in URLS
            and not re.fullmatch(r"#p[0-9]+-step-[0-9]+", value)
        ):
            found.append(f"link {value!r}")
        if name != "href" and not SAFE_VALUE.fullmatch(value):
            found.append(f"value {tag} {name}={value!r}")
    found += [
        f"command {text!r}" for text in page.code if text.removeprefix("admin:") not in CLOSED
    ]
    found += faults_of_evidence("".join(page.evidence))
    for text in page.prose:
        lines = [line.strip() for line in text.splitlines()]
        found += [f"line {line!r}" for line in lines if line.startswith(VERBS)]
    found += [f"control {c!r}" for c in document if c != "\n" and not c.isprintable()]
    return found


def faults_of_evidence(text):
    """Return lines of an evidence block without the mark of their message."""
    lines = text.strip("\n").splitlines()
    marked = re.compile(r"E[0-9]+ \| [ -~]*")
    return [f"evidence {line!r}" for line in lines if not marked.fullmatch(line)]


def faults_of_json(document):
    """Return commands outside the closed set, and what does not survive a round trip."""
    value = json.loads(document)
    found = [] if json.loads(json.dumps(value)) == value else ["round trip"]
    found += [f"not ASCII {c!r}" for c in document if c > "\u007f"]
    for plan in value["plans"]:
        lines = [c["text"] for step in plan["steps"] for c in step["command"]]
        lines += [c["text"] for question in plan["questions"] for c in question["command"]]
        found += [f"command {text!r}" for text in lines if text not in CLOSED]
    return found


SCANNERS = {"md": faults_of_markdown, "html": faults_of_page, "json": faults_of_json}


def faults(plans):
    return [
        f"{form}: {fault}"
        for form, scan in SCANNERS.items()
        for fault in scan(render_plans(plans, form))
    ]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("site", [SITE, None], ids=["inventory", "none"])
def test_hostile_text_in_one_field_changes_no_document(field, site):
    # Whole messages beside them: a plan is drawn even where the hostile ones are unreadable.
    told = [message(**({"store": store} | {field: text}))
            for text in HOSTILE for store in ("TVS", "tomcat-trust")]  # fmt: skip

    plans = drawn(*told, message(), site=site)

    assert sum(len(plan.evidence) for plan in plans) > (len(HOSTILE) if field in FREE else 0)
    assert faults(plans) == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_every_field_at_once_changes_no_document(text):
    everywhere = message(**dict.fromkeys(FIELDS, text))
    inside = message(**{name: f"{DEFAULTS[name] or 'pub'}{text}" for name in FIELDS})

    assert faults(drawn(everywhere, inside, message())) == []


ALERT = (
    "At {time} on node {node}, the following {alert} events generated:\n"
    "SeverityMatch : {match}\nMatchedEvent : {event}\nAppID : {app}\nClusterID : {cluster}\n"
    "NodeID : {node}\n TimeStamp : {time}\n"
)


@pytest.mark.parametrize("name", ["time", "node", "alert", "match", "app", "cluster"])
def test_hostile_text_in_an_rtmt_notice_changes_no_document(name):
    calm = {
        "time": "Fri Nov 20 02:00:56 CET 2026", "node": "192.0.2.1", "match": "Critical",
        "alert": "SyslogSeverityMatchFound", "app": "Cisco Syslog Agent", "cluster": "",
    }  # fmt: skip
    notices = [ALERT.format_map(calm | {name: text, "event": message()[5:]}) for text in HOSTILE]

    assert faults(drawn(*notices, message(store="TVS"))) == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_a_related_alarm_changes_no_document(text):
    related = (
        f"<187>12: {text}: Nov 20 2026 02:10:06.544 UTC :  %UC_DRF-3-DRFBackupFailure: "
        f"%[Reason={text}][AppID={text}][ClusterID={text}][NodeID={text}]: {text}"
    )

    assert faults(drawn(related, message())) == []


fields = st.dictionaries(
    st.sampled_from(FIELDS),
    st.text(max_size=40)
    | st.sampled_from(HOSTILE)
    | st.text("`~<>[]()|*_#&;:{}%$\\\n\r -", max_size=30),
    min_size=1,
)


@settings(max_examples=40)
@given(st.lists(fields, min_size=1, max_size=3))
def test_any_text_in_any_fields_changes_no_document(told):
    texts = [message(**values) for values in told]

    assert faults(drawn(*[t.encode("utf-8", "replace").decode() for t in texts], message())) == []


def test_a_message_is_shown_on_one_marked_line():
    told = message(certificate="a\nE9 | admin:utils system restart", store="TVS")
    page = Page(render_plans(drawn(told, message()), "html"))

    assert faults_of_evidence("".join(page.evidence)) == []


@pytest.mark.parametrize(
    "name", ["c\u0443cm", "p\u0443b", "\uff50\uff55\uff42", "pub\u200b", "pu\u0431"]
)
def test_a_look_alike_is_no_node_of_the_cluster(name):
    (plan,) = drawn(message(node=name))

    assert plan.cluster is None
    assert name not in render_plans((plan,), "md")


def broken_templates(filename, old, new):
    assert old in TEMPLATES[filename]
    return TEMPLATES | {filename: TEMPLATES[filename].replace(old, new)}


TRAP = message(text="</pre><script>alert(1)</script>", certificate="x`y`.der")


def test_the_scanner_sees_an_unescaped_page():
    templates = broken_templates("change_plan.html.j2", "item.raw | evidence", "item.raw | safe")

    assert faults_of_page(render.html(drawn(TRAP), TEMPLATES)) == []
    assert "element script" in faults_of_page(render.html(drawn(TRAP), templates))


def test_the_scanner_sees_a_message_in_a_command():
    templates = broken_templates(
        "change_plan.md.j2",
        "{{ item | command }}\n  ```",
        "{{ plan.evidence[0].raw | verbatim }}\n  ```",
    )

    found = faults_of_markdown(render.markdown(drawn(TRAP), templates))

    assert any(fault.startswith("command") for fault in found)


def test_the_scanner_sees_a_line_of_a_message():
    told = message(text="x\nadmin:utils system restart")
    templates = broken_templates(
        "change_plan.md.j2", "item.raw | evidence | fence", "'x\nadmin:utils' | verbatim"
    )

    assert read(told)
    assert faults_of_markdown(render.markdown(drawn(told), templates))


def test_the_scanner_sees_mark_up_in_prose():
    assert faults_of_prose("a `code` span")
    assert faults_of_prose("a [link](http://evil.example/)")
    assert faults_of_prose("a <b>tag</b>")
    assert faults_of_prose(r"\`code\` \<b> \[x]\(y)") == []
