"""Fixtures for every room; the expensive ones are built once per session."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestration.cli import main

SAMPLES = Path(__file__).parent / "samples"
PERIODS = ("2024H1", "2024H2", "2025H1", "2025H2", "2026H1")
LONGEST_FILES = ("test_runbook.py",)
"""Begun first: a file stays with one worker, and the longest, begun last, would keep the others waiting."""
ACCEPT = ("--accept-queries", "--by", "测试员", "--reason", "测试用，一次认可")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files in front; the order within each file, and of the rest, stays."""
    items.sort(key=lambda item: item.path.name not in LONGEST_FILES)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The sample workbooks of a synthetic city, faulty ones and expected results among them."""
    return SAMPLES


def run_sti(*arguments: str | Path) -> Result:
    """Run the command line in this process, as a user would; an exception is the test's failure."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="session")
def sti() -> Callable[..., Result]:
    """The command line; see `run_sti`."""
    return run_sti


def built_once(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str, name: str, build: Callable[[Path], None]
) -> Path:
    """Return a folder that the first worker to ask for it builds and all workers of the test run read."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    folder, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            build(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A home with the five sample half-years published. Read it only; `home_copy` gives one to write in."""

    def build(home: Path) -> None:
        for period in PERIODS:
            result = run_sti("--home", home, "run", period, "--inbox", SAMPLES / period, *ACCEPT)
            assert result.exit_code == 0, result.stderr

    return built_once(tmp_path_factory, worker_id, "sample", build)


@pytest.fixture
def home_copy(sample_home: Path, tmp_path: Path) -> Path:
    """A copy of the sample home that a test may change; Dagster's own store is left out."""
    copy = tmp_path / "home"
    shutil.copytree(sample_home, copy, ignore=shutil.ignore_patterns("dagster", "dbt"))
    return copy


@pytest.fixture(scope="session")
def annual_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A home with the sample years 2024 and 2025 published, and 2025H2 beside them. Read it only."""

    def build(folder: Path) -> None:
        periods = ("2025H2", "2024", "2025")
        for period in periods:
            shutil.copytree(SAMPLES / period, folder / "inbox" / period)
        result = run_sti("--home", folder / "home", "run", *periods, "--inbox", folder / "inbox", *ACCEPT)
        assert result.exit_code == 0, result.stderr

    return built_once(tmp_path_factory, worker_id, "annual", build) / "home"
