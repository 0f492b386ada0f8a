"""Explanations of a hand-in, matched to its findings by rule, sheet and cell; a row that explains nothing becomes a note that says so."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from expectations.decisions import Given
from expectations.ledger_file import read_events
from expectations.replay import Replay, text_key, unit_key, value_of
from expectations.rules import is_of_gate_2
from sources.explanations import EVERY_CELL, ExplanationRow
from sources.finding import CLASS_LABELS, Finding
from sources.identity import EXPLANATION_SHEET
from sources.limited import limited
from sources.reading_rules import breach
from sources.text import code_of, label_of

CELLS_NAMED = 5


@dataclass(frozen=True)
class Explained:
    """One finding and the row of 核实说明 that speaks of it."""

    finding: Finding
    row: ExplanationRow

    @property
    def given(self) -> Given:
        """What the ledger takes."""
        return Given(self.finding.finding_id, self.row.by, self.row.text)


def match(
    rows: Sequence[ExplanationRow],
    findings: Sequence[Finding],
    where: Mapping[str, str],
    asked: Sequence[Finding] | None = None,
) -> tuple[list[Explained], list[Finding]]:
    """Match the rows of 核实说明 to the findings of their hand-in, and to those of gate 2 that its sender is asked about.

    Args:
        rows: the rows as written.
        findings: of the hand-in, each with its own id.
        where: file name, hash, provider and period, for the notes.
        asked: of gate 2, as they stand; None where nobody here can know of them (a self-check), and a row for one is left open. Their place is
            the sheet and the mark that the receipt prints; without a mark a row speaks of all findings of its rule.

    Returns:
        The 核实性 findings that are explained, and notes on rows that explain nothing. Of two rows for one finding the later counts; one that
        names the cell counts before one that speaks of all of them (``全部``).
    """
    by_place: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    by_rule: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        for cell in (finding.cell, EVERY_CELL):
            by_place[finding.rule_id, label_of(finding.sheet), cell].append(finding)
        by_rule[finding.rule_id].append(finding)
    for finding in asked or ():
        for sheet in (label_of(finding.sheet), ""):
            for cell in (code_of(finding.mark), EVERY_CELL, ""):
                by_place[finding.rule_id, sheet, cell].append(finding)
        by_rule[finding.rule_id].append(finding)
    explained: dict[str, Explained] = {}
    notes: list[Finding] = []

    def note(rule_id: str, row: ExplanationRow, message: str) -> None:
        notes.append(_note(rule_id, row, message, where))

    for row in sorted(rows, key=lambda row: row.cell != EVERY_CELL):
        missing = row.fault or ("没有写“说明”" if not row.text else "没有写“说明人”" if not row.by else "")
        found = by_place.get((row.rule_id, row.sheet, row.cell), [])
        queries = [finding for finding in found if finding.rule_class == "query"]
        if not found and asked is None and is_of_gate_2(row.rule_id):
            note("RD-135", row, f"{_place(row)}是第二道关卡的问题，这里不知道有没有")
        elif not found:
            note("RD-130", row, f"没有对应的问题（{_place(row)}）{_meant(row, by_rule.get(row.rule_id, ()))}")
        elif not queries:
            label = CLASS_LABELS[found[0].rule_class]
            note("RD-132", row, f"{_place(row)}是{label}问题，说明不起作用")
        elif missing:
            note("RD-131", row, f"{missing}，没有登记（{_place(row)}）")
        else:
            for finding in queries:
                earlier = explained.get(finding.finding_id)
                if earlier and (earlier.row.cell == EVERY_CELL) == (row.cell == EVERY_CELL):
                    note(
                        "RD-133",
                        earlier.row,
                        f"与第{row.row_number}行说的是同一个问题（{_place(row)}），以第{row.row_number}行为准",
                    )
                explained[finding.finding_id] = Explained(finding, row)
    return list(explained.values()), limited(notes)


def still_given(
    directory: Path, period: str, explained: Iterable[Explained], where: Mapping[str, str]
) -> tuple[list[Explained], list[Finding]]:
    """Split off explanations that the ledger knows as given for another value of the same unit: they have lapsed with it.

    A workbook goes from hand-in to hand-in with its 核实说明; what was written for the old figure must not speak for the new one.

    Returns:
        What is given for the value as it now is, and a note for each that has lapsed.

    Raises:
        LedgerError: the ledger is damaged.
    """
    explained = list(explained)
    texts = Replay(read_events(directory, period)).texts if explained else {}
    holds: list[Explained] = []
    notes: list[Finding] = []
    for one in explained:
        values = texts.get(unit_key(one.finding), {}).get(text_key(one.row.text), set())
        if not values or value_of(one.finding) in values:
            holds.append(one)
            continue
        notes.append(
            _note("RD-134", one.row, f"{_place(one.row)}{_lapsed(one.finding, values, where)}，原说明已失效", where)
        )
    return holds, limited(notes)


def _lapsed(finding: Finding, values: Iterable[tuple[str, ...]], where: Mapping[str, str]) -> str:
    """Return what an explanation was given for and what stands there now; of gate 2 only the sender's side: its receipt holds the note."""
    if finding.asks:
        ask = finding.ask_of(where["provider"])
        return f"的说明写好以后，两边的数变了{f'（现在是“{ask.found}”）' if ask else ''}"
    before = "、".join(sorted(value[0] for value in values))
    return f"的说明是对“{before}”写的，现在是“{finding.found}”"


def _note(rule_id: str, row: ExplanationRow, message: str, where: Mapping[str, str]) -> Finding:
    return breach(
        rule_id,
        f"“{EXPLANATION_SHEET}”第{row.row_number}行：{message}",
        sheet=EXPLANATION_SHEET,
        cell=f"{row.row_number}:{row.row_number}",
        subject=f"{EXPLANATION_SHEET}/{row.row_number}",
        found=_place(row),
        **where,
    )


def _place(row: ExplanationRow) -> str:
    sheet = f"[{row.sheet}]" if row.sheet else ""
    return f"{row.rule_id or '没有规则编号'} {sheet}{'!' + row.cell if row.cell else ''}".strip()


def _meant(row: ExplanationRow, findings: Sequence[Finding]) -> str:
    """Return where the rule's findings really are, if it has any."""
    mine = findings[:CELLS_NAMED]
    cells = [finding.mark if finding.asks else finding.cell for finding in mine]
    places = [
        f"[{finding.sheet}]!{cell}" if cell else f"[{finding.sheet}]" for finding, cell in zip(mine, cells, strict=True)
    ]
    more = "等" if len(findings) > CELLS_NAMED else ""
    return (
        f"；本次报送的 {row.rule_id} 在 {'、'.join(places)}{more}"
        if places
        else "；可能已改正，或规则编号、工作表、单元格写错"
    )
