"""What a syslog port hears besides: other services of UC servers, their Linux, routers."""

import random
from datetime import datetime

from watcher.traffic.cast import PlayedNode
from watcher.traffic.message import Form, Kind, Played
from watcher.traffic.record import stamp

CHATTER_SHARE = 0.4
"""Of all that is no alarm; the rest is no record of a UC server at all."""
_PHONE = (
    "[IPAddress=192.0.2.98][Protocol=SIP][DeviceType=592][Description=Phone of a desk]"
    "[IPAddrAttributes=0][LastSignalReceived=SIPRegistration]"
)
_AUDIT = (
    "[ UserID =admin][ ClientAddress =192.0.2.5][ Severity =5][ EventType =Update]"
    "[ ResourceAccessed=Admin][ EventStatus =Success][ CompulsoryEvent =No]"
    "[ ComponentID =Cisco CUCM Administration][ AuditDetails =a row of table device was changed]"
)
_HEAD = "<189>{number}: {host}: {time} UTC :  "
_TAIL = "[AppID=Sample][ClusterID=][NodeID={name}]: Sample"
_CHATTER = (
    "<189>{number}: {time} UTC :  %UC_AUDITLOG-5-AdministrativeEvent: %"
    + _AUDIT
    + "[App ID=Cisco Tomcat][Cluster ID=][Node ID={name}]: Sample",
    _HEAD + "%UC_CALLMANAGER-6-EndPointRegistered: %[DeviceName=SEP{number:012X}]" + _PHONE + _TAIL,
    _HEAD + "%UC_CTI-6-CtiDeviceOpened: %[DeviceName=CTI{number}]" + _TAIL,
    # The words of a certificate alarm, in an alarm that is none.
    _HEAD + "%UC_GENERIC-6-ServiceStarted: %[ServiceName=Cisco Certificate Expiry Monitor]" + _TAIL,
)
_PROCTITLE = "2F7573722F62696E2F73616D706C65002D2D6F6E63650032"
_NOISE = (
    "<14>{number}: : audispd:node={name} type=EOE msg=audit({number}.975:{number}):",
    "<14>{number}: : audispd:node={name} type=PROCTITLE msg=audit({number}.1:1): proctitle="
    + _PROCTITLE,
    "<78>{short} {name} crond[{number}]: (root) CMD (a job of the night)",
    "<189>{number}: edge1: *{short}.411: %SYS-5-CONFIG_I: Configured from vty0 by a person",
    "<187>{number}: core2: {short}.21 NewYork: %PKI-3-CERTIFICATE_INVALID_EXPIRED: a sample",
    "<166>{year}-06-01T{clock}Z wall1 : %FTD-6-305012: Teardown of a translation",
    "<38>{short} {name} sshd[{number}]: session opened for user backup by (uid=0)",
)


def other(chance: random.Random, node: PlayedNode, at: datetime, number: int) -> Played:
    """Return one message that is no certificate alarm."""
    chatter, choice = chance.random() < CHATTER_SHARE, chance.getrandbits(16)
    text = (_chatter if chatter else _noise)(node, stamp(at), number, choice)
    kind = Kind.CHATTER if chatter else Kind.NOISE
    return Played(
        data=text.encode(), kind=kind, form=Form.REMOTE, at=at,
        node=node.name, address=node.address,
    )  # fmt: skip


def _chatter(node: PlayedNode, time: str, number: int, choice: int) -> str:
    return _CHATTER[choice % len(_CHATTER)].format(
        number=number, time=time, name=node.name, host=node.host
    )


def _noise(node: PlayedNode, time: str, number: int, choice: int) -> str:
    short, year = f"{time[:6]} {time[12:20]}", time[7:11]
    return _NOISE[choice % len(_NOISE)].format(
        number=number, short=short, name=node.name, year=year, clock=short[7:]
    )
