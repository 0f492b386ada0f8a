"""Changes of a large city whose effect the text states: the same city otherwise, and what was added to each quarter.

What does not belong here: what the effect is (`test_sql_properties`).
"""

import random
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tests.elimination.drawn import plus, with_government
from tests.elimination.large import quarter_of
from tests.elimination.matching import NIL
from tests.elimination.result import Result
from tests.elimination.rows import Tables

LEDGERS = ("gov_payment", "enterprise_contract", "inflow", "outflow")
SHANGHAI = "91310000MYSHANGHAI"
NEW = "P-NEW-"
Quarters = dict[int, Decimal]
Rows = dict[str, list[dict[str, Any]]]


def shuffled(city: Tables) -> Tables:
    """The city with the rows of every table in another order."""
    rng = random.Random(0)
    return {table_id: rng.sample(rows, len(rows)) for table_id, rows in city.items()}


def split(city: Tables) -> Tables:
    """The city with half of its ledgers' rows in two; a part may be more than the whole, the other negative then."""
    rng = random.Random(0)
    changed: Tables = {}
    for table_id, rows in city.items():
        is_ledger = table_id.split("__")[1] in LEDGERS
        for one in rows:
            part = Decimal(rng.randint(-3, 30)) / 2
            whole = [one | {"amount_wan": part}, one | {"amount_wan": one["amount_wan"] - part}] if is_ledger else []
            changed.setdefault(table_id, []).extend(whole if whole and rng.random() < 0.5 else [one])
    return changed


def in_thousands(city: Tables) -> Tables:
    """The city as if every amount had been given in a unit ten times smaller."""
    return {
        table_id: [{k: v * 10 if isinstance(v, Decimal) else v for k, v in one.items()} for one in rows]
        for table_id, rows in city.items()
    }


def paid_and_booked(city: Tables, results: list[Result]) -> tuple[Tables, Quarters]:
    """Every quarter: 市财政局 pays one unit for a project that is nowhere else, and the unit books it."""
    rng, rows, added = random.Random(0), _Rows(), dict[int, Decimal]()
    for code, bureau, _ in _one_unit_each(rng, results):
        x = added[quarter_of(code)] = Decimal(rng.randint(1, 40))
        rows.pay(code, x)
        rows.book(bureau, code, x, fund_channel="市县财政", project_no=new_project(code))
    return rows.into(with_government(city, sum(added.values(), NIL))), added


def shanghai_contract(city: Tables, results: list[Result]) -> tuple[Tables, Quarters]:
    """Every quarter: one unit books a contract of a firm that is in no frame, under a number of its own or another's."""
    rng, rows, added = random.Random(0), _Rows(), dict[int, Decimal]()
    for code, bureau, _ in _one_unit_each(rng, results):
        x = added[quarter_of(code)] = Decimal(rng.randint(1, 40))
        number = rng.choice((f"C1-{quarter_of(code)}", "C-NEW"))
        rows.book(bureau, code, x, fund_channel="企业合同", contract_no=number, payer_code=SHANGHAI)
    return rows.into(city), added


def hand_on(city: Tables, results: list[Result]) -> tuple[Tables, Quarters]:
    """Every unit hands on part of whatever T1 laid on it as first recipient, each time to one it has no rows with yet."""
    rng, rows, added = random.Random(0), _Rows(), dict[int, Decimal]()
    for result in results:
        pairs = set(result.hand_on_pairs)
        for removal in result.ledger:
            u = removal.unit_code
            others = [v for v in result.remaining if v != u and (u, v) not in pairs]
            if removal.reason in ("OG", "OE") and removal.tier == "T1" and not removal.first_recipient and others:
                v, x = rng.choice(others), min(removal.amount_wan, Decimal(rng.randint(1, 30)))
                column, channel = ("project_no", "市县财政") if removal.reason == "OG" else ("contract_no", "企业合同")
                rows.hand(result, u, v, x, channel, **{column: removal.reference_no})
                pairs.add((u, v))
                added[quarter_of(v)] = added.get(quarter_of(v), NIL) + x
    return rows.into(city), added


def memo_pair(city: Tables, results: list[Result]) -> tuple[Tables, Tables, Quarters]:
    """Every quarter: a payment for a new project, booked and partly handed on, once in G and once as 附项 beside it."""
    rng, rows, added = random.Random(0), _Rows(), dict[int, Decimal]()
    for code, bureau, result in _one_unit_each(rng, results):
        x = added[quarter_of(code)] = Decimal(rng.randint(1, 40))
        rows.pay(code, x)
        rows.book(bureau, code, x, fund_channel="市县财政", project_no=new_project(code))
        others = [v for v in result.remaining if v != code]
        if others:
            y = Decimal(rng.randint(1, 40))
            rows.hand(result, code, rng.choice(others), y, "市县财政", project_no=new_project(code))
    beside = rows.into(city)
    for one in beside["finance_bureau__gov_payment"]:
        if (one["project_no"] or "").startswith(NEW):
            one["memo_category"], one["budget_type"] = "产业基金", None
    return rows.into(with_government(city, sum(added.values(), NIL))), beside, added


def new_project(code: str) -> str:
    """Return the number of a project that no ledger of the unit's quarter, nor of another, bears yet."""
    return f"{NEW}{quarter_of(code)}"


def _one_unit_each(rng: random.Random, results: list[Result]) -> Iterable[tuple[str, str, Result]]:
    """Draw one remaining unit of every quarter that has any: (code, bureau, the quarter's result)."""
    for result in results:
        if result.remaining:
            code, (bureau, _) = rng.choice(list(result.remaining.items()))
            yield code, bureau, result


class _Rows:
    """New rows, and how much each unit's 科技活动费用合计 grows with them."""

    def __init__(self) -> None:
        self.rows: Rows = {}
        self.grown: dict[tuple[str, str], Decimal] = {}

    def add(self, table_id: str, **values: Any) -> None:
        self.rows.setdefault(table_id, []).append(values)

    def pay(self, code: str, x: Decimal) -> None:
        paid = {"payee_code": code, "project_no": new_project(code), "amount_wan": x}
        self.add("finance_bureau__gov_payment", fund_channel="本级安排", budget_type="一般公共预算", **paid)

    def book(self, bureau: str, code: str, x: Decimal, **values: Any) -> None:
        self.add(f"{bureau}__inflow", unit_code=code, amount_wan=x, **values)
        self.grown[bureau, code] = self.grown.get((bureau, code), NIL) + x

    def hand(self, result: Result, u: str, v: str, x: Decimal, channel: str, **number: str) -> None:
        self.add(f"{result.remaining[u][0]}__outflow", unit_code=u, payee_code=v, amount_wan=x, **number)
        into = {"payer_code": u, "fund_channel": "单位转拨", "final_source_channel": channel}
        self.book(result.remaining[v][0], v, x, **into, **number)

    def into(self, city: Tables) -> Tables:
        changed = plus(city, **self.rows)
        for (bureau, code), more in self.grown.items():
            for one in changed[f"{bureau}__unit"]:
                if one["unit_code"] == code:
                    one["sti_activity_wan"] += more
        return changed
