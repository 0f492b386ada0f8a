"""What each provider fills into its sheets: rows of plain values, amounts in fen, cumulative from 1 January."""

from collections.abc import Iterator
from dataclasses import dataclass

from sources.demo_city.areas import AREAS
from sources.demo_city.city import Performer
from sources.demo_city.forms import (
    CONTRACT,
    ENTERPRISE_RD,
    GOV_INPUT,
    GOV_PAYMENT,
    HOSPITAL,
    INFLOW,
    OUTFLOW,
    UNIT,
    Form,
)
from sources.demo_city.government import BUDGET_TYPES, ITEMS, MEMOS
from sources.demo_city.hand_on import CHANNELS
from sources.demo_city.ledgers import HALVES, half_of
from sources.demo_city.money import WAN, whole
from sources.demo_city.year import Year

NATURES = {"large": "横向", "other_firm": "横向", "nonlocal": "横向", "commercial": "成果转化", "from_units": "转拨",
           "overseas": "其他", "own": "其他"}  # fmt: skip
"""资金性质 of each source column; fiscal money is 纵向."""
SOURCE_COLUMNS = ("central", "provincial", "local", "upper", "large", "other_firm", "nonlocal", "overseas",
                  "commercial", "from_units", "own")  # fmt: skip
"""The eleven sources, in the order of the form."""

SCIENCE_SHARE, GENERAL_TIMES, REVENUE_TIMES = 0.79, 11.8, 9.4

Row = list[object]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A filled-in form: rows in the order of the form's columns."""

    form: Form
    rows: list[Row]


def sheets_of(provider: str, year: Year, half: int) -> list[Sheet]:
    """Return the sheets that ``provider`` sends for the first ``half`` half-years of ``year``."""
    if provider == "finance_bureau":
        return [Sheet(GOV_INPUT, _gov_input(year, half)), Sheet(GOV_PAYMENT, list(_payments(year, half)))]
    if provider == "statistics_bureau":
        return [Sheet(ENTERPRISE_RD, _firms(year, half)), Sheet(CONTRACT, list(_contracts(year, half)))]
    units = units_of(provider, year)
    form = HOSPITAL if provider == "health_commission" else UNIT
    return [
        Sheet(form, _units(provider, units, year, half)),
        Sheet(INFLOW, _numbered(_receipts(units, year, half))),
        Sheet(OUTFLOW, _numbered(_handed_on(units, year, half))),
    ]


def units_of(provider: str, year: Year) -> list[Performer]:
    """Return the units that a bureau reports, in the order of its sheet."""
    return [p for p in year.city.performers if provider in p.bureaus]


def _gov_input(year: Year, half: int) -> list[Row]:
    halves = [year.government.halves[h] for h in HALVES[:half]]
    rows: list[Row] = []
    for area in AREAS:
        budgets = [sum(h.budget[area.name, kind] for h in halves) for kind in BUDGET_TYPES]
        items = [sum(h.item[area.name, item] for h in halves) for item in ITEMS]
        memos = [
            sum(h.memo[area.name, memo] for h in halves) if (area.name, memo) in halves[0].memo else None
            for memo in MEMOS
        ]
        total = sum(budgets)
        context = [whole(total * times) for times in (SCIENCE_SHARE, GENERAL_TIMES, REVENUE_TIMES)]
        rows.append([area, total, *budgets, *items, *memos, *context])
    return rows


def _payments(year: Year, half: int) -> Iterator[Row]:
    for p in year.ledgers.payments:
        if half_of(p.on) <= half:
            yield [p.voucher, p.area, p.budget_type, p.category, p.channel, p.project, p.project_name, p.payee.name,
                   p.payee.code, p.on, p.fen, p.memo]  # fmt: skip


def _firms(year: Year, half: int) -> list[Row]:
    rows: list[Row] = []
    for firm in year.city.firms:
        money = year.firms.columns(firm, half)
        parts: list[int | None] = [money[kind] for kind in ("institute", "university", "enterprise", "overseas")]
        if firm.hides_domestic:
            parts[:2] = None, None
        external = sum(part or 0 for part in parts)
        revenue = whole(money["rd"] / firm.intensity)
        rows.append([firm.code, firm.name, firm.area, firm.industry, firm.category, firm.is_state, firm.is_high_tech,
                     revenue, money["rd"], external, *parts, money["government"]])  # fmt: skip
    return rows


def _contracts(year: Year, half: int) -> Iterator[Row]:
    for c in year.ledgers.contracts:
        if half_of(c.on) <= half:
            yield [c.number, c.payer.code, c.payer.name, c.payee.code, c.payee.name, c.on, c.fen]


def _units(provider: str, units: list[Performer], year: Year, half: int) -> list[Row]:
    """Return one row per unit; a parent's figures hold those of the units included in it."""
    sums = _column_sums(year, half)
    rows: list[Row] = []
    for unit in units:
        members = year.city.reported_with(unit)
        sources = [sum(sums.get((m.index, column), 0) for m in members) for column in SOURCE_COLUMNS]
        if provider != unit.bureaus[0]:
            # The same unit tells its second bureau a little less: the two returns were filled in by different people.
            sources[-1] -= min(3 * WAN, year.ledgers.unlisted[unit.index, "own", 1])
        given = sum(sums.get((m.index, "handed_on"), 0) for m in members)
        is_included = unit.parent_code is not None and unit.sector != "university"
        row: Row = [unit.code, unit.name, unit.area, unit.parent_code, is_included, sum(sources), *sources, given]
        if provider == "health_commission":
            row += [unit.is_grade_3a, unit.is_in_rd_statistics]
        rows.append(row)
    return rows


def _column_sums(year: Year, half: int) -> dict[tuple[int, str], int]:
    """Return the unit sheet's columns per performer: what its receipts list, and what stands in the column only."""
    sums: dict[tuple[int, str], int] = {}
    for receipt in year.ledgers.receipts:
        if half_of(receipt.on) <= half:
            key = (receipt.performer, receipt.column)
            sums[key] = sums.get(key, 0) + receipt.fen
    for (performer, column, part), fen in year.ledgers.unlisted.items():
        if part <= half:
            sums[performer, column] = sums.get((performer, column), 0) + fen
    for row in year.ledgers.handed_on:
        if half_of(row.on) <= half:
            sums[row.performer, "handed_on"] = sums.get((row.performer, "handed_on"), 0) + row.fen
    return sums


def _receipts(units: list[Performer], year: Year, half: int) -> Iterator[Row]:
    for unit, member in _members(units, year):
        for r in year.ledgers.receipts:
            if r.performer == member.index and half_of(r.on) <= half:
                yield [unit.code, NATURES.get(r.column, "纵向"), CHANNELS[r.column], r.payer_name, r.payer_code,
                       r.project, r.contract, r.on, r.fen, r.final_code, r.final_channel]  # fmt: skip


def _handed_on(units: list[Performer], year: Year, half: int) -> Iterator[Row]:
    for unit, member in _members(units, year):
        for row in year.ledgers.handed_on:
            if row.performer == member.index and half_of(row.on) <= half:
                yield [unit.code, row.payee.name, row.payee.code, row.project, row.contract, row.on, row.fen]


def _members(units: list[Performer], year: Year) -> Iterator[tuple[Performer, Performer]]:
    """Yield each reporting unit with each performer whose rows stand in its return."""
    for unit in units:
        for member in year.city.reported_with(unit):
            yield unit, member


def _numbered(rows: Iterator[Row]) -> list[Row]:
    return [[number, *row] for number, row in enumerate(rows, 1)]
