"""Rows drawn for templates: consistent to the fen, then pushed over (or just up to) the edge of a rule here and there."""

from datetime import timedelta
from random import Random
from typing import Any

from sources.contracts import Column, Table
from sources.template.form import Form, SheetForm, areas_of
from sources.template.formulas import fen_per_unit
from tests.templates.filling import Row, Tables
from tests.workbooks import code

BUDGETS = {
    "一般公共预算": "general_budget_wan",
    "政府性基金预算": "fund_budget_wan",
    "国有资本经营预算": "state_capital_budget_wan",
}
ITEMS = ("gov_platform_wan", "gov_talent_wan", "gov_poc_pilot_wan", "gov_incubator_wan")
EXTERNAL = (
    "external_rd_institute_wan",
    "external_rd_university_wan",
    "external_rd_enterprise_wan",
    "external_rd_overseas_wan",
)
RD_ITEMS = (
    "rd_expenditure_enterprise_wan",
    "rd_expenditure_university_wan",
    "rd_expenditure_institute_wan",
    "rd_expenditure_hospital_wan",
)
CHANNELS = {
    "中央直拨": ("central_direct_wan",), "省级直拨": ("provincial_direct_wan",), "市县财政": ("local_fiscal_wan",),
    "上级转移支付": ("upper_transfer_wan",), "单位转拨": ("from_units_wan",),
    "企业合同": ("enterprise_local_large_wan", "enterprise_local_other_wan", "enterprise_nonlocal_wan"),
    "其他": ("overseas_wan", "commercialization_wan", "own_other_wan"),
}  # fmt: skip
SOURCES = tuple(name for names in CHANNELS.values() for name in names)
EDGES = (0, 0, 0, -1, 1, -2, 2, 3, 5, 6, -5, -6)
"""Fen beside the edge of a rule."""
NIL_MARKS = ("-", "—", "…", "......", "——")


class Drawer:
    """Draws the rows of one form; amounts are whole fen until `typed` turns them into the form's unit."""

    def __init__(self, form: Form, rng: Random, rows: int) -> None:
        self.form, self.rng, self.count = form, rng, rows
        self.tables: Tables = {}

    def draw(self) -> Tables:
        """Return rows for every sheet that no reading rule refuses; the gate's rules break on about half of them."""
        for table_id, sheet in self.form.sheets.items():
            self.tables[table_id] = [self._row(sheet, place) for place in range(len(sheet.printed) or self.count)]
        for table_id in self.tables:
            kind = table_id.split("__")[1]
            getattr(self, f"_relate_{kind}", lambda _: None)(self.tables[table_id])
        # The sums come last: they are made to meet what the ledgers hold, or to miss it by a fen.
        for table_id in self.tables:
            kind = table_id.split("__")[1]
            getattr(self, f"_sum_{kind}", lambda _: None)(self.tables[table_id])
        for table_id, sheet in self.form.sheets.items():
            for row in self.tables[table_id]:
                self._spoil(sheet.table, row)
        return {t: [self._typed(self.form.sheets[t], row) for row in rows] for t, rows in self.tables.items()}

    def table(self, name: str) -> list[Row]:
        """Return the rows of this provider's table, by the part of its id after ``__``."""
        return self.tables.get(f"{self.form.provider.provider}__{name}", [])

    def _row(self, sheet: SheetForm, place: int) -> Row:
        printed = sheet.printed[place] if place < len(sheet.printed) else {}
        return {c.name: printed.get(c.name) or self._value(c, place) for c in sheet.columns}

    def _value(self, column: Column, place: int) -> Any:
        rng = self.rng
        if not column.required and rng.random() < 0.2:
            return None
        if column.type == "uscc":
            return code(place + 1) if column.required else code(rng.randrange(60))
        if column.type in ("enum", "boolean", "area"):
            offered = {"enum": list(column.values), "boolean": ["是", "否"], "area": areas_of(self.form.period)}
            return rng.choice(offered[column.type])
        if column.type == "date":
            return self.form.period.starts_on + timedelta(rng.randrange(180))
        if column.type == "code":
            return rng.choice(["2610", "0610", "4710", "3311", "7310"])
        if column.is_number:
            return rng.randrange(1, 40) if column.type == "count" else rng.randrange(10**9)
        if column.type == "year":
            return rng.choice([*[self.form.period.year - 1] * 8, self.form.period.year])
        return f"示例{place + 1}"

    def _relate_gov_payment(self, rows: list[Row]) -> None:
        for row in rows:
            row[self.rng.choice(["budget_type", "memo_category"])] = None

    def _sum_gov_input(self, rows: list[Row]) -> None:
        for row in rows:
            for budget, name in BUDGETS.items():
                paid = sum(
                    p["amount_wan"] for p in self.table("gov_payment")
                    if p["area_key"] == row["area_key"] and p["budget_type"] == budget and not p["memo_category"]
                    and p["fund_channel"] != "对下转移支付"
                )  # fmt: skip
                row[name] = max(0, paid + self.rng.choice(EDGES)) if paid or self.rng.random() < 0.7 else None
            row["gov_total_wan"] = max(0, sum(row[n] or 0 for n in BUDGETS.values()) + self.rng.choice(EDGES))
            self._split(row, row["gov_total_wan"] + self.rng.choice(EDGES), ITEMS)

    def _split(self, row: Row, total: int, names: tuple[str, ...]) -> None:
        """Set the columns so that they sum to the total; none below zero."""
        left = max(0, total)
        for name in names[:-1]:
            row[name] = self.rng.randrange(left + 1)
            left -= row[name]
        row[names[-1]] = left

    def _sum_enterprise_rd(self, rows: list[Row]) -> None:
        for row in rows:
            contracts = sum(
                c["amount_wan"] for c in self.table("enterprise_contract") if c["payer_code"] == row["enterprise_code"]
            )
            row["external_rd_wan"] = (
                max(0, contracts + self.rng.choice(EDGES)) if contracts else self.rng.randrange(10**8)
            )
            self._split(row, row["external_rd_wan"] + self.rng.choice(EDGES), EXTERNAL)
            row["rd_expense_wan"] = max(0, row["external_rd_wan"] + self.rng.choice((-1, 0, 1, 10**8)))
            if self.rng.random() < 0.15:
                row["external_rd_institute_wan"] = row["external_rd_university_wan"] = None

    def _relate_enterprise_contract(self, rows: list[Row]) -> None:
        codes = [e["enterprise_code"] for e in self.table("enterprise_rd")]
        for row in rows:
            row["payer_code"] = self.rng.choice([*codes[:8], code(990)])
            if self.rng.random() < 0.1:
                row["payee_code"] = row["payer_code"]

    def _sum_enterprise_rd_area(self, rows: list[Row]) -> None:
        for row in rows:
            institute, university = row["external_rd_institute_wan"] or 0, row["external_rd_university_wan"] or 0
            row["rd_expense_wan"] = max(0, institute + university + self.rng.choice(EDGES))
            overlaps = ("overlap_university_wan", "overlap_institute_wan", "overlap_hospital_wan")
            self._split(row, institute + university + self.rng.choice(EDGES), overlaps)
            row["enterprise_count"] = self.rng.choice([None, 0, 1, 30, "-"])

    def _sum_rd_gdp(self, rows: list[Row]) -> None:
        for row in rows:
            self._split(row, (row["rd_expenditure_wan"] or 0) + self.rng.choice(EDGES), RD_ITEMS)
            row["gdp_wan"] = self.rng.choice(["-", None, row["rd_expenditure_wan"], 10**10, 10**11])

    def _relate_commitment(self, rows: list[Row]) -> None:
        for row in rows:
            row["unit_of_measure"] = self.rng.choice(["%", "％", "家"])
            for name in ("target_value", "actual_value"):
                row[name] = self.rng.choice([None, "-", 0, -(10**6), 90 * 10**6, 100 * 10**6, 100 * 10**6 + 1, 10**9])

    def _relate_inflow(self, rows: list[Row]) -> None:
        units = [u["unit_code"] for u in self.table("unit")]
        for row in rows:
            row["unit_code"] = self.rng.choice([*units[:6], code(990)])
            if self.rng.random() < 0.15:
                row["payer_code"] = row["unit_code"]

    def _relate_outflow(self, rows: list[Row]) -> None:
        self._relate_inflow(rows)
        for row in rows:
            row["payee_code"] = row.pop("payer_code", None) or row["payee_code"]

    def _relate_unit(self, rows: list[Row]) -> None:
        for place, row in enumerate(rows):
            # Up the rows, down again: chains, rings of two, three and four, and itself.
            step = self.rng.choice([None, None, 0, 1, -1, -1, -2, -3])
            row["parent_code"] = None if step is None else rows[(place + step) % len(rows)]["unit_code"]

    def _sum_unit(self, rows: list[Row]) -> None:
        for row in rows:
            mine = [i for i in self.table("inflow") if i["unit_code"] == row["unit_code"]]
            for channel, names in CHANNELS.items():
                got = sum(i["amount_wan"] for i in mine if i["fund_channel"] == channel)
                if got:
                    self._split(row, got + self.rng.choice(EDGES), names)
            handed = sum(o["amount_wan"] for o in self.table("outflow") if o["unit_code"] == row["unit_code"])
            row["handed_on_wan"] = handed + self.rng.choice(EDGES) if handed else row["handed_on_wan"]
            row["sti_activity_wan"] = max(0, sum(row[n] or 0 for n in SOURCES) + self.rng.choice(EDGES))

    def _spoil(self, table: Table, row: Row) -> None:
        """Break what one cell alone can break without being refused: dates outside, codes of others, blanks, nil marks, signs."""
        rng = self.rng
        for column in table.columns:
            if column.name not in row or rng.random() > 0.06:
                continue
            if column.within_period:
                row[column.name] = rng.choice((self.form.period.starts_on - timedelta(1), self.form.period.ends_on + timedelta(1),
                                               self.form.period.ends_on, self.form.period.starts_on))  # fmt: skip
            elif column.type == "uscc" and not column.required:
                row[column.name] = rng.choice([code(5)[:-1], code(5).lower(), code(5)[:-1] + "I", None])
            elif column.type == "code":
                row[column.name] = rng.choice([2610, "A1", "26"])
            elif column.type == "money" and not column.numbers_only and column.min is not None and not row[column.name]:
                row[column.name] = rng.choice(NIL_MARKS)
            elif column.name in ("amount_wan", "revenue_wan") or (column.min == 0 and column.type == "money"):
                row[column.name] = -row[column.name] if isinstance(row[column.name], int) else row[column.name]
            elif not column.required:
                row[column.name] = None
        # Few units twice: a ring that leads through such a unit is another to the gate than to the template.
        often = 0.01 if table.table_id.endswith("__unit") else 0.08
        if table.key and rng.random() < often and all(table.column(k).type in ("uscc", "text") for k in table.key):
            above = rng.choice(self.tables[table.table_id])
            row.update({name: above[name] for name in table.key})

    def _typed(self, sheet: SheetForm, row: Row) -> Row:
        """Return the row as typed: amounts in the form's unit, a few of them finer than a fen where no sum looks."""
        typed = dict(row)
        for column in sheet.columns:
            value = typed[column.name]
            if column.type in ("money", "number") and isinstance(value, int):
                finer = (
                    0.3 if column.name in ("revenue_wan", "recurring_revenue_wan") and self.rng.random() < 0.1 else 0
                )
                typed[column.name] = (value + finer) / fen_per_unit(self.form, column)
        return typed
