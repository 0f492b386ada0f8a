"""Thousands of random changes of good workbooks: each figure is what a person sees, or there is a finding. Nothing crashes."""

import os
import random
import warnings
from collections import Counter
from copy import copy
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from sources.contracts import table
from sources.reader_process import read_workbook
from sources.workbook import WorkbookReading
from tests.sources.mutations import (
    MUTATIONS,
    UNKNOWN,
    Book,
    Figure,
    Where,
    flip_zip_bytes,
    load,
    third_reading,
)
from tests.workbooks import education_rows, finance_rows, payment_row, write_return

COUNT = int(os.environ.get("STI_MUTATIONS", "2200"))
MONEY_COLUMNS = {
    "政府科技创新投入": list("BCDEFGHIJKLMNO"),
    "拨付明细": ["K"],
    "科技活动费用": list("FGHIJKLMNOPQR"),
    "经费来源明细": ["J"],
    "转拨明细": ["H"],
}
WIDTHS = {"政府科技创新投入": 15, "拨付明细": 12, "科技活动费用": 18, "经费来源明细": 12, "转拨明细": 8}


def figures(reading: WorkbookReading) -> dict[Figure, Any]:
    """Every value of a reading by sheet, row and column letters."""
    found: dict[Figure, Any] = {}
    for table_id, got in reading.tables.items():
        names = {column.name for column in table(table_id).columns}
        for row in got.rows.to_pylist():
            for name, letters in got.manifest.cell_columns.items():
                if name in names:
                    found[got.manifest.sheet, row["row_number"], letters] = row[name]
    return found


def serious(reading: WorkbookReading) -> set[tuple[str, str, str]]:
    return {(f.sheet, f.rule_id, f.cell) for f in reading.findings if f.rule_class != "note"}


def means(value: Any, written: Any) -> bool:
    """Whether a figure is what a cell shows, judged without the reader's help."""
    if value is None:
        return written is None or str(written).strip() == ""
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        try:
            return Decimal(str(written).replace(",", "").strip()).quantize(Decimal("0.000001")) == Decimal(value)
        except ArithmeticError:
            return False
    if isinstance(value, date):
        day = written.date() if isinstance(written, datetime) else written
        return day == value or str(written).replace("/", "-") == value.isoformat()
    text = f"{written:g}" if isinstance(written, float) else str(written)
    return "".join(text.split()) == "".join(str(value).split()) or isinstance(value, bool)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Book, dict[Figure, Any], list[Where]]]:
    folder = tmp_path_factory.mktemp("good")
    payments = [payment_row(n, 拨付日期=datetime(2026, 3, n)) for n in range(1, 5)]
    rows = finance_rows() | {"finance_bureau__gov_payment": payments}

    def dates(book: Workbook) -> None:
        book["拨付明细"].column_dimensions["J"].width = 12

    paths = [
        write_return(folder / "财政.xlsx", "finance_bureau", rows, edit=dates),
        write_return(folder / "教育.xlsx", "education_bureau", education_rows()),
    ]
    result = []
    for path in paths:
        reading = read_workbook(path)
        assert not serious(reading)
        base = figures(reading)
        places = [
            Where(
                name,
                3,
                sorted({row for sheet, row, _ in base if sheet == name}),
                MONEY_COLUMNS[name],
                [chr(65 + i) for i in range(WIDTHS[name])],
            )
            for name in load(path).sheets
        ]
        result.append((load(path), base, places))
    return result


def expected_after(book: Book, base: dict[Figure, Any]) -> dict[Figure, Any]:
    assert book.seen is not None
    moved = {(s, row, c): v for (s, r, c), v in base.items() if (row := book.moved(s, r)) is not None}
    return moved | book.seen


def wrong_figures(book: Book, base: dict[Figure, Any], reading: WorkbookReading, path: Path) -> list[str]:
    """Return the figures that are neither what a person sees nor covered by a finding on their sheet or the whole file."""
    found = figures(reading)
    spoken = {sheet for sheet, _, _ in serious(reading)}
    if "" in spoken:
        return []
    if book.seen is not None:
        wanted = expected_after(book, base)
        same = lambda value, seen: seen is not UNKNOWN and value == seen  # noqa: E731
    else:
        cells = third_reading(path)
        if cells is None:
            # Only what was there before may be believed of a file that another reader refuses.
            wanted, same = base, lambda value, seen: value == seen
        else:
            keys = found.keys() | base.keys()
            wanted = {key: cells.get(key) for key in keys}
            same = lambda value, seen: means(value, seen) or value == seen  # noqa: E731
            known = {key for key, value in base.items() if found.get(key) == value and not means(value, cells.get(key))}
            wanted = {k: (found.get(k) if k in known and isinstance(base[k], str) else v) for k, v in wanted.items()}
    return [
        f"{key}: read {found.get(key)!r}, seen {wanted.get(key)!r}"
        for key in sorted(wanted.keys() | found.keys())
        if key[0] not in spoken and not same(found.get(key), wanted.get(key))
    ]


def test_no_mutation_crashes_the_reader_or_changes_a_figure_in_silence(
    good: list[tuple[Book, dict[Figure, Any], list[Where]]], tmp_path: Path
) -> None:
    warnings.simplefilter("ignore")
    silent: list[str] = []
    ends: Counter[str] = Counter()
    path = tmp_path / "x.xlsx"
    for seed in range(COUNT):
        chance = random.Random(seed)
        original, base, places = chance.choice(good)
        book = copy(original)
        book.parts, book.seen, at = dict(original.parts), {}, chance.choice(places)
        mutate = chance.choice((*MUTATIONS, None))
        if mutate:
            mutate(book, at, chance)
            book.save(path)
        else:
            book.save(path)
            flip_zip_bytes(path, chance)
        reading = read_workbook(path)
        wrong = wrong_figures(book, base, reading, path)
        silent += [f"seed {seed} {mutate.__name__ if mutate else 'zip'}: {text}" for text in wrong]
        died = [f.message for f in reading.findings if f.rule_id == "RD-062"]
        silent += [f"seed {seed}: {message}" for message in died]
        ends["finding or refusal" if serious(reading) else "same or as seen"] += 1
    assert not silent, "\n".join(silent)
    assert min(ends.values()) > COUNT / 10
