"""What a user said in a definition, and what is wrong with it as it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats import names
from kedro_rats.errors import Breach, DefinitionError, shown
from kedro_rats.estimators.arguments import Names, check_names

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True, eq=False)
class Definition:
    """The arguments of `estimator`, with the defaults filled in."""

    name: str
    learns: Any
    apply: Any
    inputs: Names
    fit_inputs: Names
    outputs: Names
    state: str
    params: Any
    fused: bool | None
    train_outputs: bool
    tags: tuple[str, ...]

    @property
    def subject(self) -> str:
        """How a sentence about this definition begins."""
        return f"estimator {shown(self.name)}"

    @property
    def is_object(self) -> bool:
        """Whether it learns by an object with ``fit``, not by functions."""
        return hasattr(self.learns, "fit") and not isinstance(self.learns, type)

    def breaches(self) -> list[Breach]:
        """Return what is wrong without looking at methods and arguments."""
        return [
            *check_definition(self.subject, self.name, self.inputs, self.tags),
            *self._check_fit_inputs(),
            *check_names(f"{self.subject}, outputs", self.outputs),
            *self._check_state(),
            *self._check_learns(),
            *self._check_params(),
            *self._check_fused(),
        ]

    def _check_fit_inputs(self) -> list[Breach]:
        if self.fit_inputs is self.inputs:
            return []
        return check_names(f"{self.subject}, fit_inputs", self.fit_inputs)

    def _check_state(self) -> list[Breach]:
        if self.state == default_state(self.name):
            return []
        return names.check_dataset(f"{self.subject}, state", self.state)

    def _check_learns(self) -> list[Breach]:
        expected = "an object with fit, or a function fit and a function apply"
        learns, apply = self.learns, self.apply
        if isinstance(learns, type) and hasattr(learns, "fit"):
            got = f"the class {learns.__name__}"
            remedy = f"Give an instance: {learns.__name__}()."
        elif self.is_object and apply is not None:
            got = "both"
            remedy = "Leave apply out: outputs name the methods of the object."
        elif not self.is_object and not callable(learns):
            got = shown(learns)
            remedy = "What needs no fit is a transformer: use transformer(…)."
        elif not self.is_object and not callable(apply):
            got = f"a function fit, and {shown(apply)} as apply"
            remedy = "Give apply(state, *inputs) as second argument."
        else:
            return []
        return [Breach(self.subject, expected, got, remedy)]

    def _check_params(self) -> list[Breach]:
        subject, params = f"{self.subject}, params", self.params
        if params is None:
            return []
        if not self.is_object:
            remedy = "Add it to fit_inputs: a function takes parameters as arguments."
            return [Breach(subject, "no params for a function", shown(params), remedy)]
        if not isinstance(params, str) or not params.startswith("params:"):
            remedy = "Write params='params:NAME'."
            return [Breach(subject, "a dataset 'params:NAME'", shown(params), remedy)]
        return names.check_dataset(subject, params)

    def _check_fused(self) -> list[Breach]:
        if not self.fused or self.is_object:
            return []
        remedy = "Leave fused out: functions are two nodes."
        expected = "an object with fit_transform"
        return [Breach(f"{self.subject}, fused", expected, "functions", remedy)]


def default_state(name: str) -> str:
    """Return the dataset of the fitted object, where the user named none."""
    return f"{name}_state"


def default_name(kind: str, subject: object, name: str | None) -> str:
    """Return the name given, or else the class or function in snake case.

    Example:
        >>> default_name("transformer", len, None)
        'len'
    """
    if name is not None:
        return name
    own = getattr(subject, "__name__", None)
    if own is None and not callable(subject):
        own = type(subject).__name__
    if own is None or own == "<lambda>":
        breach = Breach(
            kind, "a name", f"{shown(subject)} without one", "Give name='…'."
        )
        raise DefinitionError(breach)
    return names.snake_case(own)


def check_definition(
    subject: str, name: str, inputs: object, tags: Sequence[object]
) -> list[Breach]:
    """Return what is wrong with the name, the inputs and the tags of a definition."""
    breaches = names.check_name(f"{subject}, name", name)
    breaches += check_names(f"{subject}, inputs", inputs)
    tag_breaches = names.check_tags(f"{subject}, tags", tags)
    if not tag_breaches:
        given = [tag for tag in tags if isinstance(tag, str)]
        tag_breaches = names.check_one_of_a_kind(f"{subject}, tags", given)
    return breaches + tag_breaches
