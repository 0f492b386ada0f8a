"""The sheet 剔除重复 of the annex workbook: gross, by reason and tier, to net, per area and sector; and the bridge as a native chart."""

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.marker import DataPoint
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sources.spreadsheet import append, fill
from warehouse.report.bridge import REASONS, STEP_COLOUR, TIERS, TOTAL_COLOUR, TOTALS, BridgeLine, bridge_steps
from warehouse.report.rounding import ROUNDING_NOTE, rounded

FIXED = ("地区", "主体", "剔除前")
LAST = ("剔除合计", "剔除后", "其中：单方申报")
NOTE = (
    "注：金额单位万元。重复额取付方、收方两边较小的一方；转手的钱只算一次，落在最后留下钱的单位上。“单方申报”为估计数。"
)
NOT_SENT, UNKNOWN = "缺报", "未剔除"
CHART_ROW_GAP = 4
AMOUNT = "#,##0.00"


def fill_elimination_sheet(sheet: Worksheet, period_name: str, lines: list[BridgeLine]) -> None:
    """Fill the sheet; the columns are the (reason, tier) pairs that occur, in the order of the steps."""
    pairs = [(r, t) for r in REASONS for t in TIERS if any((r, t) in line.removed_wan for line in lines)]
    append(sheet, [f"其他主体科技创新投入剔除重复表（{period_name}）"])
    append(sheet, [])
    append(sheet, [*FIXED, *(REASONS[reason] for reason, _ in pairs), *LAST])
    append(sheet, ["", "", "", *(TIERS[tier] for _, tier in pairs), "", "", ""])
    for line in lines:
        removed = [rounded(line.removed_wan.get(pair), 2) for pair in pairs]
        is_open = line.net_wan is None
        last = [line.removed_total_wan, line.net_wan, None if is_open else line.estimated_wan]
        figures = [UNKNOWN if amount is None else rounded(amount, 2) for amount in last]
        gross = NOT_SENT if line.gross_wan is None else rounded(line.gross_wan, 2)
        append(sheet, [line.area_name, line.sector, gross, *removed, *figures])
    _style(sheet, len(FIXED) + len(pairs) + len(LAST), 4 + len(lines))
    _merge_headings(sheet, [reason for reason, _ in pairs])
    for note in (NOTE, ROUNDING_NOTE):
        append(sheet, [note])
    _chart(sheet, lines[0], sheet.max_row + CHART_ROW_GAP)


def _style(sheet: Worksheet, last_column: int, last_row: int) -> None:
    thin = Side(style="thin")
    sheet["A1"].font = Font(size=16, bold=True)
    for row in sheet.iter_rows(min_row=3, max_row=last_row, max_col=last_column):
        for cell in row:
            cell.border = Border(left=thin, right=thin, top=thin, bottom=thin)
            heading = (cell.row or 0) <= 4
            cell.font = Font(bold=heading or row[1].value == "合计")
            cell.alignment = Alignment(horizontal="center" if heading else None, vertical="center", wrap_text=heading)
            if not heading and (cell.column or 0) > 2:
                cell.number_format = AMOUNT
    for column in range(1, last_column + 1):
        sheet.column_dimensions[get_column_letter(column)].width = 14
    sheet.column_dimensions["B"].width = 21
    sheet.freeze_panes = "D5"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A3
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.print_title_rows = "3:4"
    sheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]


def _merge_headings(sheet: Worksheet, reasons: list[str]) -> None:
    """One heading over all tiers of a reason; the other headings over both heading rows."""
    first = len(FIXED) + 1
    for reason in dict.fromkeys(reasons):
        start = first + reasons.index(reason)
        end = start + reasons.count(reason) - 1
        sheet.merge_cells(start_row=3, end_row=3, start_column=start, end_column=end)
    beside = [*range(1, first), *range(first + len(reasons), first + len(reasons) + len(LAST))]
    for column in beside:
        sheet.merge_cells(start_row=3, end_row=4, start_column=column, end_column=column)


def _chart(sheet: Worksheet, city: BridgeLine, first_row: int) -> None:
    """Write the bridge's small table and a stacked bar chart on it: an unseen base, and on it the bar that is seen."""
    steps = bridge_steps(city)
    if not steps:
        return
    last_row = first_row + len(steps)
    title = sheet.cell(row=first_row - 1, column=1)
    fill(title, "桥图数据（全市，万元）")
    title.font = Font(bold=True)
    for column, heading in enumerate(("步骤", "底", "金额", "图中标签"), start=1):
        fill(sheet.cell(row=first_row, column=column), heading)
    for offset, (label, low, high) in enumerate(steps, start=1):
        fill(sheet.cell(row=first_row + offset, column=1), label)
        for column, amount in ((2, low), (3, high - low)):
            cell = sheet.cell(row=first_row + offset, column=column)
            fill(cell, rounded(amount, 2))
            cell.number_format = AMOUNT
        # A label on a bar would be dark on dark, or wider than a small step: the amount stands below it.
        sign = "" if label in TOTALS else "−"
        fill(sheet.cell(row=first_row + offset, column=4), f"{label} {sign}{rounded(high - low, 2):,}")
    chart = BarChart()
    chart.grouping, chart.overlap, chart.gapWidth = "stacked", 100, 45
    chart.title, chart.legend = "其他主体科技创新投入：从剔除前到剔除后（全市，万元）", None
    chart.add_data(Reference(sheet, min_col=2, max_col=3, min_row=first_row, max_row=last_row), titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=4, min_row=first_row + 1, max_row=last_row))
    base, seen = chart.series
    base.graphicalProperties.noFill = base.graphicalProperties.line.noFill = True
    seen.graphicalProperties.solidFill = STEP_COLOUR
    for index, (label, _, _) in enumerate(steps):
        if label in TOTALS:
            point = DataPoint(idx=index)
            point.graphicalProperties.solidFill = TOTAL_COLOUR
            seen.dPt.append(point)
    chart.y_axis.numFmt = "#,##0"
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.width, chart.height = 24, 11
    sheet.add_chart(chart, f"F{first_row - 1}")
