"""Hypothesis strategies of chains: each step reads what an earlier one made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from pipelines.chains import KINDS, SOURCE, TARGET, Step

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

# Names that sort in another order than they are made, of every allowed kind of character.
_SEGMENT = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,3}", fullmatch=True)
NAMES = st.lists(_SEGMENT, min_size=1, max_size=2).map(".".join)
# With a suffix, so that none is the default state of a component, or a source.
DATASETS = _SEGMENT.map("{}-made".format)
_ALL_TAGS = ["image.big", "image.small", "resources.gpu", "resources.cpu", "nightly"]
TAGS = st.lists(
    st.sampled_from(_ALL_TAGS),
    unique_by=lambda tag: tag.partition(".")[0],
    max_size=2,
).map(tuple)


@st.composite
def chains(draw: DrawFn, *, min_size: int = 1, max_size: int = 8) -> list[Step]:
    """Draw the steps of a chain that is legal in this order."""
    size = draw(st.integers(min_size, max_size))
    names = draw(st.lists(NAMES, min_size=size, max_size=size, unique=True))
    made = draw(st.lists(DATASETS, min_size=2 * size, max_size=2 * size, unique=True))
    both_phases, training = [SOURCE], [(SOURCE, TARGET)]
    steps = []
    for i in range(size):
        step = Step(
            kind=draw(st.sampled_from(sorted(KINDS))),
            name=names[i],
            reads=tuple(draw(st.sampled_from(both_phases)) for _ in range(2)),
            learns_from=draw(st.sampled_from(training)),
            makes=(made[2 * i], made[2 * i + 1]),
            tags=draw(TAGS),
        )
        steps.append(step)
        if step.kind == "train_only":
            training.append(step.makes)
        else:
            both_phases += step.made
            training.append((step.made[0], TARGET))
    return steps
