"""From a figure of the annual evaluation (附件2) back to its cells: of an area, of the city, or of one unit.

What annex 1 has too (政府投入, 规上企业研发费用, …) is traced by `warehouse.trace`; here stands what only a year has. A ratio has two parts,
each of its own year: 研发经费 over 地区生产总值, or over the 科技创新投入 of the year before, which is traced in its turn, with its removals.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sources import contracts
from sources.reference import annual_parts, indicator_components, periods
from warehouse.paths import Home
from warehouse.query import connect
from warehouse.scoring.tables import exact
from warehouse.trace import AcceptedRows, CannotTrace, Removal, SourceCell, in_area, publish_again, trace

PERFORMING = ("enterprise", "university", "institute", "hospital")
FISCAL, RD_GDP = "finance_bureau__gov_input", "statistics_bureau__rd_gdp"
WHOLE_STI = "sti_total_year_before"
BOTH_KNOWN = "gdp_wan > 0 and rd_expenditure_wan is not null"
"""研发投入强度 counts the areas that report both parts."""

RD_GDP_PARTS = {
    **{
        measure: (RD_GDP, f"{measure}_wan", "true")
        for measure in ("rd_expenditure", *(f"rd_expenditure_{who}" for who in PERFORMING), "gdp")
    },
    "rd_expenditure_with_gdp": (RD_GDP, "rd_expenditure_wan", BOTH_KNOWN),
    "gdp_with_rd_expenditure": (RD_GDP, "gdp_wan", BOTH_KNOWN),
}
"""Measures of ``fct_annual_measure`` that come from 全社会研发与生产总值: table, column, which rows count."""

UNIT_COLUMNS = {"sti_activity": "sti_activity_wan", "rd_expenditure": "rd_expenditure_wan"}


@dataclass(frozen=True)
class TracedPart:
    """An amount that a figure is, or is worked out from: 万元, the year that it is of, its cells and what was removed from them."""

    measure: str
    label: str
    data_year: int | None
    period: str
    value_wan: Decimal | None
    cells: list[SourceCell]
    removals: list[Removal]


@dataclass(frozen=True)
class AnnualTrace:
    """A figure of 附件2 and everything behind it: one part for an amount, two (over, under) for a ratio.

    ``is_explained``: the cells less the removals of each part are exactly its amount, and the parts give the published figure.
    ``note`` says why there is no figure (``value_note`` or ``note_code`` of the mart), else ''.
    """

    period: str
    subject_type: str
    subject_key: str
    subject_name: str
    indicator_id: str
    indicator_name: str
    unit: str
    value: Decimal | None
    parts: list[TracedPart]
    is_explained: bool
    note: str = ""


def trace_annual(
    home: Home, period: str, subject: str, indicator_id: str, *, is_unit: bool = False, provider: str = ""
) -> AnnualTrace:
    """Trace the level (总量) of one indicator of 附件2.

    Args:
        home: where everything is kept.
        period: a year such as ``2025``.
        subject: an area key (``330400`` the city), or a unit's 统一社会信用代码.
        indicator_id: ``rd_expenditure``, ``rd_intensity``, ``rd_to_sti``, ``enterprise_rd_expenditure``; of a unit ``sti_activity``
            or ``rd_expenditure``.
        is_unit: ``subject`` is a unit.
        provider: the bureau that reports the unit, where two do.

    Raises:
        CannotTrace: no such figure, or what stands in ``accepted/`` is no longer what was published.
        NothingPublished: nothing was published yet.
    """
    with connect(home) as connection:
        found = connection.execute(
            "select subject_type, subject_name, indicator_name, unit, value, provider, coalesce(value_note, note_code, '') "
            "from mart_annual_evaluation where period = ? and subject_key = ? and indicator_id = ? and dimension = 'level' "
            "and (subject_type in ('area', 'city')) <> ? and subject_type <> 'sector' and (? = '' or provider = ?)",
            [period, subject, indicator_id, is_unit, provider, provider],
        ).fetchall()
        amounts = {
            (kind, measure): (value, data_year)
            for kind, measure, value, data_year in connection.execute(
                "select subject_type, measure, value_wan, data_year from fct_annual_measure where period = ? and subject_key = ?",
                [period, subject],
            ).fetchall()
        }
    if not found:
        who = "单位" if is_unit else "地区"
        raise CannotTrace(
            f"已发布的年度研判里没有 {period}、{who} {subject}、{indicator_id} 这个数；请核对年度、{who}和指标标识：sti score {period} {subject}"
        )
    if len(found) > 1:
        told = "、".join(f"{contracts.providers()[row[5]].label}（--provider {row[5]}）" for row in found)
        raise CannotTrace(f"{subject} 由几个单位填报，各是各的数：{told}；请用 --provider 说明要哪一个")
    [(kind, name, indicator, unit, value, reporter, note)] = found
    measures = annual_parts(kind, indicator_id, periods()[period].ends_on)
    if measures is None:
        raise CannotTrace(f"种子 annual_indicator 里没有 {kind} 的 {indicator_id}；{publish_again(period)}")
    parts = [
        _part(home, period, subject, reporter if is_unit else "", measure, *amounts.get((kind, measure), (None, None)))
        for measure in measures
        if measure
    ]
    is_explained = value is not None and _worked_out(parts) == value
    if value is not None and not is_explained:
        raise CannotTrace(
            f"{period} {subject} {indicator_id} 发布的是 {value}，由来源算出的不同；{publish_again(period)}"
        )
    return AnnualTrace(
        period,
        kind,
        subject,
        name,
        indicator_id,
        indicator,
        unit,
        value,
        parts,
        is_explained,
        "" if is_explained else note,
    )


def _worked_out(parts: list[TracedPart]) -> Decimal | None:
    """Return what the parts give: the amount, or the ratio in %, as it is published."""
    amounts = [Fraction(part.value_wan) for part in parts if part.value_wan is not None]
    if len(amounts) < len(parts):
        return None
    return exact(amounts[0] if len(amounts) == 1 else amounts[0] / amounts[1] * 100)


def _part(
    home: Home, period: str, subject: str, reporter: str, measure: str, value: Decimal | None, data_year: int | None
) -> TracedPart:
    """Trace one amount; ``reporter`` is the bureau of a unit, '' for an area.

    Raises:
        CannotTrace: the cells less the removals are not the amount.
    """
    if reporter:
        rows = AcceptedRows(home, period)
        cells = rows.cells(f"{reporter}__unit", UNIT_COLUMNS[measure], "unit_name", "unit_code = ?", [subject])
        label = contracts.table(f"{reporter}__unit").column(UNIT_COLUMNS[measure]).heading
        return _added_up(TracedPart(measure, label, data_year, period, value, cells, []))
    table_id, column, condition = RD_GDP_PARTS.get(measure, (FISCAL, f"{measure}_wan", "true"))
    own = {each.name: each.heading for each in contracts.table(table_id).columns}
    if measure == WHOLE_STI or indicator_components(measure):
        of_period = periods()[period].base_period if measure == WHOLE_STI else period
        if value is None and measure == WHOLE_STI:
            return TracedPart(measure, "科技创新投入", data_year, of_period, None, [], [])
        whole = trace(home, of_period, subject, "sti_total" if measure == WHOLE_STI else measure)
        return _added_up(
            TracedPart(measure, whole.indicator_name, data_year, of_period, value, whole.cells, whole.removals)
        )
    if column not in own:
        raise CannotTrace(f"计量项 {measure} 不取自任何一张报表，追溯不到单元格")
    is_there, values = in_area(subject)
    cells = AcceptedRows(home, period).cells(table_id, column, "area_key", f"{is_there} and {condition}", values)
    return _added_up(TracedPart(measure, own[column], data_year, period, value, cells, []))


def _added_up(part: TracedPart) -> TracedPart:
    """Return the part as it is, if its cells less its removals are its amount."""
    gross = sum((cell.value_wan or Decimal(0) for cell in part.cells), Decimal(0))
    removed = sum((removal.amount_wan for removal in part.removals), Decimal(0))
    if part.value_wan is not None and gross - removed != part.value_wan:
        raise CannotTrace(
            f"{part.period} {part.label} 发布的是 {part.value_wan} 万元，准入数据合起来是 {gross - removed} 万元；{publish_again(part.period)}"
        )
    return part
