"""Ctrl-C asks whether the workflow is stopped too, where somebody can answer."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cluster import harness

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.cluster

TOY = Path(__file__).parent / "projects" / "toy"
RUN = ["run", "--env=cluster", "--runner=kedro_rats.ArgoRunner"]


@dataclass
class Terminal:
    """A command in a terminal of its own."""

    process: subprocess.Popen[bytes]
    screen: int
    seen: str = ""

    @classmethod
    def of(cls, project: harness.Project, *arguments: str) -> Terminal:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [os.environ["RATS_TEST_KEDRO"], *arguments],
            cwd=project.path,
            env={**os.environ, **harness.VARIABLES, "COLUMNS": "200"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        return cls(process, ours)

    def read_until(self, text: str, *, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, self.missing(text)
            if select.select([self.screen], [], [], 0.5)[0]:
                try:
                    self.seen += os.read(self.screen, 65536).decode(errors="replace")
                except OSError:
                    assert text in self.seen, self.missing(text)

    def missing(self, text: str) -> str:
        return f"{text!r} is not on the screen, which ends with {self.seen[-500:]!r}"

    def interrupt(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def answer(self, text: str) -> None:
        os.write(self.screen, f"{text}\n".encode())


@pytest.fixture
def project(
    tmp_path: Path, cleaned: Callable[[harness.Project], harness.Project]
) -> harness.Project:
    project = cleaned(harness.new_plain(tmp_path, "toy", TOY))
    project.configure()
    return project


def only_workflow(project: harness.Project) -> str:
    (workflow,) = project.workflows()
    return str(workflow["metadata"]["name"])


@pytest.mark.parametrize(("answer", "phase"), [("y", "Failed"), ("n", "Succeeded")])
def test_somebody_at_a_terminal_is_asked(
    project: harness.Project, answer: str, phase: str
) -> None:
    terminal = Terminal.of(project, *RUN)
    terminal.read_until("tasks, workflow")
    harness.until(lambda: bool(project.workflows()))
    name = only_workflow(project)

    time.sleep(2)  # until it is followed
    terminal.interrupt()
    terminal.read_until("Without it, it goes on. [y/N]:")
    terminal.answer(answer)
    next_command = {"y": "kedro rats retry", "n": "kedro rats watch"}[answer]
    terminal.read_until(next_command)

    assert terminal.process.wait(timeout=60) != 0
    assert "Traceback" not in terminal.seen
    assert harness.wait_for(name)["status"]["phase"] == phase


def test_without_a_terminal_the_workflow_goes_on(project: harness.Project) -> None:
    process = subprocess.Popen(
        [os.environ["RATS_TEST_KEDRO"], *RUN],
        cwd=project.path,
        env={**os.environ, **harness.VARIABLES},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    harness.until(lambda: bool(project.workflows()))
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)

    assert process.returncode != 0
    assert "goes on. `kedro rats watch" in said
    harness.succeeded(only_workflow(project))
