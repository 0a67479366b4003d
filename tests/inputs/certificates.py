"""Certificates for the tests of TLS: a CA, its good clients, and thirty that must get nowhere."""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID, ObjectIdentifier

NOW = dt.datetime.now(dt.UTC)  # noqa: TID251 -- the TLS library looks at the real clock
DAY = dt.timedelta(days=1)
OURS, OTHER = trustme.CA(), trustme.CA()
SERVER = OURS.issue_cert("watcher.test")


@dataclass(frozen=True)
class Pair:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self):
        """Return both in one PEM text."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ) + self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def fingerprint(self):
        """Return SHA-256 as openssl prints it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def authority(ca):
    """Return a CA of trustme as a pair."""
    key = serialization.load_pem_private_key(ca.private_key_pem.bytes(), None)
    return Pair(x509.load_pem_x509_certificate(ca.cert_pem.bytes()), key)


def dns(*names):
    """Return DNS names whatever is in them."""
    return [x509.DNSName._init_without_validation(name) for name in names]  # noqa: SLF001 -- lies


def addresses(*texts):
    """Return IP addresses as names."""
    return [x509.IPAddress(ipaddress.ip_address(text)) for text in texts]


def issue(  # noqa: PLR0913 -- each is one lie
    *names, by=None, cn="client", begins=-1, ends=30, usage=Usage.CLIENT_AUTH, ca=False, extra=()
):
    """Return a certificate with these names, signed by a pair, or by itself if that is ""."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
    by = authority(OURS) if by is None else by
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + begins * DAY)
        .not_valid_after(NOW + ends * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for extension in extra:
        builder = builder.add_extension(extension, critical=True)
    return Pair(builder.sign(by.key if by else key, hashes.SHA256()), key)


GOOD = issue(*dns("cm1.test", "cm1-alias.test"))
NODE = "cm1.test"
UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
NO_SIGNING = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False,
    data_encipherment=True, key_agreement=False, key_cert_sign=False, crl_sign=False,
    encipher_only=False, decipher_only=False,
)  # fmt: skip

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NODE)])

BOUND_TO_NOBODY = {
    "another name": dns("cm2.test"),
    "no names": (),
    "wildcard": dns("*.test"),
    "only a wildcard": dns("*"),
    "wildcard behind": dns("cm1.*"),
    "nul behind": dns("cm1.test\0.evil.test"),
    "nul at the end": dns("cm1.test\0"),
    "nul in front": dns("\0cm1.test"),
    "trailing dot": dns("cm1.test."),
    "leading dot": dns(".cm1.test"),
    "longer": dns("cm1.test.evil.test"),
    "longer in front": dns("xcm1.test"),
    "shorter": dns("cm1"),
    "blank in front": dns(" cm1.test"),
    "blank behind": dns("cm1.test "),
    "line feed": dns("cm1.test\n"),
    "two in one": dns("cm1.test,cm2.test"),
    "look-alike": dns("xn--m1-emc.test"),
    "empty": dns(""),
    "a thousand": dns(*(f"x{n}.test" for n in range(1000))),
    "mail address": [x509.RFC822Name("cm1.test")],
    "address": [x509.UniformResourceIdentifier("https://cm1.test")],
    "other IP": addresses("10.0.0.2", "::"),
    "directory name": [x509.DirectoryName(NAME)],
    "registered id": [x509.RegisteredID(ObjectIdentifier("1.2.3.4"))],
    "other name": [x509.OtherName(ObjectIdentifier("1.2.3.4"), b"\x0c\x08cm1.test")],
}  # fmt: skip
"""Names of certificates that our CA signed; each has cm1.test as common name."""


def not_believed():
    """Return certificates with the right name that the TLS library must not believe."""
    right = dns(NODE)
    return {
        "expired": issue(*right, begins=-30, ends=-1),
        "not yet valid": issue(*right, begins=2),
        "wrong CA": issue(*right, by=authority(OTHER)),
        "signed by itself": issue(*right, by=""),
        "for servers": issue(*right, usage=Usage.SERVER_AUTH),
        "for mail": issue(*right, usage=Usage.EMAIL_PROTECTION),
        "signed by a client": issue(*right, by=GOOD),
        "what nobody knows": issue(*right, extra=[UNKNOWN]),
        "not for signatures": issue(*right, extra=[NO_SIGNING]),
    }


def server_context(*, clients=ssl.CERT_REQUIRED, server=SERVER):
    """Return a context as the app makes it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.configure_cert(context)
    if clients is not ssl.CERT_NONE:
        OURS.configure_trust(context)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_mode = clients
    return context


def client_context(folder, pair=None, ca=OURS):
    """Return a context of a sender that shows `pair`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ca.configure_trust(context)
    if pair is not None:
        file = folder / f"{id(pair)}.pem"
        file.write_bytes(pair.pem)
        context.load_cert_chain(file)
    return context
