"""Which runs are under way, by process: so that a run whose process was killed is found, told once, and closed in Dagster's store.

Dagster learns of a run's end from the run itself; one that is killed with its process (kill -9, no power) stays STARTED for ever. So each run leaves
a mark in ``$STI_HOME/running`` with the process that it runs in. A mark whose process is gone, of a run that Dagster does not know as ended, is
an interrupted run: Dagster is told that it failed, and the mark stays, as interrupted, until another run of the period has ended. Nothing
here imports Dagster before there is something to tell it.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warehouse.lock import HomeBusy, writing
from warehouse.paths import Home, write_atomically

_STARTED_AT = 19
"""Where the start time stands in ``/proc/<pid>/stat`` after the name in brackets."""


@dataclass(frozen=True)
class Mark:
    """One run and the process that it runs in; ``interrupted_at`` is when somebody saw that the process was gone, empty before."""

    run_id: str
    period: str
    host: str
    pid: int
    born: str
    began_at: str
    interrupted_at: str = ""

    @property
    def is_elsewhere(self) -> bool:
        """Whether it began on another machine, or in a container of another name: of its process nobody here can tell."""
        return self.host != socket.gethostname()

    @property
    def is_gone(self) -> bool:
        """Whether the process has ended, as far as one can tell here."""
        return not self.is_elsewhere and _born(self.pid) != self.born

    @property
    def text(self) -> str:
        """What people are told of an interrupted run."""
        return (
            f"{self.period} 的运行 {self.run_id.split('-')[0]} 中断：进程 {self.pid} 已不在（被杀或断电）；"
            f"已记为失败，已发布的数没有变。重新运行：sti run {self.period}"
        )


def begin(home: Home, run_id: str, period: str) -> None:
    """Mark a run as under way in this process; marked once, however often it is said."""
    path = _path(home, run_id)
    if not path.exists():
        here = (socket.gethostname(), os.getpid(), _born(os.getpid()))
        _write(home, Mark(run_id, period, *here, datetime.now(UTC).isoformat(timespec="seconds")))


@contextmanager
def under_way(home: Home, run_id: str, period: str) -> Iterator[None]:
    """Mark a run as under way until the block ends, however it ends; with it, earlier interruptions of the period are over."""
    begin(home, run_id, period)
    try:
        yield
    finally:
        _path(home, run_id).unlink(missing_ok=True)
        _over(home, period)


def interrupted(home: Home) -> list[Mark]:
    """Return the runs known to be interrupted, one per period, the latest, by period."""
    found = [mark for mark in _marks(home) if mark.interrupted_at]
    return list({mark.period: mark for mark in sorted(found, key=lambda m: (m.period, m.began_at))}.values())


def elsewhere(home: Home) -> list[str]:
    """Return what is told of runs on another machine, or in a container of another name, that have not ended as far as Dagster knows."""
    return [
        f"{mark.period} 的运行 {mark.run_id.split('-')[0]} 从 {mark.began_at} 起在另一台机器或容器 {mark.host} 上；"
        f"那里的进程若已不在，删去 {_path(home, mark.run_id)}，再运行：sti run {mark.period}"
        for mark in _marks(home)
        if mark.is_elsewhere and not mark.interrupted_at
    ]


def settle(home: Home, instance: Any = None) -> list[Mark]:
    """Look for runs whose process is gone, have Dagster note them as failed, and return all interrupted ones.

    Of a run elsewhere Dagster is asked too: one that has ended leaves nothing, though its container may have another name by now.
    While somebody writes in the home, nothing is looked for: whoever looks next does.
    """
    if any((mark.is_gone or mark.is_elsewhere) and not mark.interrupted_at for mark in _marks(home)):
        with suppress(HomeBusy), writing(home):
            _settle(home, instance)
    return interrupted(home)


def _settle(home: Home, instance: Any) -> None:
    import dagster as dg

    if instance is None:
        from orchestration.run import prepare

        prepare(home)
        with dg.DagsterInstance.get() as own:
            _settle(home, own)
        return
    for mark in _marks(home):
        if mark.interrupted_at:
            continue
        run = instance.get_run_by_id(mark.run_id)
        if run is not None and run.is_finished:
            _path(home, mark.run_id).unlink(missing_ok=True)
            _over(home, mark.period, mark.began_at)
            continue
        if not mark.is_gone:
            continue
        known = replace(mark, interrupted_at=datetime.now(UTC).isoformat(timespec="seconds"))
        if run is not None:
            instance.report_run_failed(run, known.text)
        _write(home, known)


def _over(home: Home, period: str, before: str = "") -> None:
    """Take away the interruptions of a period: another run of it has ended since."""
    for mark in _marks(home):
        if mark.period == period and mark.interrupted_at and (not before or mark.began_at < before):
            _path(home, mark.run_id).unlink(missing_ok=True)


def _marks(home: Home) -> list[Mark]:
    found = []
    for path in sorted(home.running.glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            found.append(Mark(**json.loads(path.read_text(encoding="utf-8"))))
    return found


def _path(home: Home, run_id: str) -> Path:
    return home.running / f"{run_id}.json"


def _write(home: Home, mark: Mark) -> None:
    write_atomically(_path(home, mark.run_id), json.dumps(asdict(mark), ensure_ascii=False, indent=1).encode())


def _born(pid: int) -> str:
    """Return what tells a process from any other that had or will have its number; empty where there is none."""
    if not Path("/proc/self/stat").exists():
        return _there(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    fields = stat.rpartition(")")[2].split()
    # A zombie has ended, and only waits to be asked how.
    return "" if fields[0] in ("Z", "X") else f"{boot}/{fields[_STARTED_AT]}"


def _there(pid: int) -> str:
    """Return a word for a process that is there, on a system that tells no more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "there"
