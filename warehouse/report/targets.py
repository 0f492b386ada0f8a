"""The progress to the targets of the plan (正文), from the published warehouse: rows for people."""

from dataclasses import dataclass
from decimal import Decimal

from sources.reference import CITY, periods
from warehouse.paths import Home
from warehouse.query import connect
from warehouse.report.rounding import rounded


@dataclass(frozen=True)
class TargetRow:
    """One target in one area: figures as published, exact, in ``unit`` (万元, %, or what is counted); None where ``note`` says why.

    ``state_code`` as in ``warehouse/targets/words.py``; ``projected_low`` and ``projected_high`` only where there are years enough.
    """

    period: str
    target_id: str
    area_key: str
    area_name: str
    target_name: str
    rule_kind: str
    clause: str
    unit: str
    data_year: int | None
    target_year: int | None
    target_value: Decimal | None
    value: Decimal | None
    gap: Decimal | None
    progress_pct: Decimal | None
    growth_pct: Decimal | None
    needed_growth_pct: Decimal | None
    projected_value: Decimal | None
    projected_low: Decimal | None
    projected_high: Decimal | None
    state_code: str
    state: str
    note: str
    is_planned: bool
    is_in_force: bool

    @property
    def is_in_yi(self) -> bool:
        """Whether people read the amounts in 亿元, as the plan writes its levels."""
        return self.unit == "万元" and self.rule_kind == "level"

    def text_of(self, value: Decimal | None) -> str:
        """Return an amount of this target for people: a level in 亿元, other money in 万元, % and counts as they are; "—" for none.

        Two decimals for money and %: the plan's ratios are 3.7 and 4 %, one decimal would hide what is lacking.
        """
        if value is None:
            return "—"
        if self.unit == "万元":
            amount, unit = (value / 10000, " 亿元") if self.is_in_yi else (value, " 万元")
            return f"{rounded(amount, 2):,}{unit}"
        if self.unit == "%":
            return f"{rounded(value, 2)}%"
        return f"{value.normalize():,f} {self.unit}"


@dataclass(frozen=True)
class TargetUnit:
    """One unit beside a target that each unit has to meet; money in 万元, shares in %."""

    target_id: str
    unit_code: str
    unit_name: str
    area_name: str
    market_wan: Decimal | None
    total_wan: Decimal | None
    share_pct: float | None
    target_pct: Decimal
    state_code: str
    state: str
    value_note: str


def target_rows(home: Home, period: str) -> list[TargetRow]:
    """Return every target of a period, in the order of the plan, of each the city first; empty where the period is not published.

    Raises:
        NothingPublished: nothing was published yet.
    """
    names = [name for name in TargetRow.__dataclass_fields__ if name not in ("unit", "note")]
    with connect(home) as connection:
        found = connection.execute(
            f"select {', '.join(names)}, coalesce(unit, '') as unit, coalesce(note, '') as note "
            "from mart_target_progress where period = ? order by target_sort_order, area_sort_order",
            [period],
        ).fetchall()
    return [TargetRow(**dict(zip([*names, "unit", "note"], row, strict=True))) for row in found]


def target_units(home: Home, period: str) -> list[TargetUnit]:
    """Return the units of a period beside the targets that each has to meet, the furthest behind first.

    Raises:
        NothingPublished: nothing was published yet.
    """
    names = [name for name in TargetUnit.__dataclass_fields__ if name != "value_note"]
    with connect(home) as connection:
        found = connection.execute(
            f"select {', '.join(names)}, coalesce(value_note, '') from mart_target_unit where period = ? "
            "order by target_id, share_pct nulls first, unit_code",
            [period],
        ).fetchall()
    return [TargetUnit(*row) for row in found]


def latest_target_period(home: Home) -> str | None:
    """Return the newest published year that has targets, else the newest half-year, else None.

    Raises:
        NothingPublished: nothing was published yet.
    """
    with connect(home) as connection:
        found = {row[0] for row in connection.execute("select distinct period from mart_target_progress").fetchall()}
    known = [key for key in periods() if key in found]
    years = [key for key in known if periods()[key].kind == "year"]
    return max(years or known, key=lambda key: periods()[key].ends_on, default=None)


def of_city(rows: list[TargetRow]) -> list[TargetRow]:
    """Return the rows of the whole city."""
    return [row for row in rows if row.area_key == CITY]
