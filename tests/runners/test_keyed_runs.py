"""A run that is asked for by name is one run, however often it is asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from kedro.pipeline import Pipeline, node
from pipelines.prepared import catalog_of

from kedro_rats.engines.request import request_of
from kedro_rats.errors import Breach, DefinitionError
from kedro_rats.runners.preparing import Asked, check, prepare, stored
from kedro_rats.runners.project import of_catalog

if TYPE_CHECKING:
    from pathlib import Path

    from kedro_rats.runners.preparing import Checked, Prepared

PIPELINE = Pipeline(
    [node(sorted, "X", "Z", name="sort"), node(len, "Z", "n", name="count")]
)


def checked(x: list[int], *, save_version: str = "v1", engine: Any = None) -> Checked:
    asked = Asked(run="nightly", again=True, save_version=save_version)
    view = of_catalog(catalog_of(X=x), None)
    return check(PIPELINE, view, parameters={}, asked=asked, engine=engine)


def asked_for(x: list[int], save_version: str = "v1") -> Prepared:
    return stored(checked(x, save_version=save_version))


def test_asked_for_twice_it_is_the_first_run(folder: Path) -> None:
    first = asked_for([2, 1], "v1")
    second = asked_for([2, 1], "v2")

    assert second.request == first.request
    assert second.request.save_version == "v1"
    assert request_of(first.store, "nightly") == first.request


def test_asked_for_by_many_at_once_it_is_one_run(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(asked_for, [[2, 1]] * 8, map(str, range(8))))

    assert len({prepared.request.digest for prepared in found}) == 1


def test_a_name_that_means_another_run_is_refused(folder: Path) -> None:
    asked_for([2, 1])

    with pytest.raises(DefinitionError) as refused:
        asked_for([3, 1])

    assert "run 'nightly': expected what was asked for under this name" in str(
        refused.value
    )
    assert "got another imports. Give another key" in str(refused.value)


def test_without_a_name_each_is_a_run_of_its_own(folder: Path) -> None:
    view = of_catalog(catalog_of(X=[1]), None)
    ids = {
        prepare(PIPELINE, view, parameters={}, asked=Asked(run="r")).request.run
        for _ in range(3)
    }

    assert len(ids) == 3


def test_a_check_writes_nothing(folder: Path) -> None:
    checked([2, 1])

    assert list(folder.iterdir()) == []


def test_what_an_engine_cannot_do_is_said_together_with_what_is_missing(
    folder: Path,
) -> None:
    class Narrow:
        remote = True

        def breaches(self, plan: Any, *, store: Any, decoder: Any) -> list[Breach]:
            return [Breach("store", "one on S3", "a folder", "Move it.")]

    from kedro.io import DataCatalog

    catalog = DataCatalog.from_config(
        {"X": {"type": "pickle.PickleDataset", "filepath": "data/none.pkl"}}
    )
    with pytest.raises(DefinitionError) as refused:
        check(
            PIPELINE,
            of_catalog(catalog, None),
            parameters={},
            asked=Asked(run="r"),
            engine=Narrow(),
        )

    store, missing = str(refused.value).splitlines()
    assert store == "store: expected one on S3, got a folder. Move it."
    assert "data/none.pkl" in missing
    assert list(folder.iterdir()) == []
