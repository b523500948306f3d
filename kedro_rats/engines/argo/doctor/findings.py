"""What a check of a cluster comes to: well, doubtful or wrong, and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: What it is, in a word or two.
        state: Whether it is well; ``warn`` for what may be, or cannot be known.
        said: What was found, without a full stop.
        remedy: What to do, as a whole sentence; empty where there is nothing to do.
    """

    check: str
    state: State
    said: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return it as a line.

        Example:
            >>> print(Finding("clock", "ok", "0.1 s apart"))
            ok    clock            0.1 s apart
        """
        end = f". {self.remedy}" if self.remedy else ""
        return f"{self.state:<4}  {self.check:<15}  {self.said.rstrip('.')}{end}"

    def to_json(self) -> dict[str, str]:
        """Return it as JSON."""
        return asdict(self)


def is_well(findings: Iterable[Finding]) -> bool:
    """Say whether nothing is wrong."""
    return all(finding.state != "fail" for finding in findings)
