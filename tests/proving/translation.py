"""The printed steps of a plan -> the lines of a steps file, as an engineer would copy them.

Written for the independent check and sharing nothing with the reader that the product proves its
plans with. A step that cannot be understood is an error, never left out in silence.
"""

PROCESSES = {
    "cisco-tftp": "TFTP", "cisco-tvs": "TVS", "cisco-callmanager": "CCM", "cisco-capf": "CAPF",
    "cisco-tomcat": "Tomcat", "cisco-drf-master": "DRFMaster", "cisco-drf-local": "DRFLocal",
}  # fmt: skip
WITHOUT_A_MODEL = {
    "cisco-uds-tomcat", "cisco-axl-tomcat", "cisco-haproxy", "cisco-ils", "cisco-lbm",
    "cisco-extension-mobility", "cisco-cti-manager", "cisco-ctl-provider",
}  # fmt: skip
"""Services that hold nothing a phone is shown."""
LOOKING = {
    "find-out", "check", "verify", "verify-backup", "canary", "request", "upload-chain", "record",
}  # fmt: skip
"""Kinds of steps that change nothing of what phones trust."""
PHONE_FACING = {"CallManager", "TVS", "CAPF", "ITLRecovery"}


class Translation:
    """The lines of one plan for one document."""

    def __init__(self, document):
        self.document = document
        self.names = {f"{document['id']}-{n['name']}": n["name"] for n in _nodes(document)}
        self.lines = []
        self.reset_runs = False

    def lines_of(self, step):
        """Return the lines that one printed step means."""
        if step.kind in LOOKING:
            return []
        return getattr(self, f"do_{step.kind.replace('-', '_')}")(step)

    def places(self, step):
        """Return the nodes that a step prints."""
        printed = [step.node] if step.node else step.where.split(", ")
        return [self.names[place] for place in printed]

    def do_regenerate(self, step):
        """Renew on each printed node."""
        return [f"regen {step.store} {node}" for node in self.places(step)]

    def do_upload(self, step):
        """Upload a certificate; a multi-server one is every node's."""
        if step.store in (self.document["cluster"].get("multi_san") or ()):
            return [f"upload_signed {step.store} cluster"]
        return [f"upload_signed {step.store} {node}" for node in self.places(step)]

    def do_restart(self, step):
        """Restart, stop or start a service."""
        if step.service in WITHOUT_A_MODEL:
            return []
        return [f"{step.kind} {PROCESSES[step.service]} {node}" for node in self.places(step)]

    do_stop = do_start = do_restart

    def do_parameter(self, step):
        """Set an enterprise parameter."""
        before = self.document["cluster"].get("phone_interaction", "auto")
        return [
            {
                "rollback-on": "rollback on",
                "rollback-off": "rollback off",
                "set-phone-interaction-manual": "phone_interaction manual",
                "restore-phone-interaction": f"phone_interaction {before}",
            }[step.key]
        ]

    def do_ctl_update(self, _):
        """Update the CTL, with tokens or without."""
        return ["ctl_update"]

    def do_localkey(self, step):
        """Sign a list with the other key."""
        return [step.key.replace("-", "_")]

    def do_reset(self, _):
        """Reset all phones; nobody waits yet."""
        self.reset_runs = True
        return ["auto_reset"]

    def do_wait(self, _):
        """Wait for registrations: a barrier if phones were reset since the last one."""
        waited, self.reset_runs = self.reset_runs, False
        return ["RESET+WAIT"] if waited else []

    def do_backup(self, _):
        """Take a backup."""
        return ["drs_backup"]

    def do_save(self, step):
        """Keep copies; of these only the exported key is one more way out."""
        return ["export_p12"] if step.key == "export-recovery-key" else []

    def do_reissue(self, _):
        """Give new LSCs to all phones that have one."""
        return [f"lsc_reissue {g['name']}" for g in self.document["groups"] if holds_lsc(g)]

    def do_delete(self, _):
        """Delete what the alarm was about: an older copy than any of the model's."""
        return ["verify deletion"]

    def do_tell(self, step):
        """Give a certificate to those outside that ask phones for an LSC."""
        if step.store != "CAPF":
            return []
        return [f"tell {kind} CAPF" for kind in sorted(peers(self.document))]


def translated(plan, document, *, optional=False):
    """Return the lines of a plan; the less likely of two branches is never taken."""
    reader = Translation(document)
    taken = [s for s in plan.steps if not s.alternative and (optional or not s.optional)]
    return [line for step in taken for line in reader.lines_of(step)]


def faces_phones(lines):
    """Tell whether an order renews what phones trust."""
    renewals = [line.split() for line in lines if line.startswith(("regen ", "upload_signed "))]
    return any(words[1] in PHONE_FACING for words in renewals)


def holds_lsc(group):
    """Tell whether phones of a group have an LSC."""
    implied = (
        0 if group.get("mode", "non_secure") != "non_secure" and not group.get("mic") else None
    )
    return group.get("lsc", implied) is not None


def peers(document):
    """Return the kinds of parties outside that phones show their certificate to."""
    groups = document["groups"]
    asked = {"RADIUS"} if any(group.get("dot1x") == "LSC" for group in groups) else set()
    return asked | ({"VPN"} if any(group.get("vpn") for group in groups) else set())


def _nodes(document):
    return document["cluster"]["nodes"]
