"""Writing one data sheet of a template: printed parts, open cells, check columns, protection, print set-up."""

from collections.abc import Sequence

from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from sources.contracts import Column
from sources.layout import INSTRUCTION_SHEET
from sources.spreadsheet import fill_as_typed, fill_formula
from sources.template.checks import Check
from sources.template.form import (
    CROSS_HEADING,
    FIRST_COLUMN,
    GROUPS,
    HEADING_ROW,
    INFO_ROW,
    LAST_HEADING,
    OWN_HEADING,
    STATUS_HEADING,
    STATUS_ROW,
    TITLE_ROW,
    Form,
    SheetForm,
)
from sources.template.formulas import ROW, cross_formula, own_formula, status_formula, tally_formula
from sources.template.last import last_formula
from sources.template.styles import DATE_FORMAT, FRACTION_DIGITS, TEXT_FORMAT, input_style, number_format, width
from sources.template.validations import validation

FOOT = (("单位负责人：", "统计负责人：", "填表人："), ("联系电话：", "报出日期："))
MARK_COLORS = {"×": ("FFC7CE", "9C0006"), "？": ("FFEB9C", "7F6000"), "√": ("C6EFCE", "006100")}
NOTE = "注：金额均为自1月1日起的累计数。黄色格填写；灰色、蓝色格已印好。没有发生填 - 或 0，没有统计到的留空，空白不等于零。"


def write_sheet(book: Workbook, form: Form, sheet: SheetForm, checks: Sequence[Check]) -> None:
    """Add one blank data sheet to the workbook."""
    at = book.create_sheet(sheet.table.sheet)
    _write_head(at, form, sheet)
    _write_headings(at, sheet, checks, form)
    _write_rows(at, form, sheet, checks)
    if sheet.total_row:
        _write_total(at, form, sheet)
    if sheet.foot_row:
        _write_foot(at, sheet)
    for column in sheet.columns:
        made = validation(form, sheet, column)
        if made:
            at.add_data_validation(made)
    _set_up(at, sheet)


def _last_column(sheet: SheetForm) -> int:
    return FIRST_COLUMN + len(sheet.columns) - 1


def _put(at: Worksheet, row: int, column: int, value: str | None, style: str) -> None:
    cell = at.cell(row, column, value)
    cell.style = style


def _write_head(at: Worksheet, form: Form, sheet: SheetForm) -> None:
    last = _last_column(sheet)
    label = sheet.table.label
    _put(at, TITLE_ROW, 1, label if label.endswith("表") else label + "表", "sti_title")
    at.merge_cells(start_row=TITLE_ROW, start_column=1, end_row=TITLE_ROW, end_column=last)
    at.row_dimensions[TITLE_ROW].height = 34
    parts = form.info(sheet.table)
    starts = [1 + place * last // len(parts) for place in range(len(parts))] + [last + 1]
    for place, part in enumerate(parts):
        is_last = place == len(parts) - 1
        _put(at, INFO_ROW, starts[place], part, "sti_info_right" if is_last else "sti_info")
        if starts[place + 1] - 1 > starts[place]:
            at.merge_cells(
                start_row=INFO_ROW, start_column=starts[place], end_row=INFO_ROW, end_column=starts[place + 1] - 1
            )
    at.row_dimensions[INFO_ROW].height = 20
    tallies = [f'"{text}"&{tally_formula(sheet, mark)}&" 行"' for mark, text in
               (("√", "校验：通过 "), ("×", "；有强制性问题 "), ("？", "；有核实性问题 "))]  # fmt: skip
    _put(at, STATUS_ROW, 1, "=" + "&".join(tallies), "sti_hint")
    at.merge_cells(start_row=STATUS_ROW, start_column=1, end_row=STATUS_ROW, end_column=max(4, last // 2))
    _link(at, f"{get_column_letter(last - 1)}{STATUS_ROW}", f"'{INSTRUCTION_SHEET}'!A1", "→ 填报说明")
    if sheet.foot_row and not sheet.is_fixed:
        _link(at, f"{get_column_letter(last)}{STATUS_ROW}", f"'{at.title}'!B{sheet.foot_row}", "↓ 表尾签署")


def _link(at: Worksheet, cell: str, target: str, text: str) -> None:
    at[cell] = text
    at[cell].style = "sti_link"
    at[cell].hyperlink = Hyperlink(ref=cell, location=target)


def _write_headings(at: Worksheet, sheet: SheetForm, checks: Sequence[Check], form: Form) -> None:
    bottom = sheet.first_row - 1
    own = {1: STATUS_HEADING}
    for place, heading in enumerate(_extra_headings(form, sheet, checks)):
        own[_last_column(sheet) + 1 + place] = heading
    for number, heading in own.items():
        for row in range(HEADING_ROW, bottom + 1):
            _put(at, row, number, heading if row == HEADING_ROW else None, "sti_own_heading")
        if bottom > HEADING_ROW:
            at.merge_cells(start_row=HEADING_ROW, start_column=number, end_row=bottom, end_column=number)
    groups = [next((g for g in GROUPS if column.heading.startswith(g)), "") for column in sheet.columns]
    for place, (column, group) in enumerate(zip(sheet.columns, groups, strict=True)):
        number = FIRST_COLUMN + place
        for row in range(HEADING_ROW, bottom + 1):
            _put(at, row, number, None, "sti_heading")
        at.cell(bottom if group else HEADING_ROW, number).value = column.heading.removeprefix(group)
        if group and (place == 0 or groups[place - 1] != group):
            at.cell(HEADING_ROW, number).value = group
            at.merge_cells(
                start_row=HEADING_ROW,
                start_column=number,
                end_row=HEADING_ROW,
                end_column=number + groups.count(group) - 1,
            )
        elif not group and bottom > HEADING_ROW:
            at.merge_cells(start_row=HEADING_ROW, start_column=number, end_row=bottom, end_column=number)
        at.column_dimensions[get_column_letter(number)].width = width(column)
    at.row_dimensions[bottom].height = 44


def _extra_headings(form: Form, sheet: SheetForm, checks: Sequence[Check]) -> list[str]:
    last = [LAST_HEADING] if sheet.last_count else []
    cross = [CROSS_HEADING] if cross_formula(form, sheet, checks) else []
    return [*last, OWN_HEADING, *cross]


def _write_rows(at: Worksheet, form: Form, sheet: SheetForm, checks: Sequence[Check]) -> None:
    formulas = {
        OWN_HEADING: own_formula(form, sheet, checks),
        CROSS_HEADING: cross_formula(form, sheet, checks),
        LAST_HEADING: last_formula(sheet) if sheet.last_count else "",
    }
    styles = {LAST_HEADING: "sti_last"}
    mark = status_formula(sheet, bool(formulas[CROSS_HEADING]))
    extras = [(sheet.extra_letter(h), f, styles.get(h, "sti_told")) for h, f in formulas.items() if f]
    inputs = [(FIRST_COLUMN + place, column, input_style(column), number_format(column, form))
              for place, column in enumerate(sheet.columns)]  # fmt: skip
    for row in range(sheet.first_row, sheet.last_row + 1):
        printed = sheet.printed[row - sheet.first_row] if row - sheet.first_row < len(sheet.printed) else {}
        at.row_dimensions[row].height = 20
        _put(at, row, 1, mark.replace(ROW, str(row)), "sti_mark")
        for number, column, style, shape in inputs:
            cell = at.cell(row, number)
            fill_as_typed(cell, printed.get(column.name))
            cell.style = "sti_printed" if column.name in printed else style
            cell.number_format = shape
        for letter, formula, style in extras:
            cell = at[f"{letter}{row}"]
            fill_formula(cell, formula.replace(ROW, str(row)))
            cell.style = style
            if style == "sti_last":
                cell.number_format = "#,##0.00####"


def _is_summed(column: Column) -> bool:
    return column.type == "money"


def _write_total(at: Worksheet, form: Form, sheet: SheetForm) -> None:
    row = sheet.total_row or 0
    _put(at, row, 1, None, "sti_mark")
    _put(at, row, FIRST_COLUMN, "合计", "sti_total_label")
    for place, column in enumerate(sheet.columns[1:], start=1):
        letter = sheet.letter_at(place)
        total = f"=ROUND(SUM({letter}{sheet.first_row}:{letter}{sheet.last_row}),{FRACTION_DIGITS[form.unit]})"
        _put(at, row, FIRST_COLUMN + place, total if _is_summed(column) else None, "sti_total")
        at[f"{letter}{row}"].number_format = number_format(column, form)


def _write_foot(at: Worksheet, sheet: SheetForm) -> None:
    row = sheet.foot_row or 0
    for line, labels in enumerate(FOOT):
        for place, label in enumerate(labels):
            number = FIRST_COLUMN + 2 * place
            _put(at, row + line, number, label, "sti_foot")
            _put(at, row + line, number + 1, None, "sti_foot_input")
            at.cell(row + line, number + 1).number_format = DATE_FORMAT if label == "报出日期：" else TEXT_FORMAT
        at.row_dimensions[row + line].height = 22
    _put(at, row + len(FOOT), FIRST_COLUMN, NOTE, "sti_hint")


def _set_up(at: Worksheet, sheet: SheetForm) -> None:
    last = get_column_letter(_last_column(sheet) + bool(sheet.last_count))
    marks = f"A{sheet.first_row}:A{sheet.last_row}"
    for mark, (fill, ink) in MARK_COLORS.items():
        rule = CellIsRule(
            operator="equal", formula=[f'"{mark}"'], font=Font(color=ink, bold=True), fill=PatternFill(bgColor=fill)
        )
        at.conditional_formatting.add(marks, rule)
    at.column_dimensions["A"].width = 6
    if sheet.last_count:
        at.column_dimensions[sheet.extra_letter(LAST_HEADING)].width = 14
    at.column_dimensions[sheet.extra_letter(OWN_HEADING)].width = 40
    at.column_dimensions[sheet.extra_letter(CROSS_HEADING)].width = 40
    named = 2 if len(sheet.columns) > 1 and sheet.columns[1].type == "text" else 1
    at.freeze_panes = f"{get_column_letter(FIRST_COLUMN + named)}{sheet.first_row}"
    protection = at.protection
    protection.sheet = True
    # What stays allowed on the protected sheet; there is no password, so that a bureau can take it off when it must.
    protection.formatColumns = protection.formatRows = False
    protection.insertRows = protection.deleteRows = False
    protection.sort = protection.autoFilter = False
    print_on_a4(at)
    at.print_title_rows = f"{TITLE_ROW}:{sheet.first_row - 1}"
    end = sheet.foot_row + len(FOOT) if sheet.foot_row else sheet.last_row
    at.print_area = f"A1:{last}{end}"
    at.print_options.horizontalCentered = True
    at.page_margins.left = at.page_margins.right = 0.4
    at.page_margins.top = at.page_margins.bottom = 0.5
    at.sheet_view.zoomScale = 90


def print_on_a4(at: Worksheet) -> None:
    """Set a sheet up for A4 landscape, as wide as the page, with page numbers."""
    at.page_setup.orientation = "landscape"
    at.page_setup.paperSize = at.PAPERSIZE_A4
    at.page_setup.fitToWidth, at.page_setup.fitToHeight = 1, 0
    at.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    if at.oddFooter is not None and at.oddFooter.center is not None:
        at.oddFooter.center.text = "第 &P 页，共 &N 页"
