"""Bad plans: the rule that each breaks, its steps, its cluster."""

from dataclasses import replace

from safety.bodies import (
    ALONE,
    ALONE_NEW,
    FIRST_TOKENLESS,
    LISTS_ELSEWHERE,
    LOST,
    LSC,
    MIXED,
    NEW,
    OLD,
    OLD_CUT_OFF,
    OLD_MIXED,
    PRESENCE,
    REUSED,
    SHARED,
    SHARED_SIGNER,
    SIGNED,
    SSO,
    THREE,
    TWO_STORES,
    WITH_COPY,
    WITH_NAMESAKE,
    WITH_OWN,
    WITH_RECOVERY,
    at,
    capf_with_lscs,
    changed,
    deletion,
    detour_with_capf,
    dropped,
    half,
    in_mixed,
    light,
    put,
    recovery,
    recovery_mixed,
    rollback,
    serial,
    signed,
    sso,
    swapped,
    tomcat,
)
from safety.plans import PHONES, commanded, ctl, gate, renew, restart, restarts, step, whole

BAD = {
    "O1 subscriber's certificate first": (
        "O1", swapped(tomcat(), 0, 1), OLD),
    "O1 subscriber's restart first": (
        "O1", swapped(tomcat(), 2, 3), OLD),
    "O2 no barrier between servers": (
        "O2", [*dropped(dropped(serial(), "reset-phones"), "wait-registrations")], OLD),
    "O2 no reset between servers": (
        "O2", dropped(serial(), "reset-phones"), OLD),
    "O2 TFTP keeps running": (
        "O2", dropped(serial(), "stop-service"), OLD),
    "O2 TFTP wakes before phones are back": (
        "O2", swapped(serial(), at(serial(), "wait-registrations"), at(serial(), "start-service")),
        OLD),
    "O2 one certificate for all servers": (
        "O2", [*renew("CallManager", "pub"), *restarts("CallManager", SHARED_SIGNER, "pub", "sub1"),
               *gate()], SHARED_SIGNER),
    "O2 the stop is optional": (
        "O2", changed(serial(), "stop-service", optional=True), OLD),
    "O3 signer and verifier without a reset": (
        "O3", [*half(THREE, "sub2", "CallManager")[:-2], step("wait-registrations", PHONES),
               *whole(THREE, "TVS", "pub", "sub1")], THREE),
    "O6 nobody waits between signer and verifier": (
        "O6", dropped(dropped(TWO_STORES, "reset-phones"), "wait-registrations"), NEW),
    "O7 the signer last where no phone is encrypted": (
        "O7", [*light(NEW, "TVS", "pub"), *whole(NEW, "CallManager", "pub")], NEW),
    "O4 recovery in the same window": (
        "O4", [replace(one, part=1) for one in WITH_RECOVERY], NEW),
    "O5 recovery before phones were reset": (
        "O5", dropped(WITH_RECOVERY, "reset-phones"), NEW),
    "O6 no wait at the end": (
        "O6", dropped(whole(NEW, "TVS", "pub"), "wait-registrations"), NEW),
    "O6 no wait after the last restart": (
        "O6", [*whole(NEW, "CAPF", "pub"), *restart("CAPF", "cisco-capf", "pub"),
               *whole(NEW, "TVS", "pub")], NEW),
    "O6 the wait hangs on a condition": (
        "O6", changed(whole(NEW, "TVS", "pub"), "wait-registrations", only_if=("SSO",)), NEW),
    "O7 stores in another order": (
        "O7", [*whole(NEW, "TVS", "pub"), *whole(NEW, "CallManager", "pub")], NEW),
    "O7 CAPF after a signer that came back before": (
        "O7", put(detour_with_capf(), at(detour_with_capf(), "regenerate", 2), *ctl(), *gate()),
        LISTS_ELSEWHERE),
    "O10 restart before the CTL": (
        "O10", [*renew("CallManager", "pub"),
                *put(restarts("CallManager", MIXED, "pub"), 1, *ctl()), *gate()], MIXED),
    "O11 old CAPF goes before new LSCs": (
        "O11", dropped([*capf_with_lscs(), *deletion(LSC, "CAPF-trust")], "verify-lsc"), LSC),
    "O12 LSCs before RADIUS knows": (
        "O12", swapped(capf_with_lscs(), at(capf_with_lscs(), "tell-party", 1),
                       at(capf_with_lscs(), "reissue-lsc")), LSC),
    "O13 no CTL update": (
        "O13", dropped(in_mixed("CallManager", "pub"), "ctl-update"), MIXED),
    "O13 phones reset before the CTL": (
        "O13", put(in_mixed("CallManager", "pub"), 1, step("reset-phones", PHONES)), MIXED),
    "O13 CTL on a subscriber": (
        "O13", changed(in_mixed("CallManager", "pub"), "ctl-update", node="sub1", where="sub1"),
        MIXED),
    "O13 CTL where there is none": (
        "O13", put(whole(NEW, "CallManager", "pub"), 1, *ctl()), NEW),
    "O13 phones keep the old CTL": (
        "O13", [*in_mixed("CallManager", "pub"), *ctl()], MIXED),
    "O15 no localkey": (
        "O15", dropped(recovery(), "itl-localkey"), NEW),
    "O15 TFTP restarts in the first phase": (
        "O15", put(recovery(), 2, *restart("ITLRecovery", "cisco-tftp", "pub")), NEW),
    "O15 one reset only": (
        "O15", dropped(recovery(), "reset-phones", 1), NEW),
    "O16 the CTL is updated before phones are back": (
        "O16", put(dropped(recovery_mixed(), "ctl-update"), 2, *ctl()), MIXED),
    "O17 DRF Local before DRF Master": (
        "O17", [*renew("ipsec", "pub", "sub1"), *restart("ipsec", "cisco-drf-local", "pub", "sub1"),
                *restart("ipsec", "cisco-drf-master", "pub")], OLD),
    "O18 change notification runs": (
        "O18", dropped(deletion(), "stop-change-notification", 1), OLD),
    "O18 change notification is not started": (
        "O18", dropped(deletion(), "start-change-notification"), OLD),
    "O18 nothing to stop on a new release": (
        "O18", [step("stop-change-notification"), *deletion(NEW)], NEW),
    "O18 presence keeps running": (
        "O18", deletion(PRESENCE), PRESENCE),
    "O19 a copy goes before the renewals": (
        "O19", [*deletion(), *tomcat()], OLD),
    "O19 nobody looks at the owner": (
        "O19", [*tomcat(), *deletion(WITH_COPY, file="sub1.pem")], WITH_COPY),
    "O20 a party is not told": (
        "O20", dropped(capf_with_lscs(), "tell-party"), LSC),
    "O21 SSO stays on": (
        "O21", dropped(sso(), "sso-disable"), SSO),
    "O21 SSO stays off": (
        "O21", dropped(sso(), "sso-enable"), SSO),
    "O21 SSO comes back before the restarts": (
        "O21", swapped(sso(), 2, 4), SSO),
    "S1 CA-signed is regenerated": (
        "S1", tomcat(SIGNED, "pub"), SIGNED),
    "S1 no chain": (
        "S1", dropped([*signed(), *restarts("tomcat", SIGNED, "pub")], "upload-chain"), SIGNED),
    "S1 no request": (
        "S1", dropped([*signed(), *restarts("tomcat", SIGNED, "pub")], "request-csr"), SIGNED),
    "S1 not obtained": (
        "S1", dropped([*signed(), *restarts("tomcat", SIGNED, "pub")], "obtain-certificate"),
        SIGNED),
    "S3 multi-server on a subscriber": (
        "S3", [*signed(at="sub1"), *restarts("tomcat", SHARED, "pub", "sub1")], SHARED),
    "S8 the other store is forgotten": (
        "S8", [*signed(), *restarts("tomcat", REUSED, "pub", "sub1")], REUSED),
    "I-5 no localkey for the signer of the CTL": (
        "I-5", [step("stop-service", "pub", "CallManager", "cisco-tftp"),
                *renew("CallManager", "pub"), *ctl(),
                *restarts("CallManager", OLD_MIXED, "pub", but={("cisco-tftp", "pub")}), *gate(),
                step("start-service", "pub", "CallManager", "cisco-tftp")], OLD_MIXED),
    "I-2 nobody vouches for the new signer": (
        "I-2", [*serial(OLD_CUT_OFF), *whole(OLD_CUT_OFF, "TVS", "pub", "sub1")], OLD_CUT_OFF),
    "I-6 phones without ITL lose the signer of the CTL": (
        "I-6", [step("stop-service", "pub", "CallManager", "cisco-tftp"),
                *renew("CallManager", "pub"), *ctl(),
                *restarts("CallManager", FIRST_TOKENLESS, "pub", but={("cisco-tftp", "pub")}),
                *gate(), step("start-service", "pub", "CallManager", "cisco-tftp")],
        FIRST_TOKENLESS),
    "I-8 nobody sees a blank ITL": (
        "I-8", dropped(rollback(), "verify-blank-itl"), ALONE),
    "I-8 rollback on a new release": (
        "I-8", rollback(ALONE_NEW), ALONE_NEW),
    "I-8 TFTP keeps the old list": (
        "I-8", dropped(rollback(), "restart-service", 1), ALONE),
    "I-8 phones are not reset after it": (
        "I-8", dropped(rollback(), "reset-phones"), ALONE),
    "I-14 an identity is deleted": (
        "I-14", [*deletion()[:2], step("delete-trust-copy", "pub", "tomcat"),
                 *deletion()[2:]], OLD),
    "I-14 a node's own copy is deleted": (
        "I-14", [step("confirm-owner-renewed", "sub1", "ipsec"),
                 *deletion(WITH_OWN, "ipsec-trust", "sub1.pem")], WITH_OWN),
    "I-14 a copy that bears a node's name is deleted": (
        "I-14", deletion(WITH_NAMESAKE, "ipsec-trust", "SUB1.example.org.pem"), WITH_NAMESAKE),
    "RESTARTS Tomcat keeps the old one": (
        "RESTARTS", dropped(tomcat(), "restart-service", 1), OLD),
    "RESTARTS only offered": (
        "RESTARTS", changed(tomcat(), "restart-service", optional=True), OLD),
    "RESTARTS TVS of the other node (TV-23)": (
        "RESTARTS", [one for one in serial() if (one.service, one.node) != ("cisco-tvs", "sub1")],
        OLD),
    "RESTARTS too late for phones": (
        "RESTARTS", [*renew("TVS", "pub"), *gate(), *restarts("TVS", NEW, "pub"), *gate()], NEW),
    "P3 the eToken is lost": ("P3", in_mixed("CAPF", "pub", known=LOST), LOST),
    "P8 a server alone": ("P8", whole(ALONE, "CallManager", "pub"), ALONE),
    "P8 phones meet a lone server before the CTL tells its key": (
        "P8", put(in_mixed("CallManager", "sub1", known=LISTS_ELSEWHERE), 1,
                  *restart("TVS", "cisco-tftp", "sub1")), LISTS_ELSEWHERE),
    "COMMANDS a stranger's": (
        "COMMANDS", [commanded(tomcat()[0], "utils system shutdown"), *tomcat()[1:]], OLD),
    "COMMANDS a file of no inventory": ("COMMANDS", deletion(file="evil.pem"), OLD),
    "COMMANDS two lines in one": ("COMMANDS", deletion(file="<file>.pem\nutils"), OLD),
    "COMMANDS another release's": (
        "COMMANDS", [commanded(step("check-license"), "show license status"), *tomcat()], OLD),
}  # fmt: skip
