"""What all tests share: no telemetry, equal random examples, golden files, the cluster.

A golden test compares with a file in ``tests/golden``; ``--update-golden`` writes the
file instead. A missing golden file is a failure, never a reason to write one.
"""

from __future__ import annotations

import logging
import os

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports Kedro; programs that a test starts inherit it.
os.environ["DO_NOT_TRACK"] = "1"
# Tests run side by side: threads of the numerical libraries would only wait for each
# other, ten times longer than the small fits take.
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"

# A slow machine is no failure: no deadlines. `quick`, `ci` and `soak` differ in the number
# of examples; each draws the same ones in every run. `dev` looks for new ones.
_ALWAYS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("quick", derandomize=True, max_examples=10, **_ALWAYS)
settings.register_profile("ci", derandomize=True, max_examples=50, **_ALWAYS)
settings.register_profile("dev", max_examples=100, **_ALWAYS)
settings.register_profile("soak", derandomize=True, max_examples=2000, **_ALWAYS)
settings.load_profile(os.environ.get("RATS_HYPOTHESIS", "ci"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the files in tests/golden instead of comparing with them",
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


def pytest_configure() -> None:
    # Kedro logs to stdout, from its import on, where doctests would read it.
    logging.disable(logging.INFO)
    import kedro.framework.project  # noqa: F401 - sets its loggers up

    logging.disable(logging.NOTSET)
    logging.getLogger("kedro").setLevel(logging.WARNING)


def cluster_is_meant() -> bool:
    return os.environ.get("RATS_TEST_CLUSTER") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if cluster_is_meant():
        return
    skip = pytest.mark.skip(reason="needs a cluster: make e2e")
    for item in items:
        if item.get_closest_marker("cluster"):
            item.add_marker(skip)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where a cluster test was meant to run and did not."""
    if not cluster_is_meant() or hasattr(session.config, "workerinput"):
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter.stats.get("skipped") or not reporter.stats.get("passed"):
        reporter.write_line("cluster tests: expected all to run, not so", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
