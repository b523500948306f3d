"""How a task's process ends, by real causes, and what the local engine does about it."""

from __future__ import annotations

import logging
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from kedro.pipeline import Pipeline, node
from pipelines import engine_steps as steps
from pipelines.prepared import prepared, task_of
from pipelines.project import task_command

from kedro_rats.engines.execution.exit_codes import ExitCode
from kedro_rats.engines.local import LocalEngine, RunFailed
from kedro_rats.engines.local.workers import Isolated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kedro_rats.engines.local import TaskFailure
    from kedro_rats.runners.preparing import Prepared


def one(function: Callable[..., Any], **policy: Any) -> Prepared:
    """Prepare a run of one node, with a policy."""
    made = prepared(Pipeline([node(function, "x", "y", name="only")]), {"x": [1, 2, 3]})
    return placed(made, {"policy": policy}) if policy else made


def placed(made: Prepared, placement: dict[str, Any]) -> Prepared:
    plan = made.lowered.plan
    tasks = {n: replace(t, placement=placement) for n, t in plan.tasks.items()}
    return replace(made, lowered=replace(made.lowered, plan=replace(plan, tasks=tasks)))


def failure(made: Prepared) -> TaskFailure:
    """Run the only task in its own process, by the local engine; return its failure."""
    worker = Isolated(made.store.uri, made.request.digest, made.view.folder)
    with pytest.raises(RunFailed) as failed:
        LocalEngine(worker).run(made.lowered.plan, made.request.run)
    (only,) = failed.value.failures
    assert "\n" not in only.cause
    assert f"--resume {made.request.run}" in str(failed.value)
    return only


def process(made: Prepared, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the only task as an engine does, without the local engine."""
    task = next(iter(made.lowered.plan))
    command = task_command(made.store.uri, made.request.digest, task.name)
    return subprocess.run(
        [sys.executable, *command],
        **{"check": False, "capture_output": True, "text": True, **options},
    )


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if " ERROR kedro_rats " in line]


def test_what_a_node_raises_is_1(folder: Path) -> None:
    done = process(one(steps.refuse))
    assert done.returncode == ExitCode.USER_ERROR == 1
    (line,) = errors(done)
    assert "Node 'only' failed: KeyError: 'cannot use [1, 2, 3]'" in line
    assert "in refuse" in done.stderr  # the traceback helps the user


def test_a_module_that_is_missing_is_2(folder: Path) -> None:
    (folder / "gone_module.py").write_text("def work(x):\n    return x\n")
    sys.path.insert(0, str(folder))
    try:
        import gone_module  # type: ignore[import-not-found]

        made = one(gone_module.work)
    finally:
        sys.path.remove(str(folder))
    (folder / "gone_module.py").rename(folder / "elsewhere.txt")
    done = process(made)
    assert done.returncode == ExitCode.BAD_INPUT == 2
    (line,) = errors(done)
    assert "Node 'only': expected its function where it runs" in line
    assert "gone_module" in line
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("request_", "task", "words"),
    [
        ("0" * 64, None, "nothing"),
        ("../x", None, "name of a digest"),
        (None, "no-such-0a1b2c", "no-such-0a1b2c"),
    ],
)
def test_what_is_not_in_the_store_is_2(
    folder: Path, request_: str | None, task: str | None, words: str
) -> None:
    made = one(steps.first)
    name = task or next(iter(made.lowered.plan)).name
    asked = request_ or made.request.digest
    done = subprocess.run(
        [sys.executable, *task_command(made.store.uri, asked, name)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    (line,) = errors(done)
    assert words in line
    assert "Traceback" not in done.stderr


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "truncated":
        data = data[:-1]
    else:
        data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("how", ["truncated", "flipped"])
def test_damaged_data_between_two_tasks_is_2_and_is_not_loaded(
    folder: Path, how: str
) -> None:
    made = prepared(
        Pipeline(
            [
                node(steps.first, "x", "y", name="first"),
                node(steps.second, "y", ["z", "about"], name="second"),
            ]
        ),
        {"x": [1, 2, 3]},
    )
    worker = Isolated(made.store.uri, made.request.digest, made.view.folder)
    first, second = task_of(made, "first"), task_of(made, "second")
    assert worker.run(first) is None
    digest = _record(made, first.name).outputs["y"].files[0].sha256
    damage(folder / ".rats" / "objects" / digest[:2] / digest[2:], how)
    failed = worker.run(second)
    assert failed is not None
    assert failed.code == 2
    assert "'second'" in failed.cause
    assert "dataset 'y'" in failed.cause
    assert digest in failed.cause
    assert steps.calls() == ["first"]


def _record(made: Prepared, task: str) -> Any:
    from kedro_rats.store.records import record_of

    return record_of(made.store, made.request.run, task)


def test_a_plan_that_was_changed_is_2(folder: Path) -> None:
    made = one(steps.first)
    digest = made.request.plan
    damage(folder / ".rats" / "objects" / digest[:2] / digest[2:], "flipped")
    done = process(made)
    assert done.returncode == 2
    assert steps.calls() == []


def test_a_full_disk_is_75_and_is_tried_again(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = one(steps.once_full, retries=2, backoff={"delay": 0.01})
    worker = Isolated(made.store.uri, made.request.digest, made.view.folder)
    with caplog.at_level(logging.WARNING):
        LocalEngine(worker).run(made.lowered.plan, made.request.run)
    assert steps.calls() == ["once_full", "once_full"]
    assert "No space left on device" in caplog.text


def test_a_store_on_a_disk_that_is_full_is_75(folder: Path) -> None:
    made = one(steps.first)

    def small_files() -> None:
        # The disk is full as soon as a file has more than nothing.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    done = process(made, preexec_fn=small_files)
    assert done.returncode == ExitCode.INFRASTRUCTURE == 75, done.stderr
    (line,) = errors(done)
    assert "store" in line
    assert _record(made, next(iter(made.lowered.plan)).name) is None


def test_other_failures_are_not_tried_again(folder: Path) -> None:
    made = one(steps.refuse, retries=3)
    assert failure(made).code == 1
    attempts = folder / ".rats/runs/r1/attempts"
    assert len(list(attempts.rglob("*.end.json"))) == 1


def test_retries_end(folder: Path) -> None:
    made = one(steps.full_disk, retries=1)
    assert failure(made).code == 75
    attempts = folder / ".rats/runs/r1/attempts"
    assert len(list(attempts.rglob("*.end.json"))) == 2


def test_a_memory_error_is_137(folder: Path) -> None:
    done = process(one(steps.raise_memory_error))
    assert done.returncode == ExitCode.OUT_OF_MEMORY == 137
    assert len(errors(done)) == 1


def test_a_memory_limit_is_137(folder: Path) -> None:
    limit = 2 << 30

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    done = process(one(steps.fill_memory), preexec_fn=limited)
    assert done.returncode == 137, done.stderr
    assert "MemoryError" in errors(done)[0]


def test_a_kill_is_137(folder: Path) -> None:
    found = failure(one(steps.be_killed))
    assert found.code == 137
    assert "ran out of memory" in found.cause


@pytest.mark.parametrize(
    ("function", "words"), [(steps.crash, "SIGSEGV"), (steps.leave, "exit code 42")]
)
def test_a_process_that_breaks_down_is_the_users_error(
    folder: Path, function: Callable[..., Any], words: str
) -> None:
    found = failure(one(function))
    assert found.code == 1
    assert words in found.cause


def test_a_timeout_kills_all_that_the_node_started(folder: Path) -> None:
    started = time.monotonic()
    found = failure(one(steps.start_and_wait, timeout=2.5))
    assert time.monotonic() - started < 10
    assert found.code == 1
    assert "timeout of 2.5 s" in found.cause
    assert steps.calls()  # it had started another process
    assert_quiet()


def assert_quiet() -> None:
    """Check that nobody counts calls any more."""
    deadline = time.monotonic() + 5
    before = -1
    while before != len(steps.calls()):
        assert time.monotonic() < deadline
        before = len(steps.calls())
        time.sleep(0.3)


def test_what_a_node_leaves_running_does_not_hold_the_run_up(folder: Path) -> None:
    made = one(steps.leave_one_behind)
    worker = Isolated(made.store.uri, made.request.digest, made.view.folder)
    started = time.monotonic()
    assert worker.run(next(iter(made.lowered.plan))) is None
    assert time.monotonic() - started < 15


def test_tasks_end_when_the_process_that_started_them_is_killed(folder: Path) -> None:
    made = one(steps.start_and_wait)
    task = next(iter(made.lowered.plan)).name
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from types import SimpleNamespace\n"
        "from kedro_rats.engines.local.workers import Isolated\n"
        "worker = Isolated(sys.argv[1], sys.argv[2], Path.cwd())\n"
        "worker.run(SimpleNamespace(name=sys.argv[3], placement={}))\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, made.store.uri, made.request.digest, task],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not steps.calls():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    assert_quiet()


def test_variables_that_a_task_is_bound_to_are_set_in_its_process(folder: Path) -> None:
    made = one(steps.variable)
    bound = placed(made, {"bind": {"env": {"RATS_TEST_BOUND": {"value": "yes"}}}})
    worker = Isolated(made.store.uri, made.request.digest, made.view.folder)
    task = next(iter(bound.lowered.plan))
    assert worker.run(task) is None
    artifact = _record(made, task.name).outputs["y"]
    assert b"yes" in made.store.get(artifact.files[0].sha256)
    assert "RATS_TEST_BOUND" not in os.environ


def test_a_node_without_a_credential_is_2_and_says_which(folder: Path) -> None:
    made = one(steps.first)
    entry = {
        "type": "kedro.io.CachedDataset",
        "dataset": {
            "type": "pipelines.own_datasets.TableDataset",
            "table": "t",
            "credentials": "missing_db",
        },
    }
    plan = made.lowered.plan
    tasks = {n: replace(t, writes={"y": entry}) for n, t in plan.tasks.items()}
    made = replace(made, lowered=replace(made.lowered, plan=replace(plan, tasks=tasks)))
    from kedro_rats.engines.local.workers import InProcess

    worker = InProcess(made.surroundings(), None, str)
    found = worker.run(next(iter(made.lowered.plan)))
    assert found is not None
    assert found.code == 2
    assert "missing_db" in found.cause
