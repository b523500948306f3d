"""Names of tasks: safe everywhere, the same for the same definition, never two alike."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

TASK_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
"""What a task's name looks like; at most 63 characters (a label in Kubernetes)."""

_SLUG_LENGTH = 40
_DIGITS = 6


def task_names(labels: Iterable[str]) -> list[str]:
    """Return a name for each label: what can be kept of it, and six hex digits.

    The digits are of a digest of the label, so that ``a_b`` and ``a-b`` stay apart and a
    name does not depend on the others; where two names still agree, the later has more
    digits.

    Raises:
        ValueError: If two labels are the same.

    Example:
        >>> task_names(["cv.fold_0", "cv.fold-0"])
        ['cv-fold-0-7cb4de', 'cv-fold-0-e0fb10']
    """
    names: dict[str, None] = {}
    seen: set[str] = set()
    for label in labels:
        if label in seen:
            msg = f"two tasks have one label, {label!r}"
            raise ValueError(msg)
        seen.add(label)
        digits = sha256(label.encode("utf-8", "surrogatepass")).hexdigest()
        length = _DIGITS
        while (name := f"{slug(label)}-{digits[:length]}") in names:
            length += 1
        names[name] = None
    return list(names)


def slug(text: str) -> str:
    """Return what is left of ``text`` when only ``[a-z0-9-]`` is allowed.

    Example:
        >>> slug("Über.Fold_0"), slug("{{x}}"), slug("--")
        ('ber-fold-0', 'x', 'task')
    """
    kept = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return kept[:_SLUG_LENGTH].rstrip("-") or "task"
