"""Pastes become an inventory; contradictions and gaps are told, never settled in silence."""

import pytest

from watcher.errors import InputError
from watcher.inventory.loader import load
from watcher.inventory.schema import CtlMethod, Duty, Issuer, SecurityMode
from watcher.transcripts.importer import Request, import_pastes

CERT = """\
admin:show cert own tomcat/tomcat.pem
Issuer Name: CN=example-ca
To: Tue Dec 01 08:00:00 CET 2026
Subject Name: CN={common_name}
"""


def imported(*texts, **request):
    files = [(f"{number}.txt", text) for number, text in enumerate(texts, start=1)]
    result = import_pastes(files, Request(**request))
    return load("result", result.text).clusters[0], result


def told(result):
    return [f"{note.file}:{note.line}: {note.text}" for note in result.notes if note.open_end]


def test_a_session_fills_a_cluster(sample):
    cluster, _ = imported(sample("session"), cluster="graz")
    publisher = cluster.nodes[0]

    assert (cluster.name, str(cluster.release)) == ("graz", "11.5(1)")
    assert (cluster.security_mode, cluster.rollback_pre80) == (SecurityMode.NON_SECURE, False)
    assert (publisher.name, publisher.duties) == ("gra-pub", (Duty.CALL_PROCESSING, Duty.TFTP))
    assert cluster.features.im_presence is True


def test_a_listed_certificate_is_completed_by_its_own_output(sample):
    cluster, _ = imported(sample("session"))
    found = [one for one in cluster.certificates if one.store == "CallManager"]

    assert [(one.node, one.issuer, str(one.not_after)) for one in found] == [
        ("gra-pub", Issuer.SELF_SIGNED, "2026-11-21 13:40:00+00:00")
    ]


def test_a_trust_copy_has_an_owner_when_a_node_has_its_name(sample):
    cluster, _ = imported(sample("session"))
    owners = {one.file: one.owner for one in cluster.certificates if one.store == "tomcat-trust"}

    assert owners == {"gra-sub.pem": "gra-sub", "Example_Root_CA.pem": None}


@pytest.mark.parametrize(
    ("name", "mode", "method"),
    [
        ("ctl-tokenless", SecurityMode.MIXED, CtlMethod.TOKENLESS),
        ("ctl-etoken", SecurityMode.MIXED, CtlMethod.ETOKEN),
        ("ctl-none", SecurityMode.NON_SECURE, None),
    ],
)
def test_a_ctl_tells_the_security_mode(sample, name, mode, method):
    cluster, _ = imported(sample(name))

    assert (cluster.security_mode, cluster.ctl_method) == (mode, method)


def test_the_parameter_counts_more_than_a_ctl_left_behind(sample):
    parameter = "paramname paramvalue\nClusterSecurityMode 0\n"
    cluster, result = imported(sample("ctl-tokenless"), parameter)

    assert (cluster.security_mode, cluster.ctl_method) == (SecurityMode.NON_SECURE, None)
    assert told(result) == [
        "1.txt:1: the parameter says non-secure, which does not fit this CTL; kept non-secure"
    ]


def test_two_answers_are_a_contradiction(sample):
    cluster, result = imported(sample("ctl-tokenless"), sample("ctl-etoken"))

    assert cluster.ctl_method is CtlMethod.TOKENLESS
    assert told(result) == [
        "2.txt:1: ctl_method is etoken here, but tokenless was read before; kept that"
    ]


def test_a_zone_in_letters_stays_open_until_the_zone_is_given():
    text = CERT.format(common_name="vie-pub")
    without, result = imported(text, node="vie-pub")
    given, _ = imported(text, node="vie-pub", time_zone="Europe/Vienna")

    assert without.certificates[0].not_after is None
    assert "CET is not one place" in told(result)[0]
    assert str(given.certificates[0].not_after) == "2026-12-01 07:00:00+00:00"


def test_a_multi_server_certificate_belongs_to_the_cluster():
    cluster, _ = imported(CERT.format(common_name="vie-pub-ms.example.test"), node="vie-pub")

    assert [(one.node, one.multi_server) for one in cluster.certificates] == [(None, True)]


def test_without_a_node_a_certificate_is_not_guessed():
    cluster, result = imported(CERT.format(common_name="vie-pub"))

    assert cluster.certificates == ()
    assert "which node is this?" in told(result)[0]


def test_a_certificate_without_command_line_is_not_guessed():
    cluster, result = imported("Version: V3\nSubject Name: CN=a\n", node="a")

    assert cluster.certificates == ()
    assert any("names no store" in text for text in told(result))


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("utils ntp status\nntpd is running\n", "belongs to no known command"),
        ("admin:utils ntp status\nntpd\n", "no command that is read here"),
        ("admin:show itl\nadmin:", "the command printed nothing"),
        ("admin:show ctl\nstrange\n", "'strange': not a line of this command"),
    ],
)
def test_what_is_not_read_is_named(text, fragment, sample):
    _, result = imported(text, sample("ctl-none"))

    assert any(fragment in line for line in told(result))


LOGIN = """\
login as: admin
admin@192.0.2.1's password:
Command Line Interface is starting up, please wait ...

   Welcome to the Platform Command Line Interface

VMware Installation:
        2 vCPU: Intel(R) Xeon(R) CPU E5-2680 0 @ 2.70GHz
        Disk 1: 80GB, Partitions aligned
        4096 Mbytes RAM

admin:set cli pagination off
Automatic pagination is turned off
"""


def test_what_belongs_to_every_session_needs_no_note(sample):
    _, result = imported(f"{LOGIN}{sample('ctl-none')}\nadmin:exit\n")

    assert told(result) == []


def test_a_strange_line_after_the_banner_is_named(sample):
    _, result = imported(f"{LOGIN.partition('admin:set')[0]}strange\n{sample('ctl-none')}")

    assert told(result) == ["1.txt:12: not read in text: 'strange': belongs to no known command"]


def read(result):
    return [note.text for note in result.notes if not note.open_end]


def test_the_su_is_asked_for_with_the_release_at_hand():
    _, result = imported("show version active\nActive Master Version: 11.5.1.17900-52\n")

    assert told(result)[0].endswith("write it as 11.5(1)SU<n>, if there is one")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("show ctl\nLength of CTL file: 0\n", "there is no CTL file"),
        ("show itl\nLength of ITL file: 0\n", "there is no ITL file"),
        (
            "show itl\nLength of ITL file: 70\nITL Record #:1\n6 SERIALNUMBER 2 11:22\n",
            "ITL signer not shown; 1 record, 1 certificate; no checksum shown",
        ),
        (
            "show network cluster\n192.0.2.1 a Publisher callmanager DBPub authenticated\n",
            "1 node; it ran on a",
        ),
    ],
)
def test_what_was_read_is_told_once_and_whole(text, words):
    _, result = imported(text)

    assert read(result) == [words]


def test_an_itl_that_says_nothing_is_an_open_end():
    _, result = imported("show itl\nstrange\n")

    assert told(result)[0].endswith("neither an ITL file nor its absence can be read from this")


def test_a_hostile_name_is_left_out_and_named(sample):
    evil = "192.0.2.9 $(reboot) Subscriber callmanager DBSub authenticated using TCP since x\n"
    cluster, result = imported(sample("session") + "show network cluster\n" + evil)

    assert "$(reboot)" not in [node.name for node in cluster.nodes]
    assert any("left out node" in line for line in told(result))


def test_a_known_node_keeps_its_spelling(sample):
    known = "version: 1\nclusters: [{name: lab, nodes: [{name: GRA-PUB}]}]\n"
    cluster, _ = imported(sample("session"), merge=("known.yaml", known))

    assert [node.name for node in cluster.nodes] == ["GRA-PUB", "gra-sub", "gra-imp"]
    assert {one.node for one in cluster.certificates} == {"GRA-PUB"}


def test_another_cluster_is_added_to_a_file(sample):
    known = "version: 1\nclusters: [{name: lab}]\n"
    result = import_pastes(
        [("1.txt", sample("session"))], Request(cluster="graz", merge=("known.yaml", known))
    )

    assert [cluster.name for cluster in load("x", result.text).clusters] == ["lab", "graz"]


@pytest.mark.parametrize("name", ["gra-pub", "gra-pub.example.test, aliases: [GRA-PUB]"])
@pytest.mark.parametrize("cluster", ["linz", "new"])
def test_nodes_of_another_cluster_are_refused_in_words(sample, name, cluster):
    known = f"version: 1\nclusters: [{{name: graz, nodes: [{{name: {name}}}]}}, {{name: linz}}]\n"

    with pytest.raises(InputError) as caught:
        imported(sample("session"), cluster=cluster, merge=("known.yaml", known))

    node = name.partition(",")[0]
    assert str(caught.value) == (
        f"known.yaml: the paste shows node {node}, which belongs to cluster graz, not {cluster}"
        f" (expected --cluster graz, or output from nodes of {cluster})"
    )


def test_only_a_file_that_names_its_schema_keeps_the_line(sample):
    line = "# yaml-language-server: $schema=../inventory.json\n"
    _, fresh = imported(sample("session"), cluster="graz")
    _, merged = imported(sample("ctl-none"), merge=("graz.yaml", line + fresh.text))

    assert "yaml-language-server" not in fresh.text
    assert merged.text.startswith(line)


def test_importing_twice_changes_nothing(sample):
    _, once = imported(sample("session"), cluster="graz")
    _, again = imported(sample("session"), merge=("graz.yaml", once.text))

    assert (again.text, again.conflicts) == (once.text, ())


def test_nothing_readable_is_refused():
    with pytest.raises(InputError, match="no output of a known command"):
        imported("good morning\n")
