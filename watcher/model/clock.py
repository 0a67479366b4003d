"""How lengths and moments are written, everywhere alike."""

from datetime import datetime, tzinfo

_HOUR = 60


def hours(minutes: int) -> str:
    """Return a length, such as `4 h 05 min`."""
    return f"{minutes // 60} h {minutes % 60:02d} min"


def short_hours(minutes: int) -> str:
    """Return a length; less than an hour in minutes alone."""
    return hours(minutes) if minutes >= _HOUR else f"{minutes} min"


def moment(at: datetime, zone: tzinfo) -> str:
    """Return an aware moment as the clock of a zone shows it; say the zone's name beside it."""
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M}"


def sure_moment(at: datetime, zone: tzinfo) -> str:
    """Return a moment with the zone's short name: in autumn an hour comes twice."""
    local = at.astimezone(zone)
    return f"{moment(local, zone)} {local:%Z}"
