"""What is pulled, on its way into the inbox: parts, looks, and the journal of what came by which channel.

A version is written to ``inbox/.incoming/<source>/<key>.part``, checked, entered in the journal, then moved into the inbox in one
step. The journal comes first: a move that a kill prevented is made up for at the next pull, and nothing lands twice.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sources.contracts import providers
from sources.finding import Finding
from sources.pulling.config import Source
from sources.pulling.failures import OutOfTime
from sources.pulling.remote import STREAM_BYTES, Remote, RemoteFile
from sources.reading_rules import breach
from sources.workbook import sha256_of
from warehouse.archive import Receipt
from warehouse.paths import Home, append_line, read_lines, sync_folder, write_atomically

OVERLAP_BYTES = 64 * 1024
"""How much of a part is read again before going on: a server that ignores the range, or has other content by now, is noticed."""


class PullBusy(RuntimeError):
    """Another pull is at work in this home."""


class Changed(Exception):
    """The file at the source is no longer what was listed, or more or less of it came; nothing of it is kept."""


class TooLarge(Exception):
    """More bytes came than the source's limit."""


@dataclass(frozen=True)
class Pulled:
    """One pulled version: whose channel it came by, what the source said of it, its hash, and where it was put below the inbox."""

    key: str
    provider: str
    source: str
    address: str
    relative: str
    size_bytes: int
    modified: str
    etag: str
    sha256: str
    target: str
    pulled_at: str


def pulled(home: Home) -> list[Pulled]:
    """Return every pulled version, in order of arrival."""
    return [Pulled(**line) for line in read_lines(home.pulled)]


def key_of(source: Source, file: RemoteFile) -> str:
    """Return what names one version at one source: 32 hex digits of address, path, size, time and ETag."""
    text = json.dumps([source.name, source.address, file.path, *file.marks], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@contextmanager
def pulling(home: Home) -> Iterator[None]:
    """Hold the home's pull lock; runs are not kept waiting by it, since they see only whole files.

    Raises:
        PullBusy: another process pulls.
    """
    home.incoming.mkdir(parents=True, exist_ok=True)
    with (home.incoming / "pull.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PullBusy("另一个 sti pull（或 Dagster 传感器）正在取件，请等它结束后再试") from error
        yield


class Looks:
    """When each file at a source was first seen just as it is now; kept between pulls, so that a second look need not be waited for."""

    def __init__(self, home: Home) -> None:
        self._path = home.incoming / "looks.json"
        try:
            self._first_seen: dict[str, dict[str, float]] = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            self._first_seen = {}

    def age_seconds(self, source: Source, key: str) -> float:
        """Return for how long this version has been seen unchanged; 0 when it is new."""
        now = time.time()
        seen = self._first_seen.setdefault(source.name, {})
        # A clock that was set back must not keep a file waiting for ever.
        seen[key] = min(seen.get(key, now), now)
        return now - seen[key]

    def forget_others(self, source: Source, keys: set[str]) -> None:
        """Forget the versions that the source no longer has."""
        seen = self._first_seen.get(source.name, {})
        self._first_seen[source.name] = {key: at for key, at in seen.items() if key in keys}

    def save(self) -> None:
        """Write the looks down for the next pull."""
        write_atomically(self._path, json.dumps(self._first_seen, indent=0, sort_keys=True).encode())


def part_of(home: Home, source: Source, key: str) -> Path:
    """Return where a version is put together."""
    return home.incoming / source.name / f"{key}.part"


def download(remote: Remote, file: RemoteFile, part: Path, deadline: float) -> None:
    """Bring one version into its part, going on from where an earlier attempt stopped.

    Raises:
        Changed: what is there does not fit what was listed; the part is gone.
        TooLarge: more came than the source's limit; the part is gone.
        OutOfTime: the deadline passed; the part stays.
        ConnectionError: less came than was listed; the part stays.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("ab+") as out:
        size = out.tell()
        start = max(0, size - OVERLAP_BYTES)
        out.seek(start)
        overlap = out.read()
        with remote.reading(file, start) as stream:
            if _exactly(stream, len(overlap)) != overlap:
                part.unlink()
                raise Changed("续取时接不上")
            while block := stream.read(STREAM_BYTES):
                size += len(block)
                if size > remote.source.largest_bytes:
                    part.unlink()
                    raise TooLarge
                out.write(block)
                if time.monotonic() > deadline:
                    raise OutOfTime
        out.flush()
        os.fsync(out.fileno())
    expected = size if file.size_bytes is None else file.size_bytes
    if remote.look(file).marks != file.marks or size > expected:
        part.unlink()
        raise Changed("读取时对方还在改")
    if size < expected:
        # Some libraries take a broken connection for the end of the file.
        raise ConnectionError(f"{expected - size} bytes are missing")


def land(
    home: Home, source: Source, file: RemoteFile, key: str, part: Path, stamp: str, *, promised_sha256: str = ""
) -> Pulled | None:
    """Enter a whole part in the journal and move it into the inbox; return None when these very bytes came from there before.

    Raises:
        Changed: the source promised another hash; the part is gone.
    """
    sha256 = sha256_of(part)
    if promised_sha256 and sha256 != promised_sha256:
        part.unlink()
        raise Changed("与标记里的 SHA-256 不符")
    before = [p for p in pulled(home) if (p.source, p.relative, p.sha256) == (source.name, file.relative, sha256)]
    record = Pulled(
        key=key,
        provider=source.provider,
        source=source.name,
        address=source.address,
        relative=file.relative,
        size_bytes=part.stat().st_size,
        modified=file.modified,
        etag=file.etag,
        sha256=sha256,
        target=before[0].target if before else _free_target(home, source, file, stamp),
        pulled_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if key not in {p.key for p in before}:
        append_line(home.pulled, asdict(record))
    if before:
        part.unlink()
        return None
    _put(home, part, record)
    return record


def recover(home: Home) -> None:
    """Make the moves that the journal says but a kill prevented."""
    for record in pulled(home):
        part = home.incoming / record.source / f"{record.key}.part"
        if part.exists():
            if (home.inbox / record.target).exists():
                part.unlink()
            else:
                _put(home, part, record)


def sweep(home: Home, source: Source, keys: set[str]) -> None:
    """Take away the parts of versions that the source no longer has."""
    for part in (home.incoming / source.name).glob("*.part"):
        if part.stem not in keys:
            part.unlink()


def channels(home: Home, sha256: str) -> list[Pulled]:
    """Return by which channels these bytes came; empty when somebody put them into the inbox."""
    return [p for p in pulled(home) if p.sha256 == sha256]


def wrong_channel(home: Home, receipt: Receipt) -> list[Finding]:
    """Return the finding of a return that was pulled from other providers' channels only; a file put into the inbox has no channel."""
    came_by = channels(home, receipt.file_sha256)
    if not came_by or receipt.provider in {each.provider for each in came_by}:
        return []
    labels = "、".join(dict.fromkeys(providers()[each.provider].label for each in came_by))
    message = f"来源与填报单位不符：从{labels}的渠道（{came_by[0].source}）取到，表内填报单位是{receipt.provider_label}"
    finding = breach(
        "RD-090",
        message,
        file_name=receipt.file_name,
        file_sha256=receipt.file_sha256,
        provider=receipt.provider,
        period=receipt.period,
        subject=f"渠道/{receipt.file_sha256}",
        found=labels,
        expected=receipt.provider_label,
    )
    return [finding]


def _free_target(home: Home, source: Source, file: RemoteFile, stamp: str) -> str:
    """Return a place below the inbox that nothing else has, not even in other letter case.

    The time of arrival comes first, so that the order of names within a provider is the order of arrival.
    """
    taken = {p.target.casefold() for p in pulled(home)}
    number = 1
    while True:
        folder = stamp if number == 1 else f"{stamp}-{number}"
        target = f"{source.provider}/{folder}/{source.name}/{file.relative}"
        if target.casefold() not in taken and not (home.inbox / target).exists():
            return target
        number += 1


def _put(home: Home, part: Path, record: Pulled) -> None:
    target = home.inbox / record.target
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(part, target)
    sync_folder(target.parent)


def _exactly(stream: object, count: int) -> bytes:
    data = b""
    while len(data) < count and (block := stream.read(count - len(data))):  # type: ignore[attr-defined]
        data += block
    return data
