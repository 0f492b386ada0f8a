"""附件1 科技创新投入半年度监测体系, in the document's own layout, from the published warehouse.

One sheet for the city, one per area: 序号, 指标名称, 单位, 数源单位, 责任单位, then 本期, 上年同期, 增长, 占比, 位次; and 剔除重复, how the
figure of 其他主体 comes from gross to net.
"""

from dataclasses import dataclass
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.worksheet.worksheet import Worksheet

from sources.reference import area_names, periods
from sources.spreadsheet import append, sheet_title, workbook_bytes
from warehouse.paths import Home, write_atomically
from warehouse.query import connect, monitoring_mart
from warehouse.report.bridge import bridge_lines
from warehouse.report.elimination_sheet import fill_elimination_sheet
from warehouse.report.rounding import ROUNDING_NOTE, rounded

OFFICE = "市委科技办"
"""Who hands the annexes out, as a workbook's properties say."""

HEADINGS = ("序号", "指标名称", "单位", "数源单位", "责任单位", "本期", "上年同期", "增长（%）", "占比（%）", "位次")
WIDTHS = (7, 48, 7, 32, 22, 16, 16, 11, 11, 7)
CUMULATIVE_NOTE = "数据为自年初起的累计数。空白表示未报或暂不能计算，不是零。"
NOT_ELIMINATED_NOTE = "本期三类主体的数没有收齐，重复部分不能剔除：三类合计暂不出数，占科技创新投入的比重相应空缺。"
MISSING_NOTE = "缺报：{}。要用到它的合计都不出数，标“缺报”或“未剔除”，不是零。"
WITHOUT_FIGURE = {"not_received": "缺报", "not_yet_eliminated": "未剔除"}
"""What stands in place of a figure that is not known; a cell that the bureau left blank stays blank."""


class NoSuchPeriod(RuntimeError):
    """The published warehouse holds no figures of this period."""


@dataclass(frozen=True)
class Annex1Row:
    """One line of the annex for one area: rounded for people (万元 2 decimals, % 1 decimal), None where there is no figure.

    ``value_text`` stands in place of a value that is None, saying why (缺报, 未剔除); empty where the bureau left the cell blank.
    """

    annex_no: str
    indicator_id: str
    name: str
    unit: str
    data_source: str
    responsible: str
    value_wan: Decimal | None
    value_text: str
    base_wan: Decimal | None
    growth_pct: Decimal | None
    growth_note: str
    share_pct: Decimal | None
    rank: int | None


def annex1_rows(home: Home, period: str) -> dict[str, list[Annex1Row]]:
    """Return the annex per area key, the city first, in the document's order; of a year, its indicators on the annual basis.

    Raises:
        NoSuchPeriod: no figures of this period are published.
        NothingPublished: nothing was published yet.
    """
    with connect(home) as connection:
        found = connection.execute(
            f"""
            select m.area_key, i.annex_no, m.indicator_id, i.indicator_name, i.unit, i.data_source, i.responsible,
                   m.value_wan, m.value_note, m.base_wan, m.growth_pct, m.growth_note, m.share_pct, m.rank
            from {monitoring_mart(period)} as m
            join dim_indicator as i on i.indicator_id = m.indicator_id
            join dim_area as a on a.area_key = m.area_key
            where m.period = ?
            order by a.sort_order, i.sort_order
            """,
            [period],
        ).fetchall()
    if not found:
        raise NoSuchPeriod(f"已发布的数仓里没有 {period} 的数据")
    areas: dict[str, list[Annex1Row]] = {}
    for (
        area_key,
        annex_no,
        indicator,
        name,
        unit,
        source,
        responsible,
        value,
        left_blank,
        base,
        growth,
        note,
        share,
        rank,
    ) in found:
        row = Annex1Row(
            annex_no=annex_no or "",
            indicator_id=indicator,
            name=name,
            unit=unit,
            data_source=source or "",
            responsible=responsible or "",
            # A cell left blank adds nothing to sums, and is shown as blank, not as zero.
            value_wan=None if left_blank == "not_reported" else rounded(value, 2),
            value_text=WITHOUT_FIGURE.get(left_blank or "", "") if value is None else "",
            base_wan=rounded(base, 2),
            growth_pct=rounded(growth, 1),
            growth_note=note or "",
            share_pct=rounded(share, 1),
            rank=rank,
        )
        areas.setdefault(area_key, []).append(row)
    return areas


def write_annex1(home: Home, period: str) -> str:
    """Write ``reports/<period>/附件1_<period>.xlsx`` and return its path."""
    book = Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for area_key, rows in annex1_rows(home, period).items():
        _sheet(book.create_sheet(sheet_title(area_names()[area_key], book.sheetnames)), area_key, period, rows)
    fill_elimination_sheet(book.create_sheet("剔除重复"), periods()[period].name, bridge_lines(home, period))
    path = home.reports / period / f"附件1_{period}.xlsx"
    write_atomically(path, workbook_bytes(book, OFFICE))
    return str(path)


def _sheet(sheet: Worksheet, area_key: str, period: str, rows: list[Annex1Row]) -> None:
    thin = Side(style="thin")
    border = Border(left=thin, right=thin, top=thin, bottom=thin)
    last = len(HEADINGS)
    append(sheet, ["附件1"])
    append(sheet, [f"科技创新投入半年度监测体系（{area_names()[area_key]}，{periods()[period].name}）"])
    append(sheet, [])
    append(sheet, HEADINGS)
    for title_row in (2, 3):
        sheet.merge_cells(start_row=title_row, start_column=1, end_row=title_row, end_column=last)
    sheet["A2"].font = Font(size=16, bold=True)
    sheet["A2"].alignment = Alignment(horizontal="center")
    for row in rows:
        value = row.value_text if row.value_wan is None else row.value_wan
        figures = (value, row.base_wan, row.growth_pct, row.share_pct, row.rank)
        append(sheet, [row.annex_no, row.name, row.unit, row.data_source, row.responsible, *figures])
    for line in sheet.iter_rows(min_row=4, max_row=4 + len(rows), max_col=last):
        for cell in line:
            cell.border = border
            heading = cell.row == 4
            cell.font = Font(bold=heading)
            cell.alignment = Alignment(
                horizontal="center" if heading or cell.column in (1, 3, 10) else None, vertical="center", wrap_text=True
            )
            if not heading and cell.column in (6, 7):
                cell.number_format = "#,##0.00"
            elif not heading and cell.column in (8, 9):
                cell.number_format = "0.0"
    notes = [ROUNDING_NOTE, CUMULATIVE_NOTE]
    absent = dict.fromkeys(
        row.data_source for row in rows if row.annex_no and row.value_text == WITHOUT_FIGURE["not_received"]
    )
    if absent:
        notes.append(MISSING_NOTE.format("、".join(absent)))
    if any(row.indicator_id == "sti_total" and row.value_wan is None for row in rows):
        notes.append(NOT_ELIMINATED_NOTE)
    for note in notes:
        append(sheet, [note])
        sheet.merge_cells(start_row=sheet.max_row, start_column=1, end_row=sheet.max_row, end_column=last)
    for column, width in enumerate(WIDTHS, start=1):
        sheet.column_dimensions[chr(64 + column)].width = width
    sheet.freeze_panes = "C5"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    sheet.print_title_rows = "4:4"
