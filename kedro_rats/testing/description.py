"""What a definition makes, as lines that can be compared between processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
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
    if module == "__main__" or vars(sys.modules[module]).get(name) is not definition:
        return []
    command = [sys.executable, "-m", __name__, module, name]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    results = []
    for seed in _HASH_SEEDS:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
        done = subprocess.run(  # noqa: S603 - our own interpreter, no shell
            command, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            results.append(json.loads(done.stdout.splitlines()[-1]))
        elif done.returncode != _NOT_IMPORTABLE:
            raise RuntimeError(done.stderr)
    return results


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
