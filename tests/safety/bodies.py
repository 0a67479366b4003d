"""Good bodies of plans, and how to spoil them."""

from dataclasses import replace

from safety.plans import (
    CATALOGUE,
    PHONES,
    cluster,
    commanded,
    ctl,
    gate,
    node,
    one_server,
    renew,
    restart,
    restarts,
    step,
    whole,
)

from watcher.inventory.schema import CallManagerGroup, Certificate, Duty, PhoneGroup

OLD = cluster()
NEW = cluster(release="12.5(1)SU4")
MIXED = cluster(release="12.5(1)SU4", mode="mixed")
OLD_MIXED = cluster(release="11.5", mode="mixed")
ALONE = cluster(node("pub"), release="11.5")
ALONE_NEW = cluster(node("pub"), release="12.5")
LSC = cluster(
    release="12.5(1)SU4", mode="mixed", features={"lsc": True, "dot1x": True, "vpn": True}
)
SSO = cluster(features={"sso": True})
COPY = Certificate(store="tomcat-trust", node="pub", file="sub1.pem", owner="sub1")
OWN_COPY = Certificate(store="ipsec-trust", node="pub", file="sub1.pem", owner="sub1")
CUT_OFF = (PhoneGroup(name="behind a firewall", tvs_reachable=False),)
NO_ITL = (PhoneGroup(name="ATA", security_by_default=False),)
OLD_CUT_OFF = cluster(phone_groups=CUT_OFF)
ALONE_CUT_OFF = cluster(node("pub"), release="11.5", phone_groups=CUT_OFF)
OLD_MIXED_NO_ITL = cluster(release="11.5", mode="mixed", phone_groups=NO_ITL)
FIRST_TOKENLESS = cluster(release="10.5(1)", mode="mixed", phone_groups=NO_ITL)
OLD_CAPF = Certificate(store="CAPF-trust", node="pub", file="CAPF-1a2b.pem")
WITH_COPY = cluster(known=(COPY,))
STRANGER = Certificate(store="ipsec-trust", node="pub", file="peer.pem")
NAMESAKE = Certificate(store="ipsec-trust", node="pub", file="SUB1.example.org.pem")
WITH_OWN = cluster(known=(OWN_COPY,))
WITH_STRANGER = cluster(known=(STRANGER,))
WITH_NAMESAKE = cluster(known=(NAMESAKE,))
SIGNED = cluster(known=(Certificate(store="tomcat", node="pub", issuer="ca-signed"),))
SHARED = cluster(
    release="12.5(1)SU4",
    known=(Certificate(store="tomcat", issuer="ca-signed", multi_server=True),),
)
REUSED = cluster(
    release="15",
    known=(
        Certificate(
            store="tomcat", issuer="ca-signed", multi_server=True, reused_for="CallManager"
        ),
        Certificate(store="CallManager", issuer="ca-signed", multi_server=True),
    ),
)


TOKEN = OLD_MIXED.model_copy(update={"ctl_method": "etoken", "etokens": 2})
LOST = OLD_MIXED.model_copy(update={"ctl_method": "etoken", "etokens": 0})
THREE = cluster(node("pub"), node("sub1"), node("sub2", (Duty.CALL_PROCESSING,)))
UNTOLD = cluster(node("pub", None), node("sub1"))
LONE_GROUP = cluster(callmanager_groups=(CallManagerGroup(name="one node", nodes=("pub",)),))
ONE_SERVER = cluster(phone_groups=(PhoneGroup(name="one server", tftp=("sub1",)),))


def tomcat(known=OLD, *at):
    return [
        *renew("tomcat", *(at or ("pub", "sub1"))),
        *restarts("tomcat", known, *(at or ("pub", "sub1"))),
    ]


def ipsec():
    return [*renew("ipsec", "pub", "sub1"), *restarts("ipsec", OLD, "pub", "sub1")]


def in_mixed(store, *at, known=MIXED):
    return [*renew(store, *at), *ctl(), *restarts(store, known, *at), *gate()]


def serial(known=OLD):
    return [*one_server(known, "pub"), *one_server(known, "sub1")]


TFTP = "cisco-tftp"


def half(known, at, *stores, others=(), stop=False):
    """Return all stores of one TFTP server between two resets, as TV-01 has it.

    `others` are nodes on which the last store changes too; with `stop` TFTP rests meanwhile.
    """
    but = {(TFTP, at)} if stop else set()
    stop_it = [step("stop-service", at, "CallManager", TFTP)] if stop else []
    start_it = [step("start-service", at, "CallManager", TFTP)] if stop else []
    body = [one for store in stores for one in renew(store, at)]
    body += renew(stores[-1], *others)
    for store in stores:
        body += restarts(store, known, at, *(others if store == stores[-1] else ()), but=but)
    return [*stop_it, *body, *gate(), *start_it]


STORES = ("CAPF", "CallManager", "TVS")


def node_by_node(known=OLD):
    return [*half(known, "pub", *STORES, stop=True), *half(known, "sub1", "CallManager", "TVS")]


def staged(known=OLD):
    return [*half(known, "pub", "CallManager"), *half(known, "sub1", "CallManager"),
            *whole(known, "TVS", "pub", "sub1")]  # fmt: skip


def shield(known=TOKEN):
    update = step("ctl-update-etoken")
    return [*renew("CAPF", "pub"), *renew("CallManager", "pub", "sub1"),
            *renew("TVS", "pub", "sub1"), update, *restarts("CAPF", known, "pub"),
            *restarts("CallManager", known, "pub", "sub1"),
            *restarts("TVS", known, "pub", "sub1"), *gate()]  # fmt: skip


def light(known, store, *at):
    """Return a store from 12.0 on, behind which one waits without a reset of all phones."""
    return [*renew(store, *at), *restarts(store, known, *at), step("canary", PHONES),
            step("wait-registrations", PHONES)]  # fmt: skip


def signer_last():
    capf = [*renew("CAPF", "pub"), *ctl(), *restarts("CAPF", MIXED, "pub")]
    return [*capf, step("wait-registrations", PHONES), *light(MIXED, "TVS", "pub", "sub1"),
            *in_mixed("CallManager", "pub", "sub1")]  # fmt: skip


def recovery(known=NEW):
    return [
        *renew("ITLRecovery", "pub", part=2),
        step("itl-localkey", "pub", "ITLRecovery", part=2),
        *gate(part=2),
        *restarts("ITLRecovery", known, "pub"),
        *gate(part=2),
    ]


def recovery_mixed():
    return [
        *renew("ITLRecovery", "pub", part=2),
        step("ctl-localkey", "pub", "ITLRecovery", part=2),
        *gate(part=2),
        *ctl(part=2),
        *restarts("ITLRecovery", MIXED, "pub"),
        *gate(part=2),
    ]


def lists():
    return restart("TVS", "cisco-tvs", "pub") + restart("TVS", "cisco-tftp", "pub")


WAIT = (step("wait-registrations", PHONES),)


def rollback(known=ALONE, wait=WAIT):
    signer = [*renew("CallManager", "pub"), *restarts("CallManager", known, "pub")]
    verifier = [*renew("TVS", "pub"), *restarts("TVS", known, "pub")]
    return [
        step("rollback-on"), *lists(), *gate(), step("verify-blank-itl"),
        *signer, *wait, *verifier, *wait,
        step("rollback-off"), *lists(), *gate(),
    ]  # fmt: skip


def detour():
    return [
        *renew("CallManager", "pub"), step("ctl-localkey", "pub", "CallManager"),
        *restarts("CallManager", OLD_MIXED, "pub"), *gate(), *ctl(), *gate(),
        step("stop-service", "sub1", "CallManager", "cisco-tftp"),
        *renew("CallManager", "sub1"), *ctl(),
        *restarts("CallManager", OLD_MIXED, "sub1", but={("cisco-tftp", "sub1")}), *gate(),
        step("start-service", "sub1", "CallManager", "cisco-tftp"),
    ]  # fmt: skip


LISTS_ELSEWHERE = cluster(
    node("pub", (Duty.CALL_PROCESSING,)), node("sub1"), release="11.5", mode="mixed"
)


def detour_with_capf():
    """Return the detour where one node serves lists, and CAPF comes with the usual signer."""
    return [
        *renew("CallManager", "pub", "sub1"), step("ctl-localkey", "pub", "CallManager"),
        *restarts("CallManager", LISTS_ELSEWHERE, "pub", "sub1"), *gate(),
        *renew("CAPF", "pub"), *ctl(), *restarts("CAPF", LISTS_ELSEWHERE, "pub"), *gate(),
    ]  # fmt: skip


def capf_with_lscs():
    tells = [step("tell-party", "outside", "CAPF"), step("tell-party", "outside", "CAPF")]
    reissue = [step("reissue-lsc", "pub", "CAPF"), step("verify-lsc", "pub", "CAPF")]
    return [*in_mixed("CAPF", "pub", known=LSC), *tells, *reissue]


def deletion(known=OLD, store="tomcat-trust", file="<file>.pem"):
    guard = [known_node.name for known_node in known.nodes] if known.release.major < 12 else []
    delete = step("delete-trust-copy", "pub", store)
    unit = CATALOGUE.stores[store].cli_unit
    return [
        *(step("stop-change-notification", one) for one in guard),
        commanded(delete, f"set cert delete {unit} {file}"),
        *restarts(store, known, "pub"),
        *(step("start-change-notification", one) for one in guard),
    ]


def signed(store="tomcat", at="pub"):
    return [
        step("request-csr", at, store), step("obtain-certificate", "outside", store),
        step("upload-chain", at, store), step("upload-certificate", at, store),
    ]  # fmt: skip


def sso():
    return [step("sso-disable"), *tomcat(SSO, "pub"), step("tell-party", "outside", "tomcat"),
            step("sso-enable")]  # fmt: skip


def reuse():
    return [
        *signed(), *restarts("tomcat", REUSED, "pub", "sub1"),
        step("upload-chain", "pub", "CallManager"), step("reuse-certificate", "pub", "CallManager"),
        *restarts("CallManager", REUSED, "pub", "sub1"), *gate(),
    ]  # fmt: skip


NEW_PRESENCE = cluster(
    node("pub"), node("imp1", None, product="im-presence"), release="15",
    features={"im_presence": True},
)  # fmt: skip


GOOD = {
    "tomcat": (tomcat(), OLD),
    "ipsec": (ipsec(), OLD),
    "one TFTP server at a time": ([*serial(), *whole(OLD, "TVS", "pub", "sub1")], OLD),
    "node by node": (node_by_node(), OLD),
    "one certificate at a time": (staged(), OLD),
    "one certificate at a time, CallManager group of one node": (staged(LONE_GROUP), LONE_GROUP),
    "a key of no TFTP server beside the last server's": (
        [*half(THREE, "pub", "CallManager", "TVS", stop=True),
         *half(THREE, "sub1", "CallManager", others=("sub2",))], THREE),
    "all at once under a token": (shield(), TOKEN),
    "no wait while the ITL is blank": (rollback(wait=()), ALONE),
    "a light gate from 12.0 on": (
        [*light(NEW, "CAPF", "pub"), *light(NEW, "CallManager", "pub", "sub1"),
         *whole(NEW, "TVS", "pub")], NEW),
    "what encrypted phones check comes last": (signer_last(), MIXED),
    "rollback": (rollback(), ALONE),
    "detour": (detour(), OLD_MIXED),
    "detour, CAPF with the usual signer": (detour_with_capf(), LISTS_ELSEWHERE),
    "a lone server whose key the CTL tells": (
        in_mixed("CallManager", "sub1", known=LISTS_ELSEWHERE), LISTS_ELSEWHERE),
    "TVS without a token": (
        [*half(LOST, "pub", "TVS"), *half(LOST, "sub1", "TVS")], LOST),
    "detour, phones without ITL": (detour(), OLD_MIXED_NO_ITL),
    "rollback, phones without TVS": (rollback(ALONE_CUT_OFF), ALONE_CUT_OFF),
    "phones without TVS on a new release": (
        whole(NEW, "CallManager", "pub"), cluster(release="12.5", phone_groups=CUT_OFF)),
    "a stranger's copy in a store of own copies": (
        deletion(WITH_STRANGER, "ipsec-trust", "peer.pem"), WITH_STRANGER),
    "store by store": ([*whole(NEW, "CallManager", "pub", "sub1"), *whole(NEW, "TVS", "pub")], NEW),
    "mixed": (in_mixed("CallManager", "pub", "sub1"), MIXED),
    "recovery": ([*whole(NEW, "TVS", "pub"), *recovery()], NEW),
    "recovery, mixed": (recovery_mixed(), MIXED),
    "LSC": (capf_with_lscs(), LSC),
    "deletion": (deletion(), OLD),
    "deletion, new": (deletion(NEW), NEW),
    "copy of an owner": (
        [*tomcat(), step("confirm-owner-renewed", "sub1", "tomcat"),
         *deletion(WITH_COPY, file="sub1.pem")],
        WITH_COPY,
    ),
    "old CAPF": ([*capf_with_lscs(), *deletion(LSC, "CAPF-trust")], LSC),
    "signed": ([*signed(), *restarts("tomcat", SIGNED, "pub")], SIGNED),
    "shared": ([*signed(), *restarts("tomcat", SHARED, "pub", "sub1")], SHARED),
    "SSO": (sso(), SSO),
    "IM and Presence runs no CUCM service": (
        [*renew("tomcat", "imp1"), *restart("tomcat", "cisco-tomcat", "imp1"),
         *restart("tomcat", "cisco-drf-master", "pub"),
         *restart("tomcat", "cisco-drf-local", "pub", "imp1"),
         step("tell-party", "outside", "tomcat")], NEW_PRESENCE),
    "reuse": (reuse(), REUSED),
}  # fmt: skip


def swapped(steps, one, other):
    moved = list(steps)
    moved[one], moved[other] = moved[other], moved[one]
    return moved


def at(steps, key, nth=0):
    return [i for i, one in enumerate(steps) if one.key == key][nth]


def dropped(steps, key, nth=0):
    index = at(steps, key, nth)
    return [*steps[:index], *steps[index + 1 :]]


def put(steps, index, *more):
    return [*steps[:index], *more, *steps[index:]]


def changed(steps, key, nth=0, **values):
    index = at(steps, key, nth)
    return [*steps[:index], replace(steps[index], **values), *steps[index + 1 :]]


def first(steps, key):
    """Return the steps with the last one of a template in front of everything."""
    index = at(steps, key, -1)
    return [steps[index], *steps[:index], *steps[index + 1 :]]


TWO_STORES = GOOD["store by store"][0]
WITH_RECOVERY = GOOD["recovery"][0]
SHARED_SIGNER = cluster(
    known=(Certificate(store="CallManager", issuer="self-signed", multi_server=True),)
)
PRESENCE = cluster(
    node("pub"), node("imp1", None, product="im-presence"), features={"im_presence": True}
)
