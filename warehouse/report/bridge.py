"""The bridge of 其他主体: from the figure before removal, reason by reason, to the figure after (附件1 注2); as numbers and as a picture."""

from dataclasses import dataclass
from decimal import Decimal
from html import escape

from warehouse.paths import Home
from warehouse.query import connect

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

    ``estimated_wan`` is the part that rests on one side's declaration alone. ``net_wan`` is None where it is not known.
    """

    area_key: str
    area_name: str
    sector: str
    gross_wan: Decimal | None
    removed_wan: dict[tuple[str, str], Decimal]
    net_wan: Decimal | None
    estimated_wan: Decimal

    @property
    def removed_total_wan(self) -> Decimal:
        """Everything removed."""
        return sum(self.removed_wan.values(), Decimal(0))

    def removed_by_reason(self) -> dict[str, Decimal]:
        """Return what was removed per reason, in the order of the steps, tiers added up; reasons without any amount are left out."""
        totals = {
            reason: sum((v for (r, _), v in self.removed_wan.items() if r == reason), Decimal(0)) for reason in REASONS
        }
        return {reason: total for reason, total in totals.items() if total}


SECTORS = {"university": "高校", "institute": "科研机构", "hospital": "医疗卫生机构"}
PROVIDER_SECTOR = {"education_bureau": "university", "science_bureau": "institute", "health_commission": "hospital"}
ALL = "合计"


def bridge_lines(home: Home, period: str) -> list[BridgeLine]:
    """Return the bridge per area and sector: the city first, in each area the sum of the sectors first.

    Raises:
        NothingPublished: nothing was published yet.
    """
    with connect(home) as connection:
        areas = connection.execute("select area_key, area_name from dim_area order by sort_order").fetchall()
        inputs = connection.execute(
            "select area_key, subject, sum(gross_wan), sum(net_wan), count(*) - count(net_wan) from fct_input "
            "where period = ? and subject in ('university', 'institute', 'hospital') group by all",
            [period],
        ).fetchall()
        removed = connection.execute(
            "select area, provider, reason, tier, sum(amount_wan), sum(case when estimated then amount_wan else 0 end) "
            "from fct_elimination where period = ? group by all",
            [period],
        ).fetchall()
    city = areas[0][0]
    lines = []
    for area_key, area_name in areas:
        for sector in (ALL, *SECTORS):

            def inside(area: str, subject: str | None, area_key: str = area_key, sector: str = sector) -> bool:
                return area_key in (city, area) and sector in (ALL, subject)

            own = [row for row in inputs if inside(row[0], row[1])]
            gone = [row for row in removed if inside(row[0], PROVIDER_SECTOR.get(row[1]))]
            if not own and not gone and sector != ALL:
                continue
            by_tier: dict[tuple[str, str], Decimal] = {}
            for _, _, reason, tier, amount, _ in gone:
                by_tier[reason, tier] = by_tier.get((reason, tier), Decimal(0)) + amount
            lines.append(
                BridgeLine(
                    area_key=area_key,
                    area_name=area_name,
                    sector=SECTORS.get(sector, ALL),
                    gross_wan=sum((row[2] for row in own), Decimal(0)),
                    removed_wan=by_tier,
                    net_wan=None if any(row[4] for row in own) else sum((row[3] for row in own), Decimal(0)),
                    estimated_wan=sum((row[5] for row in gone), Decimal(0)),
                )
            )
    return lines


def bridge_svg(line: BridgeLine, title: str) -> str:
    """Return the bridge of one line as an SVG picture: bars from gross down to net, each step hanging where the last one ended."""
    steps = [("剔除前", line.gross_wan or Decimal(0), "total")]
    steps += [(REASONS[reason], -amount, "step") for reason, amount in line.removed_by_reason().items()]
    steps.append(("剔除后", line.net_wan if line.net_wan is not None else Decimal(0), "total"))
    width, height, left, top, bottom = 130 * len(steps) + 40, 360, 20, 60, 60
    scale = (
        Decimal(height - top - bottom) / max((abs(step[1]) for step in steps), default=Decimal(1))
        if steps[0][1]
        else Decimal(0)
    )
    parts = [f'<text x="{left}" y="28" font-size="17" font-weight="bold">{escape(title)}</text>']
    level = Decimal(0)
    for index, (label, amount, kind) in enumerate(steps):
        high = amount if kind == "total" else level
        low = Decimal(0) if kind == "total" else level + amount
        level = high if kind == "total" else low
        x = left + index * 130
        y = height - bottom - float(high * scale)
        tall = max(float((high - low) * scale), 1.0)
        colour = "#33638d" if kind == "total" else "#c8553d"
        parts.append(f'<rect x="{x}" y="{y:.1f}" width="90" height="{tall:.1f}" fill="{colour}"/>')
        parts.append(
            f'<text x="{x + 45}" y="{y - 8:.1f}" text-anchor="middle" font-size="13">{amount / 10000:,.2f}</text>'
        )
        parts.append(f'<text x="{x + 45}" y="{height - 35}" text-anchor="middle" font-size="14">{escape(label)}</text>')
    parts.append(f'<text x="{left}" y="{height - 10}" font-size="12" fill="#555">单位：亿元</text>')
    style = 'font-family="Noto Sans CJK SC, Microsoft YaHei, SimSun, sans-serif"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" {style}>'
        f'<rect width="{width}" height="{height}" fill="white"/>{"".join(parts)}</svg>'
    )
