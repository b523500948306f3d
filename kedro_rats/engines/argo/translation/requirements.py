"""What a plan asks for that cannot be done on a cluster: all of it at once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.translation.pods import (
    RESERVED_FOLDERS,
    RESERVED_VARIABLES,
)
from kedro_rats.errors import Breach, listed, shown
from kedro_rats.plan.document import AGAIN
from kedro_rats.store.catalogued import is_local, kind_of
from kedro_rats.store.catalogued.entries import class_name, location_of, unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.encoding.objects import ObjectDecoder
    from kedro_rats.plan.model import Plan, Task

    Entry = Mapping[str, Any]

_SOME_ENV: Final = "--env ENV"

# Their file is a query: part of the project, and so of the image.
_QUERIES: Final = frozenset({"SQLQueryDataset", "GBQQueryDataset"})


def requirements(
    plan: Plan, *, store_uri: str, decoder: ObjectDecoder, env: str | None = None
) -> list[Breach]:
    """Return what a cluster cannot do, with what to do about it.

    Args:
        plan: The plan.
        store_uri: The store, as ``rats.yml`` names it.
        decoder: Reads catalog entries.
        env: Kedro's environment, for commands that help; None for its default.
    """
    found = [*_store(store_uri), *_data(plan, decoder), *impossible(plan)]
    if env is None:
        return found
    return [
        replace(breach, remedy=breach.remedy.replace(_SOME_ENV, f"--env={env}"))
        for breach in found
    ]


def impossible(plan: Iterable[Task]) -> list[Breach]:
    """Return what placements ask for that no workflow can say."""
    asking: dict[Breach, list[str]] = {}
    known: dict[str, list[Breach]] = {}
    for task in plan:
        key = json.dumps(task.placement, sort_keys=True)
        if key not in known:
            known[key] = [b for check in _CHECKS for b in check(task.placement)]
        for breach in known[key]:
            asking.setdefault(breach, []).append(task.label)
    return [
        Breach(f"{_who(who)}, {b.subject}", b.expected, b.got, b.remedy)
        for b, who in asking.items()
    ]


def _who(labels: list[str]) -> str:
    first, *others = labels
    return f"task {first!r}" + (f" and {len(others)} more" if others else "")


# --- data -----------------------------------------------------------------------------


def _store(uri: str) -> Iterator[Breach]:
    if not uri.startswith("s3://"):
        yield Breach(
            "rats.yml, store",
            "a place that pods can reach, such as s3://BUCKET/PREFIX",
            shown(uri),
            "Set it in the rats.yml of this environment.",
        )


def _data(plan: Plan, decoder: ObjectDecoder) -> Iterator[Breach]:
    decoded: dict[str, Entry] = {}

    def entry(name: str, encoded: Json) -> Entry:
        if name not in decoded:
            decoded[name] = decoder.decode(encoded)
        return decoded[name]

    outputs = {
        name: entry(name, encoded)
        for task in plan
        for name, encoded in (*task.writes.items(), *task.confirms.items())
        if encoded is not None
    }
    for name in sorted(outputs):
        if is_local(outputs[name]):
            yield _local_output(name, outputs[name])
    inputs = {
        name: source.entry
        for task in plan
        for name, source in task.reads.items()
        if source.task is None and source.entry is not None and name not in outputs
    }
    for name in sorted(inputs):
        if _is_read_in_place(entry(name, inputs[name])):
            yield _local_input(name, entry(name, inputs[name]))


def _local_output(name: str, entry: Entry) -> Breach:
    return Breach(
        f"dataset {name!r}",
        "a place that pods can write, such as s3://BUCKET/PATH",
        f"the local path {shown(_path(entry))}",
        f"`kedro rats init --argo {_SOME_ENV}` gives such outputs a place on S3; or leave "
        "its entry out of the catalog of this environment: the store keeps it.",
    )


def _local_input(name: str, entry: Entry) -> Breach:
    return Breach(
        f"dataset {name!r}",
        "a place that pods can read, such as s3://BUCKET/PATH",
        f"the local path {shown(_path(entry))} of a {class_name(entry)}, which cannot "
        "be imported",
        "Give it a place on S3 in the catalog of this environment.",
    )


def _path(entry: Entry) -> str:
    location = location_of(entry)
    return location.uri if location is not None else ""


def _is_read_in_place(entry: Entry) -> bool:
    """Say whether an input is read where it is, and that is on this machine."""
    inner = unwrapped(entry)
    return (
        is_local(entry)
        and kind_of(entry) == "in_place"
        and class_name(inner) not in _QUERIES
    )


# --- placements -----------------------------------------------------------------------


def _image(placement: Mapping[str, Any]) -> Iterator[Breach]:
    if not placement.get("image", {}).get("ref"):
        yield Breach(
            "image",
            "one",
            "none",
            f"Build it with `kedro rats build {_SOME_ENV}`, or name one under image and "
            "default in rats.yml.",
        )


def _policy(placement: Mapping[str, Any]) -> Iterator[Breach]:
    policy = placement.get("policy", {})
    if "deadline" in policy and policy.get("memory_ladder"):
        yield Breach(
            "policy",
            "a deadline or a memory_ladder",
            "both",
            "Argo has no deadline for attempts of different sizes together: give a "
            "timeout for each, or leave one of them out.",
        )
    factor = policy.get("backoff", {}).get("factor", 2)
    if factor != int(factor):
        remedy = "Argo takes no other: round it."
        yield Breach("policy, backoff.factor", "a whole number", shown(factor), remedy)


def _tolerations(placement: Mapping[str, Any]) -> Iterator[Breach]:
    for said in placement.get("resources", {}).get("tolerations", []):
        if "seconds" in said and said.get("effect") != "NoExecute":
            yield Breach(
                "resources, tolerations",
                "seconds with effect NoExecute alone",
                shown(said.get("effect")),
                "Kubernetes takes them with no other: leave them out, or change it.",
            )


def _affinity(placement: Mapping[str, Any]) -> Iterator[Breach]:
    said = placement.get("resources", {}).get("affinity")
    if not said:
        return
    from hera.workflows import models
    from pydantic import ValidationError

    expected = "an affinity as in a pod of Kubernetes"
    remedy = "Mend the spelling: nothing of it may get lost."
    try:
        model = models.Affinity.model_validate(said)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        got = f"something else at {where}"
        yield Breach("resources, affinity", expected, got, remedy)
        return
    # Hera leaves out what it does not know.
    known = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    if known != said:
        got = f"keys that it has not ({listed(_lost(said, known))})"
        yield Breach("resources, affinity", expected, got, remedy)


def _lost(said: Any, known: Any) -> list[str]:
    """Return the keys of one value that another one has not."""
    if isinstance(said, list) and isinstance(known, list):
        pairs = zip(said, known, strict=False)
        return [key for one, other in pairs for key in _lost(one, other)]
    if not isinstance(said, dict) or not isinstance(known, dict):
        return []
    found = [key for key in said if key not in known]
    return found + [key for k in known for key in _lost(said.get(k), known[k])]


def _binding(placement: Mapping[str, Any]) -> Iterator[Breach]:
    bind = placement.get("bind", {})
    for name in bind.get("env", {}):
        if name.startswith(RESERVED_VARIABLES):
            remedy = "Rename it: kedro-rats and Argo set such variables."
            expected = f"no name that begins with {' or '.join(RESERVED_VARIABLES)}"
            yield Breach("bind, variables", expected, name, remedy)
    for folder in bind.get("mounts", {}):
        if any(f"{folder}/".startswith(f"{own}/") for own in RESERVED_FOLDERS):
            remedy = "Mount it elsewhere."
            expected = f"no folder of {' or '.join(RESERVED_FOLDERS)}"
            yield Breach("bind, folders", expected, folder, remedy)


def _known(placement: Mapping[str, Any]) -> Iterator[Breach]:
    """Refuse what this version does not know, so that nothing is left out."""
    for kind, known in _KNOWN.items():
        said = placement.get(kind, {})
        unknown = [key for key in said if key not in known]
        if unknown:
            yield Breach(kind, f"keys {listed(known)}", listed(unknown), AGAIN)


_KNOWN: Final = {
    "image": ("ref", "pull", "pull_secrets"),
    "resources": (
        *("cpu", "memory", "disk", "gpu", "extended", "limits", "node_selector"),
        *("tolerations", "affinity", "scheduler", "queue", "priority"),
    ),
    "policy": (
        *("retries", "backoff", "timeout", "deadline", "pending", "memory_ladder"),
    ),
    "bind": ("env", "env_from", "mounts"),
}

_CHECKS: Final[tuple[Callable[[Mapping[str, Any]], Iterator[Breach]], ...]] = (
    *(_known, _image, _policy, _tolerations, _affinity, _binding),
)
