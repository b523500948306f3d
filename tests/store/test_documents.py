"""Artifacts, records, keys and addresses: what is accepted, and what is refused how."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store import making

from kedro_rats.encoding import canonical
from kedro_rats.errors import DefinitionError
from kedro_rats.store import layout
from kedro_rats.store.artifacts import Artifact, File
from kedro_rats.store.errors import DocumentError, StoreError, of_os_error
from kedro_rats.store.local import LocalStore
from kedro_rats.store.opening import open_store
from kedro_rats.store.records import Record

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "ab" * 32

parts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1
).filter(lambda part: part not in {".", ".."})
paths = st.lists(parts, min_size=1, max_size=3).map("/".join)
# "a" and "a/b" cannot both be files: every path has as many parts as the others.
trees = st.sets(parts, max_size=4)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
artifacts = st.builds(
    lambda names, meta: Artifact(
        "dataset", tuple(File(name, DIGEST, 3) for name in names), meta
    ),
    trees,
    st.dictionaries(st.text(), plain),
)


@given(artifacts)
def test_an_artifact_says_the_same_after_a_round_trip(artifact: Artifact) -> None:
    data = canonical.to_bytes(artifact.to_json())
    again = Artifact.from_json(canonical.from_bytes(data))
    assert again == artifact
    assert again.digest == artifact.digest == canonical.digest(data)


@given(st.dictionaries(st.text(), artifacts, max_size=3))
def test_a_record_says_the_same_after_a_round_trip(
    outputs: dict[str, Artifact],
) -> None:
    record = making.record(outputs)
    data = canonical.to_bytes(record.to_json())
    assert Record.from_json(canonical.from_bytes(data)) == record
    assert record.digest == canonical.digest(data)


def test_what_a_later_version_adds_to_a_record_is_ignored() -> None:
    record = making.record()
    assert Record.from_json({**record.to_json(), "weather": "fine"}) == record


def test_an_artifact_has_one_digest_whatever_the_order_of_its_files() -> None:
    first, second = File("a", DIGEST, 1), File("b", DIGEST, 2)
    assert (
        Artifact("x", (first, second)).digest == Artifact("x", (second, first)).digest
    )
    assert Artifact("x", (first,)).digest != Artifact("y", (first,)).digest


@given(st.none() | plain)
def test_no_document_makes_another_error(document: object) -> None:
    for kind in (Artifact, Record):
        with pytest.raises(DocumentError):
            kind.from_json(document)


@given(st.sampled_from(sorted(making.record().to_json())), plain)
def test_no_field_makes_another_error(name: str, value: object) -> None:
    outputs = {"x": Artifact("dataset", (making.file_of(b"1"),))}
    document = {**making.record(outputs).to_json(), name: value}
    try:
        Record.from_json(document)
    except DocumentError as error:
        assert "record" in str(error)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/etc/passwd", "..", "../x", "a/../b", "a/./b", ".", "a//b", "a/"),
        *("a\0b", "a\nb", "\x7f", "\udc80", "\ud800x", 3, None, b"x", ["x"]),
    ],
)
def test_no_path_leads_out_of_the_folder(path: Any) -> None:
    with pytest.raises(DocumentError, match="a relative path without"):
        File(path, DIGEST, 1)
    document = {"path": path, "sha256": DIGEST, "size": 1}
    with pytest.raises(DocumentError, match="a relative path without"):
        Artifact.from_json({"format": "x", "files": [document], "meta": {}})


@pytest.mark.parametrize("path", ["C:x", "C:/x", "a\\..\\..\\x", "\\\\host\\x"])
def test_no_path_leads_out_of_the_folder_on_windows(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    File(path, DIGEST, 1)
    monkeypatch.setattr(os, "name", "nt")
    with pytest.raises(DocumentError, match="a relative path without"):
        File(path, DIGEST, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "AB" * 32}, "expected a SHA-256 in lower-case digits"),
        ({"sha256": None}, "expected a SHA-256"),
        ({"size": -1}, "expected a size of 0 or more, got -1"),
        ({"size": True}, "expected a size of 0 or more, got True"),
        ({"size": 1.0}, "expected a size of 0 or more, got 1.0"),
        ({"link": "x"}, "expected an object with path, sha256, size"),
    ],
)
def test_a_file_that_is_damaged_is_refused(
    change: dict[str, Any], message: str
) -> None:
    document = {"path": "x", "sha256": DIGEST, "size": 1, **change}
    with pytest.raises(DocumentError, match=message):
        Artifact.from_json({"format": "x", "files": [document], "meta": {}})


@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/b"), ("a", "a.b", "a/b/c")])
def test_files_in_each_others_way_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(DocumentError, match="'a' twice, or as a file and a folder"):
        Artifact("dataset", tuple(File(name, DIGEST, 1) for name in names))


def test_all_that_is_wrong_with_a_record_is_said_at_once() -> None:
    document = {**making.record().to_json(), "plan": "x", "started": "now", "host": 3}
    with pytest.raises(DocumentError) as caught:
        Record.from_json(document, subject="record of task 't'")
    lines = str(caught.value).split("\n")
    assert [line.split(":")[1].strip() for line in lines] == [
        "record, plan",
        "record, started",
        "record, host",
    ]
    assert all(line.startswith("record of task 't': ") for line in lines)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (layout.check_run, ["r", "R.1_a-b", "2026-11-21T13.40.05.123Z", "x" * 128],
         ["", ".", "..", ".x", "-x", "a/b", "x" * 129, "x\n", "ü", "a b", "{{x}}"]),
        (layout.check_task, ["t", "-", "fit-0a1b2c", "x" * 63],
         ["", "..", "a.b", "A", "a_b", "a/b", "x" * 64, "x\n", "x\0"]),
        (layout.check_attempt, ["a", "0", "x" * 40], ["", "..", "A", "x" * 41, "a/b"]),
    ],
)  # fmt: skip
def test_names_that_could_lead_elsewhere_are_refused(
    check: Any, good: list[str], bad: list[str]
) -> None:
    assert [check(name) for name in good] == good
    for name in [*bad, None, 3, b"x"]:
        with pytest.raises(DefinitionError, match=r"name of an? "):
            check(name)


def test_keys_are_those_of_the_layout() -> None:
    assert [
        layout.object_key(DIGEST),
        layout.request_key("R"),
        layout.attempt_key("R", "t", "a"),
        layout.attempt_end_key("R", "t", "a"),
        layout.record_key("R", "t"),
        layout.published_key("R", "t"),
        layout.run_key("R"),
    ] == [
        f"objects/ab/{'ab' * 31}",
        "runs/R/request.json",
        "runs/R/attempts/t/a.json",
        "runs/R/attempts/t/a.end.json",
        "runs/R/records/t.json",
        "runs/R/published/t.json",
        "runs/R/run.json",
    ]


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        (".rats", "BASE/.rats"),
        ("a/../b", "BASE/b"),
        ("/abs/rats", "/abs/rats"),
        ("file:///abs/rats", "/abs/rats"),
        ("file://localhost/abs/rats", "/abs/rats"),
        ("FILE:///abs/rats", "/abs/rats"),
        ("with space/é", "BASE/with space/é"),
        ("at@home", "BASE/at@home"),
    ],
)
def test_a_folder_is_opened(tmp_path: Path, uri: str, folder: str) -> None:
    store = open_store(uri, base=tmp_path)
    assert isinstance(store, LocalStore)
    assert store.root.as_posix() == folder.replace("BASE", tmp_path.as_posix())
    assert not store.root.exists()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("", "expected a folder or an address"),
        (" ", "expected a folder or an address"),
        ("a\0b", "expected a folder or an address"),
        ("http://169.254.169.254/x", "expected a folder, file:// or s3://, got 'http"),
        ("s3a://bucket", "Did you mean 's3'"),
        ("gs://bucket/x", "expected a folder, file:// or s3://"),
        ("memory://x", "expected a folder, file:// or s3://"),
        ("simplecache::s3://bucket/x", "expected one address"),
        ("file://host/share", "expected file:///folder"),
        ("s3://", "expected s3://bucket/prefix"),
        ("s3://b", "expected s3://bucket/prefix"),
        ("s3://bucket/../x", "expected s3://bucket/prefix"),
        ("s3://bucket//x", "expected s3://bucket/prefix"),
        ("s3://bucket/x?versionId=3", "expected s3://bucket/prefix"),
        ("s3://bucket/x#y", "expected s3://bucket/prefix"),
        ("s3://bucket/x\n", "expected s3://bucket/prefix"),
        ("s3://key:geheim@bucket/x", "without a user or a password"),
        ("https://key:geheim@host/x", "without a user or a password"),
        ("file://key:geheim@host/x", "without a user or a password"),
    ],
)
def test_other_addresses_are_refused(uri: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        open_store(uri)
    assert message in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("number", "words", "transient"),
    [
        (28, "the disk is full. Free space there.", True),
        (30, "a read-only file system. Mount it writable", False),
        (13, "permission denied. Give your user access", False),
        (24, "too many open files in this process. Raise its limit", True),
        (5, "an input/output error. Check the disk", False),
        (116, "ESTALE", True),
        (20, "NotADirectoryError ENOTDIR. The system says", False),
    ],
)
def test_an_error_of_the_system_comes_with_its_cure(
    number: int, words: str, transient: bool
) -> None:
    error = of_os_error(OSError(number, os.strerror(number)), "store '.rats'")
    assert isinstance(error, StoreError)
    assert words in str(error)
    assert "\n" not in str(error)
    assert error.transient is transient
