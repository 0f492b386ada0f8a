"""No text of a hand-in comes out as a formula, in any workbook or CSV that we write; through the public door, in every field of every form."""

import csv
import io
import json
import re
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest
from openpyxl import Workbook

from sources.contracts import Provider, providers
from sources.spreadsheet import harmless, is_formula_like
from tests.conftest import run_sti

PAYLOADS = [
    *(f'{sign}HYPERLINK("http://example.invalid","x")' for sign in "=+-@＝＋－＠﹦﹢﹣﹫"),
    *("=1+1", "\t=1+1", "\r=1+1", "\n=1+1", "  =1+1", "\u3000＝1+1", "\u200b=1+1", "\ufeff@SUM(1)", "\u202e=1+1", "\u00a0+1+1"),
    *("甲\r=1+1", "甲\n=1+1", '甲","=1+1', "-2+3+cmd|' /C calc'!A0", "'=1+1", "#REF!", "=" + "1" * 40_000),
]  # fmt: skip
ROOT = Path(__file__).parent.parent.parent


def typed(value: str) -> str:
    """What a workbook can hold of a payload; openpyxl would make a formula of it, and a clerk's spreadsheet would not."""
    return value[:32_000].replace("\r", "\n")


def nasty_return(path: Path, provider: Provider, cadence: str, shift: int) -> Path:
    """A return with a payload in every field that can hold text: titles, headings beside the form's, every column, the foot, sheet names."""
    book = Workbook()
    book.remove(book.worksheets[0])
    turn = shift
    for table in provider.tables_of(cadence):  # type: ignore[arg-type]
        sheet = book.create_sheet(table.sheet)
        columns = table.columns_of(cadence)  # type: ignore[arg-type]
        rows: list[list[str]] = [[PAYLOADS[turn % len(PAYLOADS)]]]
        rows.append(
            [f"填报单位：{provider.label}", "报告期：2026年上半年" if cadence == "half_year" else "报告期：2025年全年"]
        )
        rows[-1] += ["计量单位：万元", "报表类别：半年报" if cadence == "half_year" else "报表类别：年报"]
        rows.append([*(column.heading for column in columns), PAYLOADS[(turn + 1) % len(PAYLOADS)]])
        for _ in range(5):
            rows.append([PAYLOADS[(turn := turn + 1) % len(PAYLOADS)] for _ in range(len(columns) + 1)])
        rows.append([f"报出日期：{PAYLOADS[turn % len(PAYLOADS)]}"])
        for number, row in enumerate(rows, start=1):
            for position, value in enumerate(row, start=1):
                cell = sheet.cell(number, position)
                cell.value, cell.data_type = typed(value), "s"
    book.create_sheet("=1+1")
    book.save(path)
    return path


def test_no_text_in_any_field_of_any_form_is_a_formula_in_the_receipt(tmp_path: Path) -> None:
    files = []
    for provider in providers().values():
        for shift, cadence in enumerate(("half_year", "year")):
            if provider.tables_of(cadence):  # type: ignore[arg-type]
                name = f"=1+1 {provider.provider} {cadence}.xlsx"
                files.append(nasty_return(tmp_path / name, provider, cadence, 7 * shift))
    result = run_sti("--home", tmp_path / "none", "check", *files, "--receipt", tmp_path / "out", "--json")
    reports = json.loads(result.stdout)
    assert len(reports) == len(files) >= 10
    seen = 0
    for report in reports:
        path = report["receipt"][1]
        book = openpyxl.load_workbook(path)
        assert len(book.sheetnames) > 3, path
        for sheet in book:
            for cell in (c for row in sheet.iter_rows() for c in row if isinstance(c.value, str)):
                assert cell.data_type == "s", (path, sheet.title, cell.coordinate)
                assert not is_formula_like(cell.value), (path, sheet.title, cell.coordinate, cell.value[:40])
                seen += cell.value.startswith("'")
        with ZipFile(path) as package:
            for name in package.namelist():
                if name.startswith("xl/worksheets/sheet"):
                    assert not re.search(rb"<(?:\w+:)?f[\s>/]|t=\"e\"", package.read(name)), (path, name)
            assert not [n for n in package.namelist() if "externalLink" in n or n.endswith(".bin")]
    assert seen > 500


def test_no_text_is_a_formula_in_the_csv_of_a_query(sample_home: Path, tmp_path: Path) -> None:
    values = ", ".join("('" + payload.replace("'", "''") + "')" for payload in PAYLOADS)
    out = tmp_path / "x.csv"
    query = f'select t as "=1+1", 1 as n, [t] as l, -1.5 as m from (values {values}) as v(t)'
    assert run_sti("--home", sample_home, "sql", query, "--format", "csv", "--out", out).exit_code == 0
    text = out.read_bytes().decode("utf-8-sig")
    assert "\r" not in text
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == len(PAYLOADS) + 1
    assert {len(row) for row in rows} == {4}
    assert not [row for row in rows if is_formula_like(row[0]) or is_formula_like(row[2])]
    assert {row[3] for row in rows[1:]} == {"-1.5"}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_is_harmless_stays_so_and_ordinary_text_stays_as_it_is(payload: str) -> None:
    once = str(harmless(payload))
    assert not is_formula_like(once)
    assert harmless(once) == once
    for plain in ("-", "—", "－", "示例大学", "2026-03-15", "a=b", "（一）", "甲-乙"):
        assert harmless(plain) == plain


def test_every_writer_of_cells_goes_through_the_one_place() -> None:
    writers = {"sources/spreadsheet.py"}
    for path in sorted(
        p for room in ("sources", "warehouse", "expectations", "orchestration") for p in (ROOT / room).rglob("*.py")
    ):
        text = path.read_text(encoding="utf-8")
        name = str(path.relative_to(ROOT))
        if "openpyxl" in text and "Workbook" in text and name not in writers:
            lines = [
                line
                for line in text.splitlines()
                if re.search(r"sheet\.append\(|cell\.value = |\.cell\([^)]*value=", line)
            ]
            assert not lines, (name, lines)
        if "csv.writer" in text:
            assert "harmless" in text, name
        assert not re.search(r"\.to_csv\(|\.to_excel\(|copy .* to '.*\.csv'", text), name
