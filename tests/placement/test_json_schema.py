"""The published JSON Schema, against the model that it was made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from placement.documents import everything, read
from placement.test_schema import ANYTHING, WRONG, places

from kedro_rats.errors import DefinitionError
from kedro_rats.placement.published import json_schema, text
from kedro_rats.placement.schema import parse

PUBLISHED = Path(__file__).parents[2] / "docs" / "reference" / "rats.schema.json"

# What one key alone does not show, or JSON Schema cannot say.
ONLY_THE_MODEL = {
    "too fine an amount of cpu",
    "half a byte",
    "memory without its unit",
    "a limit below the request",
    "a gpu twice",
    "a toleration with a value too many",
    "a toleration without its value",
    "a toleration without its key",
    "an affinity with a template",
    "a duration of nothing",
    "a duration of ages",
    "a deadline before the timeout",
    "a ladder that falls",
    "a build without a name",
    "a command that is told of no image",
    "a profile without its image",
    "a secret in an argument of a build",
    "an argument of a build that is called a secret",
    "a secret by name",
    "a secret by form",
    "a secret of which nothing is taken",
    "a prefix that nothing has",
    "a volume of nothing",
    "a volume of two",
    "scratch with a claim's key",
    "a claim with scratch's key",
    "a variable twice in a profile",
    "a folder twice in a profile",
    "a store with a password",
    "a store of another kind",
    "a store without a bucket",
    "an unknown default",
    "an unknown profile in assign",
    "an assignment to nobody",
    "an assignment of nothing",
}


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_published_schema_is_the_one_of_the_model(update_golden: bool) -> None:
    if not PUBLISHED.parent.is_dir():
        pytest.skip("needs the documentation")
    if update_golden:
        PUBLISHED.write_text(text(), "utf-8")

    published = json.loads(PUBLISHED.read_text("utf-8"))

    assert published == json_schema(), "write it with --update-golden"


def test_the_schema_takes_a_file_with_every_key(validator: Any) -> None:
    document = everything()
    schema = json_schema()
    named = {*schema["properties"], "pull_secrets", "items", "seconds"}

    assert set(document) == set(schema["properties"])
    assert all(f'"{name}"' in json.dumps(document) for name in named)
    assert not list(validator.iter_errors(document))


@pytest.mark.parametrize("name", [*WRONG, "a key that begins with a line"])
def test_the_schema_refuses_what_one_key_shows(validator: Any, name: str) -> None:
    if name not in WRONG:
        assert validator.is_valid({"_mine": 1})
        return
    document = read(WRONG[name][0])
    # JSON has neither numbers as keys nor endless numbers: no editor shows them.
    if name in {"a key that is a number", "an endless number"}:
        return

    assert validator.is_valid(document) == (name in ONLY_THE_MODEL)


@given(path=st.sampled_from(places(everything())), junk=ANYTHING)
def test_the_schema_takes_whatever_the_model_takes(
    validator: Any, path: tuple[Any, ...], junk: Any
) -> None:
    document: Any = everything()
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    try:
        parse(document)
    except DefinitionError:
        return

    assert not list(validator.iter_errors(document))
