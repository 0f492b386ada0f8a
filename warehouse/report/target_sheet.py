"""The sheets 目标进度 and 目标进度图 of the year: every target with gap, pace, projection and state; the progress as a native chart."""

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.marker import DataPoint
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from warehouse.report.rounding import ROUNDING_NOTE, rounded
from warehouse.report.sheets import set_up_page, set_widths, write_headings, write_lines, write_row, write_title
from warehouse.report.target_chart import COLOURS
from warehouse.report.targets import TargetRow, of_city

HEADINGS = (
    "条款", "目标", "地区", "单位", "目标值", "现值", "数据年度", "差距", "完成（%）", "最近增速（%）", "需年均增速（%）",
    "预计值", "预计下限", "预计上限", "状态", "说明",
)  # fmt: skip
WIDTHS = (10, 33, 9, 5.5, 12, 12, 6, 11, 7, 8, 8, 9, 9, 9, 9.5, 25)
"""In characters; on A4 landscape the sheet is printed at about seven tenths of its size."""

UNIT, AMOUNTS, PERCENTS = 4, (5, 6, 8, 12, 13, 14), (9, 10, 11)
MEASURED = {"亿元", "万元", "%"}
"""Units with two decimals; what is counted is whole."""
SOURCE = "目标、规则取自嘉政发〔2025〕14号正文。差距＝目标值－现值，大于 0 为还差多少。空白表示没有这个数，不是零，原因见说明。"
NOTES = (
    "注：预计值按现有趋势外推到目标年，是估计数；连续、同口径的年数不够的，没有区间。状态的定义见 docs/targets.md。",
    ROUNDING_NOTE,
)
CHART_TITLE = "现值占目标值的百分比（全市）"
CHART_WIDTHS = (66, 14)


def fill_target_sheet(sheet: Worksheet, period_name: str, rows: list[TargetRow]) -> None:
    """Fill the sheet from the rows of one period (`target_rows`): the city's targets first, then each area's."""
    city = of_city(rows)
    last = len(HEADINGS)
    set_widths(sheet, WIDTHS)
    write_title(sheet, f"目标进度（{period_name}）", [SOURCE], last)
    top = sheet.max_row + 1
    write_headings(sheet, [HEADINGS])
    sheet.row_dimensions[top].height = 46
    for row in [*city, *(row for row in rows if row not in city)]:
        _target(sheet, row)
    write_lines(sheet, NOTES, last)
    set_up_page(sheet, top, top, f"C{top + 1}")


def _target(sheet: Worksheet, row: TargetRow) -> None:
    unit = "亿元" if row.is_in_yi else row.unit
    figures = [row.target_value, row.value, row.gap, row.projected_value, row.projected_low, row.projected_high]
    target, value, gap, projected, low, high = (
        rounded(amount / 10000 if row.is_in_yi and amount is not None else amount, 2) for amount in figures
    )
    percents = [rounded(pct, 1) for pct in (row.progress_pct, row.growth_pct, row.needed_growth_pct)]
    write_row(
        sheet,
        [row.clause, row.target_name, row.area_name, unit, target, value, row.data_year, gap, *percents,
         projected, low, high, row.state, row.note],
        dict.fromkeys(PERCENTS, "%") | dict.fromkeys(AMOUNTS, unit),
        centred=(UNIT, 7, 15),
    )  # fmt: skip
    line = sheet.max_row
    if unit in MEASURED:
        for column in AMOUNTS:
            sheet.cell(line, column).number_format = "#,##0.00"
    sheet.cell(line, 15).font = Font(bold=True, color=COLOURS[row.state_code])


def has_chart(rows: list[TargetRow]) -> bool:
    """Return whether any target of the city has a progress to draw."""
    return any(row.progress_pct is not None for row in of_city(rows))


def fill_target_chart_sheet(sheet: Worksheet, period_name: str, rows: list[TargetRow]) -> None:
    """Fill a sheet of one page: the city's progress as a table, and beside it a horizontal bar per target in the colour of its state."""
    shown = [row for row in of_city(rows) if row.progress_pct is not None]
    set_widths(sheet, CHART_WIDTHS)
    write_title(sheet, f"{CHART_TITLE}（{period_name}）", [], len(CHART_WIDTHS))
    first = sheet.max_row + 1
    write_headings(sheet, [["目标（状态）", "完成（%）"]])
    for row in shown:
        write_row(sheet, [f"{row.target_name}（{row.state}）", rounded(row.progress_pct, 1)], {2: "%"})
    write_lines(sheet, [ROUNDING_NOTE], len(CHART_WIDTHS))
    _chart(sheet, shown, first)
    set_up_page(sheet, first, first, f"A{first + 1}")
    sheet.page_setup.fitToHeight = 1


def _chart(sheet: Worksheet, shown: list[TargetRow], first: int) -> None:
    """Draw the bars of the table whose heading is row ``first``, beside it."""
    last = first + len(shown)
    chart = BarChart()
    chart.type, chart.gapWidth, chart.title, chart.legend = "bar", 40, CHART_TITLE, None
    chart.add_data(Reference(sheet, min_col=2, min_row=first, max_row=last), titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=1, min_row=first + 1, max_row=last))
    (series,) = chart.series
    for index, row in enumerate(shown):
        point = DataPoint(idx=index)
        point.graphicalProperties.solidFill = COLOURS[row.state_code]
        series.dPt.append(point)
    # A spreadsheet draws the first bar lowest: the plan's order is from the top.
    chart.x_axis.scaling.orientation = "maxMin"
    chart.y_axis.numFmt = "0"
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.width, chart.height = 26, max(8.0, 2 + 0.75 * len(shown))
    sheet.add_chart(chart, f"D{first}")
