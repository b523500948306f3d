"""``ext: {argo: …}`` of rats.yml."""

from __future__ import annotations

from typing import Any

import pytest
from pipelines.plans import task, workflow

from kedro_rats.engines.argo.reading import argo_settings
from kedro_rats.engines.argo.settings import (
    ArgoSettings,
    ArtifactRepository,
)
from kedro_rats.errors import DefinitionError
from kedro_rats.placement.schema import parse

EVERYTHING: dict[str, Any] = {
    "namespace": "ml",
    "context": "arn:aws:eks:eu-central-1:1:cluster/ml",
    "server": "https://argo.example.com:2746/workflows",
    "service_account": "rats-workflow",
    "parallelism": 20,
    "deadline": "12h",
    "keep": "2d",
    "pods": "on_end",
    "pending": "5m",
    "retries": 0,
    "artifacts": True,
    "artifact_repository": {"config_map": "repositories", "key": "mine"},
    "run_as_user": 1000,
    "api_token": True,
    "labels": {"team": "a", "example.com/b": ""},
    "annotations": {"example.com/owner": "me@example.com"},
    "queue_label": "example.com/queue",
    "priority": -1,
}


def read(argo: Any) -> ArgoSettings:
    return argo_settings(parse({"ext": {"argo": argo}}))


def test_every_key_is_read() -> None:
    assert read(EVERYTHING) == ArgoSettings(
        **{
            **EVERYTHING,
            "deadline": 43_200,
            "keep": 172_800,
            "pending": 300,
            "artifact_repository": ArtifactRepository(
                config_map="repositories", key="mine"
            ),
            "labels": {"example.com/b": "", "team": "a"},
        }
    )
    assert set(EVERYTHING) == set(ArgoSettings.__dataclass_fields__)


@pytest.mark.parametrize("said", [{}, None, {"namespace": None}])
def test_nothing_said_is_the_defaults(said: Any) -> None:
    assert read(said) == ArgoSettings()


def test_other_engines_are_not_looked_at() -> None:
    assert argo_settings(parse({"ext": {"airflow": {"x": 1}}})) == ArgoSettings()


def test_the_user_of_the_image_has_a_word() -> None:
    assert read({"run_as_user": "image"}).run_as_user is None


def test_a_label_that_an_environment_takes_away_is_gone() -> None:
    assert read({"labels": {"a": None, "b": "c"}}).labels == {"b": "c"}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a typo": ({"namespac": "ml"}, "Did you mean 'namespace'? "),
    "a namespace in capitals": ({"namespace": "ML"}, "ext.argo.namespace"),
    "a url with a password": ({"server": "https://me:pw@argo"}, "got another text"),
    "a duration without a unit": ({"deadline": 30}, "ext.argo.deadline"),
    "no time at all": ({"keep": "0s"}, "expected at least 1s"),
    "a user that is root": ({"run_as_user": 0}, "ext.argo.run_as_user"),
    "an unknown time": ({"pods": "on_succes"}, "Did you mean 'on_success'? "),
    "one of our labels": ({"labels": {"rats.kedro/run": "x"}}, "Rename it"),
    "one of Argo's": ({"labels": {"workflows.argoproj.io/x": "x"}}, "Rename it"),
    "an expression": ({"annotations": {"a": "{{x}}"}}, "ext.argo.annotations.a"),
    "a secret": ({"annotations": {"a": "ghp_" + "a" * 30}}, "no secret"),
    "a value that is no label": ({"labels": {"a": "x y"}}, "the value of a label"),
    "an empty context": ({"context": ""}, "ext.argo.context"),
    "too many pods": ({"parallelism": 0}, "at least 1"),
    "half a repository": ({"artifact_repository": {"key": "x"}}, "config_map"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_in_one_line(name: str) -> None:
    said, expected = WRONG[name]
    with pytest.raises(DefinitionError) as error:
        read(said)
    text = str(error.value)
    assert expected in text
    assert text.count("\n") == 0, text
    assert text.startswith("rats.yml, ext.argo")
    assert "pw" not in text
    assert "ghp_" not in text


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(DefinitionError) as error:
        read({"namespace": "A", "pods": "x", "whatever": 1})
    assert len(error.value.breaches) == 3


def test_whatever_the_settings_hold_a_workflow_can_hold() -> None:
    workflow([task("one")], read(EVERYTHING))
