"""The sheet 目标进度 for a workbook of the year: every target with gap, pace, projection and state; and the progress as a native chart."""

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.marker import DataPoint
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sources.spreadsheet import append, fill
from warehouse.report.rounding import ROUNDING_NOTE, rounded
from warehouse.report.target_chart import COLOURS
from warehouse.report.targets import TargetRow, of_city

HEADINGS = (
    "条款", "目标", "地区", "单位", "目标值", "现值", "数据年度", "差距", "完成（%）", "最近增速（%）", "需年均增速（%）",
    "预计值", "预计下限", "预计上限", "状态", "说明",
)  # fmt: skip
WIDTHS = (14, 50, 12, 8, 15, 15, 9, 14, 10, 12, 14, 14, 14, 14, 11, 44)
UNIT, AMOUNTS, PERCENTS = 4, {5, 6, 8, 12, 13, 14}, {9, 10, 11}
MEASURED = {"亿元", "万元", "%"}
"""Units with two decimals; what is counted is whole."""
NOTES = (
    "注：目标、规则取自嘉政发〔2025〕14号正文；差距 = 目标值 − 现值，大于 0 为还差多少。空白表示没有这个数，不是零，原因见说明。",
    "预计值按现有趋势外推到目标年，是估计数；连续、同口径的年数不够的，没有区间。状态的定义见 docs/targets.md。",
    ROUNDING_NOTE,
)
CHART_TITLE = "现值占目标值的百分比（全市）"


def fill_target_sheet(sheet: Worksheet, period_name: str, rows: list[TargetRow]) -> None:
    """Fill the sheet from the rows of one period (`target_rows`): the city's targets first, then each area's; the chart is the city's."""
    city = of_city(rows)
    ordered = [*city, *(row for row in rows if row not in city)]
    append(sheet, [f"目标进度（{period_name}）"])
    append(sheet, [])
    append(sheet, HEADINGS)
    for row in ordered:
        unit = "亿元" if row.is_in_yi else row.unit
        figures = [row.target_value, row.value, row.gap, row.projected_value, row.projected_low, row.projected_high]
        target, value, gap, projected, low, high = (
            rounded(amount / 10000 if row.is_in_yi and amount is not None else amount, 2) for amount in figures
        )
        percents = [rounded(pct, 1) for pct in (row.progress_pct, row.growth_pct, row.needed_growth_pct)]
        append(
            sheet,
            [row.clause, row.target_name, row.area_name, unit, target, value, row.data_year, gap, *percents,
             projected, low, high, row.state, row.note],
        )  # fmt: skip
    _style(sheet, ordered)
    for note in NOTES:
        append(sheet, [note])
    _chart(sheet, city)


def _style(sheet: Worksheet, rows: list[TargetRow]) -> None:
    thin = Side(style="thin")
    sheet["A1"].font = Font(size=16, bold=True)
    for line in sheet.iter_rows(min_row=3, max_row=3 + len(rows), max_col=len(HEADINGS)):
        number = line[0].row or 0
        state = None if number == 3 else rows[number - 4].state_code
        for cell in line:
            column = cell.column or 0
            cell.border = Border(left=thin, right=thin, top=thin, bottom=thin)
            is_state = HEADINGS[column - 1] == "状态" and state is not None
            cell.font = Font(bold=number == 3 or is_state, color=COLOURS[state] if is_state and state else None)
            cell.alignment = Alignment(horizontal="center" if number == 3 else None, vertical="center", wrap_text=True)
            if number > 3 and column in PERCENTS:
                cell.number_format = "0.0"
            elif number > 3 and column in AMOUNTS and line[UNIT - 1].value in MEASURED:
                cell.number_format = "#,##0.00"
    for column, width in enumerate(WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = "C4"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.print_title_rows = "3:3"
    sheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]


def _chart(sheet: Worksheet, city: list[TargetRow]) -> None:
    """Write the chart's small table and a horizontal bar per target of the city, in the colour of its state."""
    shown = [row for row in city if row.progress_pct is not None]
    if not shown:
        return
    first = sheet.max_row + 3
    for column, heading in ((2, "目标"), (3, CHART_TITLE)):
        fill(sheet.cell(row=first, column=column), heading)
    for offset, row in enumerate(shown, start=1):
        fill(sheet.cell(row=first + offset, column=2), f"{row.target_name}（{row.state}）")
        fill(sheet.cell(row=first + offset, column=3), rounded(row.progress_pct, 1))
    last = first + len(shown)
    chart = BarChart()
    chart.type, chart.gapWidth, chart.title, chart.legend = "bar", 40, CHART_TITLE, None
    chart.add_data(Reference(sheet, min_col=3, min_row=first, max_row=last), titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=2, min_row=first + 1, max_row=last))
    (series,) = chart.series
    for index, row in enumerate(shown):
        point = DataPoint(idx=index)
        point.graphicalProperties.solidFill = COLOURS[row.state_code]
        series.dPt.append(point)
    # A spreadsheet draws the first bar lowest: the plan's order is from the top.
    chart.x_axis.scaling.orientation = "maxMin"
    chart.y_axis.numFmt = "0"
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.width, chart.height = 30, 2 + 0.75 * len(shown)
    sheet.add_chart(chart, f"E{first}")
