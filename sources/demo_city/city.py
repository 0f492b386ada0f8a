"""Who lives in the demo city: firms, performers, the parties around them. The same in all years; only money moves."""

from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from sources.demo_city.areas import AREAS, Area
from sources.demo_city.codes import CodeBook
from sources.demo_city.money import WAN, YI, whole

BASE_YEAR = 2024
INDUSTRIES = {
    "工业": (("汽车零部件", "3670"), ("光伏", "3825"), ("化纤", "2822"), ("新材料", "2659"), ("精密制造", "3311"),
           ("智能装备", "3569"), ("生物医药", "2761"), ("纺织科技", "1751"), ("包装", "2231"), ("集成电路", "3973")),
    "服务业": (("信息技术", "6513"), ("设计服务", "7484")),
    "建筑业": (("建设工程", "4710"),),
    "其他": (("商贸物流", "5990"),),
}  # fmt: skip
CATEGORY_SHARES = {"工业": 0.80, "服务业": 0.13, "建筑业": 0.05, "其他": 0.02}
NUMERALS = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"


@dataclass(slots=True, eq=False)
class Party:
    """A name and a code that money comes from or goes to."""

    code: str
    name: str


@dataclass(slots=True, eq=False)
class Firm(Party):
    """A firm above the statistical threshold (规上企业); ``rd_base`` is its R&D of the whole base year, in fen."""

    area: Area
    industry: str
    category: str
    is_state: bool
    is_high_tech: bool
    rd_base: int
    intensity: float
    first_half: float
    government: float
    residual: dict[str, float]
    hides_domestic: bool = False


@dataclass(slots=True, eq=False)
class Performer(Party):
    """A university, institute or hospital; ``budget`` is its income per source column in the base year, in fen."""

    index: int
    area: Area
    sector: str
    bureaus: tuple[str, ...]
    budget: dict[str, int]
    first_half: float
    from_units: int
    parent_code: str | None = None
    parent: int | None = None
    is_grade_3a: bool = True
    is_in_rd_statistics: bool = True
    donors: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sector:
    """How big one sector is at scale 1.0, and where its money comes from."""

    bureau: str
    low: int
    high: int
    half_year: int
    shares: dict[str, float]


SECTORS = {
    "university": Sector("education_bureau", 6, 12, 33 * YI, {
        "central": 0.25, "provincial": 0.11, "local": 0.23, "upper": 0.03, "large": 0.13, "other_firm": 0.05,
        "nonlocal": 0.09, "overseas": 0.01, "commercial": 0.02, "own": 0.08}),
    "institute": Sector("science_bureau", 10, 40, 15 * YI, {
        "central": 0.13, "provincial": 0.15, "local": 0.25, "upper": 0.04, "large": 0.12, "other_firm": 0.07,
        "nonlocal": 0.12, "overseas": 0.0, "commercial": 0.03, "own": 0.09}),
    "hospital": Sector("health_commission", 5, 20, 10 * YI, {
        "central": 0.24, "provincial": 0.12, "local": 0.20, "upper": 0.05, "large": 0.09, "other_firm": 0.05,
        "nonlocal": 0.08, "overseas": 0.0, "commercial": 0.04, "own": 0.13}),
}  # fmt: skip
FIRMS_AT_FULL_SCALE = 7_000
INDUSTRY_RD_HALF_YEAR = 280 * YI


@dataclass(slots=True, eq=False)
class City:
    """Everybody, and the cumulated weights by which firms are drawn (large firms contract more)."""

    scale: float
    seed: int
    firms: list[Firm]
    performers: list[Performer]
    small_firms: list[Party]
    operators: list[Party]
    nonlocal_firms: list[Party]
    nonlocal_performers: list[Party]
    county_treasuries: dict[str, Party]
    village: Party
    firm_weights: list[int]
    hand_on_order: list[int]

    def rng(self, *what: object) -> Random:
        """Return a random stream of its own for ``what``: one part of the city never shifts another's numbers."""
        return Random("/".join(map(str, (self.seed, *what))))

    def growth(self, what: str, count: int, year: int, mean: float, spread: float) -> list[float]:
        """Return per member the growth since the base year; one year's step stays between −10 % and +22 %."""
        factors = [1.0] * count
        for step in range(BASE_YEAR + 1, year + 1):
            rng = self.rng("growth", what, step)
            factors = [factor * (1 + min(0.22, max(-0.10, rng.gauss(mean, spread)))) for factor in factors]
        return factors

    def reported_with(self, performer: Performer) -> list[Performer]:
        """Return the performers whose receipts stand in this one's return: itself and the units included in it."""
        return [performer, *(p for p in self.performers if p.parent == performer.index)]


def found_city(scale: float, seed: int) -> City:
    """Return the city of this size and seed."""
    rng = Random(f"{seed}/city")
    codes = CodeBook(rng)
    performers = [unit for sector in SECTORS for unit in _performers(rng, codes, sector, scale)]
    for index, performer in enumerate(performers):
        performer.index = index
    _tie_special_units(codes, performers)
    hand_on_order = _choose_donors(rng, performers)
    firms = _firms(rng, codes, scale)
    few, many = max(8, round(300 * scale)), max(12, round(1500 * scale))
    city = City(
        scale,
        seed,
        firms,
        performers,
        small_firms=[_party(rng, codes, "91", None, f"示例小微科技有限公司{n:04d}") for n in range(many)],
        operators=[_party(rng, codes, "91", None, f"示例孵化器运营有限公司{n:03d}") for n in range(few)],
        nonlocal_firms=[_party(rng, codes, "91", "310115", f"示例（上海）科技有限公司{n:04d}") for n in range(few)],
        nonlocal_performers=[_party(rng, codes, "12", "330106", f"示例外地大学{n:03d}") for n in range(few)],
        county_treasuries={a.name: _party(rng, codes, "11", a.region, f"{a.name}财政局") for a in AREAS[1:]},
        village=_party(rng, codes, "N2", "330421", "示例村股份经济合作社"),
        firm_weights=list(accumulate(firm.rd_base for firm in firms)),
        hand_on_order=hand_on_order,
    )
    _enter_industry(city)
    return city


def _party(rng: Random, codes: CodeBook, kind: str, region: str | None, name: str) -> Party:
    """Return a new party, in a random area of the city where no region is given."""
    return Party(codes.draw(kind, region or rng.choice(AREAS).region), name)


def _firms(rng: Random, codes: CodeBook, scale: float) -> list[Firm]:
    """Return the firms, largest spread first drawn and then brought to the size of the city."""
    firms = []
    for number in range(max(60, round(FIRMS_AT_FULL_SCALE * scale))):
        category = rng.choices(list(CATEGORY_SHARES), list(CATEGORY_SHARES.values()))[0]
        trade, industry = rng.choice(INDUSTRIES[category])
        area = rng.choices(AREAS, [a.firms for a in AREAS])[0]
        residual = {kind: rng.uniform(0.002, top) if rng.random() < odds else 0.0
                    for kind, top, odds in (("institute", 0.01, 0.25), ("university", 0.01, 0.25),
                                            ("enterprise", 0.04, 0.4), ("overseas", 0.01, 0.08))}  # fmt: skip
        firms.append(
            Firm(
                codes.draw("91", area.region),
                f"示例{trade}有限公司{number:04d}",
                area,
                industry,
                category,
                is_state=rng.random() < 0.03,
                is_high_tech=rng.random() < 0.45,
                rd_base=round(rng.lognormvariate(0, 0.9) * WAN),
                intensity=rng.uniform(0.018, 0.055),
                first_half=rng.uniform(0.44, 0.50),
                government=rng.uniform(0.005, 0.02) if rng.random() < 0.4 else 0.0,
                residual=residual,
            )
        )
    industry_sum = sum(firm.rd_base for firm in firms if firm.category == "工业")
    factor = INDUSTRY_RD_HALF_YEAR / 0.47 * scale / industry_sum
    for firm in firms:
        firm.rd_base = round(firm.rd_base * factor)
    # One large industrial firm leaves both 委托境内 columns blank: its contracts then have no cap.
    max((f for f in firms if f.category == "工业"), key=lambda f: f.rd_base).hides_domestic = True
    return firms


def _performers(rng: Random, codes: CodeBook, name: str, scale: float) -> list[Performer]:
    """Return one sector's performers, their budgets adding up to about the sector's size."""
    sector = SECTORS[name]
    count = round(sector.low + (sector.high - sector.low) * min(1.0, scale))
    sizes = [rng.lognormvariate(0, 0.45) for _ in range(count)]
    performers = []
    for number, size in enumerate(sizes):
        whole_year = sector.half_year / 0.46 * scale * size / sum(sizes)
        shares = {column: share * rng.lognormvariate(0, 0.3) for column, share in sector.shares.items()}
        if rng.random() < 0.25:
            shares["upper"] = 0.0
        area = rng.choices(AREAS, [a.performers for a in AREAS])[0]
        label = {
            "university": f"示例大学{NUMERALS[number % len(NUMERALS)]}",
            "institute": f"示例产业技术研究院{number + 1:02d}",
            "hospital": f"示例第{number + 1}医院",
        }[name]
        performers.append(
            Performer(
                codes.draw("52" if name == "institute" and number % 4 == 1 else "12", area.region),
                label,
                index=0,
                area=area,
                sector=name,
                bureaus=(sector.bureau,),
                budget={column: whole(whole_year * share / sum(shares.values())) for column, share in shares.items()},
                first_half=rng.uniform(0.43, 0.49),
                from_units=whole(whole_year * 0.025),
            )
        )
    return performers


def _tie_special_units(codes: CodeBook, performers: list[Performer]) -> None:
    """Make the units that the elimination is about: included in a parent, reported twice, outside the frame."""
    universities, institutes, hospitals = ([p for p in performers if p.sector == sector] for sector in SECTORS)
    province = codes.draw("12", "330000")
    for child, parent in ((hospitals[0], universities[0]), (institutes[0], universities[1])):
        child.parent_code, child.parent = parent.code, parent.index
    # Named as included, but that parent reports to nobody here: the unit stays.
    institutes[1].parent_code = province
    universities[2].parent_code = province
    institutes[2].bureaus = ("education_bureau", "science_bureau")
    hospitals[3].is_in_rd_statistics = False
    hospitals[4].is_grade_3a = False


def _choose_donors(rng: Random, performers: list[Performer]) -> list[int]:
    """Give each performer one to three others that hand money on to it, always from earlier in one random order.

    The order keeps the graph free of rings; money from a donor that was itself handed money makes the chains.
    Returns that order.
    """
    order = performers[:]
    rng.shuffle(order)
    for place, performer in enumerate(order):
        family = {performer.index, performer.parent}
        earlier = [p.index for p in order[:place] if p.index not in family and p.parent != performer.index]
        performer.donors = rng.sample(earlier, min(len(earlier), rng.randint(1, 3)))
    return [p.index for p in order]


def _enter_industry(city: City) -> None:
    """Put one institute into the industrial frame too: the same legal person reports to two bureaus."""
    institute = [p for p in city.performers if p.sector == "institute"][3]
    city.firms.append(
        Firm(
            institute.code,
            institute.name,
            institute.area,
            "3569",
            "工业",
            is_state=False,
            is_high_tech=True,
            rd_base=whole(sum(institute.budget.values()) * 0.9),
            intensity=0.12,
            first_half=0.46,
            government=0.02,
            residual=dict.fromkeys(("institute", "university", "enterprise", "overseas"), 0.0),
        )
    )
    # Weight zero: it takes contracts as a performer and gives none as a firm.
    city.firm_weights.append(city.firm_weights[-1])
