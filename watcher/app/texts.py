"""Files that people write, as they are in force: settings, inventory, rule packs."""

from watcher.app.files import read_text
from watcher.app.in_force import held, note


def read_in_force(name: str) -> str:
    """Return the text that a daemon took over, where one started us; else the file's."""
    text = held(name)
    if text is None:
        text = read_text(name)
        note(name, text)
    return text
