"""Blank templates filled by program, recalculated by LibreOffice, and what their check columns then say."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl import Workbook

from expectations.for_template import template_checks
from sources.contracts import providers
from sources.reference import periods
from sources.template import build
from sources.template.form import CROSS_HEADING, OWN_HEADING, Form, plan

Row = dict[str, Any]
Tables = dict[str, list[Row]]
TOLD = re.compile(r"【(强制|核实|提示)】([A-Z]{2,3}-\d{3})")


def blank(
    provider: str, period: str, *, rows: int = 40, aggregate_only: bool = False, unit: str = ""
) -> tuple[Form, Workbook]:
    """Return the plan and the blank workbook."""
    who = providers()[provider]
    form = plan(who, periods()[period], blank_rows=rows, aggregate_only=aggregate_only, unit=unit)
    return form, build(form, template_checks(who.tables, form.period.ends_on))


def fill(form: Form, book: Workbook, tables: Tables) -> None:
    """Type rows into the workbook, from each sheet's first row on; None leaves a cell as printed."""
    for table_id, rows in tables.items():
        sheet = form.sheets[table_id]
        at = book[sheet.table.sheet]
        assert len(rows) <= sheet.last_row - sheet.first_row + 1
        for number, row in enumerate(rows, start=sheet.first_row):
            for name, value in row.items():
                if value is not None:
                    at[f"{sheet.letter(name)}{number}"].value = value
        if sheet.foot_row:
            at[f"C{sheet.foot_row}"].value = "示例负责人"
            at[f"E{sheet.foot_row + 1}"].value = form.period.ends_on.replace(day=28)


def recalculated(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Open and save workbooks in LibreOffice, all in one start of it; return the new files in the same order."""
    out = folder / "recalculated"
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out), *map(str, paths)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return [out / path.name for path in paths]


def told_texts(form: Form, path: Path) -> dict[tuple[str, int], str]:
    """Return the texts of the check columns by (table, row), for every row that bears a mark."""
    book = openpyxl.load_workbook(path, data_only=True)
    result = {}
    for table_id, sheet in form.sheets.items():
        at = book[sheet.table.sheet]
        for number in range(sheet.first_row, sheet.last_row + 1):
            mark = at[f"A{number}"].value
            if mark:
                text = "".join(
                    str(at[f"{sheet.extra_letter(h)}{number}"].value or "") for h in (OWN_HEADING, CROSS_HEADING)
                )
                assert mark == ("×" if "【强制】" in text else "？" if "【核实】" in text else "√"), (mark, text)
                result[table_id, number] = text
    return result


def told(form: Form, path: Path) -> dict[tuple[str, int], set[tuple[str, str]]]:
    """Return what the check columns say: (table, row) → {(强制 | 核实 | 提示, rule)}, for every row that bears a mark."""
    return {place: set(TOLD.findall(text)) for place, text in told_texts(form, path).items()}
