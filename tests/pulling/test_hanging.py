"""A share whose server is gone: what hangs in the kernel is given up in time, and nobody else waits for it."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sources.pulling.config import load_sources
from sources.pulling.failures import NoAnswer
from sources.pulling.remote import Remote
from tests.pulling.conftest import Site
from tests.pulling.test_sources import put, said
from warehouse.archive import is_hand_in


@contextmanager
def leased(path: Path) -> Iterator[None]:
    """Hold the kernel's lease on a file: whoever opens it hangs in the kernel until we let go, or 45 s are over."""
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    with path.open("rb+") as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        try:
            yield
        finally:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            signal.signal(signal.SIGIO, before)


def children() -> set[int]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return {pid for pid in found if b"folder_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def test_a_file_that_hangs_when_opened_is_given_up_and_everything_else_still_comes(site: Site, tmp_path: Path) -> None:
    hanging = put(site.root("folder"), "a.xlsx", b"hangs")
    put(site.root("folder"), "b.xlsx", b"comes")
    other = tmp_path / "other"
    put(other, "c.xlsx", b"comes too")
    sources = [
        site.source("folder", timeout_seconds=0.5),
        site.source("folder", name="other", path=str(other), provider="education_bureau"),
    ]
    with leased(hanging):
        report = site.pull(*sources)
    assert "没有回应" in said(report, "failed")
    assert "a.xlsx" in said(report, "failed")
    # Whoever had waited until the kernel lets go would have got all three.
    assert sorted(site.arrived().values()) == [b"comes", b"comes too"]
    assert children() == set()
    site.pull(*sources)
    assert sorted(site.arrived().values()) == [b"comes", b"comes too", b"hangs"]


def test_a_folder_that_stops_answering_is_given_up_left_behind_and_asked_anew_when_it_is_back(site: Site) -> None:
    put(site.root("folder"), "a.xlsx", b"a")
    (source,) = load_sources(site.write(site.source("folder")))
    remote = Remote(source, {}, 1, is_hand_in)
    assert [file.relative for file in remote.list_files().files] == ["a.xlsx"]
    (pid,) = children()
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(NoAnswer):
        remote.list_files()
    assert pid not in children()
    assert [file.relative for file in remote.list_files().files] == ["a.xlsx"]
    remote.drop()
    assert children() == set()


def test_one_source_that_hangs_does_not_eat_the_time_of_the_others(site: Site, tmp_path: Path) -> None:
    hanging = put(site.root("folder"), "a.xlsx", b"hangs")
    other = tmp_path / "other"
    put(other, "c.xlsx", b"comes")
    sources = [
        site.source("folder", timeout_seconds=30),
        site.source("folder", name="other", path=str(other), provider="education_bureau"),
    ]
    with leased(hanging):
        site.pull(*sources, wait=None)
        time.sleep(0.05)
        report = site.pull(*sources, wait=None, budget_seconds=8)
    assert "没有回应" in said(report, "failed")
    assert list(site.arrived().values()) == [b"comes"]
