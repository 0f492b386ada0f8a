"""The child process that looks into a folder and reads from it. Started by `sources.pulling.folder`.

On a mounted share whose server is gone every question to the kernel hangs, and a thread that hangs in the kernel cannot be ended; a process
can be left behind. Each question is JSON; the answer is JSON, or the bytes of a file. It only looks and reads.
"""

import json
import os
import sys
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, BinaryIO

FIELDS = ("name", "type", "size", "islink", "mtime")
ENTRIES_AT_ONCE = 200
"""A large folder on a slow share is told piece by piece, so that the parent can tell slow from gone."""


class _Worker:
    def __init__(self, connection: Connection) -> None:
        from fsspec.implementations.local import LocalFileSystem

        self._files = LocalFileSystem(skip_instance_cache=True)
        self._connection = connection
        self._opened: BinaryIO = BytesIO()

    def answer(self, request: dict[str, Any]) -> None:
        path = request.get("path", "")
        match request["do"]:
            case "list":
                self._list(path)
            case "info":
                self._say(self._entry(path))
            case "where":
                self._say({"where": os.path.realpath(path)})
            case "open":
                self._opened.close()
                self._opened = Path(path).open("rb")  # noqa: SIM115 - read piece by piece, by the questions that follow
                self._say({})
            case "read":
                self._opened.seek(request["start"])
                data = self._opened.read(request["size"])
                self._say({})
                self._connection.send_bytes(data)

    def _list(self, path: str) -> None:
        entries: list[dict[str, Any]] = []
        with os.scandir(path) as found:
            for each in found:
                try:
                    entries.append(self._entry(each))
                except FileNotFoundError:
                    continue
                if len(entries) >= ENTRIES_AT_ONCE:
                    self._say({"entries": entries, "is_last": False})
                    entries = []
        self._say({"entries": entries, "is_last": True})

    def _entry(self, what: Any) -> dict[str, Any]:
        info = self._files.info(what)
        return {field: info[field] for field in FIELDS}

    def _say(self, answer: dict[str, Any]) -> None:
        # Names that are no UTF-8 go through as escapes.
        self._connection.send_bytes(json.dumps(answer).encode())


def main() -> None:
    """Serve questions until the parent closes the pipe."""
    connection = Connection(int(sys.argv[1]))
    worker = _Worker(connection)
    connection.send_bytes(b"{}")
    while True:
        try:
            request = json.loads(connection.recv_bytes())
        except EOFError:
            return
        try:
            worker.answer(request)
        except OSError as error:
            said = {"errno": error.errno or 0, "reason": error.strerror or str(error)}
            connection.send_bytes(json.dumps({"error": said}).encode())


if __name__ == "__main__":
    main()
