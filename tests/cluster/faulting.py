"""Runs of the project ``faulty``: what becomes of them, and when who knew it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cluster import harness
from cluster.committed import Run, assert_committed_once
from kubernetes.client.exceptions import ApiException

from kedro_rats.engines.argo.naming import workflow_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from cluster.harness import Done, Json, Project

FOLDER = Path(__file__).parent / "projects/faulty"
ANSWER = {"sum": 12}
"""What each pipeline makes, whatever happens to it."""

PROGRAMS = os.environ.get("RATS_TEST_CLUSTER_DIR")
stops_programs = pytest.mark.skipif(
    not PROGRAMS,
    reason="stops programs of the cluster: needs the project's own test cluster, "
    "whose folder RATS_TEST_CLUSTER_DIR names",
)
IN_TIME = 30.0
"""Seconds after which somebody who waits must know what their engine knows."""

PENDING = 5
"""Seconds for which a node may wait for a machine, as its policy says."""

LARGE = "1500Mi"
NOWHERE = {"rats.test/nowhere": "yes"}


def new_faulty(folder: Path) -> Project:
    return harness.new_plain(folder, "faulty", FOLDER)


def configure(project: Project, *, mended: bool = False) -> None:
    """Write ``rats.yml``: with all that is wrong in it, or without."""
    selector = {} if mended else {"node_selector": NOWHERE}
    missing = harness.image(1) if mended else "localhost/kedro-rats-nowhere:0"
    old = harness.image(2) if mended else harness.image(1)
    project.configure(
        image={
            "missing": {"ref": missing, "pull": "IfNotPresent"},
            "old": {"ref": old, "pull": "IfNotPresent"},
        },
        resources={
            "hungry": {"cpu": "100m", "memory": LARGE if mended else "512Mi"},
            "homeless": {"cpu": "100m", "memory": "512Mi", **selector},
        },
        policy={"homeless": {"pending": f"{PENDING}s"}},
        # Pods stay, so that they can be looked at.
        ext={"argo": {"pods": "keep"}},
    )


@dataclass
class Case:
    """One run of the project, which somebody waits for.

    Attributes:
        project: The project.
        name: Of the case.
        pipeline: What is run.
        more: More parameters of it, as the command takes them.
        done: What came of the command.
        ended: When it ended, in seconds of the epoch.
        known: When Argo knew of each node that something is wrong with its pod.
        meanwhile: What came of another command while the run went on.
    """

    project: Project
    name: str
    pipeline: str
    more: str = ""
    done: Done | None = None
    ended: float = 0.0
    known: dict[str, float] = field(default_factory=dict)
    meanwhile: Done | None = None

    @property
    def key(self) -> str:
        """The run's id: its own on the cluster, whatever other tests do."""
        return f"{self.name}-{self.project.uid}"

    def arguments(self) -> list[str]:
        return [
            f"--pipelines={self.pipeline}",
            f"--params=case={self.name},{self.more}".rstrip(","),
            f"--key={self.key}",
        ]

    def submit_and_wait(self) -> Case:
        """Submit it and wait for its end, as a user does; it may fail."""
        arguments = [*self.arguments(), "--wait"]
        self.done = self.project.rats("submit", *arguments, code=None)
        self.ended = time.time()
        return self

    def watched(self) -> Case:
        """Submit it and wait, and note when Argo knew what is wrong."""
        harness.all_at_once(self.submit_and_wait, self._look)
        return self

    def _look(self) -> None:
        while not self.ended:
            time.sleep(1)
            found = self._workflow() or {}
            for node in found.get("status", {}).get("nodes", {}).values():
                said = str(node.get("message") or "")
                if node["type"] != "Pod" or not _is_wrong(node["phase"], said):
                    continue
                (task,) = [p["value"] for p in node["inputs"]["parameters"]]
                self.known.setdefault(task.rpartition("-")[0], time.time())

    def while_waiting(self, happens: Callable[[Case], None]) -> Case:
        """Let something happen while the command waits."""
        harness.all_at_once(self.submit_and_wait, lambda: happens(self))
        return self

    # ---------------------------------------------------------------- on the cluster

    @property
    def workflow(self) -> str:
        """The name of its workflow."""
        return workflow_name("faulty", self.key)

    def _workflow(self) -> Json | None:
        try:
            return harness.workflow(self.workflow)
        except ApiException as error:
            assert error.status == 404
            return None

    def pods(self, node: str = "") -> list[Any]:
        """Return its pods, or those of a node."""
        return [
            pod
            for pod in harness.pods(self.workflow)
            if harness.task_of(pod).rpartition("-")[0] == node or not node
        ]

    def running_pod(self, node: str) -> Any:
        """Return the pod of a node once the node's function runs in it."""
        found: list[Any] = []

        def runs() -> bool:
            # Its function may be called before the cluster has noted that the pod runs.
            found[:] = [p for p in self.pods(node) if p.status.phase == "Running"]
            return bool(found) and self.ticks(node) > 0

        harness.until(runs, seconds=150)
        (pod,) = found
        return pod

    def ticks(self, node: str) -> int:
        """Return how often a node's function was called."""
        folder = f"{self.project.prefix}/ticks/{self.name}/{node}"
        fs = harness.bucket()
        return len(fs.ls(folder)) if fs.exists(folder) else 0

    # ---------------------------------------------------------------- what came of it

    @property
    def run(self) -> Run:
        return Run.of(self.project, self.key)

    @property
    def text(self) -> str:
        assert self.done is not None
        return self.done.text

    def answer(self) -> Any:
        """Return what it has left for people."""
        path = f"answers/{self.name}.json"
        return json.loads(harness.published(self.project, path))

    def went_well(self, ticks: dict[str, int]) -> None:
        """See that it is done, by each node having run so often and no more."""
        assert self.done is not None
        assert self.done.code == 0, self.text
        assert self.answer() == ANSWER, self.answer()
        assert_committed_once(self.run)
        got = {node: self.ticks(node) for node in ticks}
        assert got == ticks, f"{got}, {self.text}"

    def failure(self) -> str:
        """Return the one line that tells why it failed, besides those of its progress."""
        assert self.done is not None
        assert self.done.code not in (0, None), self.text
        lines = [li for li in self.done.err.splitlines() if li.startswith("Node ")]
        assert len(lines) == 1, self.text
        assert "Traceback" not in self.text
        return lines[0]

    def late(self, node: str) -> float:
        """Return the seconds from when Argo knew of a node to when the user knew."""
        return self.ended - self.known[node]


def _is_wrong(phase: str, said: str) -> bool:
    return phase in ("Failed", "Error") or said.startswith(
        ("ErrImagePull", "ImagePullBackOff", "Unschedulable")
    )


def commands_of(line: str) -> list[list[str]]:
    """Return the commands that a line names, as a shell would read them."""
    return [shlex.split(command) for command in re.findall(r"`(kedro [^`]*)`", line)]


def program(name: str, action: str) -> str:
    """Act on one program of the test cluster; return what that says."""
    assert PROGRAMS
    done = subprocess.run(
        [str(Path(PROGRAMS) / "program"), name, action],
        check=True,
        stdout=subprocess.PIPE,
        # What is started goes on: it must not hold a pipe of ours.
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=60,
    )
    return done.stdout.strip()
