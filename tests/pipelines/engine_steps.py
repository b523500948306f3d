"""What nodes do in tests of engines: they count their calls, fail, wait, or fill memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CALLS = "RATS_TEST_CALLS"
"""A variable with the file to which each call of a counting node is appended."""


def count(name: str) -> None:
    """Append a line in one step, so that several processes can do it at once."""
    path = os.environ.get(CALLS)
    if path:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, f"{name}\n".encode())
        os.close(handle)


def calls() -> list[str]:
    path = Path(os.environ[CALLS])
    return path.read_text().splitlines() if path.exists() else []


def first(x: list[int]) -> list[int]:
    count("first")
    return [value + 1 for value in x]


def second(y: list[int]) -> tuple[list[int], dict[str, int]]:
    count("second")
    return [value * 2 for value in y], {"rows": len(y)}


def third(z: list[int], about: dict[str, int]) -> str:
    count("third")
    return f"{sum(z)} of {about['rows']}"


def slowly(y: list[int]) -> list[int]:
    time.sleep(0.3)
    return first(y)


def refuse(x: Any) -> Any:
    msg = f"cannot use {x}"
    raise KeyError(msg)


def fill_memory(x: Any) -> Any:
    return [bytearray(1 << 28) for _ in range(64)]


def raise_memory_error(x: Any) -> Any:
    raise MemoryError


def be_killed(x: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def crash(x: Any) -> Any:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(x: Any) -> Any:
    os._exit(42)


def start_and_wait(x: Any) -> Any:
    """Start a process that appends lines for a minute, and wait for it."""
    code = (
        "import sys, time\n"
        "for _ in range(600):\n"
        "    open(sys.argv[1], 'a').write('tick\\n'); time.sleep(0.05)\n"
    )
    subprocess.run([sys.executable, "-c", code, os.environ[CALLS]], check=False)
    return x


def leave_one_behind(x: Any) -> Any:
    """Start a process that outlives this one and keeps its streams open."""
    code = "import time; time.sleep(20)"
    subprocess.Popen([sys.executable, "-c", code])
    return x


def full_disk(x: Any) -> Any:
    raise OSError(28, "No space left on device")


def once_full(x: Any) -> Any:
    """Fail as on a full disk, but the first time only."""
    count("once_full")
    if len(calls()) == 1:
        return full_disk(x)
    return x


def variable(x: Any) -> Any:
    return os.environ.get("RATS_TEST_BOUND")


def nothing(x: Any) -> Any:
    return None


def chunks(x: list[int]) -> Any:
    yield from ([value] for value in x)


def write_at_home(x: Any) -> list[int]:
    (Path.home() / "a").write_text("a")
    return [len(str(Path.home()))]
