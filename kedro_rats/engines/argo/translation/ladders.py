"""Memory ladders: a task that ran out of memory runs again with more.

A template cannot read its memory from an expression, so each step has a template of its
own, and a small DAG that leads from one to the next.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.placement.quantities import size_in_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hera.workflows import DAG

STEP: Final = "m"
"""The steps of a ladder are called m0, m1 and so on."""

_OUT_OF_MEMORY: Final = 137

# The status is always known when this is asked, so Argo does not answer too early, when
# it knows nothing of the step yet. An exit code may be missing for ever (a pod that was
# evicted), and Argo would wait for it for ever.
_WHEN: Final = (
    "{{{{=tasks.{step}.status == 'Failed' "
    "&& (tasks.{step}?.exitCode ?? '') == '{code}'}}}}"
)

EXPRESSIONS: Final = (
    re.compile(
        re.escape(_WHEN.format(step="STEP", code=_OUT_OF_MEMORY)).replace(
            "STEP", rf"{STEP}\d+"
        )
    ),
)
"""What the texts of a ladder look like that are not plain."""


def steps(placement: Mapping[str, Any]) -> list[str | None]:
    """Return the memory of each attempt; None for what the placement itself says.

    Steps that are no more than there was before are passed over.

    Example:
        >>> steps({"resources": {"memory": "4Gi"},
        ...        "policy": {"memory_ladder": ["2Gi", "8Gi", "16Gi"]}})
        [None, '8Gi', '16Gi']
    """
    resources = placement.get("resources", {})
    had = resources.get("limits", {}).get("memory") or resources.get("memory")
    most = size_in_bytes(had) if had else 0
    ladder = placement.get("policy", {}).get("memory_ladder", [])
    return [None, *(step for step in ladder if size_in_bytes(step) > most)]


def ladder(name: str, templates: Sequence[str], *, task: str) -> DAG:
    """Return the DAG that tries one template after the other.

    Args:
        name: The DAG's name.
        templates: One for each step.
        task: What the step is told to run.
    """
    from hera.workflows import DAG, Parameter, Task

    tasks = [
        Task(
            name=f"{STEP}{index}",
            template=template,
            arguments=[Parameter(name="task", value=task)],
            depends=f"{STEP}{index - 1}.Failed" if index else None,
            when=_when(f"{STEP}{index - 1}") if index else None,
        )
        for index, template in enumerate(templates)
    ]
    return DAG(name=name, inputs=[Parameter(name="task")], tasks=[*tasks])


def _when(step: str) -> str:
    return _WHEN.format(step=step, code=_OUT_OF_MEMORY)
