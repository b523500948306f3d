"""What Kedro raises for a wrong configuration, in a line that says what to mend."""

from __future__ import annotations

from typing import Any

import pytest
from kedro.config import MissingConfigException
from kedro.io import DataCatalog

from kedro_rats.cli.configuration import plain_error
from kedro_rats.errors import Breach, DefinitionError


def raised_for(entry: dict[str, Any]) -> Exception:
    with pytest.raises(Exception) as raised:
        DataCatalog.from_config({"raw": entry})["raw"].load()
    return raised.value


@pytest.mark.parametrize(
    ("entry", "got"),
    [
        ({"type": "nowhere.CSVDatset"}, "nowhere"),
        ({"type": "MemoryDatset"}, "'MemoryDatset'"),
        ({"typ": "MemoryDataset"}, "got 'type' is missing from dataset catalog"),
        ({"type": "MemoryDataset", "dta": 1}, "an unexpected keyword argument 'dta'"),
    ],
)
def test_an_entry_that_is_no_dataset_is_named(entry: dict[str, Any], got: str) -> None:
    plain = plain_error(raised_for(entry))

    line = str(plain)
    assert line.startswith(
        "dataset 'raw': expected an entry that Kedro can make a dataset of, got "
    )
    assert got in line
    assert line.endswith(
        ". Check its type and arguments in the catalog, and that the package of the "
        "type is installed."
    )
    assert "\n" not in line
    assert "Hint" not in line


def test_credentials_that_are_not_there_are_named() -> None:
    plain = plain_error(raised_for({"type": "MemoryDataset", "credentials": "s3"}))

    assert str(plain) == (
        "credentials 's3': expected an entry of credentials.yml, got none. Add it to "
        "conf/local/credentials.yml, or mend its name in the catalog."
    )


def test_what_cannot_be_read_is_a_line_with_a_remedy() -> None:
    plain = plain_error(MissingConfigException("No files\nof YAML found."))

    assert str(plain) == (
        "the project's configuration: expected files that Kedro can read, got No files "
        "of YAML found. Mend it, or choose another one with --env or --conf-source."
    )


def test_what_we_refuse_in_a_module_that_kedro_imports_is_ours() -> None:
    refused = DefinitionError(Breach("estimator 'clf'", "a", "b", "Mend it."))
    imported = ImportError("An error occurred while importing the module.")
    imported.__cause__ = refused

    assert plain_error(imported) is refused


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("y"), ImportError("z")])
def test_what_is_the_users_own_is_left_alone(error: Exception) -> None:
    assert plain_error(error) is None
