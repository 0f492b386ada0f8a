"""The bridge of 其他主体: from the figure before removal, reason by reason, to the figure after (附件1 注2); as numbers and as a picture."""

from dataclasses import dataclass
from decimal import Decimal
from html import escape

from sources.reference import CITY, subject_providers
from warehouse.paths import Home
from warehouse.query import connect, monitoring_mart
from warehouse.report.svg import svg_picture

REASONS = {
    "UNIT_DUP": "整行重复",
    "OO": "单位间转拨",
    "OG": "与政府重复",
    "OE": "与企业重复",
    "EG": "企业中的政府资金",
    "EE": "企业间委托",
}
"""Reasons in the order of the steps, with the words that people read; the last two only where the policy turns them on."""

TIERS = {
    "a": "含在上级",
    "b": "多部门填报",
    "c": "即规上企业",
    "T1": "编号相符",
    "T2": "单位合计相符",
    "T3": "单方申报",
    "bureau": "市统计局按地区给出",
    "policy": "参数打开",
}


@dataclass(frozen=True)
class BridgeLine:
    """One area and sector: gross, what was removed by (reason, tier), and net; all in 万元, exact.

    ``estimated_wan`` is the part that rests on one side's declaration alone. None where a figure is not known: gross where a bureau has
    sent nothing, net (and what was removed) where any of the five has not.
    """

    area_key: str
    area_name: str
    sector: str
    gross_wan: Decimal | None
    removed_wan: dict[tuple[str, str], Decimal]
    net_wan: Decimal | None
    estimated_wan: Decimal

    @property
    def removed_total_wan(self) -> Decimal | None:
        """Everything removed; None where nothing could be removed yet."""
        return None if self.net_wan is None else sum(self.removed_wan.values(), Decimal(0))

    def removed_by_reason(self) -> dict[str, Decimal]:
        """Return what was removed per reason, in the order of the steps, tiers added up; reasons without any amount are left out."""
        totals = {
            reason: sum((v for (r, _), v in self.removed_wan.items() if r == reason), Decimal(0)) for reason in REASONS
        }
        return {reason: total for reason, total in totals.items() if total}


INDICATORS = {"university_sti": "university", "institute_sti": "institute", "hospital_sti": "hospital"}
SECTORS = {"university": "高校", "institute": "科研机构", "hospital": "医疗卫生机构"}
ENTERPRISE = "enterprise"
SECTOR_NAMES = SECTORS | {ENTERPRISE: "规上企业（参数打开）"}
ALL = "合计"
TOTALS = ("剔除前", "剔除后")
TOTAL_COLOUR, STEP_COLOUR = "33638d", "c8553d"
"""The colours of a total and of a step, the same in the picture and in the workbook."""


def bridge_lines(home: Home, period: str) -> list[BridgeLine]:
    """Return the bridge per area and sector: the city first, in each area the sum of the three sectors of 其他主体 first.

    Where the policy subtracts from the enterprises too, they have lines of their own after these; they are in no sum.

    Raises:
        NothingPublished: nothing was published yet.
    """
    with connect(home) as connection:
        areas = connection.execute("select area_key, area_name from dim_area order by sort_order").fetchall()
        inputs = connection.execute(
            "select area_key, subject, sum(gross_wan), sum(net_wan), count(*) - count(net_wan) from fct_input "
            "where period = ? group by all",
            [period],
        ).fetchall()
        removed = connection.execute(
            "select area, provider, reason, tier, sum(amount_wan), sum(case when estimated then amount_wan else 0 end) "
            "from fct_elimination where period = ? group by all",
            [period],
        ).fetchall()
        missing = {
            INDICATORS[row[0]]
            for row in connection.execute(
                f"select indicator_id from {monitoring_mart(period)} "
                "where period = ? and area_key = ? and value_note = 'not_received' and list_contains(?, indicator_id)",
                [period, CITY, list(INDICATORS)],
            ).fetchall()
        }
    sector_of = {provider: subject for subject, provider in subject_providers().items()}
    is_enterprise_lowered = any(sector_of[row[1]] == ENTERPRISE for row in removed)
    city = areas[0][0]
    is_open = bool(missing) or any(row[4] for row in inputs)
    lines = []
    for area_key, area_name in areas:
        for sector in (ALL, *SECTORS, *([ENTERPRISE] if is_enterprise_lowered else [])):
            subjects = SECTORS.keys() if sector == ALL else {sector}
            own = [row for row in inputs if area_key in (city, row[0]) and row[1] in subjects]
            gone = [row for row in removed if area_key in (city, row[0]) and sector_of[row[1]] in subjects]
            is_missing = bool(missing & (SECTORS.keys() if sector == ALL else {sector}))
            if not own and not gone and not is_missing and sector != ALL:
                continue
            by_tier: dict[tuple[str, str], Decimal] = {}
            for _, _, reason, tier, amount, _ in gone:
                by_tier[reason, tier] = by_tier.get((reason, tier), Decimal(0)) + amount
            lines.append(
                BridgeLine(
                    area_key=area_key,
                    area_name=area_name,
                    sector=SECTOR_NAMES.get(sector, ALL),
                    gross_wan=None if is_missing else sum((row[2] for row in own), Decimal(0)),
                    removed_wan=by_tier,
                    net_wan=None if is_open or any(row[4] for row in own) else sum((row[3] for row in own), Decimal(0)),
                    estimated_wan=sum((row[5] for row in gone), Decimal(0)),
                )
            )
    return lines


def bridge_steps(line: BridgeLine) -> list[tuple[str, Decimal, Decimal]]:
    """Return the bars of a bridge as (label, from where, up to where) in 万元, each step hanging where the last one ended.

    The first and the last are totals, which stand on 0; a figure after removal that is not known has no bar.
    """
    if line.gross_wan is None:
        return []
    level = line.gross_wan
    steps = [(TOTALS[0], Decimal(0), level)]
    for reason, amount in line.removed_by_reason().items():
        steps.append((REASONS[reason], level - amount, level))
        level -= amount
    if line.net_wan is not None:
        steps.append((TOTALS[1], Decimal(0), line.net_wan))
    return steps


def bridge_svg(line: BridgeLine, title: str) -> str:
    """Return the bridge of one line as an SVG picture, in 亿元, 2 decimals."""
    steps = bridge_steps(line)
    if not steps:
        title += "：没有收齐，剔除前、剔除后都不出数"
    width, height, left, top, bottom, step, bar = 130 * len(steps) + 40, 390, 20, 84, 62, 130, 90
    highest = max((high for _, _, high in steps), default=Decimal(0))
    scale = Decimal(height - top - bottom) / highest if highest > 0 else Decimal(0)
    parts = [
        f'<text x="{left}" y="30" font-size="17" font-weight="bold">{escape(title)}</text>',
        f'<text x="{left}" y="52" font-size="12" fill="#555">单位：亿元</text>',
    ]
    for index, (label, low, high) in enumerate(steps):
        is_total = label in TOTALS
        x, y, foot = left + index * step, height - bottom - float(high * scale), height - bottom - float(low * scale)
        colour, sign = (TOTAL_COLOUR, "") if is_total else (STEP_COLOUR, "−")
        parts.append(
            f'<rect x="{x}" y="{y:.1f}" width="{bar}" height="{max(foot - y, 1.0):.1f}" fill="#{colour}"/>'
            f'<text x="{x + bar / 2}" y="{y - 8:.1f}" text-anchor="middle" font-size="13">{sign}{(high - low) / 10000:,.2f}</text>'
            f'<text x="{x + bar / 2}" y="{height - 36}" text-anchor="middle" font-size="14">{escape(label)}</text>'
        )
        if index < len(steps) - 1:
            end = y if is_total else foot
            parts.append(f'<path d="M{x + bar} {end:.1f}h{step - bar}" stroke="#888" stroke-dasharray="3 3"/>')
    parts.append(f'<path d="M{left} {height - bottom + 0.5}h{step * len(steps) - step + bar}" stroke="#555"/>')
    return svg_picture(width, height, parts)
