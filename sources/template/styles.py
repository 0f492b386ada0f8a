"""How a template looks: what is printed is grey or blue and locked, what is to be filled in is yellow and open."""

from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Protection, Side
from openpyxl.workbook import Workbook

from sources.contracts import Column
from sources.template.form import Form

FONT = "宋体"
INPUT, PRINTED, HEADING, OWN, TOTAL = "FFFBE6", "F2F2F2", "DCE6F1", "F7F7F7", "E2EFDA"
LINE = "9AA5B1"
FRACTION_DIGITS = {"元": 2, "千元": 5, "万元": 6, "亿元": 10}
"""Digits after the point that one fen needs."""
TEXT_FORMAT, DATE_FORMAT = "@", "yyyy-mm-dd"
WIDTHS = {"uscc": 21.0, "area": 12.0, "date": 12.0, "boolean": 9.0, "money": 14.0, "number": 12.0, "count": 10.0}


def add_styles(book: Workbook) -> None:
    """Register the named styles of a template in a workbook."""
    thin = Side(style="thin", color=LINE)
    grid = Border(left=thin, right=thin, top=thin, bottom=thin)
    center = Alignment(horizontal="center", vertical="center", wrap_text=True)
    left = Alignment(horizontal="left", vertical="center")
    wrapped = Alignment(horizontal="left", vertical="center", wrap_text=True)
    right = Alignment(horizontal="right", vertical="center")
    locked, unlocked = Protection(locked=True), Protection(locked=False)

    def add(name: str, alignment: Alignment, fill: str = "", *, size: float = 10.5, bold: bool = False, color: str = "000000",
            border: Border | None = None, protection: Protection = locked, is_link: bool = False) -> None:  # fmt: skip
        style = NamedStyle(name=name, alignment=alignment, protection=protection, border=border or Border())
        style.font = Font(name=FONT, size=size, bold=bold, color=color, underline="single" if is_link else None)
        if fill:
            style.fill = PatternFill("solid", fgColor=fill)
        book.add_named_style(style)

    add("sti_title", center, size=18, bold=True)
    add("sti_info", left)
    add("sti_info_right", right)
    add("sti_hint", left, size=9, color="7F7F7F")
    add("sti_link", left, size=9, color="0563C1", is_link=True)
    add("sti_heading", center, HEADING, bold=True, border=grid)
    add("sti_own_heading", center, OWN, bold=True, color="7F7F7F", border=grid)
    add("sti_input", wrapped, INPUT, border=grid, protection=unlocked)
    add("sti_input_center", center, INPUT, border=grid, protection=unlocked)
    add("sti_input_right", right, INPUT, border=grid, protection=unlocked)
    add("sti_printed", center, PRINTED, border=grid)
    add("sti_total", right, TOTAL, bold=True, border=grid)
    add("sti_total_label", center, TOTAL, bold=True, border=grid)
    add("sti_mark", center, OWN, bold=True, border=grid)
    add("sti_told", left, size=9, color="C00000")
    add("sti_last", right, PRINTED, color="7F7F7F", border=grid)
    add("sti_foot", right)
    add("sti_foot_input", left, INPUT, border=Border(bottom=thin), protection=unlocked)
    add("sti_section", left, bold=True, size=12, color="1F4E79")
    add("sti_cell", wrapped, border=grid)
    add("sti_cell_center", center, border=grid)


def input_style(column: Column) -> str:
    """Return the named style of a column's open cells."""
    if column.is_number:
        return "sti_input_right"
    return "sti_input" if column.type in ("text", "reference") else "sti_input_center"


def number_format(column: Column, form: Form) -> str:
    """Return the number format of a column's cells; text where digits must not be lost."""
    if column.type == "money":
        digits = FRACTION_DIGITS[form.unit]
        return "#,##0.00" + "#" * (digits - 2)
    if column.type == "number":
        return "#,##0.######"
    # A running number may be a number; every other text, and every code, keeps its leading zeros.
    plain = {"date": DATE_FORMAT, "year": "0", "count": "#,##0"}
    return plain.get(column.type, "General" if column.heading == "序号" else TEXT_FORMAT)


def width(column: Column) -> float:
    """Return a column's width in characters."""
    longest = max((2.0 * len(value) + 3 for value in column.values), default=0.0)
    if column.heading == "序号":
        return 7.0
    return max(longest, WIDTHS.get(column.type, 18.0 if column.type == "text" else 14.0))
