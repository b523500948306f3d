"""What a run was asked to do: a plan, and all that is of this run alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kedro_rats.encoding.canonical import digest, from_bytes, to_bytes
from kedro_rats.errors import RatsError
from kedro_rats.names import FORMAT
from kedro_rats.store.artifacts import Artifact
from kedro_rats.store.layout import request_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro_rats.plan.lowering import Lowered
    from kedro_rats.store.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One run of a plan.

    It is stored under its digest, which is all that a task is told: so a task does what
    was asked for, or nothing.

    Attributes:
        run: The run's id.
        plan: Digest of the plan.
        started: When it was asked for, ISO 8601, UTC.
        save_version: The version under which versioned datasets are saved.
        load_versions: The version of each versioned input.
        imports: Inputs that are in the store: imported, or taken from another run.
        env: Kedro's environment; None for its default.
        conf_source: The configuration folder; None for the project's own.
        about: What people want to know later: project, pipeline, git state, versions,
            parameters without secrets.
    """

    run: str
    plan: str
    started: str
    save_version: str
    load_versions: Mapping[str, str] = field(default_factory=dict)
    imports: Mapping[str, Artifact] = field(default_factory=dict)
    env: str | None = None
    conf_source: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the request as canonical JSON."""
        return to_bytes(
            {
                "format": FORMAT,
                "run": self.run,
                "plan": self.plan,
                "started": self.started,
                "save_version": self.save_version,
                "load_versions": dict(self.load_versions),
                "imports": {n: a.to_json() for n, a in self.imports.items()},
                "env": self.env,
                "conf_source": self.conf_source,
                "about": dict(self.about),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Request:
        """Return the request that ``to_bytes`` wrote.

        Raises:
            RatsError: If it is none, or of another format.
        """
        try:
            value = from_bytes(data)
        except ValueError:
            value = None
        if not isinstance(value, dict) or value.pop("format", None) != FORMAT:
            msg = (
                f"The request of a run: expected format {FORMAT!r}, got another. It was "
                "made by another version of kedro-rats: use that one, here and in images."
            )
            raise RatsError(msg)
        try:
            imports = {n: Artifact.from_json(a) for n, a in value["imports"].items()}
            return cls(**{**value, "imports": imports})
        except (AttributeError, KeyError, TypeError) as error:
            msg = (
                "The request of a run: expected the fields of format "
                f"{FORMAT!r}, got others ({error}). It is damaged, or was made by "
                "another version of kedro-rats: use that one, here and in images."
            )
            raise RatsError(msg) from error

    @property
    def digest(self) -> str:
        """The name under which a task finds it."""
        return digest(self.to_bytes())


def keep(store: Store, lowered: Lowered, request: Request) -> bool:
    """Put a run's request, and all that it names, into the store.

    Returns:
        Whether the run is ours; False if another run has its id.
    """
    for data in (lowered.document, lowered.parameters, *lowered.pickles.values()):
        store.put(data)
    document = request.to_bytes()
    store.put(document)
    return store.create(request_key(request.run), document)


def request_of(store: Store, run: str) -> Request:
    """Return what a run was asked to do.

    Raises:
        RatsError: If there is no such run.
    """
    data = store.read(request_key(run))
    if data is None:
        msg = (
            f"Run {run!r}: expected a run in the store {store.uri!r}, got none of that "
            "name. `kedro rats runs` lists them."
        )
        raise RatsError(msg)
    return Request.from_bytes(data)
