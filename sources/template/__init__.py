"""The blank workbook of a provider and period, written from its contract and the rules.

Start with `build`. What it holds is planned in ``form``, checked by ``checks`` and ``formulas`` (the gate's rules as Excel
formulas), and written by ``sheets``, ``instructions`` and ``last``. What does *not* belong here: the rules themselves
(``reading_rules.yaml``, ``expectations/suites``).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from openpyxl import Workbook

from sources.explanations import EXPLANATION_HEADINGS
from sources.identity import EXPLANATION_SHEET
from sources.template.checks import Check, steps_of
from sources.template.form import Form, SheetForm
from sources.template.formulas import tables_named
from sources.template.instructions import write_instructions
from sources.template.last import LastFigures, write_last_sheet
from sources.template.sheets import write_sheet
from sources.template.styles import add_styles

LAYOUT_VERSION = 1
"""Raise it when the layout of templates changes, so that their version does."""
EXPLANATION_ROWS = 40


def template_version(form: Form, checks: Sequence[Check]) -> str:
    """Return 12 hex digits that change with the contract, the rules and the layout, and with nothing else."""
    described = {
        "layout": LAYOUT_VERSION,
        "unit": form.unit,
        "contract": [sheet.table.model_dump(mode="json", exclude={"blank_rows"}) for sheet in form.sheets.values()],
        "cells": [[s.model_dump() for s in steps_of(c)] for sheet in form.sheets.values() for c in sheet.columns],
        "rules": [check.model_dump() for check in checks if usable(check, form)],
    }
    text = json.dumps(described, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def usable(check: Check, form: Form) -> bool:
    """Whether a form holds the tables and columns that a check looks at."""
    if not tables_named(check) | {check.rule_table_id} <= form.sheets.keys():
        return False
    names = {column.name for column in form.sheets[check.rule_table_id].columns}
    return set(check.columns) <= names


def build(
    form: Form, checks: Sequence[Check], *, last: Mapping[str, LastFigures] | None = None, due: str = ""
) -> Workbook:
    """Return the blank workbook of a form.

    Args:
        form: the plan, see `sources.template.form.plan`.
        checks: the gate's rules for the provider's tables; those that the form has no columns for are passed over.
        last: last period's figures by table, for the tables that were planned with them.
        due: the deadline (报送时限) as printed.
    """
    book = Workbook()
    if book.active is not None:
        book.remove(book.active)
    add_styles(book)
    kept = [check for check in checks if usable(check, form)]
    for sheet in form.sheets.values():
        own = [check for check in kept if check.table_id == sheet.table.table_id and check.breach]
        write_sheet(book, form, sheet, own)
    _write_explanations(book, form, next(iter(form.sheets.values())))
    for table_id, figures in (last or {}).items():
        write_last_sheet(book, form, form.sheets[table_id], figures)
    write_instructions(book, form, kept, template_version(form, kept), due)
    book.properties.title = f"{form.provider.label} {form.period_text} {form.form_id}"
    book.properties.creator = "科技创新投入数据仓库"
    return book


def _write_explanations(book: Workbook, form: Form, first: SheetForm) -> None:
    """Add 核实说明, where a bureau answers 核实性 findings."""
    at = book.create_sheet(EXPLANATION_SHEET)
    at["A1"] = "核实性审核说明表"
    at["A1"].style = "sti_title"
    at.merge_cells("A1:E1")
    at["A2"] = "　　".join(form.info())
    at["A2"].style = "sti_info"
    for number, (heading, width) in enumerate(zip(EXPLANATION_HEADINGS, (14, 28, 12, 70, 14), strict=True), start=1):
        at.cell(3, number, heading).style = "sti_heading"
        at.column_dimensions["ABCDE"[number - 1]].width = width
        for row in range(4, 4 + EXPLANATION_ROWS):
            at.cell(row, number).style = "sti_input"
            at.cell(row, number).number_format = "@"
    at.freeze_panes = "A4"
    at.protection.sheet = True
    at.protection.insertRows = at.protection.formatRows = False


def file_name(form: Form) -> str:
    """Return the name of the blank workbook's file."""
    suffix = "_分地区汇总" if form.form_id.endswith("-aggregate") else ""
    return f"{form.provider.label}_{form.period.key}{suffix}.xlsx"


def save(book: Workbook, path: Path) -> None:
    """Write the workbook."""
    book.save(path)
