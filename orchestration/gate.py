"""Gate 1 for one return, the same for a run and for a self-check: what the reader found, and what the suites say."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from expectations.comparison import Earlier, earlier_periods
from expectations.explanations import Explained, match
from expectations.findings import ACCEPTED, CORRECTED, WAIVED, FindingState, states
from expectations.judge import judge_workbook
from expectations.names import judge_names
from expectations.rules import AGAINST_LABELS
from sources.bulk.sniff import kind_of
from sources.contracts import providers, providers_of
from sources.delivery import HandIn, identify_file, read_bulk_alone, read_returns
from sources.finding import Finding, in_order, told_apart
from sources.reader_process import read_workbook
from sources.reading_rules import breach
from sources.reference import periods
from sources.text import shown_name
from sources.unit_register import UnitRegister
from sources.workbook import WorkbookReading, sha256_of
from warehouse import archive
from warehouse.layers import accepted_files, last_accepted_files, manifest_of, write_rows
from warehouse.paths import Home


@dataclass(frozen=True)
class GateOutcome:
    """The findings of one return, hardest first, the suites' summaries to keep with the run, and which findings its 核实说明 explains."""

    findings: list[Finding]
    summaries: list[dict[str, Any]]
    explained: list[Explained] = field(default_factory=list)

    def of_table(self, table_id: str) -> list[Finding]:
        """Return the findings of one table; an empty id gives those of the workbook as a whole."""
        return [finding for finding in self.findings if finding.table_id == table_id]


def judge_return(
    reading: WorkbookReading,
    files: dict[str, Path],
    register: UnitRegister,
    said: Iterable[Finding] = (),
    absent: Collection[str] = (),
    earlier: Earlier | None = None,
    asked: Sequence[Finding] | None = None,
) -> GateOutcome:
    """Judge one return: the reader's findings, what is said of its correction slips, names beside codes, and every suite of its tables.

    ``files`` are the rows files of the tables that could be read. A return without one readable table has the reader's hard errors.
    ``absent`` are tables that are not at hand, as in a check of bulk files alone: nothing is compared with them.
    ``earlier`` is what the return is compared with (level 2), and a note says what of it is missing; None compares nothing and says nothing.
    ``asked`` are the findings of gate 2 that its 核实说明 may speak of; None where they cannot be known.

    Raises:
        NoSuiteError: a table has no suite; nothing may pass then.
    """
    # A table that the reader refused has its hard error; comparisons with it would only repeat that.
    refused = {f.table_id for f in reading.findings if f.rule_class == "mandatory"} - files.keys() | set(absent)
    manifests = {table_id: manifest_of(path) for table_id, path in files.items()}
    verdicts = judge_workbook(files, manifests, refused, earlier or Earlier()) if files else []
    names = judge_names(register, files, manifests)
    alone = _not_compared(reading, earlier) if files and earlier else []
    found = [
        *reading.findings,
        *said,
        *names,
        *alone,
        *(finding for verdict in verdicts for finding in verdict.findings),
    ]
    return _outcome(reading, found, [verdict.summary for verdict in verdicts], asked)


def _outcome(
    reading: WorkbookReading,
    found: list[Finding],
    summaries: list[dict[str, Any]],
    asked: Sequence[Finding] | None,
) -> GateOutcome:
    """Return the findings with the explanations that the workbook itself gives for them; a row that explains nothing is a note."""
    apart = told_apart(in_order(found))
    explained, notes = match(reading.explanations, apart, whence(reading), asked)
    return GateOutcome(in_order([*apart, *told_apart(notes)]), summaries, explained)


GATE_2 = "gate2"
"""The ledger's scope of what gate 2 says of a period."""


def asked_of(found: Iterable[FindingState], provider: str) -> list[FindingState]:
    """Return what gate 2 asks a bureau, as far as it stands, decided or not."""
    return [s for s in found if s.scope == GATE_2 and s.state != CORRECTED and s.finding.ask_of(provider)]


def settled_at_gate_1(home: Home, period: str) -> list[Finding]:
    """Return the queries of gate 1 that were asked and settled: gate 2 does not ask about the same figures again."""
    return [
        s.finding
        for s in states(home.findings, period)
        if s.scope.startswith("gate1:") and s.state in (ACCEPTED, WAIVED) and s.finding.rule_class == "query"
    ]


def gate_scope(provider: str) -> str:
    """Return the ledger's scope of a provider's return as gate 1 judged it."""
    return f"gate1:{provider}"


def whence(reading: WorkbookReading) -> dict[str, str]:
    """Return what a finding about the workbook as a whole says of where it comes from."""
    names = ("file_name", "file_sha256", "provider", "period")
    return {name: getattr(reading, name) for name in names}


def earlier_of(home: Home, reading: WorkbookReading) -> Earlier:
    """Return what a return is compared with: the home's accepted data of the same provider, and the version accepted before this one."""
    of = {**earlier_periods(reading.period), "last_version": reading.period}
    files = {
        kind: accepted_files(home, reading.provider, period) if period else {}
        for kind, period in earlier_periods(reading.period).items()
    }
    files["last_version"] = last_accepted_files(home, reading)
    own = {reading.file_sha256, *(table.manifest.file_sha256 for table in reading.tables.values())}
    return Earlier(
        files,
        has_other_versions=any(
            r.file_sha256 not in own for r in archive.versions(home, reading.provider, reading.period)
        ),
        named={kind: hand_ins_of(home, reading.provider, of[kind], files[kind]) for kind in files},
        home=home.root,
    )


def hand_ins_of(home: Home, provider: str, period: str, files: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """Return which hand-in each rows file came from, by table id: ``period``, ``receipt_no`` (empty if not in the archive), ``file_sha256``."""
    numbers = {r.file_sha256: r.receipt_no for r in archive.versions(home, provider, period)} if files else {}
    hashes = {table_id: manifest_of(path).file_sha256 for table_id, path in files.items()}
    return {
        table_id: {"period": period, "receipt_no": numbers.get(sha256, ""), "file_sha256": sha256}
        for table_id, sha256 in hashes.items()
    }


def accepted_hand_ins(home: Home, period: str) -> dict[str, dict[str, dict[str, str]]]:
    """Return which hand-ins the accepted data of a period came from, by provider and table id."""
    return {
        provider.provider: hand_ins_of(home, provider.provider, period, files)
        for provider in providers_of(periods()[period].kind)
        if (files := accepted_files(home, provider.provider, period))
    }


def _not_compared(reading: WorkbookReading, earlier: Earlier) -> list[Finding]:
    """Say what the return could not be compared with, so that nobody takes silence for a check."""
    missing = [
        f"{AGAINST_LABELS[kind]}（{periods()[period].name if period else '报告期表里没有'}）"
        for kind, period in earlier_periods(reading.period).items()
        if not earlier.files.get(kind)
    ]
    if earlier.has_other_versions and not earlier.files.get("last_version"):
        missing.append(f"{AGAINST_LABELS['last_version']}（本期报过的其他版本都没有准入）")
    if not missing:
        return []
    named = "、".join(missing)
    return [
        breach(
            "RD-095",
            f"没有{named}的准入数据，与以往比较的规则（第2级）没有核对这一部分",
            file_name=reading.file_name,
            file_sha256=reading.file_sha256,
            provider=reading.provider,
            period=reading.period,
            subject="以往数据",
            found=f"没有{named}",
            expected="有本单位已准入的上年同期、上期数据和上一版本",
        )
    ]


def self_check(
    paths: Sequence[Path], folder: Path, register: UnitRegister, home: Home
) -> tuple[WorkbookReading, GateOutcome]:
    """Check a workbook, or the files of one return with bulk files among them, as a run in this home would.

    What the home has accepted earlier is read, and nothing is stored beyond ``folder``.
    """
    if not any(kind_of(path) for path in paths):
        reading = read_workbook(paths[0])
        return reading, judge_reading(reading, folder, register, home=home)
    hand_ins = [HandIn(path, shown_name(path.name), sha256_of(path), date.today()) for path in paths]
    first = identify_file(paths[0])
    if not first.period:
        return first, GateOutcome(told_apart(in_order(first.findings)), [])
    absent: set[str] = set()
    if all(hand_in.is_bulk for hand_in in hand_ins):
        reading = read_bulk_alone(hand_ins, first.period, folder / "spool")
        absent = providers()[first.provider].tables.keys() - reading.tables.keys()
    else:
        _, reading = read_returns(hand_ins, first.period, folder / "spool")[-1]
    return reading, judge_reading(reading, folder, register, absent, home)


def returns_of(paths: Sequence[Path]) -> list[list[Path]]:
    """Group the files of a check: bulk files with everything else of their provider and period, each other workbook by itself.

    The groups stand in the order of their first files.
    """
    if not any(kind_of(path) for path in paths):
        return [[path] for path in paths]
    found = [identify_file(path) for path in paths]
    slots = [(f.provider, f.period) if f.period else (str(path), "") for f, path in zip(found, paths, strict=True)]
    with_bulk = {slot for slot, path in zip(slots, paths, strict=True) if kind_of(path)}
    groups: dict[object, list[Path]] = {}
    for slot, path in zip(slots, paths, strict=True):
        groups.setdefault(slot if slot in with_bulk else path, []).append(path)
    return [*groups.values()]


def judge_reading(
    reading: WorkbookReading,
    folder: Path,
    register: UnitRegister,
    absent: Collection[str] = (),
    home: Home | None = None,
) -> GateOutcome:
    """Judge what was read of one return, storing nothing beyond the scratch ``folder``; ``absent`` as for `judge_return`.

    Without a ``home`` it is not compared with earlier data: a version that another has replaced answers for itself alone.
    """
    files = {}
    for table_id, table in reading.tables.items():
        files[table_id] = folder / f"{table_id}.parquet"
        write_rows(files[table_id], table)
    earlier = earlier_of(home, reading) if home and files else None
    return judge_return(reading, files, register, absent=absent, earlier=earlier)
