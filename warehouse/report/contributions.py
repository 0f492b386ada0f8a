"""What each indicator gives to a composite (得分构成): stacked bars per subject, as a native chart of the workbook and as a picture.

Both need nothing from outside: the chart is drawn by the spreadsheet, the picture is SVG that names Chinese fonts.
"""

from dataclasses import dataclass
from decimal import Decimal
from html import escape

from openpyxl.chart import BarChart, Reference
from openpyxl.worksheet.worksheet import Worksheet

from sources.text import visible
from warehouse.report.annual import SUBJECT_LABELS, Annual
from warehouse.report.rounding import ROUNDING_NOTE, rounded
from warehouse.report.sheets import (
    set_up_page,
    set_widths,
    text_width,
    write_headings,
    write_lines,
    write_row,
    write_title,
)
from warehouse.report.svg import svg_picture

COLOURS = ("33638d", "e69f00", "56b4e9", "009e73", "f0e442", "c8553d", "cc79a7", "999999", "8c6bb1", "1b7837", "a6761d")
"""One per indicator, told apart by colour-blind eyes too (Okabe and Ito's, and a few more); used again beyond the last."""

TITLE = "{year}年{kind}综合得分的构成{mark}"
NOTE = "各指标的贡献相加为综合得分；得分为负的指标向左。按位次排列。没有得分的对象不在图中。"


LEAST_COLUMNS = 7
"""The title and the notes take at least so many columns."""


@dataclass(frozen=True)
class Contributions:
    """The composites of one kind of subject, best first: per subject what each indicator gives, in points, exact.

    ``parts`` has a row per subject and a column per indicator; None where the indicator has no score.
    """

    kind: str
    title: str
    indicators: list[str]
    subjects: list[str]
    ranks: list[int | None]
    parts: list[list[Decimal | None]]
    totals: list[Decimal]


def contributions(annual: Annual, kind: str) -> Contributions:
    """Return what the composites of one kind of subject are made of; without subjects where none has a composite."""
    names: dict[str, str] = {}
    sums: dict[tuple[str, str], Decimal] = {}
    for figure in annual.figures:
        if figure.subject_type == kind:
            names.setdefault(figure.indicator_id, figure.indicator_name)
            if figure.contribution_points is not None:
                at = figure.subject_key, figure.indicator_id
                sums[at] = sums.get(at, Decimal(0)) + figure.contribution_points
    scored = [(r, r.total_points) for r in annual.ranking if r.subject_type == kind and r.total_points is not None]
    mark = "（暂定，演示）" if annual.is_provisional else ""
    return Contributions(
        kind=kind,
        title=TITLE.format(year=annual.year, kind=SUBJECT_LABELS[kind], mark=mark),
        indicators=list(names.values()),
        subjects=[rank.subject_name for rank, _ in scored],
        ranks=[rank.rank for rank, _ in scored],
        parts=[[sums.get((rank.subject_key, indicator)) for indicator in names] for rank, _ in scored],
        totals=[total for _, total in scored],
    )


def fill_contribution_sheet(sheet: Worksheet, annual: Annual, made: Contributions) -> None:
    """Fill the sheet 得分构成 of one kind of subject: a table, best first, and below it a chart of stacked bars; one page."""
    last = len(made.indicators) + 3
    set_widths(sheet, [7, 26, *[13.5] * len(made.indicators), 13])
    write_title(sheet, made.title, [annual.scheme, NOTE], max(last, LEAST_COLUMNS))
    write_headings(sheet, [["位次", "研判对象", *made.indicators, annual.marked("综合得分")]])
    heading = sheet.max_row
    sheet.row_dimensions[heading].height = 62 if last > LEAST_COLUMNS else 32
    units = dict.fromkeys(range(3, last + 1), "分")
    for rank, name, parts, total in zip(made.ranks, made.subjects, made.parts, made.totals, strict=True):
        shown = ["不计分" if part is None else rounded(part, 2) for part in parts]
        write_row(sheet, [rank, name, *shown, rounded(total, 2)], units, centred=(1,))
    write_lines(sheet, [ROUNDING_NOTE], max(last, LEAST_COLUMNS))
    _chart(sheet, made, heading)
    set_up_page(sheet, heading, heading, f"C{heading + 1}")
    sheet.page_setup.fitToHeight = 1


def _chart(sheet: Worksheet, made: Contributions, heading: int) -> None:
    """Draw the stacked bars below the table, best at the top."""
    count = len(made.subjects)
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.gapWidth = "bar", "stacked", 100, 40
    chart.title = made.title
    columns = Reference(sheet, min_col=3, max_col=2 + len(made.indicators), min_row=heading, max_row=heading + count)
    chart.add_data(columns, titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=2, min_row=heading + 1, max_row=heading + count))
    for number, series in enumerate(chart.series):
        series.graphicalProperties.solidFill = COLOURS[number % len(COLOURS)]
        series.invertIfNegative = False
    # A bar chart counts from the bottom: turned round, its scale would stand on top. The names stand at the left edge even where bars
    # go below zero.
    chart.x_axis.scaling.orientation, chart.y_axis.crosses = "maxMin", "max"
    chart.x_axis.tickLblPos = "low"
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.title = "分"
    chart.y_axis.numFmt = "0"
    chart.legend.position = "b"
    chart.width, chart.height = 30 if len(made.indicators) > 2 else 20, max(8.0, 6 + 0.75 * count)
    sheet.add_chart(chart, f"B{sheet.max_row + 2}")


def contributions_svg(each: Contributions) -> str:
    """Return the stacked bars as an SVG picture: a line per subject, best first, the composite at the end of each bar."""
    bar, gap, top, left = 22, 12, 78, 30 + 7 * max([text_width(name) for name in each.subjects] or [0])
    plot, width = 640, left + 640 + 110
    legend = _legend(each.indicators, width - 40)
    bottom = top + (bar + gap) * len(each.subjects)
    height = bottom + 30 + 22 * (max((row for _, row, _ in legend), default=0) + 1)
    positive = [sum((p for p in parts if p and p > 0), Decimal(0)) for parts in each.parts]
    negative = [sum((p for p in parts if p and p < 0), Decimal(0)) for parts in each.parts]
    low, high = min([*negative, Decimal(0)]), max([*positive, Decimal(1)])
    scale = Decimal(plot) / (high - low)
    zero = left + float(-low * scale)
    title = each.title if each.subjects else f"{each.title}：没有得分"
    drawn = [f'<text x="20" y="32" font-size="17" font-weight="bold">{escape(title)}</text>',
             '<text x="20" y="56" font-size="12" fill="#555">单位：分；各指标的贡献相加为综合得分</text>']  # fmt: skip
    for line, (name, rank, parts, total) in enumerate(
        zip(each.subjects, each.ranks, each.parts, each.totals, strict=True)
    ):
        y = top + line * (bar + gap)
        drawn.append(
            f'<text x="{left - 8}" y="{y + 16}" text-anchor="end" font-size="13">{escape(visible(name))}</text>'
        )
        right, back = zero, zero
        for number, part in enumerate(parts):
            if not part:
                continue
            size = float(abs(part) * scale)
            x = right if part > 0 else back - size
            right, back = (right + size, back) if part > 0 else (right, back - size)
            told = escape(f"{each.indicators[number]} {rounded(part, 2)}")
            colour = COLOURS[number % len(COLOURS)]
            drawn.append(
                f'<rect x="{x:.1f}" y="{y}" width="{size:.1f}" height="{bar}" fill="#{colour}"><title>{told}</title></rect>'
            )
        label = f"{rounded(total, 2)}（第{rank}位）"
        drawn.append(f'<text x="{right + 6:.1f}" y="{y + 16}" font-size="13">{label}</text>')
    drawn.append(f'<path d="M{zero:.1f} {top - 6}V{bottom}" stroke="#555"/>')
    for (x, row, name), number in zip(legend, range(len(legend)), strict=True):
        y = bottom + 16 + 22 * row
        drawn.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="#{COLOURS[number % len(COLOURS)]}"/>'
                     f'<text x="{x + 18}" y="{y + 11}" font-size="12">{escape(name)}</text>')  # fmt: skip
    return svg_picture(width, height, drawn)


def _legend(names: list[str], width: int) -> list[tuple[int, int, str]]:
    """Return where each name of the legend stands: (x, line, name)."""
    places, x, row = [], 20, 0
    for name in names:
        needed = 34 + 7 * text_width(name)
        if x > 20 and x + needed > width:
            x, row = 20, row + 1
        places.append((x, row, name))
        x += needed
    return places
