"""One return from several files: a workbook, and bulk files in place of sheets that it lacks.

All files of one hand-in bear one 报出日期; that is what keeps an old ledger from meeting a new summary. Of several workbooks, and of
several bulk files for one table, the later 报出日期 counts, else the later arrival.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sources.bulk.reading import BulkIdentity
from sources.bulk.sniff import kind_of
from sources.contracts import providers
from sources.finding import Finding
from sources.identity import Identity
from sources.reader_process import identify_bulk, identify_workbook, read_bulk, read_workbook
from sources.reading_rules import breach
from sources.workbook import WorkbookReading, read_tables, sha256_of


@dataclass(frozen=True)
class HandIn:
    """One file of a slot, with its hash, the name it came under, the day it arrived, and the slot it was received for, if it was."""

    path: Path
    file_name: str
    file_sha256: str
    arrived_on: date
    provider: str = ""
    period: str = ""

    @property
    def is_bulk(self) -> bool:
        """Whether it is a bulk file and no workbook."""
        return bool(kind_of(self.path, self.file_name))


_Bulk = tuple[int, HandIn, BulkIdentity]


def identify_file(path: Path, asked_period: str | None = None, *, file_name: str = "") -> WorkbookReading:
    """Tell whose a hand-in is, workbook or bulk file, from its first rows; the tables are not read.

    ``file_name`` is the name to speak of (the archive keeps files under their hash).
    """
    if not kind_of(path, file_name):
        return identify_workbook(path, asked_period, file_name=file_name)
    found = identify_bulk(path, sha256_of(path), asked_period, file_name=file_name)
    return WorkbookReading(
        found.file_name, found.file_sha256, found.provider, found.period, found.cadence, found.reported_on,
        findings=found.findings,
    )  # fmt: skip


def read_returns(hand_ins: Sequence[HandIn], period: str, spool: Path) -> list[tuple[int, WorkbookReading]]:
    """Read every version of the return of one slot, the one that counts last.

    Args:
        hand_ins: every file of the slot, in order of arrival, at least one.
        period: the slot's period.
        spool: folder for the rows of bulk files; see `sources.sheet.TableReading`.

    Returns:
        Per workbook (without one, for a bulk file) its place in ``hand_ins`` and its reading: the later 报出日期 after the earlier, else the
        later arrival. Bulk files belong to the last one.
    """
    bulk = _newest_bulk(hand_ins, period)
    books = [
        (i, _as_filed(h, read_workbook(h.path, period, file_name=h.file_name, beside=bulk.keys())))
        for i, h in enumerate(hand_ins)
        if not h.is_bulk
    ]
    if books:
        books.sort(key=lambda item: item[1].reported_on or hand_ins[item[0]].arrived_on)
    else:
        index, _, first = next(iter(bulk.values()))
        provider = providers()[first.provider]
        identity = Identity(provider, first.period, first.cadence)
        books = [(index, read_tables(first.file_name, first.file_sha256, [], identity, provider, bulk.keys()))]
    index, last = books[-1]
    last.findings.extend(_passed_over(hand_ins, books))
    return [*books[:-1], (index, _with_bulk(last, bulk, spool))]


def _passed_over(hand_ins: Sequence[HandIn], books: Sequence[tuple[int, WorkbookReading]]) -> list[Finding]:
    """Ask about workbooks that came on a later day than the one that counts, and are not used: corrections that kept the old date, or a wrong one."""
    index, last = books[-1]
    where = {"provider": last.provider, "period": last.period, "file_sha256": last.file_sha256}
    return [
        breach(
            "RD-064",
            f"{hand_ins[i].arrived_on} 收到的“{late.file_name}”（报出日期 {late.reported_on or '没有写'}）没有采用：{hand_ins[index].arrived_on} "
            f"先收到的“{last.file_name}”报出日期更晚（{last.reported_on}）",
            file_name=last.file_name,
            subject=f"版本/{late.file_sha256}",
            found=f"{late.reported_on}、{last.reported_on}",
            **where,
        )
        for i, late in books[:-1]
        if hand_ins[i].arrived_on > hand_ins[index].arrived_on
    ]


def _as_filed(hand_in: HandIn, reading: WorkbookReading) -> WorkbookReading:
    """Return a reading as of the slot it was received for.

    A workbook that cannot be read beyond its first rows is still the return that its receipt says, and its faults are that return's.
    """
    if (reading.provider and reading.period) or not hand_in.provider:
        return reading
    where = {"provider": hand_in.provider, "period": hand_in.period}
    return replace(reading, findings=[replace(f, **where) for f in reading.findings], **where)  # type: ignore[arg-type]


def read_bulk_alone(hand_ins: Sequence[HandIn], period: str, spool: Path) -> WorkbookReading:
    """Read bulk files of one slot without their workbook, as a bureau checks them before it sends them."""
    bulk = _newest_bulk(hand_ins, period)
    first = next(iter(bulk.values()))[2]
    note = breach(
        "RD-077",
        "只检查了大批量文件，没有与工作簿核对",
        file_name=first.file_name,
        provider=first.provider,
        period=first.period,
        subject="工作簿",
    )
    base = WorkbookReading(
        first.file_name, first.file_sha256, first.provider, first.period, first.cadence, findings=[note]
    )
    return _with_bulk(base, bulk, spool)


def _newest_bulk(hand_ins: Sequence[HandIn], period: str) -> dict[str, _Bulk]:
    """Return the bulk file that counts of each table."""
    newest: dict[str, _Bulk] = {}
    for index, hand_in in enumerate(hand_ins):
        if not hand_in.is_bulk:
            continue
        found = identify_bulk(hand_in.path, hand_in.file_sha256, period, file_name=hand_in.file_name)
        if found.table is None:
            continue
        known = newest.get(found.table.table_id)
        day = found.reported_on or hand_in.arrived_on
        if known is None or day >= (known[2].reported_on or known[1].arrived_on):
            newest[found.table.table_id] = (index, hand_in, found)
    return newest


def _with_bulk(base: WorkbookReading, bulk: dict[str, _Bulk], spool: Path) -> WorkbookReading:
    """Add to a workbook's reading the tables that bulk files supply; what does not fit together becomes a finding."""
    tables, findings = dict(base.tables), list(base.findings)
    days = [(base.file_name, base.reported_on)] if base.given else []
    used: list[BulkIdentity] = []
    for table_id, (_, hand_in, found) in bulk.items():
        if table_id in base.given:
            findings.append(_given_twice(base, found))
            continue
        used.append(found)
        days.append((found.file_name, found.reported_on))
        if found.table and not (base.given | bulk.keys()).isdisjoint(found.table.instead_of):
            # A stand-in beside what it stands in for: the reader of the workbook has said so, and the units count.
            continue
        reading = read_bulk(hand_in.path, found, spool / f"{table_id}.parquet")
        findings += [*found.findings, *reading.findings]
        if reading.is_read:
            tables[table_id] = reading
    told = {day for _, day in days}
    if used and (len(told) > 1 or None in told):
        said = "、".join(f"{name} {day or '没有写报出日期'}" for name, day in days)
        message = f"同一次报送的各个文件，报出日期不一致或没有写：{said}"
        findings.append(_about(used[0], "RD-075", message, table_id="", subject="报出日期", found=said))
    latest = max((day for day in told if day), default=base.reported_on)
    return replace(base, tables=tables, findings=findings, reported_on=latest)


def _given_twice(base: WorkbookReading, found: BulkIdentity) -> Finding:
    """Return the note that a later workbook has its own sheet, or the hard error that workbook and bulk file claim one table."""
    sheet = found.table.sheet if found.table else ""
    if found.reported_on and base.reported_on and found.reported_on < base.reported_on:
        message = f"“{sheet}”以 {base.reported_on} 的工作簿为准，{found.reported_on} 的 {found.file_name} 不再取数"
        return _about(found, "RD-076", message, found=str(found.reported_on))
    message = f"“{sheet}”既在工作簿 {base.file_name} 里，又有大批量文件 {found.file_name}"
    return _about(found, "RD-074", message, found=f"{base.file_name}、{found.file_name}")


def _about(bulk: BulkIdentity, /, rule_id: str, message: str, **more: str) -> Finding:
    where = {"provider": bulk.provider, "period": bulk.period, "file_name": bulk.file_name}
    if bulk.table:
        where |= {"table_id": bulk.table.table_id, "sheet": bulk.table.sheet}
    return breach(rule_id, message, **(where | {"file_sha256": bulk.file_sha256} | more))
