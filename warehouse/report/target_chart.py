"""The picture of the progress to the targets: drawn offline as SVG."""

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from pathlib import Path

from sources.reference import CITY, periods
from sources.text import visible
from warehouse.paths import Home, write_atomically
from warehouse.report.svg import svg_picture
from warehouse.report.targets import TargetRow, of_city
from warehouse.targets.words import (
    BEHIND,
    MISSED,
    NO_DATA,
    NOT_RECEIVED,
    ON_TRACK,
    REACHED,
    STATES,
    UNDECIDABLE,
)

COLOURS = {
    REACHED: "2e7d4f",
    ON_TRACK: "33638d",
    BEHIND: "c8753d",
    MISSED: "b3372f",
    UNDECIDABLE: "8a8a8a",
    NO_DATA: "b9a24a",
    NOT_RECEIVED: "6f5a8a",
}
"""Of each state; the state also stands in words beside the bar, for print in grey and for those who see colours otherwise."""

WIDTH, LABEL_END, BAR_LEFT, FULL, FIGURES_LEFT, STATE_LEFT = 1240, 372, 384, 320, 806, 1140
ROW, TOP, CELL = 27, 92, 62
LONGEST_LABEL = 28
MOST_PCT = Decimal(125)
"""Beyond this a bar is cut, and marked so."""


def draw_targets(rows: Sequence[TargetRow]) -> str:
    """Return the picture of one period's targets as SVG: a bar per target of the city, then a table of areas by rule.

    A bar is the value in % of the target, the upright line is the target; a thin line with a dot is where the trend leads by the target's
    year, with its interval where there are years enough. What has no figure has no bar but its state in words.

    Args:
        rows: as from `target_rows`, of one period; empty gives a picture that says so.
    """
    city = of_city(list(rows))
    by_area = [row for row in rows if row.area_key != CITY]
    period = rows[0].period if rows else ""
    title = f"目标进度（嘉政发〔2025〕14号，{periods()[period].name}）" if period in periods() else "目标进度"
    parts = [
        f'<text x="20" y="32" font-size="18" font-weight="bold">{escape(title)}</text>',
        _legend(),
    ]
    y = TOP
    for row in city:
        parts.append(_line(row, y))
        y += ROW
    if city:
        x = BAR_LEFT + FULL
        parts.append(f'<path d="M{x} {TOP - 8}V{y - 6}" stroke="#222" stroke-dasharray="5 3"/>')
        parts.append(f'<text x="{x}" y="{TOP - 14}" font-size="12" text-anchor="middle">目标 100%</text>')
    else:
        parts.append(f'<text x="20" y="{y}" font-size="14">本期没有目标进度</text>')
        y += ROW
    if by_area:
        parts.append(_areas(by_area, y + 30))
        y += 60 + ROW * (1 + len({row.target_id for row in by_area}))
    height = y + 16
    return svg_picture(WIDTH, height, parts)


def _legend() -> str:
    parts = []
    for index, (code, label) in enumerate(STATES.items()):
        x = 20 + index * 96
        parts.append(
            f'<rect x="{x}" y="48" width="12" height="12" fill="#{COLOURS[code]}"/>'
            f'<text x="{x + 18}" y="59" font-size="12">{label}</text>'
        )
    note = "条：现值占目标值的比重；点线：按趋势到目标年的预计值和区间（估计数）"
    parts.append(f'<text x="{WIDTH - 20}" y="59" font-size="12" text-anchor="end" fill="#555">{note}</text>')
    return "".join(parts)


def _at(share_pct: Decimal) -> float:
    """Return where a share of the target lies on the picture."""
    return BAR_LEFT + float(min(max(share_pct, Decimal(0)), MOST_PCT)) * FULL / 100


def _label(name: str, y: int) -> str:
    """Return a target's name beside its bar; a long one, as a bureau may write it, is cut and shown whole on pointing at it."""
    text = name if len(name) <= LONGEST_LABEL else name[: LONGEST_LABEL - 1] + "…"
    return f'<text x="{LABEL_END}" y="{y}" font-size="13" text-anchor="end">{escape(visible(text))}<title>{escape(visible(name))}</title></text>'


def _line(row: TargetRow, y: int) -> str:
    colour = COLOURS[row.state_code]
    parts = [_label(row.target_name, y + 11)]
    if row.progress_pct is not None:
        end = _at(row.progress_pct)
        parts.append(
            f'<rect x="{BAR_LEFT}" y="{y}" width="{max(end - BAR_LEFT, 1):.1f}" height="14" fill="#{colour}" fill-opacity="0.85"/>'
        )
        if row.progress_pct > MOST_PCT:
            parts.append(f'<text x="{end - 4:.1f}" y="{y + 11}" font-size="11" text-anchor="end" fill="white">»</text>')
    parts.append(_projection(row, y))
    figures = f"{row.text_of(row.value)} / {row.text_of(row.target_value)}"
    if row.data_year is not None and row.value is not None:
        figures += f"（{row.data_year}年）"
    parts.append(f'<text x="{FIGURES_LEFT}" y="{y + 11}" font-size="12.5">{escape(visible(figures))}</text>')
    parts.append(
        f'<text x="{STATE_LEFT}" y="{y + 11}" font-size="13" font-weight="bold" fill="#{colour}">{row.state}</text>'
    )
    return "".join(parts)


def _projection(row: TargetRow, y: int) -> str:
    if row.projected_value is None or not row.target_value or row.target_value <= 0:
        return ""
    middle = y + 7
    point = _at(row.projected_value / row.target_value * 100)
    dot = f'<circle cx="{point:.1f}" cy="{middle}" r="4" fill="white" stroke="#222" stroke-width="1.6"/>'
    if row.projected_low is None or row.projected_high is None:
        return dot
    low, high = (_at(bound / row.target_value * 100) for bound in (row.projected_low, row.projected_high))
    ends = "".join(f"M{x:.1f} {y + 2}v10" for x in (low, high))
    return f'<path d="M{low:.1f} {middle}H{high:.1f}{ends}" stroke="#222" stroke-width="1.4" fill="none"/>{dot}'


def _areas(rows: Sequence[TargetRow], y: int) -> str:
    """Return the table of areas by rule, each cell in the colour of its state with the state in words."""
    areas = list(dict.fromkeys((row.area_key, row.area_name) for row in rows))
    targets = list(dict.fromkeys((row.target_id, row.target_name) for row in rows))
    found = {(row.target_id, row.area_key): row for row in rows}
    left = BAR_LEFT
    step = min(CELL + 20, (WIDTH - 20 - left) // max(len(areas), 1))
    parts = [
        f'<text x="{left + index * step + step / 2:.1f}" y="{y + 10}" font-size="12" text-anchor="middle">{escape(name)}</text>'
        for index, (_, name) in enumerate(areas)
    ]
    for line, (target, name) in enumerate(targets, start=1):
        top = y + line * ROW - 6
        parts.append(_label(name, top + 14))
        for index, (area, _) in enumerate(areas):
            row = found.get((target, area))
            if row is None:
                continue
            x = left + index * step
            parts.append(
                f'<rect x="{x + 2}" y="{top}" width="{step - 4}" height="{ROW - 6}" fill="#{COLOURS[row.state_code]}"/>'
                f'<text x="{x + step / 2:.1f}" y="{top + 14}" font-size="11.5" text-anchor="middle" fill="white">{row.state}</text>'
            )
    return "".join(parts)


def write_target_chart(home: Home, period: str, rows: Sequence[TargetRow]) -> Path:
    """Write ``reports/<period>/目标进度_<period>.svg``, the picture of the period's rows, and return its path."""
    path = home.reports / period / f"目标进度_{period}.svg"
    write_atomically(path, draw_targets(rows).encode())
    return path
