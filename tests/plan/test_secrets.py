"""What is secret is in no plan, no breach and no repr."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.pipeline import Pipeline, node
from pipelines.lowering import lowered
from pipelines.random_pipelines import mix

from kedro_rats.errors import DefinitionError
from kedro_rats.plan.entries import entry_breaches

CANARY = "c4n4ry-s3cr3t"

INLINE: dict[str, dict[str, Any]] = {
    "credentials": {"credentials": {"key": CANARY}},
    "credentials in a list": {"credentials": [CANARY]},
    "credentials of a part": {"dataset": {"type": "x", "credentials": {"a": [CANARY]}}},
    "a user in an address": {"filepath": f"s3://user:{CANARY}@bucket/x"},
    "a user of a database": {"con": f"postgresql+psycopg2://user:{CANARY}@host/db"},
    "a user behind a cache": {"filepath": f"simplecache::https://u:{CANARY}@host/x"},
    "a token in an address": {"url": f"https://{CANARY}@github.com/x.csv"},
    "a user in arguments": {"load_args": {"a": [{"b": f"ftp://u:{CANARY}@host"}]}},
    "a password": {"load_args": {"password": CANARY}},
    "a password in capitals": {"load_args": {"PASSWORD": CANARY}},
    "a secret key": {"fs_args": {"key": "id", "secret": CANARY}},
    "a signed address": {"filepath": f"https://host/x?sv=1&sig={CANARY}"},
    "a presigned address": {"filepath": f"https://h/x?X-Amz-Signature={CANARY}"},
    "a text for odbc": {"con": f"Driver=x;UID=me;PWD={CANARY}"},
}


@pytest.mark.parametrize("what", INLINE)
def test_a_secret_in_the_catalog_is_refused_and_not_shown(what: str) -> None:
    entry = {"type": "pandas.CSVDataset", **INLINE[what]}
    pipeline = Pipeline([node(mix, ["raw"], "x", name="x")])

    with pytest.raises(DefinitionError) as raised:
        lowered(pipeline, {"x": entry})

    assert "conf/local/credentials.yml" in str(raised.value)
    shown = "".join(traceback.format_exception(raised.value))
    assert CANARY not in shown + repr(raised.value)


def test_a_secret_in_a_pattern_is_refused() -> None:
    catalog = {"{name}": {"type": "x", "credentials": {"password": CANARY}}}
    pipeline = Pipeline([node(mix, ["raw"], "x", name="x")])

    with pytest.raises(DefinitionError) as raised:
        lowered(pipeline, catalog)

    assert "credentials.yml" in str(raised.value)
    assert CANARY not in str(raised.value)


@pytest.mark.parametrize(
    "entry",
    [
        {"credentials": "dev_s3"},
        {"credentials": None},
        {"filepath": "abfss://container@account.dfs.core.windows.net/x.csv"},
        {"filepath": "s3://bucket/user@example.org/x.csv"},
        {"filepath": "C:/data/x.csv"},
        {"filepath": "http://host:9000/bucket/x@y.csv"},
        {"load_args": {"sep": ";", "key": "id", "parse_dates": ["a:b@c"]}},
        {"save_args": {"password": ""}},
        {"sql": "SELECT * FROM t WHERE a = 1 AND pwd_changed = 2"},
    ],
)
def test_what_is_no_secret_is_taken(entry: dict[str, Any]) -> None:
    assert not entry_breaches("x", {"type": "a.B", **entry})


def test_only_names_of_secrets_are_in_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    monkeypatch.setenv("RATS_CANARY", CANARY)
    catalog = {
        "x": {"type": "x", "filepath": "s3://bucket/x", "credentials": "dev_s3"},
        "{y}_sql": {
            "type": "sql",
            "table_name": "t",
            "credentials": "{y}",
        },
    }
    pipeline = Pipeline(
        [
            node(mix, ["raw", "params:a"], "x", name="x"),
            node(lambda x: x, "x", "db_sql", name="y"),
        ]
    )

    # Of the parameters only those that are read travel.
    found = lowered(pipeline, catalog, parameters={"params:a": 1, "params:b": CANARY})

    everything = b"".join([found.document, found.parameters, *found.pickles.values()])
    assert CANARY.encode() not in everything
    assert b'"dev_s3"' in everything
    assert b'"db"' in everything
    assert CANARY not in repr(found)


def test_the_repr_of_a_plan_shows_no_parameters_and_no_pickles() -> None:
    def secretly(x: Any) -> str:
        return f"{x}{CANARY}"

    pipeline = Pipeline([node(secretly, "params:a", "x", name="x")])
    found = lowered(pipeline, parameters={"params:a": CANARY})

    assert CANARY not in repr(found)
    assert CANARY not in str(found)


@given(
    entry=st.dictionaries(
        st.sampled_from(["type", "credentials", "filepath", "a"]),
        st.recursive(
            st.one_of(
                st.none(), st.integers(), st.text(), st.just(f"x://u:{CANARY}@h")
            ),
            lambda inner: st.one_of(
                st.lists(inner, max_size=2),
                st.dictionaries(
                    st.sampled_from(["credentials", "b", 1]), inner, max_size=2
                ),
            ),
            max_leaves=5,
        ),
    )
)
def test_no_breach_of_any_entry_shows_what_is_in_it(entry: dict[str, Any]) -> None:
    found = entry_breaches("x", entry)

    assert CANARY not in "".join(map(str, found))
    assert bool(found) >= (f"u:{CANARY}" in repr(entry))
