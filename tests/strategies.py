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
from watcher.rules.store import StoreKind

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
    if all(one.has(Duty.TFTP) is False for one in made):
        made[0] = made[0].model_copy(update={"duties": None})  # somebody must serve the phones
    if draw(st.booleans()):
        made.append(node("imp1", product=Product.IM_PRESENCE, duties=None))
    return tuple(draw(st.permutations(made)))


SHARED = {"tomcat": "10.5", "tomcat-ECDSA": "11.5", "CallManager": "10.5", "TVS": "14"}
"""Stores that one multi-server certificate may serve, and since when."""
SELF_SIGNED_ONLY = ("ITLRecovery", "authz")
ON_PRESENCE = ("tomcat", "tomcat-ECDSA", "ipsec", "cup", "cup-ECDSA", "cup-xmpp", "cup-xmpp-ECDSA",
               "cup-xmpp-s2s", "cup-xmpp-s2s-ECDSA")  # fmt: skip


def homes(store, members):
    """Return the names of the nodes that have a store."""
    product = Product.IM_PRESENCE if store.startswith("cup") else Product.CUCM
    both = store in ON_PRESENCE and not store.startswith("cup")
    return [member.name for member in members if both or member.product is product]


def shareable(store, release):
    """Tell whether one certificate may serve the store on all nodes."""
    return store in SHARED and (release is None or release >= Release.parse(SHARED[store]))


@st.composite
def certificates(draw, members, release):
    """Draw what is known of certificates: node by node, or one for the cluster."""
    made = []
    for store in draw(st.lists(st.sampled_from(OWN_STORES), unique=True, max_size=5)):
        issuers = [Issuer.SELF_SIGNED, None]
        if store not in SELF_SIGNED_ONLY:
            issuers.append(Issuer.CA_SIGNED)
        issuer = st.sampled_from(issuers)
        if shareable(store, release) and draw(st.booleans()):
            reused = store == "tomcat" and (release is None or release >= Release(14))
            target = draw(st.sampled_from(["CallManager", None])) if reused else None
            made.append(
                certificate(store, None, issuer=draw(issuer), multi_server=True, reused_for=target)
            )
            continue
        several = st.sampled_from([False, None])
        for name in draw(st.lists(st.sampled_from(homes(store, members)), unique=True)):
            one = certificate(store, name, issuer=draw(issuer), multi_server=draw(several))
            made.append(one)
    names = [member.name for member in members]
    for store in draw(st.lists(st.sampled_from(TRUST_STORES), unique=True, max_size=2)):
        owner = draw(st.sampled_from(names))
        made.append(certificate(store, draw(st.sampled_from(names)), file=f"{owner}.pem",
                                owner=draw(st.sampled_from([owner, None]))))  # fmt: skip
    return tuple(made)


def methods(release):
    """Return the ways of signing a CTL that a release has."""
    found = [None]
    if release is None or release >= Release(10):
        found.append(CtlMethod.TOKENLESS)
    if release is None or release < Release(14):
        found.append(CtlMethod.ETOKEN)
    return found


@st.composite
def clusters(draw, name="graz"):
    """One cluster of releases 8.0 to 15, secure or not, and known to any degree."""
    members = draw(nodes())
    cucm = [member.name for member in members if member.product is Product.CUCM]
    mode = draw(st.sampled_from([SecurityMode.MIXED, SecurityMode.NON_SECURE, None]))
    mixed = mode is SecurityMode.MIXED
    text = draw(st.sampled_from([*RELEASES, None]))
    release = Release.parse(text) if text else None
    method = draw(st.sampled_from(methods(release))) if mixed else None
    tokens = draw(st.sampled_from([0, 2, None])) if method is CtlMethod.ETOKEN else None
    return Cluster(
        name=name,
        release=release,
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
        certificates=draw(certificates(members, release)),
    )


@st.composite
def alarms_for(draw, cluster):
    """Messages about any stores on any nodes of a cluster (or of nobody's, without one)."""
    members = cluster.nodes if cluster else (node("pub"), node("sub1"), node("sub2"))
    names = [member.name for member in members]
    owners = st.sampled_from([*names, "Issuing_CA_2", "gone-server"])
    made = []
    stores = draw(st.lists(st.sampled_from(FACING), max_size=4, unique=True))
    stores += draw(st.lists(st.sampled_from(QUIET), max_size=2, unique=True))
    for store in stores:
        where = homes(store, members) or names
        for name in draw(st.lists(st.sampled_from(where), min_size=1, max_size=4, unique=True)):
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
