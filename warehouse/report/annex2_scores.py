"""The sheets 综合得分 (the ranking) and 得分说明 (how every point came about) of the workbook of 附件2."""

from decimal import Decimal

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sources.contracts import providers
from sources.reference import subject_providers
from warehouse.report.annex2_sheet import UNKNOWN, basis_of, notes_of, shown_value
from warehouse.report.annual import (
    BENCHMARK_LABELS,
    DIMENSION_LABELS,
    FORMULA_LABELS,
    SCORED,
    SUBJECT_LABELS,
    Annual,
    AnnualFigure,
    AnnualRank,
)
from warehouse.report.rounding import ROUNDING_NOTE, rounded
from warehouse.report.sheets import (
    PLACES,
    set_up_page,
    set_widths,
    write_band,
    write_headings,
    write_lines,
    write_row,
    write_title,
)

RANKING_HEADINGS = (
    ("位次", "研判对象", "{points}", "位次区间", "", "上年", "", "比上年", "", "有得分的权重", "全部权重", "说明"),
    ("", "", "", "最好", "最差", "得分", "位次", "得分", "位次", "", "", ""),
)
RANKING_WIDTHS = (7, 34, 14, 8, 8, 10, 8, 10, 8, 13, 10, 46)
RANKING_NOTES = (
    "综合得分＝Σ 权重×指标得分 ÷ Σ 权重（只计有得分的指标）；同类对象内排位，得分相同名次相同。",
    "上年为按现在的修订数、同一方案算出的上年得分；方案不同或上年没有的为“—”。“比上年”的位次：正数为上升。",
)
EXPLANATION_HEADINGS = (
    "类别", "研判对象", "指标", "维度", "数据年度", "单位", "数值 x", "不允许值 x_s", "满意值 x_h", "公式",
    "{points}", "指标得分", "权重", "{contribution}", "数值比上年", "贡献比上年", "位次", "上年位次", "说明",
)  # fmt: skip
EXPLANATION_WIDTHS = (12.5, 22, 28, 5.5, 6, 7, 13.5, 13.5, 13.5, 5.5, 8, 6.5, 6, 8, 13, 8, 5.5, 6, 25)
FORMULA_MARKS = "甲乙丙丁戊己庚辛壬癸"
EXPLAINED_PLACES = 4
"""Places of a % or 百分点 here: with one place nobody could work a score out again."""

FORMULAS = {
    "linear": "{base}＋{span}×(x－x_s)÷(x_h－x_s)",
    "zero_based": "(x－x_s)÷(x_h－x_s)×100，限 0 至 100",
    "exponential": "60×(5÷3)^((x－x_s)÷(x_h－x_s))",
    "five_grade": "五档内插（优秀 1.0 … 较差 0.2）×100",
}
EXPLANATION_NOTES = (
    "指标得分为有得分的各维度的平均；贡献为本维度在综合得分中占的分，一个对象各行贡献相加即其综合得分。",
    "本表的 %、百分点保留 4 位小数，便于代入公式核算；得分都由未取整的数算出，末位可能有出入。",
    "数值比上年、贡献比上年：与上年研判同一格相比；方案不同的年度之间不比。",
)
CHANGE_FORMAT = "+#,##0.00;-#,##0.00;0.00"


def fill_ranking_sheet(sheet: Worksheet, annual: Annual, kinds: tuple[str, ...] = SCORED) -> None:
    """Fill the sheet 综合得分: per kind of subject the composite, its rank, last year's, and the interval of the rank."""
    last = len(RANKING_WIDTHS)
    set_widths(sheet, RANKING_WIDTHS)
    write_title(sheet, f"{annual.year}年年度研判综合得分和位次", [annual.scheme], last)
    top = sheet.max_row + 1
    write_headings(sheet, [[text.format(points=annual.marked("综合得分")) for text in row] for row in RANKING_HEADINGS])
    for kind in kinds:
        write_band(sheet, SUBJECT_LABELS[kind], last)
        ranks = [rank for rank in annual.ranking if rank.subject_type == kind]
        for rank in ranks:
            _rank(sheet, rank)
        if not ranks:
            provider = subject_providers().get(kind, "")
            who = f"{providers()[provider].label}缺报，" if provider in annual.missing else ""
            write_row(sheet, [UNKNOWN, f"{who}没有得分", *[UNKNOWN] * 9, ""], dict.fromkeys((1, *range(3, 12)), ""))
    interval = [f"{annual.robustness}；“—”为没有位次。"] if annual.robustness else []
    write_lines(sheet, [*RANKING_NOTES, *interval, *notes_of(annual), ROUNDING_NOTE], last)
    set_up_page(sheet, top, top + 1, f"C{top + 2}")


def _rank(sheet: Worksheet, rank: AnnualRank) -> None:
    moved = rank.base_rank - rank.rank if rank.base_rank and rank.rank else None
    figures: list[object] = [
        rounded(rank.total_points, 2),
        rank.rank_low,
        rank.rank_high,
        rounded(rank.base_total_points, 2),
        rank.base_rank,
        rounded(rank.total_change_points, 2),
        moved,
    ]
    weights = [rank.scored_weight.normalize(), rank.full_weight.normalize()]
    shown = [UNKNOWN if figure is None else figure for figure in figures]
    units = {1: "名", 3: "分", 4: "名", 5: "名", 6: "分", 7: "名", 8: "分", 9: "名", 10: "权", 11: "权"}
    write_row(
        sheet, [rank.rank or UNKNOWN, rank.subject_name, *shown, *weights, rank.note], units, centred=(1, 4, 5, 7, 9)
    )
    for column in (8, 9):
        cell = sheet.cell(sheet.max_row, column)
        cell.number_format = CHANGE_FORMAT if column == 8 else "+0;-0;0"


def fill_explanation_sheet(sheet: Worksheet, annual: Annual) -> None:
    """Fill the sheet 得分说明: a row per figure that can have a score, with all that the score rests on, and what changed."""
    last = len(EXPLANATION_WIDTHS)
    set_widths(sheet, EXPLANATION_WIDTHS)
    scored = [figure for figure in annual.figures if not figure.is_whole]
    formulas = {
        text: mark for text, mark in zip(dict.fromkeys(map(_formula, scored)), FORMULA_MARKS, strict=False) if text
    }
    told = [f"公式{mark}　{text}" for text, mark in formulas.items()]
    write_title(sheet, f"{annual.year}年年度研判得分说明", [annual.scheme, *told], last)
    top = sheet.max_row + 1
    marks = {"points": annual.marked("得分"), "contribution": annual.marked("贡献")}
    write_headings(sheet, [[text.format(**marks) for text in EXPLANATION_HEADINGS]])
    sheet.row_dimensions[top].height = 46
    # By subject, so that what adds up to a composite stands together.
    places = {subject: place for place, subject in enumerate(dict.fromkeys(f.subject for f in scored))}
    for figure in sorted(scored, key=lambda f: places[f.subject]):
        _explained(sheet, annual.year, figure, formulas.get(_formula(figure), ""))
    sheet.auto_filter.ref = f"A{top}:{get_column_letter(last)}{max(top, sheet.max_row)}"
    write_lines(sheet, [*EXPLANATION_NOTES, ROUNDING_NOTE], last)
    set_up_page(sheet, top, top, f"D{top + 1}")


def _explained(sheet: Worksheet, year: int, figure: AnnualFigure, formula: str) -> None:
    value = shown_value(figure)
    if isinstance(value, Decimal):
        value = _fine(figure.value, figure.unit)
    missing = UNKNOWN if figure.value is None else None
    row = [
        SUBJECT_LABELS[figure.subject_type],
        figure.subject_name,
        figure.indicator_name,
        DIMENSION_LABELS[figure.dimension],
        figure.data_year,
        figure.unit,
        value,
        _fine(figure.unacceptable, figure.unit),
        _fine(figure.satisfactory, figure.unit),
        formula,
        "不计分" if figure.score_points is None else rounded(figure.score_points, 2),
        "不计分" if figure.indicator_score_points is None else rounded(figure.indicator_score_points, 2),
        None if figure.weight is None else figure.weight.normalize(),
        UNKNOWN if figure.contribution_points is None else rounded(figure.contribution_points, 2),
        UNKNOWN if figure.value_change is None else _fine(figure.value_change, figure.unit),
        UNKNOWN if figure.contribution_change_points is None else rounded(figure.contribution_change_points, 2),
        figure.rank or missing,
        figure.base_rank or UNKNOWN,
        "；".join(each for each in (_old(year, figure), figure.note) if each),
    ]
    units = dict.fromkeys((7, 8, 9, 15), figure.unit) | dict.fromkeys((11, 12, 14, 16), "分")
    write_row(sheet, row, units | {13: "权", 17: "名", 18: "名"}, centred=(1, 4, 5, 6, 10, 17, 18))
    line = sheet.max_row
    if figure.unit != "万元":
        for column in (7, 8, 9, 15):
            sheet.cell(line, column).number_format = "0.0000"
    sheet.cell(line, 16).number_format = CHANGE_FORMAT


def _fine(value: Decimal | None, unit: str) -> Decimal | None:
    return rounded(value, PLACES[unit] if unit == "万元" else EXPLAINED_PLACES)


def _formula(figure: AnnualFigure) -> str:
    """Return the formula with its constants, as one could type it in, and where its benchmarks come from."""
    if figure.formula is None:
        return ""
    constants = (figure.base_points, figure.span_points)
    base, span = (f"{each.normalize():f}" if each is not None else "" for each in constants)
    formula = FORMULAS[figure.formula].format(base=base, span=span)
    benchmarks = BENCHMARK_LABELS[figure.benchmark_method or ""]
    return f"{FORMULA_LABELS[figure.formula]}：{formula}；x_s、x_h 为{benchmarks}"


def _old(year: int, figure: AnnualFigure) -> str:
    """Return which year's figure is used, where it is not this year's."""
    return "" if figure.data_year == year else basis_of(year, figure.data_year)
