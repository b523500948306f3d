"""How a run is shown: a tree that folds what is quiet, lines of changes, a terminal."""

from __future__ import annotations

import contextlib
import io
import os
import pty
from datetime import datetime, timezone
from typing import Any

import pytest
from pipelines.recordings import plan_of

from kedro_rats.engines.argo.progress import Progress, TaskProgress
from kedro_rats.engines.argo.progress.showing import Lines, live
from kedro_rats.engines.argo.progress.text import (
    as_text,
    headline,
    note_of,
    took_between,
    tree,
)

NOW = datetime(2026, 11, 21, 10, 1, tzinfo=timezone.utc)


def task(label: str, state: str, **more: Any) -> TaskProgress:
    return TaskProgress(name=label, label=label, state=state, **more)  # type: ignore[arg-type]


def run(*tasks: TaskProgress, state: str = "running") -> Progress:
    by_name = {each.name: each for each in tasks}
    started = "2026-11-21T10:00:00Z"
    return Progress(workflow="w", state=state, tasks=by_name, started=started)  # type: ignore[arg-type]


def shown(*tasks: TaskProgress) -> list[tuple[int, str, str, str]]:
    return [(e.depth, e.name, e.state, e.count) for e in tree(run(*tasks), now=NOW)]


# ------------------------------------------------------------------------- the tree


def test_a_namespace_that_is_done_or_has_not_begun_is_one_line() -> None:
    tasks = [task(f"cv.fold_0.{n}", "done") for n in ("fit", "apply")]
    tasks += [task(f"cv.fold_1.{n}", "waiting") for n in ("fit", "apply")]

    assert shown(*tasks) == [
        (0, "cv", "running", "2/4"),
        (1, "fold_0", "done", "2/2"),
        (1, "fold_1", "waiting", "0/2"),
    ]


@pytest.mark.parametrize(
    "state", ["running", "failed", "retrying", "pending", "stopped"]
)
def test_a_namespace_in_which_something_is_to_be_seen_is_unfolded(state: str) -> None:
    found = shown(task("cv.fit", "done"), task("cv.apply", state))

    assert found == [
        (0, "cv", state, "1/2"),
        (1, "fit", "done", ""),
        (1, "apply", state, ""),
    ]


def test_a_failure_is_what_a_namespace_shows_first() -> None:
    states = ["done", "running", "failed", "waiting"]
    found = shown(*(task(f"cv.{state}", state) for state in states))

    assert found[0] == (0, "cv", "failed", "1/4")


def test_a_chain_of_namespaces_is_one_line() -> None:
    found = shown(task("outer.fold_0.train.clf.fit", "running"), task("z", "waiting"))

    assert found[0][:3] == (0, "outer.fold_0.train.clf.fit", "running")


def test_of_many_quiet_tasks_the_number_is_shown() -> None:
    tasks = [task(f"m.n{i}", "done" if i < 20 else "waiting") for i in range(50)]

    found = shown(*tasks, task("m.loud", "failed"))

    assert found == [
        (0, "m", "failed", "20/51"),
        (1, "loud", "failed", ""),
        (1, "(20 more)", "done", ""),
        (1, "(30 more)", "waiting", ""),
    ]


def test_every_task_is_in_the_tree_also_one_that_is_called_as_a_namespace() -> None:
    labels = ["a", "a.b", "a.b.c", "a.b", "f([x.y]) -> [z]", ".", "a..b", "x y.z"]
    tasks = [
        TaskProgress(name=str(number), label=label, state="running")
        for number, label in enumerate(labels)
    ]

    found = tree(run(*tasks), now=NOW)

    assert sum(not line.count for line in found) == len(labels)
    assert (0, "f([x.y]) -> [z]") in [(line.depth, line.name) for line in found]


def test_columns_are_as_wide_as_their_cells_and_the_note_is_last() -> None:
    failed = task("clf.fit", "failed", attempts=2, cause="out of memory. Raise it.")
    lines = as_text(tree(run(failed, task("clf.apply", "skipped")), now=NOW))

    assert lines == [
        "clf      failed   0/2",
        "  fit    failed          2 attempts: out of memory. Raise it.",
        "  apply  skipped",
    ]


def test_a_note_is_short_and_says_nothing_of_what_went_well() -> None:
    assert note_of(task("a", "done", attempts=1, cause="before")) == ""
    assert note_of(task("a", "done", attempts=3, cause="before")) == "3 attempts"
    assert len(note_of(task("a", "failed", cause="x" * 5000))) < 200


@pytest.mark.parametrize(
    ("finished", "text"),
    [
        ("2026-11-21T10:00:07Z", "7s"),
        ("2026-11-21T10:00:07.900+00:00", "7s"),
        ("2026-11-21T12:03:00Z", "2h03m"),
        ("2026-11-21T09:00:00Z", "0s"),
        (None, "1m00s"),
    ],
)
def test_a_time_has_two_units_at_most(finished: str | None, text: str) -> None:
    assert took_between("2026-11-21T10:00:00Z", finished, now=NOW) == text


def test_the_headline_counts_what_goes_on() -> None:
    found = run(task("a", "done"), task("b", "running"), task("c", "failed"))

    assert headline(found, "r1", now=NOW) == (
        "Run r1 is running: 1 of 3 tasks done, 1 running, 1 failed, 1m00s."
    )


# ---------------------------------------------------------------------------- lines


def said(*looks: Progress, tasks: int = 3) -> list[str]:
    file = io.StringIO()
    show = Lines(tasks, file)
    for look in looks:
        show(look)
    return [line.partition(" ")[2] for line in file.getvalue().splitlines()]


def test_each_change_is_a_line_and_nothing_is_said_twice() -> None:
    begun, ended = "2026-11-21T10:00:00Z", "2026-11-21T10:00:09Z"
    first = run(task("a", "running"), task("b", "waiting"))
    last = run(
        task("a", "done", started=begun, finished=ended),
        task("b", "failed", kind="exit", cause="it was killed."),
    )

    assert said(first, first, last, last) == [
        "a: running",
        "a: done after 9s",
        "b: failed. it was killed.",
    ]


def test_a_cause_whose_words_change_is_said_once() -> None:
    looks = [
        run(task("a", "pending", kind="image", cause=cause))
        for cause in ("ErrImagePull", "ImagePullBackOff", "ErrImagePull")
    ]

    assert said(*looks) == ["a: pending. ErrImagePull"]


def test_of_a_large_run_there_are_summaries_and_all_that_is_wrong() -> None:
    first = run(*(task(f"n{i}", "running") for i in range(500)))
    tasks = [task(f"n{i}", "done") for i in range(499)]
    last = run(*tasks, task("n499", "failed", kind="exit", cause="x."), state="failed")

    assert said(first, last, tasks=500) == [
        "0 of 500 tasks done, 500 running",
        "n499: failed. x.",
        "499 of 500 tasks done, 1 failed",
    ]


def test_where_there_is_no_terminal_it_writes_lines() -> None:
    file = io.StringIO()

    with live(plan_of("a"), file=file) as show:
        show(run(task("a", "running")))

    assert file.getvalue().endswith(" a: running\n")
    assert "\x1b" not in file.getvalue()


def test_on_a_terminal_the_tree_is_drawn_anew() -> None:
    parent, child = pty.openpty()
    with (
        os.fdopen(child, "w") as file,
        live(plan_of("a.b"), run="r1", file=file) as show,
    ):
        show(run(task("a.b", "running")))
        show(run(task("a.b", "failed", cause="out of memory."), state="failed"))
    text = drawn(parent)

    assert "Run r1 failed: 0 of 1 tasks done, 1 failed" in text
    assert "out of memory." in text
    assert "\x1b[" in text


def drawn(terminal: int) -> str:
    """Return all that a terminal was sent; Linux says with an error that this is all."""
    found = b""
    with contextlib.suppress(OSError):
        while data := os.read(terminal, 1 << 16):
            found += data
    os.close(terminal)
    return found.decode()
