"""Nothing escapes: an independent parser reads each context, and sees the text and no more."""

import email
import email.policy
import html
import json
import random
import re
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tickets.hostile import PAYLOADS

from watcher.tickets import encode

SHOWN = encode.visible


class Reading(HTMLParser):
    """What a browser would see of a fragment: its tags, and its text."""

    def __init__(self, fragment):
        super().__init__(convert_charrefs=True)
        self.tags, self.text = [], ""
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Note a tag; a break is text too."""
        self.tags.append((tag, *attrs))
        self.text += "\n" if tag == "br" else ""

    def handle_data(self, data):
        """Note text."""
        self.text += data

    def handle_comment(self, data):
        """Note what is not shown."""
        self.tags.append(("comment", data))

    def handle_decl(self, decl):
        """Note a declaration."""
        self.tags.append(("declaration", decl))

    def handle_pi(self, data):
        """Note an instruction."""
        self.tags.append(("instruction", data))


def plain(text):
    """Return text without what only keeps links from being made."""
    return text.replace("\u200b", "")


def html_escapes(text, encoded):
    seen = Reading(encoded)
    only_breaks = all(tag == ("br",) for tag in seen.tags)
    no_link = "://" not in seen.text and "www." not in seen.text
    return not (only_breaks and no_link and plain(seen.text).split() == SHOWN(text).split())


def attribute_escapes(_, encoded):
    seen = Reading(f'<p title="{encoded.replace("<br>", "")}" id="ours">x</p>')
    return [tag[0] for tag in seen.tags] != ["p"] or len(seen.tags[0]) != 3


def servicenow_escapes(_, encoded):
    """Read as the platform does: a block of code is HTML, all else text."""
    return re.search(r"\[/?code\]", encoded, re.IGNORECASE) is not None


def wiki_escapes(text, encoded):
    """Only letters, digits, spaces and entities of single characters are left."""
    rest = re.sub(r"&#\d+;", "", encoded)
    marks = re.search(r"[\\{}\[\]|*_\-+^~!?#@()<>:;&\"'.,=/$%]", rest)
    return marks is not None or plain(html.unescape(encoded)) != SHOWN(text)


def adf_escapes(text, encoded):
    found = json.loads(encoded)
    nodes = [one for part in found["content"] for one in part["content"]]
    shown = "\n\n".join(
        "".join(one.get("text", "\n") for one in part["content"]) for part in found["content"]
    )
    ours = all(one == {"type": "hardBreak"} or one.keys() == {"type", "text"} for one in nodes)
    kinds = {one["type"] for one in nodes} - {"text", "hardBreak"}
    top = {part["type"] for part in found["content"]}
    return kinds or not ours or top != {"paragraph"} or shown != SHOWN(text)


def header_escapes(_, encoded):
    """Read back what the library writes: one header more than ours is an escape."""
    letter = EmailMessage(policy=email.policy.SMTP)
    letter["Subject"] = encoded
    letter["X-Last"] = "ours"
    letter.set_content("body")
    read = email.message_from_bytes(letter.as_bytes(), policy=email.policy.default)
    names = [name.lower() for name in read.keys()]  # noqa: SIM118 -- a mail is no mapping
    ours = ["subject", "x-last", "content-type", "content-transfer-encoding", "mime-version"]
    return sorted(names) != sorted(ours) or read.get_content().strip() != "body"


def mail_text_escapes(_, encoded):
    return re.search(r"^(>*From |-- ?$|--)", encoded, re.MULTILINE) is not None


def markdown_escapes(text, encoded):
    page = MarkdownIt("gfm-like", {"linkify": False}).render(encoded)
    seen = Reading(page)
    kinds = {tag[0] for tag in seen.tags}
    words = plain(seen.text).replace("\xa0", " ").split()
    return bool(kinds - {"p", "br"}) or words != SHOWN(text).replace("\xa0", " ").split()


def json_escapes(text, encoded):
    return json.loads(encoded) != text or re.search("[<>&]", encoded) is not None


CONTEXTS = {
    "servicenow": (encode.servicenow, servicenow_escapes),
    "jira wiki": (encode.jira_wiki, wiki_escapes),
    "jira adf": (lambda text: json.dumps(encode.jira_adf(text)), adf_escapes),
    "rt html": (encode.rt_html, html_escapes),
    "mail header": (encode.mail_header, header_escapes),
    "mail text": (encode.mail_text, mail_text_escapes),
    "mail html": (encode.mail_html, html_escapes),
    "attribute": (encode.html, attribute_escapes),
    "markdown": (encode.markdown, markdown_escapes),
    "json": (encode.json_text, json_escapes),
}
FIELDS = ("{}", "node {} of graz", "- {}: open\n{}", "> {}", "Step 1\n{}\nStep 2", "{} {}")
"""Where a name can stand in a field."""
EACH = 2000


@pytest.mark.parametrize("context", CONTEXTS)
def test_2000_payloads_in_every_field_escape_from_no_context(context):
    encoder, escapes = CONTEXTS[context]
    chance = random.Random(5)  # noqa: S311 -- chance that can be repeated
    pairs = [(payload, chance.choice(FIELDS)) for payload in PAYLOADS]
    texts = [field.replace("{}", payload) for payload, field in pairs]

    assert len(PAYLOADS) >= EACH
    assert [text for text in texts if escapes(text, encoder(text))] == []


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_oracle_sees_an_escape_where_nothing_encodes(context):
    """A test that cannot fail is worth nothing: without the encoder most payloads get through."""
    escapes = CONTEXTS[context][1]

    def escaped(text):
        try:
            return bool(escapes(text, text))
        except (ValueError, TypeError, KeyError):
            return True  # it does not even read as the context's language

    assert any(escaped(payload) for payload in PAYLOADS)


@given(st.text(max_size=60))
def test_what_is_visible_is_printable_and_stays_so(text):
    shown = encode.visible(text)

    assert all(c == "\n" or c.isprintable() or c.isspace() for c in shown)
    assert shown == encode.visible(shown)


@given(st.text(max_size=300), st.integers(10, 100))
def test_one_line_is_one_line_and_fits(text, limit):
    line = encode.one_line(text, limit)

    assert len(line) <= limit
    assert line.splitlines() in ([line], [])


def test_the_order_of_a_right_to_left_name_is_shown():
    assert r"a\u202egnp.exe" == encode.visible("a\u202egnp.exe")
    assert r"\x1b[2J" == encode.visible("\x1b[2J")
    assert "a\nb\nc" == encode.visible("a\r\nb\rc")


def test_a_subject_is_never_empty():
    assert "(no subject)" == encode.mail_header(" \r\n ")


@given(st.lists(st.sampled_from(["=?", "?=", "utf-8", "?q?", "?b?", "=0ABcc:_x", "=", "?", "\x85"])
                | st.text(max_size=40), max_size=12))  # fmt: skip
def test_no_encoded_word_of_a_message_stands_in_a_header(parts):
    """The library would make of one what stands in it, line ends too."""
    text = encode.mail_header("".join(parts))

    assert not header_escapes("", text)
    assert "=?" not in text
