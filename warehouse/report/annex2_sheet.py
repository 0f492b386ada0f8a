"""The sheet 附件2 in the document's own layout (序号, 指标名, 单位, 评价规则, 备注), with the figures of every subject beside each indicator."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet

from sources.contracts import providers
from warehouse.report.annual import DIMENSION_LABELS, Annual, AnnualFigure
from warehouse.report.rounding import ROUNDING_NOTE, rounded
from warehouse.report.sheets import (
    GREY,
    PLACES,
    merge_down,
    set_up_page,
    set_widths,
    write_band,
    write_headings,
    write_lines,
    write_row,
    write_title,
)

RULE = "原则上按总量、占比、增速等维度研判，采用功效系数法测算"
"""评价规则, in the words of 附件2."""

HEADINGS = (
    ("序号", "指标名", "单位", "评价规则", "研判对象", "总量", "", "占比", "", "增速", "", "{points}", "数据年度", "备注", "说明"),
    ("", "", "", "", "", "数值", "位次", "%", "位次", "%或百分点", "位次", "", "", "", ""),
)  # fmt: skip
WIDTHS = (5.5, 27, 6, 14, 23, 15, 6, 8, 6, 11, 6, 12, 9.5, 15, 24)
LAST = len(WIDTHS)
FIRST_OF_DIMENSION = {"level": 6, "share": 8, "growth": 10}

BY_VALUE_NOTE = {
    "not_received": "缺报",
    "not_reported": "未填",
    "no_row": "无此项",
    "partly_reported": "缺数",
    "not_yet_eliminated": "未剔除",
}
"""What stands in place of a figure that is not there, by how its cell was filled in (``value_note``)."""

BY_NOTE_CODE = {
    "denominator_missing": "分母缺数",
    "denominator_not_positive": "分母≤0",
    "data_years_differ": "年度不合",
    "base_missing": "上年缺数",
    "base_not_positive": "基数≤0",
    "base_other_year": "年度不合",
    "basis_changed": "口径变动",
}
"""The same, by why it cannot be worked out (``note_code``)."""

MISSING_PART = "缺数"
ZERO_WORDS = {"nil": "无", "below_unit": "…"}
NOT_APPLICABLE, UNKNOWN, NOT_SCORED, NOT_POINTED = "／", "—", "不打分", "不计分"
LEGEND = (
    "数值栏：0.00 为填报的零；“无”为填报单位填“-”（没有，计 0）；“…”为不足本表最小单位（计 0）；“未填”为单元格空白；"
    "“无此项”为填“-”或没有这一行，不是零；“缺报”为单位没有报送；“缺数”为合计或比重中有一项没有数；“未剔除”为各方没有收齐、不能剔除重复。",
    "“／”为不适用（该指标不按此维度研判，或只列示不排位）；“—”为没有数，不排位；“上年缺数”“基数≤0”“口径变动”“年度不合”“分母缺数”"
    "“分母≤0”为算不出增速或占比的原因。",
    "得分栏：“不打分”为全市和三类机构整体，只列数；“不计分”为没有可计分的维度，原因见说明。位次为同类对象内数值从高到低的名次，同值同名次。",
)
DOCUMENT_NOTES = (
    "注：1.市委科技办对县（市、区）、科研机构、高校、医疗卫生机构（高水平医院）进行总体研判分析。",
    "2.市教育局、市科技局、市卫生健康委分别对具体高校、科研机构、医疗卫生机构（高水平医院）进行分析研判，分析研判结果报市委科技办。",
)
SHARE_NOTE = "占比：{}。"
RATIO_NOTE = "以 % 计的指标，增速为比上年变化的百分点；其余为 %。"
SOME_AREAS = "只计各项俱全的地区"
"""Of a ratio of the city to which not every area could add its parts."""

MISSING_NOTE = "缺报：{}。要用到它的数都不出，标“缺报”或算不出的原因，不是零，也不计分；缺报单位的各个机构按它最近一次报送年度的名单列出。"


def fill_annex2_sheet(sheet: Worksheet, annual: Annual, for_whom: str) -> None:
    """Fill the sheet with the figures of ``annual``; ``for_whom`` is the bureau that the workbook is for."""
    set_widths(sheet, WIDTHS)
    write_title(
        sheet,
        f"科技创新投入年度研判体系（{annual.year}年）",
        [f"{for_whom}　{annual.scheme}"],
        LAST,
        annex="附件2",
    )
    top = sheet.max_row + 1
    write_headings(sheet, [[text.format(points=annual.marked("得分")) for text in row] for row in HEADINGS])
    for group, figures in groupby(annual.figures, key=lambda figure: figure.annex_group):
        write_band(sheet, group, LAST)
        first = sheet.max_row + 1
        numbers: set[str] = set()
        for _, own in groupby(figures, key=lambda figure: figure.indicator_id):
            _indicator(sheet, annual.year, list(own), numbers)
        sheet.cell(first, 4).value = RULE
        sheet.cell(first, 4).alignment = Alignment(vertical="top", wrap_text=True)
        merge_down(sheet, 4, first, sheet.max_row)
    write_lines(
        sheet, [*DOCUMENT_NOTES, *notes_of(annual), *_share_note(annual), RATIO_NOTE, *LEGEND, ROUNDING_NOTE], LAST
    )
    set_up_page(sheet, top, top + 1, f"F{top + 2}")


def notes_of(annual: Annual) -> list[str]:
    """Return the note on providers that sent nothing, if there are any."""
    labels = [providers()[provider].label for provider in annual.missing]
    return [MISSING_NOTE.format("、".join(labels))] if labels else []


def _share_note(annual: Annual) -> list[str]:
    """Return of what each share is a share, if there are any."""
    shares = dict.fromkeys(
        f"{figure.indicator_name.removeprefix('其中：')}占{figure.share_of_name}"
        for figure in annual.figures
        if figure.dimension == "share"
    )
    return [SHARE_NOTE.format("；".join(shares))] if shares else []


def _indicator(sheet: Worksheet, year: int, figures: Sequence[AnnualFigure], numbers: set[str]) -> None:
    """Write the rows of one indicator: the city or the sector as a whole, then every subject. ``numbers``: those already printed."""
    head, first = figures[0], sheet.max_row + 1
    number = head.annex_no.rpartition(".")[2]
    shown_number = "" if number in numbers else number
    numbers.add(number)
    for place, (_, dimensions) in enumerate(groupby(figures, key=lambda figure: figure.subject)):
        own = list(dimensions)
        level = own[0]
        values: list[object] = [None] * LAST
        units: dict[int, str] = {12: "分"}
        # On every row: a block that goes on on the next page still says what it is of.
        values[1] = head.indicator_name
        if place == 0:
            values[0], values[2] = shown_number, level.unit
            values[13] = basis_of(year, level.data_year)
        values[4] = f"{level.subject_name}整体" if level.subject_type == "sector" else level.subject_name
        by_dimension = {figure.dimension: figure for figure in own}
        for dimension, column in FIRST_OF_DIMENSION.items():
            figure = by_dimension.get(dimension)
            units[column], units[column + 1] = (figure.unit if figure else "%"), "名"
            values[column - 1] = NOT_APPLICABLE if figure is None else shown_value(figure)
            values[column] = NOT_APPLICABLE if figure is None or figure.is_whole else (figure.rank or UNKNOWN)
        values[11] = _points(own)
        values[12] = level.data_year
        is_part = level.value is not None and level.value_note == "partly_reported"
        values[14] = (SOME_AREAS if is_part else "") if level.is_whole else reasons(own)
        write_row(sheet, values, units, centred=(1, 3, 7, 9, 11, 13, 14), fitted=(5, 15) if place else (2, 5, 15))
        if place:
            name = sheet.cell(sheet.max_row, 2)
            has_lines = bool(sheet.row_dimensions[sheet.max_row].height)
            name.font = Font(color=GREY)
            name.alignment = Alignment(vertical="center", wrap_text=has_lines, shrink_to_fit=not has_lines)
        if level.is_whole:
            sheet.cell(sheet.max_row, 5).font = Font(bold=True)
    for column in (1, 3, 14):
        sheet.cell(first, column).alignment = Alignment(horizontal="center", vertical="top", wrap_text=True)
        merge_down(sheet, column, first, sheet.max_row)


def basis_of(year: int, data_year: int) -> str:
    """Return the document's word for which year's figure is used."""
    word = {year: "采用当年数据", year - 1: "采用上年度数据"}.get(data_year)
    return word or f"采用{data_year}年数据"


def shown_value(figure: AnnualFigure) -> object:
    """Return a figure rounded for its unit, or the word that stands in its place."""
    if figure.value is None:
        if figure.unit != "万元" and figure.value_note == "no_row":
            # Of a ratio: one of its parts is not there, whichever way.
            return MISSING_PART
        word = BY_NOTE_CODE.get(figure.note_code or "") or BY_VALUE_NOTE.get(figure.value_note or "")
        return word or MISSING_PART
    if figure.dimension == "level" and figure.value == 0 and figure.value_note in ZERO_WORDS:
        return ZERO_WORDS[figure.value_note]
    return rounded(figure.value, PLACES[figure.unit])


def _points(figures: Sequence[AnnualFigure]) -> object:
    if figures[0].is_whole:
        return NOT_SCORED
    points = figures[0].indicator_score_points
    return NOT_POINTED if points is None else rounded(points, PLACES["分"])


def reasons(figures: Iterable[AnnualFigure]) -> str:
    """Return why figures are missing or have no score, with the dimensions that each reason is of."""
    by_reason: dict[str, list[str]] = {}
    for figure in figures:
        if figure.note:
            by_reason.setdefault(figure.note, []).append(DIMENSION_LABELS[figure.dimension])
    return "；".join(f"{'、'.join(dimensions)}：{reason}" for reason, dimensions in by_reason.items())
