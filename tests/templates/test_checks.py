"""What a template's check columns pass, the gate passes, and the reverse: worked out by LibreOffice, judged by the real gate."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from sources.contracts import Column
from sources.template.form import Form
from sources.workbook import read_workbook
from tests.templates.drawing import Drawer
from tests.templates.faults import FAULTS, stricter_of
from tests.templates.filling import Tables, blank, fill, recalculated, told, told_texts
from tests.templates.gate import AT_SUMMARY, by_row, doubled, judged

FORMS = [
    ("finance_bureau", "2026H1", False, "万元"),
    ("statistics_bureau", "2026H2", False, "千元"),
    ("statistics_bureau", "2026", True, "亿元"),
    ("education_bureau", "2026", False, "万元"),
    ("science_bureau", "2026H2", False, "千元"),
    ("health_commission", "2026H1", False, "元"),
    ("sti_office", "2026", False, "万元"),
]
FOR_SPELLING = {("finance_bureau", "2026H1"), ("statistics_bureau", "2026"), ("health_commission", "2026H1")}
ROWS = 30
SETTLED_BY_THE_KEY = {*AT_SUMMARY, "UNT-002", "UNT-004"}
"""Rules that look a unit up by its code: where the code stands twice, what they compare with is not settled."""


class Filled(NamedTuple):
    """A filled template: its plan, what was typed, and the file as LibreOffice saved it."""

    form: Form
    typed: Tables
    path: Path


def odd_cells(form: Form, values_of: Callable[[Column], Sequence[Any]], rows: int) -> Tables:
    """Return rows whose every open cell holds one of its column's odd values, another in each row; error values alone in theirs."""
    clean = Drawer(form, Random("odd"), rows).draw()
    typed: Tables = {}
    for table_id, sheet in form.sheets.items():
        typed[table_id] = []
        for place in range(len(sheet.printed) or rows):
            printed = sheet.printed[place] if place < len(sheet.printed) else {}
            row = dict(clean[table_id][place])
            odd = {
                c.name: values_of(c)[(place + n) % len(values_of(c))]
                for n, c in enumerate(sheet.columns)
                if values_of(c)
            }
            errors = {name: value for name, value in odd.items() if str(value).startswith("#")}
            # An error value hides what else is wrong in its row.
            row |= (
                dict(list(errors.items())[:1])
                if errors and place % 4 == 3
                else {n: v for n, v in odd.items() if n not in errors}
            )
            typed[table_id].append(row | printed)
    return typed


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Filled]]:
    """Every form filled three ways (rules broken, cells broken, odd spellings), recalculated in one start of LibreOffice."""
    folder = tmp_path_factory.mktemp("templates")
    made: dict[str, list[Filled]] = {"rules": [], "faults": [], "stricter": []}
    for provider, period, aggregate_only, unit in FORMS:
        for way in made:
            form, book = blank(provider, period, rows=ROWS, aggregate_only=aggregate_only, unit=unit)
            if way == "rules":
                typed = Drawer(form, Random(f"{provider}{period}"), ROWS).draw()
            elif way == "faults":
                typed = odd_cells(form, lambda column: FAULTS[column.type], 20)
            elif (provider, period) not in FOR_SPELLING:
                continue
            else:
                typed = odd_cells(form, lambda column: [value for value, _ in stricter_of(column)], 4)
            fill(form, book, typed)
            path = folder / f"{way}_{provider}_{period}.xlsx"
            book.save(path)
            made[way].append(Filled(form, typed, path))
    done = iter(recalculated([each.path for way in made.values() for each in way], folder))
    return {way: [each._replace(path=next(done)) for each in items] for way, items in made.items()}


def test_what_the_template_passes_the_gate_passes_and_the_reverse(
    filled: dict[str, list[Filled]], tmp_path: Path
) -> None:
    seen: set[str] = set()
    for form, typed, path in filled["rules"]:
        says = told(form, path)
        _, outcome = judged(path, tmp_path)
        gate = by_row(
            form, [f for f in outcome.findings if f.level == 1 and f.rule_id not in ("FIN-004", "RDG-005")], typed
        )
        twice = doubled(form, typed)
        shaky = {table_id for table_id, _ in twice}
        for table_id, rows in typed.items():
            for number in range(form.sheets[table_id].first_row, form.sheets[table_id].first_row + len(rows)):
                left_out = (
                    SETTLED_BY_THE_KEY if (table_id, number) in twice else {"UNT-002"} if table_id in shaky else set()
                )
                expected = {said for said in gate.get((table_id, number), set()) if said[1] not in left_out}
                found = {said for said in says[table_id, number] if said[1] not in left_out}
                assert found == expected, (path.name, table_id, number, rows[number - form.sheets[table_id].first_row])
                seen |= {rule_id for _, rule_id in expected}
    assert seen >= {"FIN-001", "FIN-002", "PAY-001", "PAY-003", "ENT-001", "ENT-002", "CON-001", "CON-002", "AGG-001", "AGG-002",
                    "UNT-001", "UNT-002", "UNT-003", "UNT-004", "INF-001", "INF-002", "OUT-001",
                    "ANN-001", "UNT-005", "UNT-006", "RDG-002", "RDG-004", "RDG-006", "RDG-007", "COM-001", "COM-002",
                    "COM-003", "COM-004", "GEN-001", "GEN-002", "GEN-003"}  # fmt: skip


def read_by_cell(path: Path) -> dict[tuple[str, str], str]:
    """Return the reader's rule per (table, cell)."""
    return {(f.table_id, f.cell): f.rule_id for f in read_workbook(path).findings if f.rule_id.startswith("RD-1")}


def told_by_cell(form: Form, path: Path) -> dict[tuple[str, str], str]:
    """Return the template's rule per (table, cell); an error value is told of the whole row, and put on each of its cells."""
    result = {}
    for (table_id, number), text in told_texts(form, path).items():
        sheet = form.sheets[table_id]
        for column in sheet.columns:
            found = re.search(rf"】(RD-\d{{3}}) {re.escape(column.heading)}(必填|须|不是|只能|过大|过长|细于)", text)
            if found or "RD-101" in text:
                result[table_id, f"{sheet.letter(column.name)}{number}"] = found.group(1) if found else "RD-101"
    return result


def typed_cells(form: Form, typed: Tables) -> Iterator[tuple[Column, Any, tuple[str, str]]]:
    for table_id, rows in typed.items():
        sheet = form.sheets[table_id]
        for number, row in enumerate(rows, start=sheet.first_row):
            for column in sheet.columns:
                yield column, row.get(column.name), (table_id, f"{sheet.letter(column.name)}{number}")


def test_a_cell_that_no_reader_takes_is_named_by_the_same_rule(filled: dict[str, list[Filled]]) -> None:
    seen: set[str] = set()
    for form, typed, path in filled["faults"]:
        reads, says = read_by_cell(path), told_by_cell(form, path)
        for column, value, place in typed_cells(form, typed):
            expected, found = reads.get(place, ""), says.get(place, "")
            if found == "RD-101":
                continue
            assert found == expected, (path.name, place, column.heading, value)
            seen.add(expected)
        open_cells = {place for _, _, place in typed_cells(form, typed)}
        errors = {place for place, rule in reads.items() if rule == "RD-101"} & open_cells
        assert errors <= {place for place, rule in says.items() if rule == "RD-101"}
    assert seen >= {f"RD-{n}" for n in (103, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118)}


def test_the_template_is_stricter_in_spelling_only(filled: dict[str, list[Filled]]) -> None:
    seen: set[str] = set()
    for form, typed, path in filled["stricter"]:
        serious = {place for place, rule in read_by_cell(path).items() if rule != "RD-104"}
        says = told_by_cell(form, path)
        for column, value, place in typed_cells(form, typed):
            if value in [wrong for wrong, _ in stricter_of(column)]:
                assert says.get(place) == dict(stricter_of(column))[value], (path.name, place, column.heading, value)
                assert place not in serious, (path.name, place, column.heading, value)
                seen.add(says[place])
    assert seen == {"RD-103", "RD-109", "RD-110", "RD-111", "RD-112", "RD-113"}
