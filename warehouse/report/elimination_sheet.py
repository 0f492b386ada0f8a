"""The sheet 剔除重复 of the annex workbook: gross, by reason and tier, to net, per area and sector; and the bridge as a native chart."""

from decimal import Decimal

from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sources.spreadsheet import append, fill
from warehouse.report.bridge import REASONS, TIERS, BridgeLine
from warehouse.report.rounding import rounded

FIXED = ("地区", "主体", "剔除前")
LAST = ("剔除合计", "剔除后", "其中：单方申报")
NOTE = (
    "注：金额单位万元。重复额取付方、收方两边较小的一方；转手的钱只算一次，落在最后留下钱的单位上。“单方申报”为估计数。"
)
CHART_ROW_GAP = 4


def fill_elimination_sheet(sheet: Worksheet, period_name: str, lines: list[BridgeLine]) -> None:
    """Fill the sheet; the columns are the (reason, tier) pairs that occur, in the order of the steps."""
    pairs = [(r, t) for r in REASONS for t in TIERS if any((r, t) in line.removed_wan for line in lines)]
    append(sheet, [f"其他主体科技创新投入剔除重复表（{period_name}）"])
    append(sheet, [])
    append(sheet, [*FIXED, *(REASONS[reason] for reason, _ in pairs), *LAST])
    append(sheet, ["", "", "", *(TIERS[tier] for _, tier in pairs), "", "", ""])
    for line in lines:
        removed = [rounded(line.removed_wan.get(pair), 2) for pair in pairs]
        figures = [rounded(v, 2) for v in (line.removed_total_wan, line.net_wan, line.estimated_wan)]
        append(sheet, [line.area_name, line.sector, rounded(line.gross_wan, 2), *removed, *figures])
    _style(sheet, len(FIXED) + len(pairs) + len(LAST), 4 + len(lines))
    append(sheet, [NOTE])
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
                cell.number_format = "#,##0.00"
    for column in range(1, last_column + 1):
        sheet.column_dimensions[get_column_letter(column)].width = 14
    sheet.freeze_panes = "D5"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]


def _chart(sheet: Worksheet, city: BridgeLine, first_row: int) -> None:
    """Write the bridge's small table and a stacked bar chart on it: an unseen base, and on it the bar that is seen."""
    fill(sheet.cell(row=first_row, column=1), "桥图数据（全市，万元）")
    fill(sheet.cell(row=first_row, column=2), "底")
    fill(sheet.cell(row=first_row, column=3), "金额")
    level = city.gross_wan or Decimal(0)
    steps = [("剔除前", Decimal(0), level)]
    for reason, amount in city.removed_by_reason().items():
        level = level - amount
        steps.append((REASONS[reason], level, amount))
    if city.net_wan is not None:
        steps.append(("剔除后", Decimal(0), city.net_wan))
    for offset, (label, base, amount) in enumerate(steps, start=1):
        fill(sheet.cell(row=first_row + offset, column=1), label)
        fill(sheet.cell(row=first_row + offset, column=2), rounded(base, 2))
        fill(sheet.cell(row=first_row + offset, column=3), rounded(amount, 2))
    chart = BarChart()
    chart.grouping, chart.overlap, chart.gapWidth = "stacked", 100, 60
    chart.title, chart.legend = "其他主体科技创新投入：从剔除前到剔除后", None
    values = Reference(sheet, min_col=2, max_col=3, min_row=first_row, max_row=first_row + len(steps))
    chart.add_data(values, titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=1, min_row=first_row + 1, max_row=first_row + len(steps)))
    chart.series[0].graphicalProperties.noFill = True
    chart.series[0].graphicalProperties.line.noFill = True
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.width, chart.height = 24, 11
    sheet.add_chart(chart, f"E{first_row}")
