"""A second opinion on the protocol: swaks sends; skipped where it is not installed."""

import asyncio
import shutil
from pathlib import Path

import pytest
from inputs.mailroom import OURS, listening
from inputs.test_smtp_tls import SERVER, USERS
from real.parts import Program, need

from watcher.model.message import Grade

LOGIN = ["--auth-user", "relay", "--auth-password", "hunter2"]


def swaks():
    path = shutil.which("swaks")
    return need(Program(Path(path)) if path else None, "swaks")


@pytest.mark.parametrize(
    ("arguments", "grade"),
    [
        ([], Grade.CLAIM),
        (["--tls"], Grade.CLAIM),
        (["--tls", "--auth", "PLAIN", *LOGIN], Grade.ATTRIBUTED),
        (["--tls", "--auth", "LOGIN", *LOGIN], Grade.ATTRIBUTED),
    ],
)
async def test_swaks_can_send(arguments, grade):
    program = swaks()
    async with listening(tls=SERVER, users=USERS) as (smtp, journal):
        host, port = smtp.addresses[0]
        told = ["--server", host, "--port", str(port), "--to", OURS, "--body", ".a dot\n."]
        await asyncio.to_thread(program.run, [*told, "--from", "a@b.example", *arguments])

    assert [grade] == [message.origin.grade for message in journal.kept]
    assert b"\r\n.a dot\r\n." in journal.data[0]
