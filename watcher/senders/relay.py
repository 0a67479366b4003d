"""Hands a finished letter of the digest to the site's relay."""

from watcher.model.digest import Answer
from watcher.senders.smtp import Answers, RelayOptions, Smtp


class Relay:
    """The relay of a site."""

    def __init__(self, options: RelayOptions) -> None:
        self.options = options
        self._smtp = Smtp(options)

    def deliver(self, letter: bytes, to: tuple[str, ...]) -> Answers:
        """Send one mail to these recipients; never raises, and never tries again.

        A no to us, such as to our password, is no recipient's; people mend that, and it can wait.
        """
        brought = self._smtp.bring(letter, to)
        if not brought.us:
            return brought.answers
        return {one: (Answer.LATER, told) for one, (_, told) in brought.answers.items()}
