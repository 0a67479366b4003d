"""Hands a finished mail to the site's relay, and says for each recipient what came of it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import aiosmtplib

from watcher.model.digest import Answer
from watcher.senders.answers import printable
from watcher.senders.mail import Mailer, MailOptions

Answers = Mapping[str, tuple[Answer, str]]
LARGEST = 10 << 20
_PERMANENT = 500
_WORDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """The relay; `largest` is what we hand over at most, in bytes."""

    options: MailOptions
    largest: int = LARGEST

    def deliver(self, letter: bytes, to: tuple[str, ...]) -> Answers:
        """Send one mail to these recipients; never raises, and never tries again."""
        if len(letter) > self.largest:
            told = f"the mail has {len(letter)} bytes, more than {self.largest}"
            return dict.fromkeys(to, (Answer.NEVER, told))
        mailer = Mailer(replace(self.options, recipients=to), lambda: datetime.now(UTC))  # noqa: TID251 -- a letter has its own date; nothing asks
        return asyncio.run(_session(mailer, letter, to))


async def _session(mailer: Mailer, letter: bytes, to: tuple[str, ...]) -> Answers:
    client, said = mailer.client(), _Said(mailer, to)
    try:
        async with asyncio.timeout(mailer.options.whole):
            await _speak(client, letter, said)
    except aiosmtplib.SMTPResponseException as error:
        # Before the mail itself a no is about us, such as a wrong password; people mend that.
        how = _answer(error.code) if said.begun else Answer.LATER
        said.rest(how, f"{error.code} {error.message}")
    except aiosmtplib.SMTPNotSupported as error:
        said.rest(Answer.LATER, str(error))
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        how = Answer.UNCLEAR if said.begun else Answer.LATER
        said.rest(how, f"no answer: {type(error).__name__} {error}")
    else:
        with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            await client.quit(timeout=5)
    finally:
        client.close()
    return said.answers


class _Said:
    """What was said so far; `begun`: the mail itself may be under way."""

    def __init__(self, mailer: Mailer, to: tuple[str, ...]) -> None:
        self.mailer = mailer
        self.waiting = list(to)
        self.answers: dict[str, tuple[Answer, str]] = {}
        self.begun = False

    def one(self, to: str, answer: Answer, told: str) -> None:
        words = printable(self.mailer.clean(told))[:_WORDS]
        self.answers[to] = (answer, words)
        self.waiting.remove(to)

    def rest(self, answer: Answer, told: str) -> None:
        for to in list(self.waiting):
            self.one(to, answer, told)


async def _speak(client: aiosmtplib.SMTP, letter: bytes, said: _Said) -> None:
    await client.connect()
    size = [f"size={len(letter)}"] if client.supports_extension("size") else []
    await client.mail(said.mailer.options.sender, options=size)
    for to in list(said.waiting):
        try:
            await client.rcpt(to)
        except aiosmtplib.SMTPResponseException as error:
            said.one(to, _answer(error.code), f"{error.code} {error.message}")
    if said.waiting:
        said.begun = True
        code, words = await client.data(letter)
        said.rest(Answer.TAKEN, f"{code} {words}")


def _answer(code: int) -> Answer:
    return Answer.NEVER if code >= _PERMANENT else Answer.LATER
