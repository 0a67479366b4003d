"""What is wrong with a finished plan."""

from dataclasses import dataclass

from watcher.model.plan import Step


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a plan breaks, the numbers of the steps concerned, and why it matters."""

    rule: str
    steps: tuple[int, ...]
    text: str

    def __str__(self) -> str:
        """Print rule, steps and sentence on one line."""
        numbers = ", ".join(str(number) for number in self.steps)
        where = f" step{'s' if len(self.steps) > 1 else ''} {numbers}:" if numbers else ""
        return f"{self.rule}:{where} {self.text}"


def broken(rule: str, text: str, *steps: Step) -> Violation:
    """Return the violation of a rule by these steps."""
    return Violation(rule, tuple(step.number for step in steps), text)
