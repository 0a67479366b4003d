"""Each kind of step in the words that people type, and words that are refused."""

import pytest
from orders.desk import file_of, parts, steps_of

from watcher.errors import InputError

SAID = [
    ("regen CallManager P", "CM P", "regenerate the CallManager certificate on P",
     "Renew the Call Manager certificate of the publisher", "set cert regen CallManager pub",
     "regen CallManager P"),
    ("regen CAPF P", "CAPF", "regenerate CAPF", "Regenerate the CAPF certificate on P.",
     "regen(CAPF, P)", "regen CAPF P"),
    ("ITLR", "regen ITLRecovery", "renew the ITL Recovery certificate on the publisher",
     "regen ITLRecovery P"),
    ("regen tomcat-ECDSA S", "regenerate tomcat-ECDSA.pem on the subscriber",
     "renew the tomcat ECDSA certificate on S", "regen tomcat-ECDSA S"),
    ("upload_signed CallManager S", "upload the CA-signed CallManager certificate on S",
     "Upload signed CallManager certificate to the subscriber", "upload_signed CallManager S"),
    ("upload_signed tomcat cluster", "upload the multi-server tomcat certificate",
     "upload the signed multi-SAN tomcat certificate", "upload_signed tomcat"),
    ("upload_trust CallManager-trust CAPF#0", "upload CAPF#0 to CallManager-trust",
     "upload the saved CAPF certificate CAPF#0 to CallManager-trust",
     "upload_trust CallManager-trust CAPF#0"),
    ("upload trust CAPF#0", "upload_trust CAPF#0"),
    ("delete trust CAPF#0", "delete_trust CAPF#0"),
    ("delete_trust CAPF-trust CAPF#0", "delete CAPF#0 from CAPF-trust",
     "Remove the expired certificate CAPF#0 from the CAPF trust",
     "delete_trust CAPF-trust CAPF#0"),
    ("delete CallManager P", "remove the CallManager certificate on P",
     "delete CallManager on the publisher", "delete CallManager P"),
    ("restart CCM S", "utils service restart Cisco CallManager on S",
     "Restart the Call Manager service on the subscriber", "restart S CCM"),
    ("restart TVS P", "restart Cisco Trust Verification Service on P",
     "restart the TVS service on node P", "restart P TVS"),
    ("stop TFTP P", "stop Cisco Tftp on the publisher", "utils service stop Cisco Tftp on P",
     "stop P TFTP"),
    ("start TFTP P", "start Cisco TFTP on P", "utils service start Cisco Tftp on pub",
     "start P TFTP"),
    ("RESET+WAIT", "RESET", "reset all phones and wait until they are registered",
     "Reset all phones, then wait till registrations are back to baseline", "restart all phones",
     "reboot all phones", "power cycle all phones", "Power-cycle all phones and wait",
     "RESET+WAIT"),
    ("reboot group A", "power cycle the phones of group A", "RESET+WAIT A"),
    ("RESET A", "reset the phones of group A", "reset group A and wait for registration",
     "RESET+WAIT A"),
    ("RESET A,E", "reset A and E", "reset groups A, E and wait", "RESET+WAIT A E"),
    ("auto_reset", "reset all phones without waiting", "automatic reset of all phones",
     "reset the phones, do not wait", "auto_reset"),
    ("ctl_update (tokenless)", "ctl_update(tokenless)", "ctl_update"),
    ("ctl_update", "utils ctl update CTLFile", "update the CTL file", "run the CTL client",
     "ctl_update"),
    ("ctl_localkey", "utils ctl reset localkey", 'run "utils ctl reset localkey" on P',
     "ctl_localkey"),
    ("itl_localkey", "utils itl reset localkey", "Run utils itl reset localkey on the publisher",
     "itl_localkey"),
    ("itl_remotekey", "utils itl reset remotekey", "utils itl reset remotekey ITLRecovery.p12",
     "itl_remotekey"),
    ("rollback on", "rollback(true)", "set Prepare Cluster for Rollback to pre 8.0 to True",
     "turn on the rollback parameter", "enable Prepare Cluster for Rollback", "rollback on"),
    ("rollback off", "rollback(false)", 'Set "Prepare Cluster for Rollback to pre 8.0" to False',
     "turn the rollback parameter off", "rollback off"),
    ("lsc_reissue E", "install new LSCs on group E", "reissue the LSC of E",
     "Install/Upgrade LSC for E by null string", "lsc_reissue E"),
    ("lsc_reissue", "install new LSCs on all phones", "re-issue all LSCs", "lsc_reissue E"),
    ("profile E non_secure", "put E in a non-secure profile",
     "set the security profile of E to non-secure", "profile non_secure E"),
    ("tell ise CAPF#0", "give ise the certificate CAPF#0", "upload CAPF#0 to ise",
     "tell CAPF#0 ise"),
    ("replace_headend VPN", "replace the VPN headend certificate",
     "replace the certificate of the VPN headend", "replace_headend"),
    ("phone_interaction manual", "set Phone Interaction on Certificate Update to manual",
     "set phone interaction to manual", "phone_interaction manual"),
    ("phone_interaction auto", "set phone interaction on certificate update to automatic",
     "phone interaction: auto", "phone_interaction auto"),
    ("export_p12", "export the ITLRecovery p12", "export ITLRecovery.p12 and store it off-box",
     "export_p12"),
    ("drs_backup", "take a DRS backup", "back up the cluster with DRS",
     "run a full DRS backup and verify it", "drs_backup"),
    ("drs_restore(b)", "drs_restore (b)", "drs_restore"),
    ("drs_restore", "restore the DRS backup", "restore from DRS",
     "restore the backup taken before the change", "drs_restore"),
    ("verify itl on P", "check replication on all nodes", "record the registered count",
     "restart Cisco CTIManager on all nodes", "generate a CSR for CallManager on P",
     "upload the root certificate to CallManager-trust",
     "stop Cisco Certificate Change Notification on all nodes", "verify"),
]  # fmt: skip
"""Ways to say a step; the last entry is what they all become."""

PLAIN = [(text, said[-1]) for said in SAID for text in said[:-1]]


@pytest.mark.parametrize(("text", "meant"), PLAIN, ids=[text[:50] for text, _ in PLAIN])
def test_a_step_in_plain_words(text, meant):
    (step,) = steps_of(text)

    assert parts(step) == meant


SEVERAL = [
    ("CM P,S", ["regen CallManager P", "regen CallManager S"]),
    ("regenerate CallManager and TVS on S", ["regen CallManager S", "regen TVS S"]),
    ("Restart Cisco TFTP on all nodes", ["restart P TFTP", "restart S TFTP"]),
    ("restart TVS and TFTP on both nodes",
     ["restart P TVS", "restart S TVS", "restart P TFTP", "restart S TFTP"]),
    ("restart TFTP on P, then on S", ["restart P TFTP", "restart S TFTP"]),
    ("restart TFTP on S, then on P", ["restart S TFTP", "restart P TFTP"]),
    ("Restart TVS on the subscriber, then on the publisher", ["restart S TVS", "restart P TVS"]),
    ("restart TVS, then TFTP on S", ["restart S TVS", "restart S TFTP"]),
    ("regenerate CallManager on S, then on P", ["regen CallManager S", "regen CallManager P"]),
    ("restart DRF", ["restart P DRFMaster", "restart P DRFLocal", "restart S DRFLocal"]),
    ("flush(S)", ["restart S TVS", "restart S TFTP"]),
    ("flush", ["restart P TVS", "restart P TFTP", "restart S TVS", "restart S TFTP"]),
    ("bounce(P)", ["restart P TVS", "restart P TFTP", "restart P CCM", "RESET+WAIT"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), SEVERAL)
def test_a_line_that_is_several_steps(text, meant):
    steps = steps_of(text)

    assert [parts(step) for step in steps] == meant
    assert {step.number for step in steps} == {1}


RELATIVE = [
    (
        ["regen CAPF"],
        "delete the old CAPF certificate from CAPF-trust",
        "delete_trust CAPF-trust CAPF#0",
    ),
    (["regen CAPF"], "upload the new CAPF certificate to RADIUS", "tell CAPF#1 RADIUS"),
    (["regen CAPF", "CAPF"], "give RADIUS the new CAPF certificate", "tell CAPF#2 RADIUS"),
    (["regen CAPF"], "tell RADIUS CAPF", "tell CAPF#1 RADIUS"),
    (["regen CAPF", "drs_restore"], "tell RADIUS CAPF", "tell CAPF#0 RADIUS"),
    (["CM P,S"], "give edge the new CallManager certificate of S", "tell CallManager/S#1 edge"),
    (
        ["TVS S"],
        "delete the old TVS certificate of S from TVS-trust",
        "delete_trust TVS-trust TVS/S#0",
    ),
    (
        ["CAPF"],
        "upload the old CAPF certificate to CallManager-trust",
        "upload_trust CallManager-trust CAPF#0",
    ),
]


@pytest.mark.parametrize(("before", "text", "meant"), RELATIVE)
def test_old_and_new_are_counted_from_the_order(before, text, meant):
    assert parts(steps_of(*before, text)[-1]) == meant


UNSURE = [
    ("regen CallManager Q", "'Q' is not a node"),
    ("regen Foo P", "names no store"),
    ("regen", "names no store"),
    ("regen TVS", "names no node"),
    ("regenerate all certificates", "names no store"),
    ("regenerate CallManager and restart TVS on P", "both 'regenerate' and 'restart'"),
    ("restart TVS on P, restart TFTP on P", "both 'restart' and 'restart'"),
    ("CM P, TVS S", "several things on several nodes"),
    ("restart TVS P and TFTP S", "several things on several nodes"),
    ("restart TFTP on all nodes except P", "'except' leaves open"),
    ("restart TFTP on the other node", "'other' leaves open"),
    ("don't restart TFTP on P", "'dont' leaves open"),
    ("do not reset phones", "'not' leaves open"),
    ("restart TFTP on P if needed", "'if' leaves open"),
    ("restart TFTP on X", "'X' is not known here"),
    ("restart Cisco Foo on P", "names no service"),
    ("restart CAPF on S", "CAPF does not run on S"),
    ("stop TFTP", "names no node"),
    ("reset a phone", "resets one phone"),
    ("reset one phone of each group", "'one' is not known here"),
    ("reset half of the phones", "'half' is not known here"),
    ("reset the phones on P", "'P' is not known here"),
    ("reset Z", "'Z' is not known here"),
    ("lsc_reissue Z", "names no phone group"),
    ("restart TVS and TFTP on P, then on S", "does not say in which order"),
    ("restart TVS on P, then stop TFTP on S", "says both 'restart' and 'stop'"),
    ("reboot", "does not reboot phones"),
    ("reboot P", "does not reboot phones"),
    ("reboot the cluster", "does not reboot phones"),
    ("reboot the cluster and all phones", "does not reboot phones"),
    ("power cycle one phone", "resets one phone"),
    ("drs_restore(c)", "'c' is not known here"),
    ("tell nobody CAPF#1", "names no party"),
    ("upload CAPF to RADIUS and VPN", "names two parties"),
    ("delete the old CAPF certificate from CAPF-trust", "was not renewed yet"),
    ("delete CAPF from CAPF-trust", "the old or the new one"),
    ("delete TVS#0 from TVS-trust", "whose TVS is not said"),
    ("delete TVS/Q#0 from TVS-trust", "'Q' is not a node"),
    ("delete CAPF#0 and CAPF#1 from CAPF-trust", "names two certificates"),
    ("utils ctl update CTLFile on S", "done on the publisher"),
    ("set rollback", "does not say on or off"),
    ("set rollback to true and false", "does not say on or off"),
    ("phone_interaction", "does not say manual or auto"),
    ("set the time zone", "names no parameter"),
    ("check replication, then restart TVS on P", "looks at something and then says 'restart'"),
    ("hello", "'hello' is not a verb or a store"),
    ("!!!", "it is empty"),
]


@pytest.mark.parametrize(("text", "problem"), UNSURE, ids=[text[:50] for text, _ in UNSURE])
def test_what_could_mean_something_else_is_refused(text, problem):
    with pytest.raises(InputError) as caught:
        steps_of(text)

    assert problem in caught.value.problem
    assert caught.value.expected


def test_two_renewals_leave_no_old_one():
    with pytest.raises(InputError, match="was renewed 2 times"):
        steps_of("regen CAPF", "regen CAPF", "delete the old CAPF certificate from CAPF-trust")


def test_a_node_called_like_an_article_is_a_node_when_written_so():
    text = "cluster:\n  release: '9.1'\n  nodes:\n    - {name: A, roles: [PUB, TFTP, CCM, TVS]}\n"
    text += "    - {name: B, roles: [TFTP, CCM, TVS]}\ngroups:\n"
    text += "  - {name: g, tftp: [A], cm_group: [A]}\nsteps: ['take a backup', 'restart TVS A']\n"
    from watcher.orders.reader import read  # noqa: PLC0415 -- only here a file of its own

    assert [parts(step) for step in read("x", text).steps] == ["drs_backup", "restart A TVS"]


NO_LSC = {"release": "15", "mixed": "null"}


def order_without_lscs(*lines):
    """Return the typed steps of an order for phones of which none holds an LSC."""
    from watcher.orders.reader import read  # noqa: PLC0415 -- as above

    text = file_of(*lines, **NO_LSC).replace(", mode: encrypted, dot1x: LSC", "")
    return [parts(step) for step in read("x", text, possible=True).steps]


def test_a_first_lsc_is_for_a_group_by_its_name():
    assert order_without_lscs("lsc_reissue A") == ["lsc_reissue A"]
    assert order_without_lscs("lsc_reissue E", "lsc_reissue") == ["lsc_reissue E"] * 2
    with pytest.raises(InputError, match="no phone group holds an LSC"):
        order_without_lscs("install new LSCs on all phones")
