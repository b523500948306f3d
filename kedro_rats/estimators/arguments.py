"""How the datasets that a node reads become the arguments of a call."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from kedro_rats.errors import Breach, listed, shown
from kedro_rats.names import check_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Names: TypeAlias = str | list[str] | dict[str, str]
"""Datasets as Kedro's nodes take them: one, several, or by argument or key."""


_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


@dataclass(frozen=True)
class Arguments:
    """Datasets in a node's order, and how each is passed on.

    Attributes:
        datasets: What the node reads.
        keywords: For each dataset the name of its argument; None passes it by position.
    """

    datasets: tuple[str, ...]
    keywords: tuple[str | None, ...]

    @classmethod
    def parse(cls, names: Names) -> Arguments:
        """Return the arguments that a valid str, list or dict of datasets stands for.

        Example:
            >>> Arguments.parse({"X": "Z", "y": "y"}).keywords
            ('X', 'y')
        """
        if isinstance(names, dict):
            return cls(tuple(names.values()), tuple(names))
        datasets = (names,) if isinstance(names, str) else tuple(names)
        return cls(datasets, (None,) * len(datasets))

    def named_after(self, func: Callable[..., Any]) -> tuple[str, ...]:
        """Return a name for each argument, taken from ``func`` where it has one."""
        signature = signature_of(func)
        known = [
            parameter.name
            for parameter in (signature.parameters.values() if signature else ())
            if parameter.kind in _POSITIONAL
        ]
        return tuple(
            keyword or (known[i] if i < len(known) else f"input_{i}")
            for i, keyword in enumerate(self.keywords)
        )

    def first_of(self, func: Callable[..., Any]) -> str | None:
        """Return the dataset that becomes the first argument of ``func``."""
        if not self.datasets:
            return None
        if self.keywords[0] is None:
            return self.datasets[0]
        signature = signature_of(func)
        first = next(iter(signature.parameters), None) if signature else None
        return dict(zip(self.keywords, self.datasets, strict=True)).get(first)


def bind(
    keywords: Sequence[str | None], values: Sequence[object]
) -> tuple[list[object], dict[str, object]]:
    """Return ``values`` as positional and keyword arguments.

    Example:
        >>> bind([None, "y"], [1, 2])
        ([1], {'y': 2})
    """
    pairs = list(zip(keywords, values, strict=True))
    positional = [value for keyword, value in pairs if keyword is None]
    return positional, {keyword: value for keyword, value in pairs if keyword}


def signature_of(
    func: Callable[..., Any], *, follow_wrapped: bool | None = None
) -> inspect.Signature | None:
    """Return the signature of a callable, or None where Python cannot tell it.

    Of a decorated function it is the decorator's, as in Kedro's own check. Of a method it
    is the decorated one's: scikit-learn wraps ``fit`` and ``transform`` so that they seem
    to take anything.
    """
    try:
        if follow_wrapped is None:
            follow_wrapped = inspect.ismethod(func)
        return inspect.signature(func, follow_wrapped=follow_wrapped)
    except (TypeError, ValueError):
        return None


def check_names(subject: str, names: object) -> list[Breach]:
    """Return what is wrong with the datasets that a node is to read or to make."""
    if isinstance(names, str):
        return check_dataset(subject, names)
    if isinstance(names, (list, dict)) and names:
        values = list(names.values()) if isinstance(names, dict) else names
        breaches = [
            breach for value in values for breach in check_dataset(subject, value)
        ]
        keys = names if isinstance(names, dict) else {}
        return breaches + [
            Breach(
                subject, "argument or key names", shown(key), "Give strings as keys."
            )
            for key in keys
            if not isinstance(key, str)
        ]
    return [
        Breach(
            subject,
            "a dataset name, or a list or dict of them",
            shown(names),
            "Name at least one dataset, as in Kedro's nodes.",
        )
    ]


def check_call(
    subject: str,
    func: Callable[..., Any],
    arguments: Arguments,
    *,
    leading: int = 0,
    follow_wrapped: bool | None = None,
) -> list[Breach]:
    """Return a breach if ``func`` does not take ``arguments``.

    Args:
        subject: What the sentence is about.
        func: The function or method that will be called.
        arguments: What it will be called with.
        leading: Positional arguments that it gets before these.
        follow_wrapped: As in `signature_of`.
    """
    signature = signature_of(func, follow_wrapped=follow_wrapped)
    if signature is None:
        return []
    positional, keywords = bind(arguments.keywords, arguments.datasets)
    try:
        signature.bind(*[None] * leading, *positional, **keywords)
    except TypeError as error:
        got = ", ".join(
            [*map(str, positional), *map("{0[0]}={0[1]}".format, keywords.items())]
        )
        name = getattr(func, "__name__", type(func).__name__)
        takes = [
            str(parameter).split(":")[0] for parameter in signature.parameters.values()
        ]
        return [
            Breach(
                subject,
                f"what {name}({listed(takes[leading:])}) takes",
                f"{got} ({error})",
                "Give each required argument a dataset, and name no other.",
            )
        ]
    return []
