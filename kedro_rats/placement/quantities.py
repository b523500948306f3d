"""Quantities as people write them, and the one form in which a plan carries them.

Cpu, memory and disk are written as Kubernetes writes them, durations as ``30s``, ``5m``
or ``1h30m``. Equal quantities have one canonical text, so that equal placements have
equal bytes.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Final

SIZE_PATTERN: Final = r"([0-9]{1,19}(?:\.[0-9]{1,9})?)([KMGTPE]i|[kMGTPE])?B?"
CPU_PATTERN: Final = r"([0-9]{1,10}(?:\.[0-9]{1,9})?)(m)?"
# What comes first refuses the empty text.
DURATION_PATTERN: Final = (
    r"(?=[0-9])([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,9}s)?"
)

_SIZE = re.compile(SIZE_PATTERN)
_CPU = re.compile(CPU_PATTERN)
_DURATION = re.compile(DURATION_PATTERN)

_UNITS: Final = {
    "": 1,
    **{f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", 1)},
    **{letter: 1000**power for power, letter in enumerate("kMGTPE", 1)},
}
_LARGEST_SIZE: Final = 2**63 - 1
_LEAST_ROOM: Final = 2**20
_LARGEST_CPU: Final = 10**9
_SECONDS: Final = (86_400, 3_600, 60, 1)
_LONGEST: Final = 10 * 365 * 86_400


class QuantityError(ValueError):
    """A text that is no quantity; says what was expected and what to do."""

    def __init__(self, expected: str, remedy: str) -> None:
        super().__init__(f"expected {expected}. {remedy}")
        self.expected = expected
        self.remedy = remedy


def size_in_bytes(value: object) -> int:
    """Return the bytes of a memory or disk size: ``2Gi``, ``500M`` or a whole number.

    Raises:
        QuantityError: If it is no size, not a whole number of bytes, or nothing.

    Example:
        >>> size_in_bytes("1.5Gi"), size_in_bytes("1GiB"), size_in_bytes(1000)
        (1610612736, 1073741824, 1000)
    """
    expected = "a size such as 512Mi, 2Gi or 10G"
    match = _SIZE.fullmatch(_written(value))
    if match is None:
        remedy = "Write a number and one of Ki, Mi, Gi, Ti, k, M, G, T."
        raise QuantityError(expected, remedy)
    size = Fraction(match[1]) * _UNITS[match[2] or ""]
    if size != int(size) or not 0 < size <= _LARGEST_SIZE:
        remedy = "Give a whole number of bytes, more than 0 and less than 8Ei."
        raise QuantityError(expected, remedy)
    return int(size)


def size_text(value: object) -> str:
    """Return the canonical text of a size: the one with the smallest number.

    Example:
        >>> size_text("2048Mi"), size_text("1.5Gi"), size_text(1000), size_text("10G")
        ('2Gi', '1536Mi', '1k', '10G')
    """
    size = size_in_bytes(value)
    fitting = [(size // unit, name) for name, unit in _UNITS.items() if not size % unit]
    # Two units never give the same number for one size, so the smallest is unique.
    number, name = min(fitting)
    return f"{number}{name}"


def room_text(value: object) -> str:
    """Return the canonical text of a size that a process can live in.

    Raises:
        QuantityError: If it is no size, or less than ``1Mi``: a unit was forgotten.

    Example:
        >>> room_text("2048Mi"), room_text(536870912)
        ('2Gi', '512Mi')
    """
    if size_in_bytes(value) < _LEAST_ROOM:
        expected = "a size of at least 1Mi, such as 512Mi, 2Gi or 10G"
        raise QuantityError(expected, "Write its unit: a bare number is bytes.")
    return size_text(value)


def cpu_in_millis(value: object) -> int:
    """Return the thousandths of a cpu: of ``500m``, ``0.5``, ``"2"`` or ``1``.

    Raises:
        QuantityError: If it is no amount of cpu, finer than a thousandth, or nothing.

    Example:
        >>> cpu_in_millis("500m"), cpu_in_millis(0.5), cpu_in_millis(2)
        (500, 500, 2000)
    """
    expected = "an amount of cpu such as 2, 0.5 or 500m"
    match = _CPU.fullmatch(_written(value))
    if match is None:
        remedy = "Write a number of cores, or thousandths with an m."
        raise QuantityError(expected, remedy)
    millis = Fraction(match[1]) * (1 if match[2] else 1000)
    if millis != int(millis) or not 0 < millis <= _LARGEST_CPU:
        remedy = "Give whole thousandths, at least 1m and at most 1000000."
        raise QuantityError(expected, remedy)
    return int(millis)


def cpu_text(value: object) -> str:
    """Return the canonical text of an amount of cpu.

    Example:
        >>> cpu_text(0.5), cpu_text("1000m"), cpu_text("1500m")
        ('500m', '1', '1500m')
    """
    millis = cpu_in_millis(value)
    return f"{millis}m" if millis % 1000 else f"{millis // 1000}"


def duration_in_seconds(value: object) -> int:
    """Return the seconds of a duration such as ``30s``, ``5m``, ``1h30m`` or ``2d``.

    Raises:
        QuantityError: If it is no duration; a bare number is none.

    Example:
        >>> duration_in_seconds("1h30m"), duration_in_seconds("0s")
        (5400, 0)
    """
    expected = "a duration such as 30s, 5m, 2h or 1h30m"
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        remedy = "Write whole numbers with d, h, m and s, the largest unit first."
        raise QuantityError(expected, remedy)
    numbers = (int((match[index] or "0s")[:-1]) for index in range(1, 5))
    seconds = sum(n * unit for n, unit in zip(numbers, _SECONDS, strict=True))
    if seconds > _LONGEST:
        raise QuantityError(expected, "Give at most ten years.")
    return seconds


def _written(value: object) -> str:
    """Return a number as text; ``""`` for what is neither a number nor a text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    # A YAML file may hold 1e9 or 2.0 as well; `f` writes them without an exponent. An
    # infinite number or NaN becomes a word, which no pattern takes.
    try:
        text = f"{Decimal(str(value)):f}"
    except ValueError:  # an integer with too many digits to be written
        return ""
    return text.rstrip("0").rstrip(".") if "." in text else text
