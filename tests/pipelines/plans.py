"""Plans made by hand, and workflows of Argo read again: who waits for whom."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from kedro_rats.engines.argo.settings import ArgoSettings
from kedro_rats.engines.argo.translation.workflow import Submission, translate
from kedro_rats.plan.model import Header, Plan, PlannedNode, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Json = dict[str, Any]

DIGEST = "0123456789abcdef" * 4
IMAGE = {"ref": "registry.example/app:1"}
SUBMISSION = Submission(
    name="shop-12345678",
    run="2026-11-21T13.40.05.123Z",
    plan=DIGEST,
    request=DIGEST[::-1],
    project="shop",
    pipeline="__default__",
    env="cluster",
    store="s3://bucket/rats",
)


def task(
    name: str,
    *after: str,
    namespace: str | None = None,
    writes: Mapping[str, Any] | None = None,
    **placement: Any,
) -> Task:
    """Return a task of one node; ``placement`` has an image if it does not say one."""
    return Task(
        name=name,
        label=f"{namespace}.{name}" if namespace else name,
        position=0,
        nodes=(
            PlannedNode(
                name=name, namespace=namespace, function=None, inputs=None, outputs=None
            ),
        ),
        after=after,
        writes=writes or {},
        placement={"image": IMAGE, **placement},
    )


def plan_of(tasks: Iterable[Task]) -> Plan:
    return Plan(Header(parameters=DIGEST), {task.name: task for task in tasks})


def lanes(count: int, length: int, *, namespaces: bool = False) -> Plan:
    """Return a plan with chains side by side, one task before them and one after."""
    made = [task("source")]
    for lane in range(count):
        for step in range(length):
            before = f"l{lane}-{step - 1}" if step else "source"
            space = f"lane_{lane}" if namespaces else None
            made.append(task(f"l{lane}-{step}", before, namespace=space))
    ends = (f"l{lane}-{length - 1}" for lane in range(count))
    return plan_of([*made, task("sink", *ends)])


def layers(width: int, depth: int) -> Plan:
    """Return a plan in which each task reads all of the layer before."""
    return plan_of(
        task(
            f"t{layer}-{place}",
            *(f"t{layer - 1}-{other}" for other in range(width) if layer),
        )
        for layer in range(depth)
        for place in range(width)
    )


def workflow(
    plan: Plan | Iterable[Task], settings: ArgoSettings | None = None, **options: Any
) -> Json:
    """Return the workflow of a plan."""
    plan = plan if isinstance(plan, Plan) else plan_of(plan)
    return translate(plan, SUBMISSION, settings or ArgoSettings(), **options)


def templates(manifest: Json) -> dict[str, Json]:
    found = {t["name"]: t for t in manifest["spec"]["templates"]}
    assert len(found) == len(manifest["spec"]["templates"])
    return found


def pods(manifest: Json) -> list[Json]:
    return [t for t in manifest["spec"]["templates"] if "container" in t]


def dags(manifest: Json) -> list[list[Json]]:
    """Return the tasks of each DAG."""
    every = manifest["spec"]["templates"]
    return [t["dag"]["tasks"] for t in every if "dag" in t]


def told(item: Json) -> str | None:
    """Return the task that an item of a DAG runs."""
    given = item.get("arguments", {}).get("parameters", [])
    return next((p["value"] for p in given if p["name"] == "task"), None)


class Order:
    """What a workflow says of who waits for whom, read as Argo reads it."""

    def __init__(self, manifest: Json) -> None:
        self._templates = templates(manifest)
        self._later: defaultdict[str, list[str]] = defaultdict(list)
        self.tasks: list[str] = []
        self._add(manifest["spec"]["entrypoint"], "")

    def _add(self, template: str, path: str) -> None:
        items = self._templates[template]["dag"]["tasks"]
        assert len({item["name"] for item in items}) == len(items)
        for item in items:
            inner = self._templates[item["template"]]
            here = f"{path}/{item['name']}"
            self._later[f"{path} begins"].append(f"{here} begins")
            self._later[f"{here} ends"].append(f"{path} ends")
            for other in item.get("dependencies", ()):
                assert any(other == one["name"] for one in items)
                self._later[f"{path}/{other} ends"].append(f"{here} begins")
            if (name := told(item)) is not None:
                self.tasks.append(name)
                self._later[f"{here} begins"].append(f"{name} begins")
                self._later[f"{name} begins"].append(f"{name} ends")
                self._later[f"{name} ends"].append(f"{here} ends")
            elif "dag" in inner:
                self._add(item["template"], here)
            else:
                self._later[f"{here} begins"].append(f"{here} ends")

    def waits(self, later: str, earlier: str) -> bool:
        """Say whether a task cannot begin before another has ended."""
        return f"{later} begins" in self._after(f"{earlier} ends")

    def is_acyclic(self) -> bool:
        """Say whether all of it can end: nothing waits for itself."""
        waiting: defaultdict[str, int] = defaultdict(int)
        for others in self._later.values():
            for other in others:
                waiting[other] += 1
        ready = [event for event in list(self._later) if not waiting[event]]
        seen = 0
        while ready:
            seen += 1
            for other in self._later[ready.pop()]:
                waiting[other] -= 1
                if not waiting[other]:
                    ready.append(other)
        return seen == len({*self._later, *waiting})

    def _after(self, event: str) -> set[str]:
        found: set[str] = set()
        ready = [event]
        while ready:
            for other in self._later[ready.pop()]:
                if other not in found:
                    found.add(other)
                    ready.append(other)
        return found


def texts(value: object) -> Iterator[str]:
    """Yield every text in JSON, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)
