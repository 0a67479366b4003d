"""Run what the packs say about themselves: examples, and whether every release is covered."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from watcher.model.release import Release, ReleaseRange
from watcher.rules.catalogue import Catalogue
from watcher.rules.crosscheck import walk
from watcher.rules.faults import dotted
from watcher.rules.select import Conditional, Facts, T, select
from watcher.rules.store import Answer, Example, Need, PhoneReset, Renewal, Restart, Scope, Store
from watcher.rules.terms import Condition

_OLDEST, _NEWEST = Release(1), Release(99)

Checked = Scope | Renewal | Answer | PhoneReset | tuple[object, ...] | None
"""What an example may state of a store."""


def check_examples(catalogue: Catalogue) -> tuple[str, ...]:
    """Return every mismatch of every example, and every gap, in words; none means all is well."""
    releases = stated_releases(catalogue)
    return tuple(
        words
        for key, store in catalogue.stores.items()
        for words in (
            *mismatches(key, store),
            *gaps(key, store, releases),
            *dead(key, store, releases),
        )
    )


def mismatches(key: str, store: Store) -> Iterator[str]:
    """Yield what the store's own examples expect and its statements do not yield."""
    for number, example in enumerate(store.examples, 1):
        given = "".join(f", {condition}" for condition in example.given)
        name = f"{key}, example {number} ({example.release}{given})"
        if not store.releases.matches(example.release):
            yield f"{name}: the store exists in releases {store.releases} only"
        yield from (f"{name}: {words}" for words in _differences(store, example))


def gaps(key: str, store: Store, releases: Iterable[Release]) -> Iterator[str]:
    """Yield the releases of the store for which no statement may hold, whatever the cluster."""
    for release in releases:
        if not store.releases.matches(release):
            continue
        for name, statements in _always_stated(store).items():
            if not select(statements, release, {}):
                yield f"{key}: no `{name}` for release {release}"


def dead(key: str, store: Store, releases: Iterable[Release]) -> Iterator[str]:
    """Yield the statements that hold in no release of the store: a slip in a range."""
    known = [_OLDEST, *releases, _NEWEST]
    own = [release for release in known if store.releases.matches(release)]
    for path, item in walk(store):
        held = getattr(item, "releases", None)
        if isinstance(held, ReleaseRange) and not any(held.matches(release) for release in own):
            yield f"{key}: {dotted(path)} holds in no release of the store ({held})"


def stated_releases(catalogue: Catalogue) -> tuple[Release, ...]:
    """Return every release that some range in the catalogue names, oldest first."""
    ranges = {
        value
        for part in (catalogue.stores, catalogue.services, catalogue.steps)
        for _, item in walk(part)
        for name in type(item).model_fields
        if isinstance(value := getattr(item, name), ReleaseRange)
    }
    bounds = {term.bound.key: term.bound for found in ranges for term in found.terms}
    return tuple(bounds[key] for key in sorted(bounds))


def _always_stated(store: Store) -> Mapping[str, tuple[Conditional, ...]]:
    return {
        "renewal": store.renewal,
        "scope": store.scope,
        "impact": store.impact,
        "in_itl": store.in_itl,
        "in_ctl": store.in_ctl,
        "resets_phones": store.resets_phones,
    }


def _differences(store: Store, example: Example) -> Iterator[str]:
    facts = {condition: condition in example.given for condition in Condition}
    for name, actual_of in _STATED.items():
        expected: Checked = getattr(example, name)
        if expected is None:
            continue
        actual = actual_of(store, example.release, facts)
        if expected != actual:
            yield f"{name}: expected {_words(expected)}, actual {_words(actual)}"
    impact = [item.text.lower() for item in _holding(store.impact, example.release, facts)]
    for text in example.impact_mentions:
        if not any(text.lower() in statement for statement in impact):
            yield f"impact_mentions: {text!r} is in no impact that holds"


def _holding(items: Iterable[T], release: Release, facts: Facts) -> tuple[T, ...]:
    return tuple(selected.item for selected in select(items, release, facts))


def _rows(store: Store, release: Release, facts: Facts, needs: set[Need]) -> tuple[object, ...]:
    rows: tuple[Restart, ...] = _holding(store.restarts, release, facts)
    return tuple((row.service, row.on) for row in rows if row.need in needs)


def _first(items: tuple[T, ...]) -> T | None:
    return items[0] if items else None


def _value(name: str) -> Callable[[Store, Release, Facts], Checked]:
    def of(store: Store, release: Release, facts: Facts) -> Checked:
        first = _first(_holding(getattr(store, name), release, facts))
        value: Checked = getattr(first, "value", None)
        return value

    return of


_STATED: Mapping[str, Callable[[Store, Release, Facts], Checked]] = {
    "renewal": _value("renewal"),
    "scope": _value("scope"),
    "in_itl": _value("in_itl"),
    "in_ctl": _value("in_ctl"),
    "resets_phones": _value("resets_phones"),
    "copies_to": lambda s, r, f: tuple(copy.store for copy in _holding(s.copies_to, r, f)),
    "restarts": lambda s, r, f: _rows(s, r, f, {Need.REQUIRED}),
    "also_offered": lambda s, r, f: _rows(s, r, f, {Need.OPTIONAL, Need.AUTOMATIC}),
    "tells": lambda s, r, f: tuple(party.party for party in _holding(s.tell, r, f)),
}
"""What each field of an example is compared with."""


def _words(value: object) -> str:
    if isinstance(value, tuple):
        inner = ", ".join(
            f"{entry[0]} on {entry[1]}" if isinstance(entry, tuple) else str(entry)
            for entry in value
        )
        return f"[{inner}]"
    return "nothing" if value is None else str(value)
