"""What a pod of ``kedro rats doctor`` runs: ``python -m kedro_rats.engines.argo.doctor.probe``.

It writes what it finds as one line of JSON, which is read from its log.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import kedro_rats
from kedro_rats.errors import RatsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MARK: Final = "kedro-rats-doctor"
"""The key of the line that counts; a program may print others."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Look at what a node would find here; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m kedro_rats.engines.argo.doctor.probe",
        description="Say what a node finds in this container, as a line of JSON.",
    )
    parser.add_argument("--store", required=True, help="s3://bucket/prefix.")
    asked = parser.parse_args(arguments)
    sys.stdout.write(json.dumps({MARK: found(asked.store)}) + "\n")
    return 0


def found(store: str) -> dict[str, Any]:
    """Return what a node finds here: versions, the time, whether it can write."""
    return {
        "kedro_rats": kedro_rats.__version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "machine": platform.machine(),
        "time": time.time(),
        "store": _store(store),
    }


def _store(uri: str) -> str:
    """Return why the store cannot be used; nothing if it can."""
    from kedro_rats.store.opening import open_store

    try:
        open_store(uri).probe()
    except ImportError as error:
        return f'{error}. Install "kedro-rats[s3]" in the image.'
    except RatsError as error:
        return str(error)
    return ""


def read(lines: Iterable[str]) -> dict[str, Any] | None:
    """Return what a pod has found, from its log; None if it says nothing."""
    for line in lines:
        if MARK not in line:
            continue
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and isinstance(said.get(MARK), dict):
            return dict(said[MARK])
    return None


if __name__ == "__main__":
    sys.exit(main())
