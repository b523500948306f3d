"""What a definition makes, as lines that can be compared between processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro_rats.estimators.algebra import Estimator

_HASH_SEEDS = ("1", "2")
_NOT_IMPORTABLE = 3


def described(estimator: Estimator) -> list[str]:
    """Return a line for each node: phase, name, function, inputs, outputs and tags."""
    return [
        json.dumps(
            [
                phase,
                node.name,
                getattr(node.func, "__qualname__", type(node.func).__qualname__),
                node.inputs,
                node.outputs,
                sorted(node.tags),
            ]
        )
        for phase in ("train", "eval")
        for node in getattr(estimator, phase).nodes
    ]


def described_elsewhere(definition: Callable[[], Any]) -> list[list[str]]:
    """Return what other processes, with other hash seeds, make of a definition.

    A function that another process cannot import gives an empty list.
    """
    module = getattr(definition, "__module__", "__main__")
    name = getattr(definition, "__name__", "")
    if (
        not _is_importable(module)
        or getattr(sys.modules[module], name, 0) is not definition
    ):
        return []
    command = [sys.executable, "-m", __name__, module, name]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    started = [
        subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            command,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in _HASH_SEEDS
    ]
    ended = [(process, *process.communicate()) for process in started]
    for process, _, error in ended:
        if process.returncode not in (0, _NOT_IMPORTABLE):
            raise RuntimeError(error)
    return [
        json.loads(output.splitlines()[-1])
        for process, output, _ in ended
        if process.returncode == 0
    ]


def _is_importable(module: str) -> bool:
    """Say whether another process would find a module, on the same path."""
    if module == "__main__":
        return False
    return PathFinder.find_spec(module.partition(".")[0]) is not None


def main() -> None:
    """Print the description of the definition that the arguments name."""
    module, name = sys.argv[1:]
    try:
        definition: Any = getattr(import_module(module), name)
    except ModuleNotFoundError:
        sys.exit(_NOT_IMPORTABLE)
    sys.stdout.write(json.dumps(described(definition())) + "\n")


if __name__ == "__main__":
    main()
