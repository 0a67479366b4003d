"""`show ctl` and `show itl`: who signed, and what kind of signer that is."""

from watcher.inventory.schema import CtlMethod
from watcher.transcripts import ctl, itl

RECORD = """\
Length of CTL file: 500
CTL Record #:1
2 DNSNAME 8 vie-pub
3 SUBJECTNAME 10 CN=vie-pub
5 ISSUERNAME 10 CN=vie-pub
6 SERIALNUMBER 2 11:22
"""
SIGNED = "This etoken was used to sign the CTL file.\n"


def test_a_servers_record_that_signed_is_tokenless(block):
    facts = ctl.read(block("ctl-tokenless"))

    assert (facts.trust_list.present, facts.method, facts.tokens) == (True, CtlMethod.TOKENLESS, 0)
    assert facts.unread == ()


def test_the_same_sentence_after_a_token_is_etoken(block):
    facts = ctl.read(block("ctl-etoken"))

    assert (facts.trust_list.present, facts.method, facts.tokens) == (True, CtlMethod.ETOKEN, 1)
    assert facts.unread == ()


def test_no_ctl(block):
    facts = ctl.read(block("ctl-none"))

    assert (facts.trust_list.present, facts.method) == (False, None)
    assert facts.unread == ()


def test_names_broken_over_lines_are_joined(block):
    signer = ctl.read(block("ctl-tokenless")).trust_list.signer

    assert signer is not None
    assert signer.subject == "CN=ITLRECOVERY_vie-pub;OU=Voice;O=Example;L=Wien;ST=Wien;C=AT"


def test_without_a_signer_the_method_is_unknown(block):
    facts = ctl.read(block(RECORD))

    assert (facts.trust_list.present, facts.method) == (True, None)


def test_two_signers_are_no_signer(block):
    second = RECORD.partition("\n")[2].replace("#:1", "#:2")
    facts = ctl.read(block(RECORD + SIGNED + second + SIGNED))

    assert facts.method is None


def test_a_signer_without_server_name_is_not_guessed(block):
    facts = ctl.read(block(RECORD.replace(" 8 vie-pub", " 1") + SIGNED))

    assert facts.method is None
    assert "tell neither token nor server" in facts.why


def test_checksums_and_length(block):
    listed = ctl.read(block("ctl-tokenless")).trust_list

    assert (listed.length, listed.md5, listed.verified) == (
        5102,
        "5f0a9d3b6c1e4f728890aa1bb2cc3dd4",
        True,
    )


def test_an_itl_counts_each_certificate_once(block):
    facts = itl.read(block("itl"))

    assert (len(facts.trust_list.records), facts.certificates, facts.too_large) == (3, 2, False)
    assert facts.trust_list.signer is not None
    assert facts.unread == ()


def test_an_itl_with_forty_certificates_is_too_large(block):
    records = "".join(
        f"ITL Record #:{n}\n5 ISSUERNAME 4 CN=x\n6 SERIALNUMBER 2 {n:02}:00\n" for n in range(40)
    )

    assert itl.read(block(f"Length of ITL file: 70000\n{records}")).too_large


def test_a_line_of_prose_is_named_with_its_number(block):
    facts = ctl.read(block(f"{RECORD}Note: all phones must be reset.\n"))

    assert [(item.line, item.text) for item in facts.unread] == [
        (7, "Note: all phones must be reset.")
    ]
