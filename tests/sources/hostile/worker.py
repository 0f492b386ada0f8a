"""A process that takes files through the whole intake under hard limits, and tells of each what came out, as one JSON line.

Usage: ``python -m tests.sources.hostile.worker HOME``; one path per line on standard input. It dies where a file breaks the memory or
the processor limit; whoever started it sees which file that was.
"""

import json
import os
import resource
import sys
from pathlib import Path

from sources.workbook import read_workbook
from warehouse import archive
from warehouse.paths import Home

MEMORY_BYTES = 1536 * 1024 * 1024
PROCESSOR_SECONDS = 20
PERIOD = "2026H1"
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
TOUCHES = {
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.truncate",
    "shutil.copyfile",
}
REACHES = {
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.sendto",
    "os.exec",
    "os.system",
}


def watch(home: Path, seen: list[str]) -> None:
    """Note every file written or moved outside the home, and every reach for the network or another program."""
    inside = (f"{home}/", f"{home}")

    def hook(event: str, arguments: tuple) -> None:
        if event == "open":
            path, mode, flags = arguments
            is_write = bool(flags & WRITES) if isinstance(flags, int) else "w" in (mode or "")
            if is_write and not isinstance(path, int) and not os.fsdecode(path).startswith((*inside, "/dev/null")):
                seen.append(f"{event} {path}")
        elif event in TOUCHES:
            for path in arguments[:2]:
                if isinstance(path, str | bytes | os.PathLike) and not os.fsdecode(path).startswith(inside):
                    seen.append(f"{event} {path}")
        elif event in REACHES:
            seen.append(f"{event} {arguments[1:]}")

    sys.addaudithook(hook)


def answer(home: Home, path: Path, seen: list[str]) -> dict[str, object]:
    """Take one file through the self-check's reader and the archive."""
    reading = read_workbook(path)
    receipt = archive.receive(home, path, PERIOD)
    refused = [] if receipt.period else archive.refusal_findings(home, receipt, PERIOD)
    rows = {table_id: table.rows.num_rows for table_id, table in reading.tables.items()}
    return {
        "findings": [[f.rule_id, f.rule_class, f.cell, f.message, f.why, f.action] for f in reading.findings],
        "refusal": receipt.refusal,
        "refused": [f.rule_id for f in refused],
        "period": receipt.period,
        "is_kept": archive.archived(home, receipt.file_sha256).read_bytes() == path.read_bytes(),
        "rows": rows,
        "seen": seen,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def main() -> None:
    """Answer file by file until the input ends."""
    home = Home.at(sys.argv[1])
    for line in sys.stdin:
        if not home.root.exists():
            # The first file is a good one: what is imported on first use is imported before anything is watched or limited.
            answer(home, Path(line.rstrip("\n")), [])
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            seen: list[str] = []
            watch(home.root, seen)
        seen.clear()
        spent = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(spent.ru_utime + spent.ru_stime) + PROCESSOR_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
        print(json.dumps(answer(home, Path(line.rstrip("\n")), seen), ensure_ascii=True), flush=True)


if __name__ == "__main__":
    main()
