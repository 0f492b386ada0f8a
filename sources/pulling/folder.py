"""A folder of this machine or a mounted share, looked into through a child process, so that a share that hangs is given up in time."""

import contextlib
import json
import os
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from sources.pulling.failures import NoAnswer
from sources.reader_process import KEPT_ENVIRONMENT

WORKER = "sources.pulling.folder_worker"
START_SECONDS = 60
"""For starting the child, which asks nothing of the folder yet: a busy machine is no share that hangs."""
FAREWELL_SECONDS = 1


class FolderFiles:
    """The part of an fsspec file system that a pull needs: ``ls``, ``info`` and ``open`` for reading, and ``where``.

    ``client`` is what holds something open, as in fsspec's file systems for servers.

    Raises:
        NoAnswer: (every method) the folder gave none within the time.
        OSError: (every method) as the kernel says.
    """

    def __init__(self, timeout_seconds: float) -> None:
        self.client = _Child(timeout_seconds)

    def ls(self, path: str, detail: bool) -> list[dict[str, Any]]:
        """Return the entries of a folder; each batch may take the whole time."""
        answer = self.client.ask(do="list", path=path)
        entries = answer["entries"]
        while not answer["is_last"]:
            answer = self.client.next_answer()
            entries += answer["entries"]
        return entries

    def info(self, path: str) -> dict[str, Any]:
        """Return one entry as it is now."""
        return self.client.ask(do="info", path=path)

    def where(self, path: str) -> Path:
        """Return where a path really leads."""
        return Path(self.client.ask(do="where", path=path)["where"])

    def open(self, path: str, mode: str, block_size: int) -> "_Stream":
        """Return a file to read piece by piece."""
        self.client.ask(do="open", path=path)
        return _Stream(self.client)


class _Stream:
    def __init__(self, child: "_Child") -> None:
        self._child, self._position = child, 0

    def __enter__(self) -> "_Stream":
        return self

    def __exit__(self, *_: object) -> None:
        """The child lets go of the file with the next one, or with its own end."""

    def seek(self, position: int) -> None:
        self._position = position

    def read(self, size: int) -> bytes:
        self._child.ask(do="read", start=self._position, size=size)
        data = self._child.next_bytes()
        self._position += len(data)
        return data


class _Child:
    """One child process at a time; a new one after one that was given up."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def ask(self, **question: Any) -> dict[str, Any]:
        """Return the answer to a question."""
        if self._process is None:
            self._start()
        assert self._connection
        with self._giving_up():
            self._connection.send_bytes(json.dumps(question).encode())
        return self.next_answer()

    def next_answer(self) -> dict[str, Any]:
        """Return the next answer, or raise the error that it tells of."""
        answer: dict[str, Any] = json.loads(self.next_bytes())
        if "error" in answer:
            raise OSError(answer["error"]["errno"], answer["error"]["reason"])
        return answer

    def next_bytes(self, timeout_seconds: float | None = None) -> bytes:
        """Return what the child sends next."""
        assert self._connection
        with self._giving_up():
            if not self._connection.poll(timeout_seconds or self._timeout_seconds):
                raise NoAnswer
            return self._connection.recv_bytes()

    def close(self) -> None:
        """End the child. One that hangs in the kernel may not even die: it is not waited for."""
        process, connection, self._process, self._connection = self._process, self._connection, None, None
        if connection:
            connection.close()
        if process:
            process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(FAREWELL_SECONDS)

    def _start(self) -> None:
        self._connection, far = Pipe()
        with far:
            self._process = subprocess.Popen(
                [sys.executable, "-m", WORKER, str(far.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[far.fileno()],
                cwd=Path(__file__).parent.parent.parent,
                env={name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ} | {"PYTHONUTF8": "1"},
            )
        self.next_bytes(START_SECONDS)

    @contextlib.contextmanager
    def _giving_up(self) -> Any:
        try:
            yield
        except EOFError as error:
            self.close()
            raise ConnectionError("the child that reads the folder is gone") from error
        except OSError:
            self.close()
            raise
