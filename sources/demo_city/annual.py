"""What the annual returns hold beside the half-year ones: R&D of the year before, GDP, and the plan's countable promises.

Everything that a performer takes in during a year is spent in it here, so that the annual ledgers are those of the whole year.
"""

from sources.demo_city.areas import AREAS, CITY_LEVEL
from sources.demo_city.city import BASE_YEAR, SECTORS, City
from sources.demo_city.firms import THOUSAND
from sources.demo_city.forms import COMMITMENT, HOSPITAL, HOSPITAL_ANNUAL, RD_GDP, UNIT_ANNUAL, Form
from sources.demo_city.money import YI, whole
from sources.demo_city.returns import Row, Sheet, sheets_of, units_of
from sources.demo_city.year import Year

GROWTH_BEFORE_BASE = 1.08
"""How much larger everything was in the base year than in the year before it, of which no ledgers are made."""

ENTERPRISE_RD_SHARE, OTHER_SHARE = 0.86, 0.03
"""R&D of firms per yuan of R&D expense; R&D of all others (firms below the threshold …) per yuan of the four kinds."""

PROMISES: tuple[tuple[str, str, str, float, str], ...] = (
    ("（五）", "企业牵头或参与市级重大（重点）科技项目占比", "%", 80, "市科技局"),
    ("（七）", "新认定高新技术企业", "家", 350, "市科技局"),
    ("（七）", "新认定省科技型中小企业", "家", 800, "市科技局"),
    ("（七）", "新认定省级以上专精特新企业", "家", 100, "市经信局"),
    ("（七）", "推动科技型企业升规纳统", "家", 100, "市经信局"),
    ("（七）", "规上高新技术企业占规上工业企业的比重", "%", 50, "市科技局"),
    ("（九）", "选聘产业教授、科技副总", "名", 100, "市委人才办"),
    ("（十）", "布局建设概念验证中心", "家", 10, "市科技局"),
    ("（十）", "布局建设中试平台", "家", 15, "市科技局"),
    ("（十）", "举办院企对接活动", "场", 10, "市科技局"),
)
"""Clause, promise, unit, target, who answers for it: the countable ones of the plan's clauses （五）–（十）."""


def annual_sheets_of(provider: str, year: Year) -> list[Sheet]:
    """Return the sheets of a provider's annual return."""
    if provider == "sti_office":
        return [Sheet(COMMITMENT, _promises(year))]
    sheets = sheets_of(provider, year, 2)
    if provider == "finance_bureau":
        return sheets
    before = year.ledgers.year - 1
    if provider == "statistics_bureau":
        return [*sheets, Sheet(RD_GDP, _rd_gdp(year.city, before))]
    rd = _unit_rd(year.city, before)
    form: Form = HOSPITAL_ANNUAL if sheets[0].form is HOSPITAL else UNIT_ANNUAL
    rows: list[Row] = [
        [*row, sum(rd[member.index] for member in year.city.reported_with(unit)), before]
        for unit, row in zip(units_of(provider, year), sheets[0].rows, strict=True)
    ]
    return [Sheet(form, rows), *sheets[1:]]


def _growth(city: City, what: str, count: int, year: int, mean: float, spread: float) -> list[float]:
    """Return per member the growth since the base year, the year before it included."""
    if year < BASE_YEAR:
        return [1 / GROWTH_BEFORE_BASE] * count
    return city.growth(what, count, year, mean, spread)


def _unit_rd(city: City, year: int) -> list[int]:
    """Return the R&D of each performer in ``year``, in fen: a part of what it takes in, its own part every year."""
    growth = _growth(city, "performers", len(city.performers), year, 0.09, 0.05)
    return [
        whole(
            sum(performer.budget.values())
            * factor
            * city.rng("rd share", performer.index).uniform(0.42, 0.7)
            * city.rng("rd", performer.index, year).uniform(0.97, 1.03)
        )
        for performer, factor in zip(city.performers, growth, strict=True)
    ]


def _rd_gdp(city: City, year: int) -> list[Row]:
    """Return R&D by kind of performer and GDP, per area: 市本级 has no GDP, and says ``-``."""
    units = _unit_rd(city, year)
    growth = _growth(city, "firms", len(city.firms), year, 0.075, 0.06)

    rows: list[Row] = []
    for area in AREAS:
        firms = sum(f.rd_base * g for f, g in zip(city.firms, growth, strict=True) if f.area is area)
        parts = [_in_thousands(firms * ENTERPRISE_RD_SHARE)]
        for sector in SECTORS:
            own = [units[p.index] for p in city.performers if p.sector == sector and p.area is area]
            parts.append(_in_thousands(sum(own)))
        total = _in_thousands(sum(parts) * (1 + OTHER_SHARE))
        intensity = city.rng("intensity", area.name).uniform(0.03, 0.039) * (1 + 0.015 * (year - BASE_YEAR))
        gdp: object = "-" if area is CITY_LEVEL else max(1, round(total / intensity / YI)) * YI
        rows.append([area, year, total, *parts, gdp])
    return rows


def _in_thousands(fen: float) -> int:
    return round(fen / THOUSAND) * THOUSAND


def _promises(year: Year) -> list[Row]:
    """Return what was promised and what was done; the share of high-tech firms is counted from the city's own firms."""
    rng = year.city.rng("promises", year.ledgers.year)
    industry = [firm for firm in year.city.firms if firm.category == "工业"]
    rows: list[Row] = []
    for clause, promise, unit, target, who in PROMISES:
        done = round(target * rng.uniform(0.9, 1.2))
        if promise.startswith("规上高新"):
            done = round(100 * sum(firm.is_high_tech for firm in industry) / len(industry))
        rows.append([clause, promise, unit, target, min(done, 100) if unit == "%" else done, who, None])
    return rows
