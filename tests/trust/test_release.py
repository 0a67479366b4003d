"""The switches of each release (trust facts, 1.1)."""

import pytest

from watcher.model.release import Release
from watcher.trust.release import profile

SWITCHES = (
    "recovery_key", "recovery_signs", "second_ctl_anchor", "tokens_beside_servers",
    "services_reload", "single_recovery", "live_callmanager", "interaction_parameter",
    "backup_by_tomcat", "ctl_client", "licensed_ctl",
)  # fmt: skip
TABLE = {
    "8.0(1)": "00000000010",
    "8.6(2)": "00000000010",
    "9.1(2)SU2a": "00000000010",
    "10.0(1)": "10000000010",
    "10.5(1)": "10000000010",
    "10.5(2)": "10100000010",
    "11.0(1)": "10100000010",
    "11.5": "10110000010",
    "11.5(1)SU9": "10110000010",
    "12.0": "11110000010",
    "12.5": "11111100011",
    "12.5(1)SU4": "11111100011",
    "14": "11111101101",
    "14SU1": "11111111101",
    "14SU3": "11111111101",
    "15": "11111111101",
    "15SU2": "11111111101",
}


@pytest.mark.parametrize(("release", "row"), TABLE.items())
def test_a_release_has_its_switches(release, row):
    found = profile(Release.parse(release))

    assert "".join(str(int(getattr(found, name))) for name in SWITCHES) == row
