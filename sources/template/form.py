"""The blank form as a plan: which sheets, which rows, what is printed on them and where every column stands.

Knows the contract and the calendar, no styles and no formulas. The layout is one that `sources.sheet` reads without a finding.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from openpyxl.utils import get_column_letter

from sources.contracts import CADENCE_LABELS, Cadence, Column, Provider, Table
from sources.layout import TEMPLATE_HEADINGS
from sources.reference import Period, area_keys, area_names, enterprise_frame

STATUS_HEADING, OWN_HEADING, CROSS_HEADING, LAST_HEADING = TEMPLATE_HEADINGS
GROUPS = ("其中：", "附项：")
TITLE_ROW, INFO_ROW, STATUS_ROW, HEADING_ROW = 1, 2, 3, 4
FIRST_COLUMN = 2
"""Column A shows how a row stands; the contract's columns begin in B."""


class TemplateError(ValueError):
    """There is no such form; the message says what there is instead."""


@dataclass(frozen=True)
class SheetForm:
    """One sheet: its columns in order, and 1-based row numbers of its parts (None where it has none).

    ``printed`` holds the rows whose key is printed, by column name; they come first, blank rows follow. ``last_count`` is the number
    of rows that last period's sheet holds; 0 where it is not shown.
    """

    table: Table
    columns: tuple[Column, ...]
    printed: tuple[dict[str, str], ...]
    first_row: int
    last_row: int
    total_row: int | None
    foot_row: int | None
    last_count: int = 0

    @property
    def has_groups(self) -> bool:
        """Whether the headings take two rows, ``其中：`` and ``附项：`` above the items."""
        return any(column.heading.startswith(GROUPS) for column in self.columns)

    @property
    def is_fixed(self) -> bool:
        """Whether every row is printed, so that none is to be added."""
        return len(self.printed) == self.last_row - self.first_row + 1

    @property
    def last_letter(self) -> str:
        """The letter of the last column of the contract."""
        return self.letter_at(len(self.columns) - 1)

    @property
    def first_letter(self) -> str:
        """The letter of the first column of the contract."""
        return self.letter_at(0)

    @staticmethod
    def letter_at(place: int) -> str:
        """Return the letter of the contract's column at a 0-based place."""
        return get_column_letter(FIRST_COLUMN + place)

    def letter(self, name: str) -> str:
        """Return the letter of a column by its name.

        Raises:
            KeyError: the form has no such column.
        """
        for place, column in enumerate(self.columns):
            if column.name == name:
                return self.letter_at(place)
        raise KeyError(name)

    def range_of(self, name: str, *, with_sheet: bool) -> str:
        """Return all cells of a column as an absolute range, as ``'拨付明细'!$L$5:$L$2004``."""
        letter = self.letter(name)
        cells = f"${letter}${self.first_row}:${letter}${self.last_row}"
        return f"'{self.table.sheet}'!{cells}" if with_sheet else cells

    def extra_letter(self, heading: str) -> str:
        """Return the letter of one of the template's own columns, right of the contract's."""
        headings = [LAST_HEADING] if self.last_count else []
        headings += [OWN_HEADING, CROSS_HEADING]
        return self.letter_at(len(self.columns) + headings.index(heading))


@dataclass(frozen=True)
class Form:
    """The blank workbook of one provider and period."""

    provider: Provider
    period: Period
    cadence: Cadence
    unit: str
    sheets: dict[str, SheetForm]

    @property
    def form_id(self) -> str:
        """The form's number (表式编号), the same for every period."""
        suffix = "-aggregate" if any(sheet.table.instead_of for sheet in self.sheets.values()) else ""
        return f"{self.provider.provider}-{self.cadence}{suffix}"

    @property
    def period_text(self) -> str:
        """报告期 as printed: 2026年上半年, or 2026年全年 for both kinds of whole-year returns."""
        return f"{self.period.year}年{'上半年' if self.period.half == 1 else '全年'}"

    def info(self, table: Table | None = None) -> list[str]:
        """Return the info line's parts; 计量单位 only where the table has one."""
        parts = [f"填报单位：{self.provider.label}", f"报告期：{self.period_text}"]
        if self.period.half != 1:
            parts.append(f"报表类别：{CADENCE_LABELS[self.cadence]}")
        return [*parts, f"计量单位：{self.unit}"] if table and table.unit_line else parts


def plan(
    provider: Provider,
    period: Period,
    *,
    unit: str = "",
    blank_rows: int | None = None,
    aggregate_only: bool = False,
    last_counts: Mapping[str, int] | None = None,
) -> Form:
    """Return the plan of a provider's blank workbook.

    Args:
        provider: whose.
        period: of the calendar; its kind decides the cadence.
        unit: 计量单位; the contract's where empty.
        blank_rows: rows prepared on each sheet that is not fully printed; the contract's number where None.
        aggregate_only: with the sheets that stand in for unit records instead of those.
        last_counts: rows of the tables that show last period's figures.

    Raises:
        TemplateError: the provider has no such return.
    """
    cadence: Cadence = "half_year" if period.kind == "half_year" else "year"
    tables = provider.tables_of(cadence)
    if not tables:
        raise TemplateError(f"{provider.label}不报{CADENCE_LABELS[cadence]}（{period.key}）")
    stand_ins = [t for t in tables if t.instead_of]
    if aggregate_only and not stand_ins:
        raise TemplateError(f"{provider.label}没有代替单位表的汇总表，不要用 --aggregate-only")
    dropped = {i for t in stand_ins for i in t.instead_of} if aggregate_only else {t.table_id for t in stand_ins}
    kept = [t for t in tables if t.table_id not in dropped]
    sheets = {
        table.table_id: _sheet(
            table, cadence, period, blank_rows, table is kept[0], (last_counts or {}).get(table.table_id, 0)
        )
        for table in kept
    }
    return Form(provider, period, cadence, unit or provider.unit, sheets)


def _sheet(
    table: Table, cadence: Cadence, period: Period, blank_rows: int | None, has_foot: bool, last_count: int
) -> SheetForm:
    columns = table.columns_of(cadence)
    printed = _printed(table, period)
    blank = table.blank_rows if blank_rows is None or not table.blank_rows else blank_rows
    first = HEADING_ROW + (2 if any(column.heading.startswith(GROUPS) for column in columns) else 1)
    last = first + len(printed) + blank - 1
    total = last + 1 if table.total_row == "required" else None
    foot = (total or last) + 1 if has_foot else None
    return SheetForm(table, columns, printed, first, last, total, foot, last_count)


def areas_of(period: Period) -> list[str]:
    """Return the official names of the areas that report in a period, in order."""
    valid = set(area_keys(period.ends_on).values())
    return [name for key, name in area_names().items() if key in valid]


def _printed(table: Table, period: Period) -> tuple[dict[str, str], ...]:
    """Return the keys to print: where a table's key is the area, or the area and 规上类别, its rows are known beforehand."""
    columns = [table.column(name) for name in table.key]
    if not columns or any(column.type not in ("area", "enum") for column in columns):
        return ()
    choices = [areas_of(period) if column.type == "area" else enterprise_frame(period) for column in columns]
    return tuple(dict(zip(table.key, row, strict=True)) for row in itertools.product(*choices))
