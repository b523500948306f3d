"""Names of workflows and labels: valid everywhere, and never two alike."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedro_rats.engines.argo.naming import Namer, check_key, label_value, workflow_name
from kedro_rats.errors import DefinitionError

LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
RUN = "2026-11-21T13.40.05.123Z"


@given(project=st.text(), run=st.text(alphabet="abcXYZ019._-", min_size=1))
def test_a_workflows_name_is_one_of_kubernetes(project: str, run: str) -> None:
    name = workflow_name(project, run)
    assert NAME.fullmatch(name)
    # With -r999 of a retry, and what Argo adds for pods, still short.
    assert len(name) <= 39


def test_the_name_is_that_of_the_run() -> None:
    assert workflow_name("a", RUN) == workflow_name("a", RUN)
    assert workflow_name("a", RUN) != workflow_name("a", RUN + "0")


@given(text=st.text())
def test_a_label_is_valid(text: str) -> None:
    assert LABEL.fullmatch(label_value(text))


@given(one=st.text(), other=st.text())
def test_two_texts_are_two_labels(one: str, other: str) -> None:
    assert (label_value(one) == label_value(other)) == (one == other)


@pytest.mark.parametrize("key", ["nightly", "a", "A.b_c-9", "x" * 63])
def test_a_key_that_can_be_a_label_is_taken(key: str) -> None:
    assert check_key(key) == label_value(key) == key


@pytest.mark.parametrize("key", ["", "x" * 64, "a-", "a b", "-a", "ü", "a\n", "{{x}}"])
def test_a_key_that_cannot_be_a_label_is_refused(key: str) -> None:
    with pytest.raises(DefinitionError, match="run"):
        check_key(key)


@given(labels=st.lists(st.sampled_from(["a", "A", "a-2", "a_2", "a-2-2", "", "ä"])))
def test_names_of_a_dag_are_never_alike(labels: list[str]) -> None:
    namer = Namer(["task"])
    names = [namer.name(label) for label in labels]
    assert len({*names, "task"}) == len(names) + 1
    assert all(map(NAME.fullmatch, names))
