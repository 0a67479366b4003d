"""Clusters as sites have them, known to any degree, and alarms that they raise."""

from builders import CATALOGUE, certificate, message, node
from hypothesis import strategies as st

from watcher.inventory.schema import (
    CallManagerGroup,
    Cluster,
    CtlMethod,
    Duty,
    Features,
    Issuer,
    NodeRole,
    PhoneInteraction,
    Product,
    SecurityMode,
)
from watcher.model.release import Release
from watcher.rules.schema import StoreKind

RELEASES = (
    "8.0", "8.6(2)", "9.1(2)SU2a", "10.0(1)", "10.5(1)", "10.5(2)", "10.5(2)SU10", "11.0(1)",
    "11.5(1)SU3", "11.5", "12.0(1)", "12.5(1)", "12.5(1)SU3", "12.5(1)SU9", "14", "14SU1", "14SU2",
    "14SU4", "15", "15SU3",
)  # fmt: skip
SERVICE_STORES = tuple(
    name for name, store in CATALOGUE.stores.items() if store.kind is not StoreKind.TRUST
)
OWN_STORES = ("tomcat", "tomcat-ECDSA", "ipsec", "CAPF", "CallManager", "CallManager-ECDSA", "TVS",
              "ITLRecovery", "authz")  # fmt: skip
FACING = tuple(name for name in SERVICE_STORES if CATALOGUE.stores[name].phone_facing)
QUIET = tuple(name for name in SERVICE_STORES if name not in FACING)
TRUST_STORES = tuple(
    name for name, store in CATALOGUE.stores.items() if store.kind is StoreKind.TRUST
)
known = st.sampled_from([True, False, None])


@st.composite
def nodes(draw):
    """One to eight nodes; who is the publisher and what they do may be unknown."""
    count = draw(st.integers(1, 8))
    names = ["pub", *(f"sub{i}" for i in range(1, count))]
    duties = st.none() | st.sets(st.sampled_from(Duty)).map(lambda some: tuple(sorted(some)))
    roles_known = draw(st.booleans())
    made = []
    for name in names:
        role = NodeRole.PUBLISHER if name == "pub" else NodeRole.SUBSCRIBER
        made.append(node(name, role=role if roles_known else None, duties=draw(duties)))
    if draw(st.booleans()):
        made.append(node("imp1", product=Product.IM_PRESENCE, duties=None))
    return tuple(draw(st.permutations(made)))


@st.composite
def certificates(draw, names):
    """Draw what is known of certificates: node by node, or one for the cluster."""
    made = []
    issuer = st.sampled_from([Issuer.SELF_SIGNED, Issuer.CA_SIGNED, None])
    for store in draw(st.lists(st.sampled_from(OWN_STORES), unique=True, max_size=5)):
        if draw(st.integers(0, 3)) == 0:
            reused = store == "tomcat" and draw(st.booleans())
            target = "CallManager" if reused else None
            made.append(
                certificate(store, None, issuer=draw(issuer), multi_server=True, reused_for=target)
            )
            continue
        for name in draw(st.lists(st.sampled_from(names), unique=True)):
            known_one = certificate(store, name, issuer=draw(issuer), multi_server=draw(known))
            made.append(known_one)
    for store in draw(st.lists(st.sampled_from(TRUST_STORES), unique=True, max_size=2)):
        owner = draw(st.sampled_from(names))
        made.append(certificate(store, draw(st.sampled_from(names)), file=f"{owner}.pem",
                                owner=draw(st.sampled_from([owner, None]))))  # fmt: skip
    return tuple(made)


@st.composite
def clusters(draw, name="graz"):
    """One cluster of releases 8.0 to 15, secure or not, and known to any degree."""
    members = draw(nodes())
    names = [member.name for member in members]
    cucm = [member.name for member in members if member.product is Product.CUCM]
    mode = draw(st.sampled_from([SecurityMode.MIXED, SecurityMode.NON_SECURE, None]))
    mixed = mode is SecurityMode.MIXED
    method = draw(st.sampled_from([*CtlMethod, None])) if mixed else None
    release = draw(st.sampled_from([*RELEASES, None]))
    tokens = draw(st.sampled_from([0, 2, None])) if method is CtlMethod.ETOKEN else None
    return Cluster(
        name=name,
        release=Release.parse(release) if release else None,
        security_mode=mode,
        ctl_method=method,
        etokens=tokens,
        rollback_pre80=draw(known),
        export_controlled_license=draw(known),
        phone_interaction=draw(st.sampled_from([*PhoneInteraction, None])),
        nodes=members,
        callmanager_groups=draw(
            st.sampled_from([(), (CallManagerGroup(name="all", nodes=tuple(cucm)),)])
        ),
        features=Features(**{key: draw(known) for key in Features.model_fields}),
        certificates=draw(certificates(names)),
    )


@st.composite
def alarms_for(draw, cluster):
    """Messages about any stores on any nodes of a cluster (or of nobody's, without one)."""
    names = [member.name for member in cluster.nodes] if cluster else ["pub", "sub1", "sub2"]
    owners = st.sampled_from([*names, "Issuing_CA_2", "gone-server"])
    made = []
    stores = draw(st.lists(st.sampled_from(FACING), max_size=4, unique=True))
    stores += draw(st.lists(st.sampled_from(QUIET), max_size=2, unique=True))
    for store in stores:
        for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True)):
            text = message(store=store, node=name, **draw(dates()))
            made.append(text)
    for store in draw(
        st.lists(st.sampled_from(TRUST_STORES), max_size=2, min_size=0 if made else 1, unique=True)
    ):
        file = f"{draw(owners)}.der"
        made.append(message(store=store, node=draw(st.sampled_from(names)), certificate=file,
                            **draw(dates())))  # fmt: skip
    return made


def dates():
    """Return mnemonics with the expiry text as it may survive."""
    return st.sampled_from([
        {"mnemonic": "CertExpired", "severity": "0", "expiry": "Wed Nov 18 09:14:41:000 CET 2026"},
        {"mnemonic": "CertValidLessthanADay", "severity": "1", "expiry": "Fri Nov 20 23:00:"},
        {"mnemonic": "CertValidfor7days", "severity": "2", "expiry": "Wed Nov 25 14:05:"},
        {"mnemonic": "CertValidfor7days", "severity": "2", "expiry": "We"},
        {"mnemonic": "CertNeverHeardOf", "severity": "3", "expiry": ""},
    ])  # fmt: skip


@st.composite
def sites(draw):
    """Return a cluster (or None: no inventory) and messages of its alarms."""
    cluster = draw(st.none() | clusters() | clusters() | clusters())
    return cluster, draw(alarms_for(cluster))
