"""The folders of one home (``$STI_HOME``), and writing files so that a kill at any moment leaves the old or the new, never half."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

DEFAULT_HOME = ".local"


@dataclass(frozen=True)
class Home:
    """One home: archive, layers, candidate, published warehouse, reports, and Dagster's own store."""

    root: Path

    @classmethod
    def at(cls, path: str | Path | None = None) -> "Home":
        """Return the home at ``path``, else ``$STI_HOME``, else ``.local``; absolute, not created yet."""
        # Not Path.resolve, which raises where links lead in a circle; that is told when something is read or written there.
        return cls(Path(os.path.realpath(path or os.environ.get("STI_HOME") or DEFAULT_HOME)))

    @property
    def archive(self) -> Path:
        """Every byte ever received, by hash."""
        return self.root / "archive"

    @property
    def receipts(self) -> Path:
        """One JSON line per hand-in, in order of arrival."""
        return self.archive / "receipts.jsonl"

    def receipt_folder(self, receipt_no: str) -> Path:
        """Return the folder of one receipt: ``receipts/<受理号>/receipt.json`` and ``receipt.xlsx``."""
        return self.root / "receipts" / receipt_no

    @property
    def sources_file(self) -> Path:
        """Where hand-ins are pulled from, as the administrator wrote it."""
        return self.root / "sources.yaml"

    @property
    def alerts_file(self) -> Path:
        """Who is told of what, as the administrator wrote it."""
        return self.root / "alerts.yaml"

    @property
    def alerts(self) -> Path:
        """The alerts' journal and the locks of those who write it and send."""
        return self.root / "alerts"

    @property
    def alerts_journal(self) -> Path:
        """One JSON line per alert raised, ended, tried, sent."""
        return self.alerts / "journal.jsonl"

    @property
    def inbox(self) -> Path:
        """Where hand-ins arrive, pulled or dropped; a run receives from here unless told otherwise."""
        return self.root / "inbox"

    @property
    def incoming(self) -> Path:
        """What is being pulled and is not whole yet; hidden, so that no run takes it for a hand-in."""
        return self.inbox / ".incoming"

    @property
    def pulled(self) -> Path:
        """One JSON line per pulled version: by which channel it came. Evidence, so it lies in the archive."""
        return self.archive / "pulled.jsonl"

    @property
    def findings(self) -> Path:
        """The finding ledger's folder."""
        return self.root / "findings"

    @property
    def gate(self) -> Path:
        """What gate 1 said of each return: ``gate/<period>/<provider>.json``."""
        return self.root / "gate"

    @property
    def quality(self) -> Path:
        """The quality page of each run, by period."""
        return self.root / "quality"

    @property
    def corrections(self) -> Path:
        """Every registered correction slip, by its number."""
        return self.root / "corrections"

    @property
    def correction_register(self) -> Path:
        """One JSON line per slip registered or withdrawn."""
        return self.corrections / "register.jsonl"

    @property
    def unit_aliases(self) -> Path:
        """One JSON line per alias of a unit confirmed or revoked."""
        return self.root / "register" / "unit_aliases.jsonl"

    @property
    def candidate(self) -> Path:
        """The private DuckDB file that dbt writes."""
        return self.root / "candidate" / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The DuckDB file that analysts open."""
        return self.root / "published" / "warehouse.duckdb"

    @property
    def reports(self) -> Path:
        """Workbooks for people, by period."""
        return self.root / "reports"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME of this home."""
        return self.root / "dagster"

    @property
    def running(self) -> Path:
        """A mark per run under way, or interrupted: which process it runs in."""
        return self.root / "running"

    @property
    def log(self) -> Path:
        """Where internal errors leave their traceback."""
        return self.root / "log" / "sti.log"

    @property
    def spool(self) -> Path:
        """Rows of bulk files that were read and not yet put in ``raw``."""
        return self.root / "spool"

    def rows(self, layer: str, table_id: str, period: str) -> Path:
        """Return the Parquet file of one table and period in ``raw``, ``previous``, ``corrected`` or ``accepted``."""
        return self.root / layer / table_id / period / "rows.parquet"


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that readers and a restart see the old content or the new, never a part."""
    with replacing(path, mode=mode) as temporary:
        temporary.write_bytes(content)


def copy_atomically(source: Path, path: Path, *, mode: int = 0o644) -> None:
    """Copy a file of any size so that readers and a restart see the old content or the new, never a part."""
    with replacing(path, mode=mode) as temporary:
        shutil.copyfile(source, temporary)


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it is flushed to disk and put in place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for debris in path.parent.glob(f".{path.name}.*.tmp*"):
        debris.unlink(missing_ok=True)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(mode)
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def append_line(path: Path, record: dict) -> int:
    """Append one JSON line, flush it to disk and return its bytes; a line torn by a kill is closed first, so that it cannot swallow this one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(record, ensure_ascii=False).encode() + b"\n"
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    return len(line)


def read_lines(path: Path) -> list[dict]:
    """Return the JSON lines of a file in order; a line torn by a kill is skipped."""
    if not path.exists():
        return []
    records = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return records


def log_error(home: Home, text: str) -> str:
    """Append a traceback to the home's log, for whoever has to find out; return where it stands, in Chinese words.

    A home that cannot be written to (a full disk, no permission) is no reason to fail once more.
    """
    try:
        home.log.parent.mkdir(parents=True, exist_ok=True)
        with home.log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')}\n{text}\n")
    except OSError as error:
        return f"日志 {home.log} 也写不进（{error.strerror or error}）"
    return f"详情记在 {home.log}"


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to disk, so that a file put in place stays there."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
