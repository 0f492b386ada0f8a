"""What the performers take in during a year: their budgets, broken into receipts, each with its other side."""

from random import Random

from sources.demo_city import commissioned, fiscal
from sources.demo_city.city import City, Performer
from sources.demo_city.firms import Firms
from sources.demo_city.government import Government
from sources.demo_city.ledgers import HALVES, YearLedgers
from sources.demo_city.money import WAN, deal, split_by_mean, whole

FISCAL_MEAN, CONTRACT_MEAN, OTHER_FIRM_MEAN = 32 * WAN, 35 * WAN, 45 * WAN
UPPER_LEVEL = {"central": "国家示例基金", "provincial": "省级示例专项"}
LISTED = {"central": (0.9, 60 * WAN), "provincial": (0.9, 60 * WAN), "other_firm": (0.9, OTHER_FIRM_MEAN),
          "nonlocal": (0.9, OTHER_FIRM_MEAN), "commercial": (0.5, 30 * WAN), "own": (0.25, 40 * WAN),
          "overseas": (0.0, WAN)}  # fmt: skip
"""Per column without another side in the city: the part that is listed row by row, and the mean row."""


def write_income(city: City, ledgers: YearLedgers, government: Government, firms: Firms) -> None:
    """Write the receipts of both halves with the payments and contracts behind them."""
    rng = city.rng("income", ledgers.year)
    flows = fiscal.Fiscal(city, ledgers, government, rng)
    budgets = _budgets(city, ledgers.year)
    for half in HALVES:
        local: list[tuple[Performer, str, int]] = []
        contracts: list[tuple[Performer, int]] = []
        for performer in city.performers:
            for column, fen in budgets[performer.index].items():
                part = whole(fen * performer.first_half)
                part = part if half == 1 else fen - part
                if column in fiscal.CHANNELS:
                    local += [(performer, column, row) for row in split_by_mean(rng, part, FISCAL_MEAN)]
                elif column == "large":
                    contracts += [(performer, row) for row in split_by_mean(rng, part, CONTRACT_MEAN)]
                else:
                    _unmatched(rng, city, ledgers, half, performer, column, part)
        for task, case in zip(local, deal(rng, len(local), fiscal.CASES, "matched"), strict=True):
            flows.flow(half, *task, case)
        cases = deal(rng, len(contracts), commissioned.CASES, "matched")
        # The first contract is of the firm that leaves its 委托境内 columns blank: a firm without a cap.
        hidden = [firm for firm in city.firms if firm.hides_domestic]
        for place, ((performer, fen), case) in enumerate(zip(contracts, cases, strict=True)):
            firm = hidden[0] if place == 0 else firms.draw(rng, half, fen)
            commissioned.commission(rng, ledgers, firms, half, performer, fen, case, firm)


def _budgets(city: City, year: int) -> list[dict[str, int]]:
    """Return per performer what it takes in this year per column."""
    units = city.growth("performers", len(city.performers), year, 0.09, 0.05)
    steps = iter(city.growth("columns", sum(len(p.budget) for p in city.performers), year, 0.0, 0.03))
    return [
        {column: whole(fen * unit * next(steps)) for column, fen in performer.budget.items()}
        for performer, unit in zip(city.performers, units, strict=True)
    ]


def _unmatched(
    rng: Random, city: City, ledgers: YearLedgers, half: int, performer: Performer, column: str, fen: int
) -> None:
    """Enter money that has no other side in the city; a part of it stands in the column only."""
    share, mean = LISTED[column]
    rows = split_by_mean(rng, whole(fen * share), mean)
    for row in rows:
        day = ledgers.day(rng, half)
        if column in UPPER_LEVEL:
            payer = (UPPER_LEVEL[column], None)
            ledgers.receive(day, performer.index, column, row, payer, project=ledgers.new_project())
        elif column in ("other_firm", "nonlocal"):
            firm = rng.choice(city.small_firms if column == "other_firm" else city.nonlocal_firms)
            number = ledgers.new_contract()
            ledgers.receive(day, performer.index, column, row, (firm.name, firm.code), contract=number)
        else:
            ledgers.receive(day, performer.index, column, row)
    ledgers.unlisted[performer.index, column, half] = fen - sum(rows)
