"""Certificates that a CA signed, that serve several nodes, or two stores: S1, S3, S8."""

from collections.abc import Iterator

from watcher.inventory.schema import Issuer
from watcher.model.plan import Step
from watcher.rules.terms import Condition
from watcher.rules.work import StepKind
from watcher.safety.before import regenerated
from watcher.safety.reading import Reading, place, word
from watcher.safety.violation import Violation, broken


def signed_is_not_regenerated(reading: Reading) -> Iterator[Violation]:
    """S1: what a CA signed, or may have signed, is never simply regenerated (TN214231, SG14)."""
    for step in regenerated(reading):
        issuer = reading.known.issuer(step.store or "", step.node)
        asks = word(Condition.SELF_SIGNED) in step.only_if
        if issuer is Issuer.CA_SIGNED and not (asks and step.node is None):
            text = f"{step.store} is CA-signed: regenerating makes it self-signed."
            yield broken("S1", text, step)
        elif issuer is not Issuer.SELF_SIGNED and not asks:
            text = "it must hang on the certificate being self-signed; nobody knows that yet."
            yield broken("S1", text, step)
    for step in reading.of(StepKind.UPLOAD):
        yield from _not_delivered(reading, step)


def _not_delivered(reading: Reading, upload: Step) -> Iterator[Violation]:
    """Yield what is missing before an upload: request and delivery, then the CA's chain."""
    chain = [s for s in reading.of(StepKind.UPLOAD_CHAIN) if _for(s, upload)]
    chain = [s for s in chain if place(s) == place(upload) and reading.before(s, upload)]
    if not chain:
        yield broken("S1", "the CA's chain is not uploaded before this certificate.", upload)
        return
    if _reuses(reading, upload):
        return
    asked = [s for s in reading.of(StepKind.REQUEST) if _for(s, upload)]
    request = next((s for s in asked if place(s) == place(upload)), None)
    if request is None or not reading.before(request, chain[-1]):
        yield broken("S1", "no signing request is made before this upload.", upload)
    elif not reading.between(request, chain[-1], asked):
        yield broken("S1", "the signed certificate is not obtained before this upload.", upload)


def _for(step: Step, upload: Step) -> bool:
    return step.store == upload.store


def _reuses(reading: Reading, upload: Step) -> bool:
    """Tell whether an upload takes over another store's certificate, as the inventory says."""
    cluster = reading.known.cluster
    return any(c.reused_for == upload.store for c in (cluster.certificates if cluster else ()))


def multi_server_on_publisher(reading: Reading) -> Iterator[Violation]:
    """S3: a multi-server certificate is requested and uploaded on the publisher (SG14)."""
    for step in (*reading.renewals, *reading.of(StepKind.REQUEST)):
        outside = step.node is None and step.kind == StepKind.REQUEST
        known = reading.known.certificates(step.store or "", step.node)
        shared = any(certificate.multi_server for certificate in known)
        if shared and not outside and not reading.on_publisher(step):
            text = f"{step.store} is multi-server: only the publisher gets it, once."
            yield broken("S3", text, step)


def reuse_is_followed(reading: Reading) -> Iterator[Violation]:
    """S8: where a certificate is reused, its renewal is one of the other store too (TN222534)."""
    for step in reading.renewals:
        for known in reading.known.certificates(step.store or "", step.node):
            target = known.reused_for
            uploads = [s for s in reading.of(StepKind.UPLOAD) if s.store == target]
            if target and not any(reading.before(step, s) for s in uploads):
                yield broken("S8", f"{target} uses this certificate and is not renewed.", step)
    targets = (
        {c.reused_for for c in reading.known.cluster.certificates}
        if reading.known.cluster
        else set()
    )
    for step in regenerated(reading):
        if step.store in targets:
            yield broken("S8", f"{step.store} has no certificate of its own: it is reused.", step)
