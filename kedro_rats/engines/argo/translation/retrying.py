"""Which failures of a pod are worth another attempt, and when that begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hera.workflows import models

    from kedro_rats.engines.argo.settings import ArgoSettings

# What Kubernetes and our own process say of a failure that would come again: out of
# memory, out of time, more disk than it may use, a task that can be run nowhere.
_AGAIN: Final = (
    "OOMKilled",
    "out-of-memory",
    "bad-input",
    "longer than the specified deadline",
    "exceeds the",
    "exceeded its",
)
# -1: no container has said how it ended, so the pod was evicted or never began. 2 without
# our process's word for it: the pod was deleted before Argo's helper had begun our process,
# and that is how programs in Go end then.
_CODES: Final = ("-1", "2", "75", "137", "143")

EXPRESSION: Final = (
    f"not ({' or '.join(f'lastRetry.message contains {text!r}' for text in _AGAIN)})"
    " and (lastRetry.status == 'Error'"
    f" or lastRetry.exitCode in [{', '.join(map(repr, _CODES))}])"
)
"""When Argo runs a pod again: its infrastructure failed, not what it did."""

_DELAY: Final = 5
_FACTOR: Final = 4


def retry_strategy(
    policy: Mapping[str, Any], settings: ArgoSettings
) -> models.RetryStrategy | None:
    """Return how a pod is retried; None if it is not.

    Args:
        policy: Of the placement.
        settings: Of the engine.
    """
    from hera.workflows import models

    retries = policy.get("retries", settings.retries)
    if not retries:
        return None
    return models.RetryStrategy(
        limit=models.IntOrString(root=str(retries)),
        retry_policy="Always",
        expression=EXPRESSION,
        backoff=_backoff(policy, retries),
    )


def _backoff(policy: Mapping[str, Any], retries: int) -> models.Backoff:
    from hera.workflows import models

    said = policy.get("backoff", {})
    delay, longest = said.get("delay", _DELAY), said.get("max")
    factor = int(said.get("factor", 2 if said else _FACTOR))
    deadline = policy.get("deadline")
    # Argo 3.6 has no cap; where no delay reaches it, none is needed.
    is_reached = longest is not None and delay * factor ** (retries - 1) > longest
    return models.Backoff(
        duration=str(delay),
        factor=models.IntOrString(root=str(factor)),
        cap=str(longest) if is_reached else None,
        max_duration=str(deadline) if deadline else None,
    )
