"""One writer at a time: a lock that the kernel frees when its holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from warehouse.paths import Home


class HomeBusy(RuntimeError):
    """Another process is writing in this home; the message names it."""


_held: dict[Home, int] = {}


@contextmanager
def writing(home: Home) -> Iterator[None]:
    """Hold the home's writer lock; a run that holds it may take it again for each of its steps.

    Raises:
        HomeBusy: another process holds it.
    """
    if _held.get(home):
        _held[home] += 1
        try:
            yield
        finally:
            _held[home] -= 1
        return
    home.root.mkdir(parents=True, exist_ok=True)
    with (home.root / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HomeBusy(f"另一个进程（{holder(home)}）正在写入 {home.root}，请等它结束后再试") from error
        file.truncate(0)
        file.write(f"pid {os.getpid()}")
        file.flush()
        _held[home] = 1
        try:
            yield
        finally:
            del _held[home]
            file.truncate(0)


def is_held_here(home: Home) -> bool:
    """Tell whether this process holds the writer lock, for a command that is more than one step."""
    return bool(_held.get(home))


def holder(home: Home) -> str:
    """Return who holds the writer lock, as ``pid 123``; empty when nobody does."""
    path = home.root / "run.lock"
    return path.read_text().strip() if path.exists() else ""
