"""What settings may say, and what is in force when they say nothing."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from settings.mutants import SAMPLE

from watcher.errors import InputError
from watcher.rules.document import read_document
from watcher.settings.jsonschema import settings_schema
from watcher.settings.loader import From, load, read, settings_in_force
from watcher.settings.schema import Settings
from watcher.settings.terms import duration_text, size_text

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = (ROOT / "deploy" / "examples" / "watcher.yaml").read_text(encoding="utf-8")


def in_force(text, environment=None):
    loaded = read("watcher.yaml", text, environment or {})
    return {one.key: one for one in settings_in_force(loaded)}


def properties_in(shape, schema):
    shape = schema["$defs"][shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape
    for way in ("anyOf", "allOf"):
        for part in shape.get(way, ()):
            yield from properties_in(part, schema)
    if "items" in shape:
        yield from properties_in(shape["items"], schema)
    for key, inner in shape.get("properties", {}).items():
        yield key
        yield from properties_in(inner, schema)


def test_the_example_says_the_defaults():
    assert load("watcher.yaml", EXAMPLE, {}).model_dump() == Settings().model_dump()


def test_the_example_shows_every_setting():
    schema = json.loads(settings_schema())
    secret = {"file", "credential", "environment"}
    missing = [
        key
        for key in properties_in(schema, schema)
        if key not in secret and f"{key}:" not in EXAMPLE
    ]

    assert missing == []


def test_the_example_names_its_schema():
    first = EXAMPLE.partition("\n")[0]

    assert first == "# yaml-language-server: $schema=../../rules/schema/settings.json"


def commented_out():
    """Return the example with its commented blocks in place of the null or the empty list."""
    blocks = r"(?m)^(?: *[a-z]+: (?:null|\[\])\n)?(( *)# [a-z]+:\n(?:\2#  .*\n)+)"
    return re.sub(blocks, lambda found: re.sub(r"(?m)^( *)# ", r"\1", found[1]), EXAMPLE)


def test_what_the_example_shows_in_comments_has_the_right_form():
    text = (
        commented_out()
        .replace("  certificate: null\n  key: null\n  # CAs", "  certificate: a\n  key: b\n  # CAs")
        .replace("client_ca: null", "client_ca: c")
        .replace("12:34:...", "12" * 32)
    )
    settings = load("watcher.yaml", text, {})

    assert [one.name for one in settings.inputs.files] == ["spool", "relay"]
    assert [one.host for one in settings.inputs.imap] == ["mail.example.com"]
    assert [one.node for one in settings.tls.clients] == ["CUCM01", "CUCM02"]
    assert len(settings.sources.exceptions) == 2
    assert settings.inputs.tls[0].port == 6514


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "version: 1\n"])
def test_nothing_said_is_the_defaults(text):
    assert load("x", text, {}).model_dump() == Settings().model_dump()


def test_an_input_is_one_block_a_list_or_none():
    text = "inputs:\n  udp: null\n  tcp: {port: 1}\n  smtp: [{port: 2}, {name: second, port: 3}]\n"
    inputs = load("x", text, {}).inputs

    assert [len(blocks) for blocks in (inputs.udp, inputs.tcp, inputs.smtp)] == [0, 1, 2]


def test_tls_listens_as_soon_as_there_is_a_certificate():
    text = "tls: {certificate: a, key: b, client_ca: c}"

    assert [one.port for one in load("x", text, {}).tls_inputs()] == [6514]
    assert load("x", "", {}).tls_inputs() == ()
    assert load("x", f"{text}\ninputs: {{tls: null}}", {}).tls_inputs() == ()


def test_a_port_of_0_clashes_with_nothing():
    text = "inputs: {tcp: {port: 0}, smtp: {port: 0}}\nweb: {port: 0}"

    assert load("x", text, {}).inputs.tcp[0].port == 0


def test_udp_and_tcp_share_a_number():
    settings = load("x", "inputs: {udp: {port: 514}, tcp: {port: 514}}", {})

    assert settings.inputs.udp[0].port == settings.inputs.tcp[0].port


def test_every_setting_tells_its_origin():
    shown = in_force("web: null\ninputs:\n  udp: {port: 514}\n", {"WATCHER_LOG__LEVEL": "debug"})

    assert (shown["web"].value, shown["web"].where) == ("null", "watcher.yaml:1:1")
    assert (shown["inputs.udp.port"].origin, shown["inputs.udp.port"].value) == (From.FILE, "514")
    assert shown["inputs.udp.name"].origin is From.DEFAULT
    assert (shown["log.level"].origin, shown["log.level"].where) == (
        From.ENVIRONMENT,
        "WATCHER_LOG__LEVEL",
    )


def test_a_secret_is_shown_by_its_place():
    shown = in_force(SAMPLE)

    assert shown["database.password"].value == "{credential: database}"
    assert shown["smtp.users.relay"].value == "{environment: RELAY_HASH}"
    assert shown["tls.certificate"].value == "{file: tls.pem}"


def test_defaults_in_the_schema_are_written_as_people_write_them():
    schema = json.loads(settings_schema())
    selftest = schema["$defs"]["SelfTest"]["properties"]["every"]
    journal = schema["$defs"]["JournalSettings"]["properties"]["limit"]

    assert (selftest["default"], journal["default"]) == ("6h", "4GiB")


@given(st.integers(100, 60_000))
def test_a_length_of_time_survives_its_text(milliseconds):
    length = timedelta(milliseconds=milliseconds)
    text = f"worker: {{deadline: {duration_text(length)}}}"

    assert load("x", text, {}).worker.deadline == length


@given(st.integers(1 << 10, 65_535))
def test_a_size_survives_its_text(size):
    text = f"inputs: {{udp: {{message: {size_text(size)}}}}}"

    assert load("x", text, {}).inputs.udp[0].message == size


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_one_line(text):
    told = ""
    try:
        load("x", text, {})
    except InputError as error:
        told = str(error)

    assert told.isprintable()


def test_the_sample_uses_every_block():
    told = read_document("site", SAMPLE).data

    assert set(told) == set(Settings.model_fields)


def test_the_page_about_settings_names_every_block():
    told = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    assert [
        key for key in Settings.model_fields if f"`{key}`" not in told and key != "version"
    ] == []


def shipped():
    """Yield every settings text that we ship beside the example, by its file."""
    yield "demo.yaml", (ROOT / "deploy" / "examples" / "demo.yaml").read_text(encoding="utf-8")
    manifest = (ROOT / "deploy" / "kubernetes" / "watcher.yaml").read_text(encoding="utf-8")
    for part in YAML(typ="safe").load_all(manifest):
        if part["kind"] == "ConfigMap":
            yield "kubernetes", part["data"]["watcher.yaml"]


@pytest.mark.parametrize(("name", "text"), list(shipped()))
def test_settings_that_are_shipped_are_good(name, text):
    assert load(name, text, {}).inventory


@given(st.data())
def test_any_cut_of_the_sample_is_read_or_refused_in_one_line(data):
    start = data.draw(st.integers(0, len(SAMPLE)))
    end = data.draw(st.integers(start, min(len(SAMPLE), start + 60)))
    text = SAMPLE[:start] + data.draw(st.text(max_size=12)) + SAMPLE[end:]
    told = ""
    try:
        load("x", text, {})
    except InputError as error:
        told = str(error)

    assert told.isprintable()


NAMES = st.lists(st.sampled_from(["INPUTS", "UDP", "PORT", "0", "TLS", "CLIENTS", "SMTP", "USERS",
                                  "A", "", "CASES", "THRESHOLDS"]), max_size=4)  # fmt: skip


@given(NAMES, st.text(max_size=20))
def test_any_variable_is_read_or_refused_by_name(words, value):
    name = "WATCHER_" + "__".join(words)
    told = name
    try:
        load("x", SAMPLE, {name: value})
    except InputError as error:
        told = str(error)

    assert told.startswith((name, "x:"))
    assert told.isprintable()


def test_an_inventory_in_place_of_the_settings_is_told():
    inventory = (ROOT / "deploy" / "examples" / "technote.yaml").read_text(encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load("site.yaml", inventory, {})

    assert "clusters: this is an inventory (expected settings" in str(caught.value)
    assert "`inventory: PATH`" in str(caught.value)
