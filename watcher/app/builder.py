"""From settings to doors: which inputs there are, and what each is built from."""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from weakref import WeakValueDictionary

from watcher.app.doors import Door, Failed, PolledDoor, SmtpDoor, StreamDoor, UdpDoor
from watcher.app.settings import Prepared
from watcher.app.sockets import Sockets
from watcher.app.tls import Identity, ends_at
from watcher.inputs.admission import Budget, TokenBuckets
from watcher.inputs.files import SpoolInput, SpoolOptions
from watcher.inputs.follow import FollowInput, FollowOptions
from watcher.inputs.imap import ImapInput, ImapOptions, ImapSecurity
from watcher.inputs.reception import Reception
from watcher.inputs.secret import Secret
from watcher.model.message import Way
from watcher.model.status import ListenerCertificate
from watcher.ports import Clock, Journal
from watcher.settings.inputs import SmtpInput as SmtpShape
from watcher.settings.inputs import TcpInput as TcpShape
from watcher.settings.inputs import TlsInput as TlsShape
from watcher.wire.prefilter import Prefilter


class Builder:
    """Builds the doors of settings, and says which a reload must build anew."""

    def __init__(self, journal: Journal, clock: Clock, sockets: Sockets, failed: Failed) -> None:
        self._journal = journal
        self._clock = clock
        self._sockets = sockets
        self._failed = failed
        self._buckets: WeakValueDictionary[object, TokenBuckets] = WeakValueDictionary()
        """By their settings, while a door has them: a reload that fails must not split a budget."""

    def build(self, prepared: Prepared) -> list[Door]:
        """Return a door for each input of the settings, none of them open."""
        return [
            *self._udp(prepared), *self._streams(prepared), *self._smtp(prepared),
            *self._files(prepared), *self._mailboxes(prepared),
        ]  # fmt: skip

    def compare(
        self, doors: Mapping[str, Door], prepared: Prepared
    ) -> tuple[frozenset[str], list[Door]]:
        """Return the names of doors that may stay, and the doors that must be opened."""
        wanted = self.build(prepared)
        kept = {
            door.name for door in wanted
            if door.name in doors and doors[door.name].told == door.told
        }  # fmt: skip
        return frozenset(kept), [door for door in wanted if door.name not in kept]

    def _reception(self, name: str, admission: TokenBuckets | None = None) -> Reception:
        return Reception(name, self._journal, self._clock, admission)

    def _admission(self, prepared: Prepared) -> TokenBuckets:
        """Return the one budget that all syslog inputs share."""
        told = prepared.settings.admission
        buckets = self._buckets.get(told)
        if buckets is None:
            buckets = self._buckets[told] = TokenBuckets(Budget(
                source_rate=told.source_rate, source_depth=told.source_burst,
                rate=told.total_rate, depth=told.total_burst,
            ))  # fmt: skip
        return buckets

    def _udp(self, prepared: Prepared) -> Iterator[Door]:
        for shape in prepared.settings.inputs.udp:
            yield UdpDoor(
                shape, prepared, self._reception(shape.name, self._admission(prepared)),
                self._sockets, _prefilter(prepared), self._failed,
            )  # fmt: skip

    def _streams(self, prepared: Prepared) -> Iterator[Door]:
        settings = prepared.settings
        shapes: tuple[TcpShape | TlsShape, ...] = (*settings.inputs.tcp, *settings.tls_inputs())
        for shape in shapes:
            yield StreamDoor(
                shape, prepared, self._reception(shape.name, self._admission(prepared)),
                self._sockets, _prefilter(prepared), self._failed,
            )  # fmt: skip

    def _smtp(self, prepared: Prepared) -> Iterator[Door]:
        # Without a budget: what was answered with 250 is kept.
        for shape in prepared.settings.inputs.smtp:
            yield SmtpDoor(shape, prepared, self._reception(shape.name), self._sockets)

    def _files(self, prepared: Prepared) -> Iterator[Door]:
        marks = prepared.catalogue.alarms.marks
        for number, shape in enumerate(prepared.settings.inputs.files):
            reception, prefilter = self._reception(shape.name), _prefilter(prepared)
            if shape.folder is not None:
                folder = prepared.resolved(("inputs", "files", number, "folder"), shape.folder)
                spool = SpoolOptions(folder=folder, poll_seconds=shape.every.total_seconds())
                yield PolledDoor(
                    shape.name, Way.FILE, str(folder), (shape, folder, marks),
                    SpoolInput(reception, prefilter, spool),
                )  # fmt: skip
                continue
            patterns = tuple(
                str(prepared.resolved(("inputs", "files", number, "follow", place), path))
                for place, path in enumerate(shape.follow)
            )
            follow = FollowOptions(
                patterns=patterns, state=prepared.state_dir / f"follow-{shape.name}.json",
                poll_seconds=shape.every.total_seconds(),
            )  # fmt: skip
            yield PolledDoor(
                shape.name, Way.FILE, ", ".join(patterns), (shape, patterns, marks),
                FollowInput(reception, prefilter, follow),
            )  # fmt: skip

    def _mailboxes(self, prepared: Prepared) -> Iterator[Door]:
        told = zip(
            prepared.settings.inputs.imap, prepared.imap_secrets, prepared.imap_ca, strict=True
        )
        own_domain = prepared.settings.own_domain()
        for shape, secret, ca in told:
            options = ImapOptions(
                host=shape.host, port=shape.port, user=shape.user, folder=shape.folder,
                security=ImapSecurity(shape.security.value),
                password=secret if shape.password else None,
                token=None if shape.password else partial(_itself, secret),
                tls=ssl.create_default_context(cafile=str(ca)) if ca else None,
                move_to=shape.done_folder or "", own_domain=own_domain,
                mail_size=shape.message, poll_seconds=shape.every.total_seconds(),
            )  # fmt: skip
            where = f"{shape.user}@{shape.host}:{shape.port}/{shape.folder}"
            yield PolledDoor(
                shape.name, Way.IMAP, where,
                (shape, secret.reveal(), ca and ca.read_bytes(), own_domain),
                ImapInput(self._reception(shape.name), options),
            )  # fmt: skip


def _itself(secret: Secret) -> Secret:
    return secret


def _prefilter(prepared: Prepared) -> Prefilter:
    return Prefilter(prepared.catalogue.alarms.marks)


def certificates(prepared: Prepared) -> tuple[ListenerCertificate, ...]:
    """Return the certificates of our own listeners, with their end."""
    settings = prepared.settings
    pairs: list[tuple[Identity | None, Sequence[TlsShape | SmtpShape]]] = [
        (prepared.tls, settings.tls_inputs()), (prepared.smtp, settings.inputs.smtp)
    ]  # fmt: skip
    return tuple(
        ListenerCertificate(input=one.name, not_after=end)
        for identity, shapes in pairs
        if identity is not None and (end := ends_at(identity.certificate)) is not None
        for one in shapes
    )
