"""One pull: every source looked at, what is ready fetched, each failure a line. A source that is down keeps no other waiting."""

import re
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from sources.pulling.config import Source
from sources.pulling.failures import NotInEnvironment, OutOfTime, explain, persist
from sources.pulling.names import shown
from sources.pulling.remote import MARKER_SUFFIX, Listing, Remote, RemoteFile
from warehouse.archive import is_hand_in
from warehouse.incoming import (
    Changed,
    Looks,
    Pulled,
    TooLarge,
    download,
    key_of,
    land,
    part_of,
    pulled,
    pulling,
    recover,
    sweep,
)
from warehouse.paths import Home

MARKER_BYTES = 200
MOST_FAILED_FILES = 3
"""After so many failures in one source the rest of it is left for the next pull: it is the way that fails, not the file."""

_SHA256 = re.compile(rb"\s*([0-9a-fA-F]{64})\b")
State = Literal["pulled", "ready", "waiting", "refused", "failed", "note"]


@dataclass(frozen=True)
class Line:
    """What became of one file or one source: its state, the source, the file below it (or empty), and a Chinese sentence.

    ``detail`` is for the log, never for people.
    """

    state: State
    source: str
    provider: str
    place: str
    message: str
    detail: str = ""


@dataclass
class PullReport:
    """What one pull did: one line per file or failure, the versions that arrived, and whether time ran out."""

    lines: list[Line] = field(default_factory=list)
    arrived: list[Pulled] = field(default_factory=list)
    is_out_of_time: bool = False

    def of(self, *states: State) -> list[Line]:
        """Return the lines in these states."""
        return [line for line in self.lines if line.state in states]


def pull(
    home: Home,
    sources: Sequence[Source],
    environ: Mapping[str, str],
    *,
    budget_seconds: float = float("inf"),
    wait: Callable[[float], None] | None = None,
) -> PullReport:
    """Fetch from each source what is new and ready.

    Args:
        home: receives below ``inbox/``.
        sources: in the order in which they are visited.
        environ: where the credentials are.
        budget_seconds: after that, what is under way is left for the next pull.
        wait: called with the seconds until files that are not settled can be looked at again; None leaves them for the next pull.

    Raises:
        PullBusy: another pull is at work.
    """
    report = PullReport()
    with pulling(home):
        recover(home)
        one = _Pull(home, environ, report, time.monotonic() + budget_seconds)
        unsettled = one.visit_all(sources)
        if unsettled and wait:
            wait(max(seconds for _, seconds in unsettled))
            names = {source.name for source, _ in unsettled}
            report.lines = [line for line in report.lines if line.source not in names or line.state == "pulled"]
            one.visit_all([source for source, _ in unsettled])
        one.looks.save()
    return report


def preview(home: Home, sources: Sequence[Source], environ: Mapping[str, str]) -> PullReport:
    """Say what a pull would fetch; nothing is fetched and nothing is written."""
    report = PullReport()
    one = _Pull(home, environ, report, float("inf"))
    one.visit_all(sources, only_look=True)
    return report


class _Pull:
    def __init__(self, home: Home, environ: Mapping[str, str], report: PullReport, deadline: float) -> None:
        self.home = home
        self.environ = environ
        self.report = report
        self.end = self.deadline = deadline
        self.failed_file_count = 0
        self.looks = Looks(home)
        self.stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")

    def visit_all(self, sources: Sequence[Source], *, only_look: bool = False) -> list[tuple[Source, float]]:
        """Do the sources in order; return those whose files are not settled yet, and in how many seconds to look again.

        A source may take half of the time that is left as long as others wait: one that hangs must not eat it all, pull after pull.
        """
        unsettled = []
        for position, source in enumerate(sources):
            now = time.monotonic()
            is_last = position == len(sources) - 1
            self.deadline = self.end if is_last else now + (self.end - now) / 2
            seconds = self.visit(source, only_look=only_look)
            if seconds:
                unsettled.append((source, seconds))
        return unsettled

    def visit(self, source: Source, *, only_look: bool = False) -> float:
        """Do one source, whatever happens to it; return in how many seconds files that are not settled yet can be looked at again."""
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            self._out_of_time(source)
            return 0
        self.failed_file_count = 0
        remote = Remote(source, self.environ, max(1, min(source.timeout_seconds, remaining)), is_hand_in)
        try:
            return self._visit(source, remote, only_look)
        except OutOfTime:
            self._out_of_time(source)
        except Exception as error:
            self._failed(source, "", error)
        finally:
            remote.drop()
        return 0

    def _visit(self, source: Source, remote: Remote, only_look: bool) -> float:
        listing, _ = persist(source, remote.list_files, before_again=remote.drop, deadline=self.deadline)
        _refuse_own_folder(self.home, listing)
        keys = {key_of(source, file) for file in listing.files}
        self._say_what_was_listed(source, listing)
        known = {p.key for p in pulled(self.home)}
        new = [file for file in listing.files if key_of(source, file) not in known or not any(file.marks[1:])]
        self.looks.forget_others(source, keys)
        if not only_look:
            sweep(self.home, source, keys)
        soonest = 0.0
        for count, file in enumerate(new):
            if count >= source.most_file_count:
                self._line(
                    "note", source, "", f"一次最多取 {source.most_file_count} 个，其余 {len(new) - count} 个下次再取"
                )
                break
            key = key_of(source, file)
            if file.size_bytes is not None and file.size_bytes > source.largest_bytes:
                self._too_large(source, file)
                continue
            seconds, reason = self._not_ready(source, listing, file, key)
            soonest = max(soonest, seconds)
            if reason:
                self._line("waiting", source, file.relative, reason)
            elif only_look:
                self._line("ready", source, file.relative, "可以取")
            else:
                self._fetch(source, remote, listing, file, key)
        return soonest

    def _not_ready(self, source: Source, listing: Listing, file: RemoteFile, key: str) -> tuple[float, str]:
        """Return in how many seconds a file may be ready, if time is all that it needs, and why it is not; an empty reason when it is."""
        if source.ready == "ok_marker":
            marker = listing.markers.get(file.relative + MARKER_SUFFIX)
            if marker is None:
                return 0, f"还没有 {file.name}{MARKER_SUFFIX} 标记，不取"
            if marker.modified < file.modified:
                return 0, f"{file.name}{MARKER_SUFFIX} 标记比文件旧（文件又改过），等新的标记"
            return 0, ""
        age = self.looks.age_seconds(source, key)
        if age >= source.settle_seconds:
            return 0, ""
        left = source.settle_seconds - age
        return left, f"刚看到，{left:.0f} 秒后仍不变再取（怕还没有传完）"

    def _fetch(self, source: Source, remote: Remote, listing: Listing, file: RemoteFile, key: str) -> None:
        part = part_of(self.home, source, key)
        try:
            _, attempts = persist(
                source,
                lambda: download(remote, file, part, self.deadline),
                before_again=remote.drop,
                deadline=self.deadline,
            )
            promised = _promised_sha256(remote, listing.markers.get(file.relative + MARKER_SUFFIX))
            record = land(self.home, source, file, key, part, self.stamp, promised_sha256=promised)
        except OutOfTime:
            raise
        except Changed as change:
            self._line("waiting", source, file.relative, f"{change}，没有收下；下次重新取")
        except TooLarge:
            self._too_large(source, file)
        except Exception as error:
            self.failed_file_count += 1
            if self.failed_file_count >= MOST_FAILED_FILES:
                raise
            self._failed(source, file.relative, error)
        else:
            if record is None:
                self._line("note", source, file.relative, "时间变了，内容与已收的相同，不再收")
                return
            self.report.arrived.append(record)
            again = f"（第 {attempts} 次才取到）" if attempts > 1 else ""
            self._line(
                "pulled", source, file.relative, f"已取 {record.size_bytes} 字节{again}，放在 inbox/{record.target}"
            )

    def _say_what_was_listed(self, source: Source, listing: Listing) -> None:
        for place, reason in listing.refused:
            self._line("refused", source, shown(place), f"{reason}，不取；请对方改名")
        for place, error in listing.troubles:
            self.report.lines.append(
                Line("failed", source.name, source.provider, shown(place), explain(error), _detail(error))
            )
        for note in listing.notes:
            self._line("note", source, "", note)
        if listing.passed_over_count:
            self._line("note", source, "", f"另有 {listing.passed_over_count} 个不是工作簿（或不合 patterns），没有取")

    def _too_large(self, source: Source, file: RemoteFile) -> None:
        limit = source.largest_bytes
        self._line(
            "refused",
            source,
            file.relative,
            f"超过 {limit / 1024 / 1024:.0f} MB（{limit} 字节），不取；请对方分拆后重报",
        )

    def _out_of_time(self, source: Source) -> None:
        self.report.is_out_of_time = True
        self._line("note", source, "", "本次时间用完，已取到的部分留着，下次接着取")

    def _failed(self, source: Source, place: str, error: Exception) -> None:
        attempts = getattr(error, "attempt_count", 1)
        message = f"{source.address} {explain(error, attempt_count=attempts)}"
        self.report.lines.append(Line("failed", source.name, source.provider, shown(place), message, _detail(error)))

    def _line(self, state: State, source: Source, place: str, message: str) -> None:
        self.report.lines.append(Line(state, source.name, source.provider, shown(place), message))


def _promised_sha256(remote: Remote, marker: RemoteFile | None) -> str:
    """Return the SHA-256 that a marker begins with, as ``sha256sum`` writes it; empty where it says nothing."""
    if remote.source.ready != "ok_marker" or marker is None:
        return ""
    with remote.reading(marker, 0) as stream:
        said = _SHA256.match(stream.read(MARKER_BYTES))
    return said.group(1).decode().lower() if said else ""


def _refuse_own_folder(home: Home, listing: Listing) -> None:
    folder, own = listing.real_root, home.root.resolve()
    if folder and (folder.is_relative_to(own) or own.is_relative_to(folder)):
        raise NotInEnvironment(f"{folder} 是本系统自己的数据目录（或包含它），不能作来源")


def _detail(error: Exception) -> str:
    return "".join(traceback.format_exception(error))
