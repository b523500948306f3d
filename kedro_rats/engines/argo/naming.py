"""Names of workflows, and texts that may be labels."""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from kedro_rats.errors import Breach, raise_if, shown
from kedro_rats.plan.naming import slug
from kedro_rats.store.layout import check_run

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX: Final = "rats.kedro/"
"""Labels and annotations that kedro-rats sets begin so."""

PROJECT: Final = f"{PREFIX}project"
PIPELINE: Final = f"{PREFIX}pipeline"
RUN: Final = f"{PREFIX}run"
PLAN: Final = f"{PREFIX}plan"
TASK: Final = f"{PREFIX}task"
REQUEST: Final = f"{PREFIX}request"
STORE: Final = f"{PREFIX}store"
OUTPUTS: Final = f"{PREFIX}outputs"

_LONGEST_LABEL: Final = 63
_PROJECT_LENGTH: Final = 30
_DIGITS: Final = 8
_LABEL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


def workflow_name(project: str, run: str) -> str:
    """Return the name of the workflow of a run.

    It is the same for the same run, so that what is submitted twice is one workflow.

    Args:
        project: The project's name.
        run: The run's id.

    Example:
        >>> workflow_name("Penguins", "2026-11-21T13.40.05.123Z")
        'penguins-ac6e41f1'
    """
    head = slug(project)[:_PROJECT_LENGTH].strip("-") or "task"
    return f"{head}-{sha256(run.encode()).hexdigest()[:_DIGITS]}"


def check_key(key: str) -> str:
    """Return a run's id that can be the value of a label.

    Raises:
        DefinitionError: If it cannot.

    Example:
        >>> check_key("nightly-2026-11-21")
        'nightly-2026-11-21'
    """
    check_run(key)
    expected = "at most 63 of A-Z, a-z, 0-9, '.', '_', '-', the last a letter or digit"
    remedy = "Shorten or rename it: it is a label in the cluster."
    breach = Breach("run", expected, shown(key), remedy)
    raise_if([] if _LABEL.fullmatch(key) else [breach])
    return key


def label_value(text: str) -> str:
    """Return what can be kept of a text where only the value of a label may stand.

    What had to be changed ends with a digest, so that two texts stay two.

    Example:
        >>> label_value("__default__"), label_value("Zoë's"), label_value("train")
        ('default-2f2d9de3', 'Zo-s-50acc63e', 'train')
    """
    if _LABEL.fullmatch(text):
        return text
    digits = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")
    kept = kept[: _LONGEST_LABEL - _DIGITS - 1].rstrip("._-")
    return f"{kept}-{digits}" if kept else digits


class Namer:
    """Gives names that are not alike, and the same ones for the same labels.

    Args:
        given: Names that are taken.

    Example:
        >>> namer = Namer()
        >>> [namer.name(label) for label in ("fold_0", "fold-0", "fold-0-2")]
        ['fold-0', 'fold-0-2', 'fold-0-2-2']
        >>> namer.name("01_clean"), namer.name("in")
        ('n-01-clean', 'n-in')
    """

    def __init__(self, given: Iterable[str] = ()) -> None:
        self._given = set(given)
        self._count: Counter[str] = Counter()

    def name(self, label: str) -> str:
        """Return what can be kept of a label, with a number if that was given before."""
        kept = found = _readable(slug(label))
        while found in self._given:
            self._count[kept] += 1
            found = f"{kept}-{self._count[kept] + 1}"
        self._given.add(found)
        return found


# Argo makes `NAME.Succeeded && …` of what a task waits for, and reads that with a language
# in which these mean something, and a name begins with a letter.
_WORDS: Final = frozenset(
    ("and", "contains", "else", "false", "if", "in", "let", "matches", "nil", "not")
) | {"or", "true"}


def _readable(name: str) -> str:
    return name if name[0].isalpha() and name not in _WORDS else f"n-{name}"
