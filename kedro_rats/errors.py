"""What kedro-rats says when a definition or an input is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN_LENGTH = 80


class RatsError(Exception):
    """Base of the errors that kedro-rats raises on purpose."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule that was not kept, as a sentence for the person who can mend it.

    Args:
        subject: What is wrong, e.g. ``"estimator 'clf', outputs"``.
        expected: What the rule asks for.
        got: What was there instead.
        remedy: What to do, as a whole sentence.

    Example:
        >>> print(Breach("metric 'auc'", "a function", "3", "Give roc_auc_score."))
        metric 'auc': expected a function, got 3. Give roc_auc_score.
    """

    subject: str
    expected: str
    got: str
    remedy: str

    def __str__(self) -> str:
        return (
            f"{self.subject}: expected {self.expected}, got {self.got}. {self.remedy}"
        )


class LeakWarning(UserWarning):
    """Something is fitted on all rows before a combinator splits them.

    What is judged on a fold has then seen the rows that it is judged on. Folds inside
    `pseudolabel` do so too: their rows have labels from fits on all labelled rows.
    """


class DefinitionError(RatsError, ValueError):
    """A pipeline was defined wrongly; nothing was run, written or submitted.

    Attributes:
        breaches: All that was found wrong, in the order in which it was found. The
            message has one line for each.
    """

    def __init__(self, *breaches: Breach) -> None:
        super().__init__(*breaches)
        self.breaches = breaches

    def __str__(self) -> str:
        return "\n".join(str(breach) for breach in self.breaches)


def raise_if(breaches: Iterable[Breach]) -> None:
    """Raise one ``DefinitionError`` for all ``breaches``, if there are any."""
    found = tuple(dict.fromkeys(breaches))
    if found:
        raise DefinitionError(*found)


def shown(value: object) -> str:
    """Return a short ``repr`` of ``value`` that stays on one line.

    Example:
        >>> shown("x" * 300)[-6:]
        "xx...'"
    """
    text = " ".join(repr(value).split())
    if len(text) <= _SHOWN_LENGTH:
        return text
    quote = text[-1] if text[0] == text[-1] and text[0] in "'\"" else ""
    return f"{text[:_SHOWN_LENGTH]}...{quote}"


def listed(names: Iterable[str]) -> str:
    """Return names for a sentence, in the order given; ``nothing`` if there are none.

    Example:
        >>> listed(["X", "y"])
        'X, y'
    """
    return ", ".join(names) or "nothing"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``Did you mean …?`` for a name that is almost a known one, else ``""``.

    Example:
        >>> nearest("predit", ["predict", "transform"])
        "Did you mean 'predict'? "
        >>> nearest("c", ["C"])
        "Did you mean 'C'? "
    """
    known = list(known)
    matches = get_close_matches(name, known, n=1)
    matches += [one for one in known if one.lower() == name.lower()]
    return f"Did you mean {matches[0]!r}? " if matches else ""
