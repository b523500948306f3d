"""Records: the proof that a task is committed. Attempts: what was tried."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.encoding import canonical
from kedro_rats.errors import Breach, DefinitionError, shown
from kedro_rats.names import FORMAT
from kedro_rats.store import layout
from kedro_rats.store.artifacts import Artifact
from kedro_rats.store.errors import DocumentError, StoreError, missing_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.store.artifacts import File
    from kedro_rats.store.base import Store

_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)", re.ASCII
)
_REMEDY: Final = "It is damaged: remove it, and run the task again."
_UPGRADE: Final = "A newer kedro-rats may have written it: upgrade kedro-rats."


@dataclass(frozen=True, slots=True)
class Record:
    """The proof that a task is committed: what it read and what it made.

    Args:
        run: The run.
        task: The task.
        plan: The digest of the plan.
        attempt: The attempt that made the outputs.
        inputs: By dataset the digest of the artifact that was read; None for one that
            has none.
        outputs: By dataset the artifact that was made.
        started: When the attempt began, as ISO time in UTC.
        finished: When its outputs were in the store.
        host: Where it ran.
        versions: Versions of Python, Kedro, kedro-rats, …

    Raises:
        DocumentError: If one of them is not that.
    """

    run: str
    task: str
    plan: str
    attempt: str
    inputs: Mapping[str, str | None]
    outputs: Mapping[str, Artifact]
    started: str
    finished: str
    host: str
    versions: Mapping[str, str]

    def __post_init__(self) -> None:
        layout.check_run(self.run)
        layout.check_task(self.task)
        layout.check_attempt(self.attempt)
        breaches = _breaches(self)
        if breaches:
            raise DocumentError(*breaches)

    @property
    def digest(self) -> str:
        """The digest of its canonical JSON."""
        return canonical.digest(canonical.to_bytes(self.to_json()))

    def to_json(self) -> dict[str, Json]:
        """Return it as a JSON document."""
        outputs = {name: made.to_json() for name, made in self.outputs.items()}
        return {
            "format": FORMAT,
            "run": self.run,
            "task": self.task,
            "plan": self.plan,
            "attempt": self.attempt,
            "inputs": self.inputs,
            "outputs": outputs,
            "started": self.started,
            "finished": self.finished,
            "host": self.host,
            "versions": self.versions,
        }

    @classmethod
    def from_json(cls, document: object, *, subject: str = "record") -> Record:
        """Return what a JSON document says; what it says besides is ignored.

        Args:
            document: The document.
            subject: What to call it in an error.

        Raises:
            DocumentError: If it is not a record, or one of another format.
        """
        fields = _document(document, subject)
        try:
            values = {name: fields[name] for name in cls.__slots__}
            made = _mapping(values["outputs"])
            values["outputs"] = {
                name: Artifact.from_json(artifact) for name, artifact in made.items()
            }
            return cls(**values)
        except KeyError as error:
            expected = f"a record with {error.args[0]}"
            raise _malformed(subject, expected, "none") from error
        except TypeError as error:
            raise _malformed(subject, "a record", shown(document)) from error
        except (DocumentError, DefinitionError) as error:
            raise _inside(subject, error) from error

    def objects(self) -> list[File]:
        """Return the files of all outputs, each content once."""
        files = {
            file.sha256: file for made in self.outputs.values() for file in made.files
        }
        return [files[digest] for digest in sorted(files)]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a task.

    Args:
        name: Which.
        begun: What was said when it began.
        ended: What was said when it ended; None if it has not, or was killed.
    """

    name: str
    begun: Mapping[str, Any]
    ended: Mapping[str, Any] | None


def commit(store: Store, record: Record) -> Record:
    """Make ``record`` the record of its task, unless there is one; return which it is.

    Args:
        store: The store, which has the outputs already.
        record: What the attempt made.

    Returns:
        The record of the task: ``record``, or that of the attempt that was first.

    Raises:
        MissingObject: If an output is not in the store; then nothing is committed.
        DocumentError: If the first record cannot be read.
        StoreError: If the store fails.
    """
    files = record.objects()
    there = store.each(lambda file: store.has(file.sha256, size=file.size), files)
    for file, is_there in zip(files, there, strict=True):
        if not is_there:
            raise missing_object(store.uri, file.sha256)
    key = layout.record_key(record.run, record.task)
    if store.create(key, canonical.to_bytes(record.to_json())):
        return record
    winner = record_of(store, record.run, record.task)
    if winner is None:
        raise StoreError(
            Breach(
                f"store {store.uri!r}, {key}",
                "a record, since one cannot be created",
                "none",
                "Nobody may remove records while a run goes on: run the task again.",
            ),
            transient=True,
        )
    return winner


def record_of(store: Store, run: str, task: str) -> Record | None:
    """Return the record of a task, or None if it is not committed.

    Raises:
        DocumentError: If there is one that cannot be read.
        StoreError: If the store fails.
    """
    key = layout.record_key(run, task)
    data = store.read(key)
    if data is None:
        return None
    subject = f"record of task {task!r} in run {run!r}"
    record = Record.from_json(_parsed(data, subject), subject=subject)
    if (record.run, record.task) != (run, task):
        got = f"that of task {record.task!r} in run {record.run!r}"
        raise _malformed(subject, "the record of this task", got)
    return record


def begin_attempt(
    store: Store, run: str, task: str, attempt: str, about: Mapping[str, Json]
) -> bool:
    """Say that an attempt has begun.

    Args:
        store: Where to.
        run: The run.
        task: The task.
        attempt: The attempt.
        about: When it started, on which host, …

    Returns:
        Whether it is the first to do so; if not, another attempt has the same name.

    Raises:
        StoreError: If the store fails.
    """
    key = layout.attempt_key(run, task, attempt)
    return store.create(key, _about(run, task, attempt, about))


def end_attempt(
    store: Store, run: str, task: str, attempt: str, about: Mapping[str, Json]
) -> bool:
    """Say how an attempt has ended; as ``begin_attempt``."""
    key = layout.attempt_end_key(run, task, attempt)
    return store.create(key, _about(run, task, attempt, about))


def attempts_of(store: Store, run: str, task: str) -> list[Attempt]:
    """Return the attempts of a task, sorted by name.

    It lists the store, so the very last may be missing: for people, not for decisions.

    Raises:
        DocumentError: If one cannot be read.
        StoreError: If the store fails.
    """
    found = {
        key: _document(_parsed(store.read(key) or b"", key), key)
        for key in store.keys(layout.attempts_folder(run, task))
    }
    names = [key.rpartition("/")[2].removesuffix(".json") for key in found]
    return [
        Attempt(
            name,
            found[layout.attempt_key(run, task, name)],
            found.get(layout.attempt_end_key(run, task, name)),
        )
        for name in sorted(names)
        if not name.endswith(".end")
    ]


def mark_published(store: Store, record: Record) -> None:
    """Say that the outputs of a record are at the places that the catalog gives.

    Raises:
        StoreError: If the store fails.
    """
    document = {"format": FORMAT, "record": record.digest}
    key = layout.published_key(record.run, record.task)
    store.create(key, canonical.to_bytes(document))


def is_published(store: Store, run: str, task: str) -> bool:
    """Say whether publishing of a task is finished.

    Raises:
        StoreError: If the store fails.
    """
    return store.read(layout.published_key(run, task)) is not None


def _about(run: str, task: str, attempt: str, about: Mapping[str, Json]) -> bytes:
    names = {"format": FORMAT, "run": run, "task": task, "attempt": attempt}
    return canonical.to_bytes({**about, **names})


def _parsed(data: bytes, subject: str) -> object:
    try:
        return canonical.from_bytes(data)
    except (ValueError, RecursionError) as error:
        raise _malformed(subject, "a JSON document", shown(data)) from error


def _document(document: object, subject: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise _malformed(subject, "a JSON object", shown(document))
    if document.get("format") != FORMAT:
        got = shown(document.get("format"))
        breach = Breach(subject, f"format {FORMAT!r}", got, _UPGRADE)
        raise DocumentError(breach)
    return document


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        msg = "not a mapping"
        raise TypeError(msg)
    return value


def _breaches(record: Record) -> list[Breach]:
    rules: list[tuple[str, bool, str]] = [
        ("plan", _is_digest(record.plan), "a digest"),
        ("inputs", _is_mapping(record.inputs, _is_digest_or_none), "digests or null"),
        ("outputs", _is_mapping(record.outputs, _is_artifact), "artifacts"),
        ("started", _is_time(record.started), "an ISO time in UTC"),
        ("finished", _is_time(record.finished), "an ISO time in UTC"),
        ("host", isinstance(record.host, str), "a name"),
        ("versions", _is_mapping(record.versions, _is_str), "versions by name"),
    ]
    return [
        Breach(f"record, {name}", expected, shown(getattr(record, name)), _REMEDY)
        for name, holds, expected in rules
        if not holds
    ]


def _is_mapping(value: object, rule: Callable[[object], bool]) -> bool:
    if not isinstance(value, Mapping):
        return False
    return all(isinstance(key, str) and rule(item) for key, item in value.items())


def _is_str(value: object) -> bool:
    return isinstance(value, str)


def _is_artifact(value: object) -> bool:
    return isinstance(value, Artifact)


def _is_digest(value: object) -> bool:
    return layout.matches(layout.DIGEST, value)


def _is_digest_or_none(value: object) -> bool:
    return value is None or _is_digest(value)


def _is_time(value: object) -> bool:
    return layout.matches(_TIME, value)


def _malformed(subject: str, expected: str, got: str) -> DocumentError:
    return DocumentError(Breach(subject, expected, got, _REMEDY))


def _inside(subject: str, error: DocumentError | DefinitionError) -> DocumentError:
    """Return an error about a part as one about the document that it is in."""
    return DocumentError(
        *(replace(b, subject=f"{subject}: {b.subject}") for b in error.breaches)
    )
