"""Random small cities full of coincidences, to be read twice: by the oracle and by the SQL.

Flows are drawn, not rows: each flow writes its two sides, and then a side is missing, cut, late, split, without its number or
taken back. Few codes, projects and contracts, so that everything meets everything.
What does not belong here: what the figures are (`reading`), and many such cities at once (`large`).
"""

import random
from decimal import Decimal

from tests.elimination.rows import Tables, relabel, row

PERIOD = "2026H1"
AREAS = ("JX-CITY", "330402", "330481")
"""The areas where somebody is."""
CITY = "330400"
BUREAUS = ("education_bureau", "science_bureau", "health_commission")
LOCAL, CONTRACT = ("市县财政", "上级转移支付"), ("企业合同",)
OTHER: tuple[str | None, ...] = ("中央直拨", "省级直拨", "其他", "单位转拨", None)
SERIAL_COLUMN = {"inflow": "row_no", "outflow": "row_no", "gov_payment": "voucher_no"}
OUTSIDE = "91310000MYOUTSIDE1"
"""A payer or payee that is in no frame."""


class City:
    """The rows drawn so far and the codes to draw from; ``quarter`` keeps the codes of several such cities apart."""

    def __init__(self, rng: random.Random, quarter: int, *, is_aggregate_only: bool, has_rings: bool = False) -> None:
        self.rng, self.quarter, self.is_aggregate_only, self.has_rings = rng, quarter, is_aggregate_only, has_rings
        self.tables: Tables = {}
        self.projects = tuple(f"P{n}-{quarter}" for n in (1, 2, 3))
        # One contract number is also a project's.
        self.contracts = (f"C1-{quarter}", f"C2-{quarter}", self.projects[0])
        self.draw_performers()
        self.draw_enterprises()
        for draw, most in (
            (self.draw_budget_flow, 8),
            (self.draw_memo_flow, 3),
            (self.draw_contract_flow, 9),
            (self.draw_hand_on, 5),
            (self.draw_shared_number, 1),
            (self.draw_crossed_numbers, 1),
            (self.draw_unmatched_handed_on, 2),
            (self.draw_noise, 3),
        ):
            for _ in range(rng.randint(0, most)):
                draw()
        self.draw_totals()

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def amount(self) -> Decimal:
        """Small, so that ties and cuts are common; some down to the fen, some negative."""
        amount = Decimal(self.rng.choice((1, 2, 3, 5, 5, 10, 10, 20, 30)))
        if self.chance(0.1):
            amount += Decimal(self.rng.choice((1, 333333, 500000))) / 1000000
        return -amount if self.chance(0.04) else amount

    def add(self, table_id: str, **values: object) -> None:
        rows = self.tables.setdefault(table_id, [])
        serial = SERIAL_COLUMN.get(table_id.split("__")[1])
        rows.append(row(table_id, **({serial: str(len(rows) + 1)} if serial else {}), **values))

    def both_sides(self, amount: Decimal) -> tuple[Decimal | None, Decimal | None]:
        """What the two sides booked of one flow: mostly the same, often not, sometimes only one."""
        kind = self.rng.choices(("same", "differ", "payer", "payee"), (60, 18, 11, 11))[0]
        if kind == "same":
            return amount, amount
        if kind == "differ":
            return amount, self.amount()
        return (amount, None) if kind == "payer" else (None, amount)

    def parts(self, amount: Decimal | None) -> list[Decimal]:
        """One side's rows: one, two, or one that is (partly) taken back."""
        if amount is None:
            return []
        kind = self.rng.choices(("one", "two", "taken_back", "partly"), (75, 12, 6, 7))[0]
        if kind == "two":
            return [amount - 1, Decimal(1)]
        if kind == "taken_back":
            return [amount, -amount]
        return [amount, Decimal(-2)] if kind == "partly" else [amount]

    def maybe(self, reference: str, blank: float = 0.12) -> str | None:
        return None if self.chance(blank) else reference

    # ---- who is there

    def draw_performers(self) -> None:
        rng = self.rng
        self.codes = [f"12330400MYU{rng.randint(10, 99)}{self.quarter:04}{n}" for n in range(rng.randint(2, 6))]
        self.bureaus_of: dict[str, list[str]] = {}
        for number, code in enumerate(self.codes):
            many = rng.choices((1, 2, 3), (88, 9, 3))[0]
            self.bureaus_of[code] = rng.sample(BUREAUS, many)
            # A parent stands before its child, so that there is no ring.
            possible = self.codes if self.has_rings else self.codes[:number]
            for bureau in self.bureaus_of[code]:
                parent = rng.choice([*possible, OUTSIDE]) if self.chance(0.4) else None
                is_hospital = bureau == "health_commission"
                frame = {"is_grade_3a": self.chance(0.88), "is_in_rd_statistics": self.chance(0.92)}
                self.add(
                    f"{bureau}__unit",
                    unit_code=code,
                    area_key=rng.choice(AREAS),
                    parent_code=parent,
                    is_in_parent=parent is not None and self.chance(0.4),
                    **(frame if is_hospital else {}),
                )

    def draw_enterprises(self) -> None:
        rng = self.rng
        self.enterprises = [f"91330400MYE{rng.randint(10, 99)}{self.quarter:04}{n}" for n in range(rng.randint(1, 5))]
        twins = [code for code in self.codes if self.chance(0.05)]
        for code in [*self.enterprises, *twins]:
            # Blank, nil, small or ample; both blank: no cap.
            columns = [rng.choice((None, 0, self.amount(), 60, 100)) for _ in range(2)]
            if self.chance(0.08):
                columns = [None, None]
            institute, university = (c if c is None else abs(Decimal(c)) for c in columns)
            nil = {"external_rd_institute_wan_status": "nil"} if institute == 0 else {}
            if not self.is_aggregate_only:
                self.add(
                    "statistics_bureau__enterprise_rd",
                    enterprise_code=code,
                    area_key=rng.choice(AREAS),
                    frame_category=rng.choices(("工业", "服务业", "建筑业"), (80, 15, 5))[0],
                    rd_expense_wan=Decimal(rng.randint(0, 500)),
                    external_rd_institute_wan=institute,
                    external_rd_university_wan=university,
                    external_rd_enterprise_wan=rng.choice((None, Decimal(7))),
                    from_government_wan=rng.choice((None, Decimal(4))),
                    **nil,
                )
        for area in AREAS if self.is_aggregate_only else ():
            for category in rng.sample(("工业", "服务业", "其他"), rng.randint(0, 2)) or ["工业"]:
                self.add(
                    "statistics_bureau__enterprise_rd_area",
                    area_key=area,
                    frame_category=category,
                    enterprise_count=3,
                    rd_expense_wan=Decimal(rng.randint(0, 900)),
                    external_rd_university_wan=Decimal(50),
                    from_government_wan=rng.choice((None, Decimal(9))),
                    overlap_university_wan=rng.choice((None, Decimal(0), self.abs_amount(), Decimal(300))),
                    overlap_institute_wan=rng.choice((None, Decimal(0), self.abs_amount())),
                    overlap_hospital_wan=rng.choice((None, self.abs_amount(), Decimal(90))),
                )

    def abs_amount(self) -> Decimal:
        return abs(self.amount())

    def performer(self) -> str:
        return self.rng.choice(self.codes)

    def named(self, code: str) -> str | None:
        """The code as the other side writes it: mostly right, sometimes blank or a stranger's."""
        return self.rng.choices((code, None, OUTSIDE), (94, 3, 3))[0]

    def ledger(self, kind: str, code: str) -> str:
        return f"{self.rng.choice(self.bureaus_of[code])}__{kind}"

    # ---- flows

    def draw_budget_flow(self) -> None:
        rng = self.rng
        r, project = self.performer(), rng.choice(self.projects)
        paid, received = self.both_sides(self.amount())
        for amount in self.parts(paid):
            self.pay(r, self.maybe(project), amount)
        if self.chance(0.06):
            self.pay(r, project, self.amount(), fund_channel="对下转移支付")
        for amount in self.parts(received):
            self.receive(r, rng.choice(LOCAL), self.maybe(project), None, amount)
        if self.chance(0.35):
            self.hand_on_from(r, project, None, rng.choice(LOCAL))

    def draw_memo_flow(self) -> None:
        r, project = self.performer(), self.rng.choice(self.projects)
        paid, received = self.both_sides(self.amount())
        for amount in self.parts(paid):
            self.pay(r, self.maybe(project, 0.25), amount, memo_category=self.rng.choice(("专项债", "产业基金")))
        if self.chance(0.06):
            self.pay(r, project, self.amount(), memo_category="国企平台", fund_channel="对下转移支付")
        for amount in self.parts(received):
            self.receive(r, self.rng.choice(LOCAL), self.maybe(project, 0.3), None, amount)

    def draw_contract_flow(self) -> None:
        rng = self.rng
        e = rng.choice([*self.enterprises, *self.enterprises, OUTSIDE, self.performer()])
        u, number = self.performer(), rng.choice(self.contracts)
        paid, received = self.both_sides(self.amount())
        if e != OUTSIDE and not self.is_aggregate_only:
            for amount in self.parts(paid):
                self.sign(e, u, self.maybe(number), amount)
        for amount in self.parts(received):
            self.receive(u, "企业合同", None, self.maybe(number), amount, payer=rng.choice((e, e, e, self.named(e))))
        if self.chance(0.4):
            self.hand_on_from(u, None, number, "企业合同")

    def draw_hand_on(self) -> None:
        rng = self.rng
        channel = rng.choice((*LOCAL, *CONTRACT, *OTHER))
        project = rng.choice((*self.projects, None))
        contract = rng.choice((*self.contracts, None, None)) if project else rng.choice(self.contracts)
        self.hand_on_from(self.performer(), project, contract, channel)

    def hand_on_from(self, u: str, project: str | None, contract: str | None, channel: str | None) -> None:
        """Hand money on, once or along a chain of up to three; classes may mix."""
        rng = self.rng
        if contract and not project and self.chance(0.4):
            # The hand-on rows of contract money bear a project too; only the payee's rows tell the contract.
            project = rng.choice(self.projects)
        for _ in range(rng.choice((1, 1, 2, 3))):
            v = self.performer()
            paid, received = self.both_sides(self.amount())
            if self.chance(0.12):
                project, contract = None, None
            for amount in self.parts(paid):
                self.hand(u, v, self.maybe_other(project), contract, amount)
            for amount in self.parts(received):
                last = rng.choice((channel, channel, channel, rng.choice((*LOCAL, *CONTRACT, *OTHER))))
                number = rng.choices((contract, None, self.contracts[1]), (84, 8, 8))[0]
                self.receive(
                    v, "单位转拨", self.maybe_other(project), number, amount, payer=self.named(u), last_channel=last
                )
            u = v

    def draw_shared_number(self) -> None:
        """Two firms number their contracts with one unit alike, and the unit hands most of both on."""
        u, number, amount = self.performer(), self.rng.choice(self.contracts), self.abs_amount()
        for e in self.rng.sample(self.enterprises, min(2, len(self.enterprises))):
            if not self.is_aggregate_only:
                self.sign(e, u, number, amount)
            self.receive(u, "企业合同", None, number, amount, payer=e)
        for _ in range(2):
            self.hand_exactly(u, self.performer(), None, number, amount, "企业合同")

    def draw_crossed_numbers(self) -> None:
        """Two units have a contract of one number, the first unit with the second firm, and hand most of it on."""
        rng = self.rng
        if len(self.codes) < 3 or len(self.enterprises) < 2 or self.is_aggregate_only:
            return
        number, amount = rng.choice(self.contracts), self.abs_amount()
        firms = sorted(rng.sample(self.enterprises, 2), reverse=True)
        for u, e in zip(sorted(rng.sample(self.codes, 2)), firms, strict=True):
            self.sign(e, u, number, amount)
            self.receive(u, "企业合同", None, number, amount, payer=e)
            self.hand_exactly(u, self.performer(), None, number, amount, "企业合同")

    def draw_unmatched_handed_on(self) -> None:
        """Money that only its recipient numbers is handed on with the number, by two units to one."""
        rng = self.rng
        channel, number, v = rng.choice((*LOCAL, *CONTRACT)), rng.choice(self.contracts), self.performer()
        for _ in range(2):
            r, amount = self.performer(), self.abs_amount()
            self.receive(r, channel, None, None, amount, payer=rng.choice(self.enterprises))
            self.hand_exactly(r, v, number, number, amount + rng.choice((0, 0, 2)), channel)

    def maybe_other(self, project: str | None) -> str | None:
        return self.rng.choices((project, None, self.projects[0]), (92, 4, 4))[0]

    def draw_noise(self) -> None:
        rng = self.rng
        channel = rng.choice((*LOCAL, *CONTRACT, "中央直拨", "省级直拨", "其他"))
        number, payer = rng.choice((*self.contracts, None)), rng.choice((*self.enterprises, OUTSIDE, None))
        self.receive(self.performer(), channel, rng.choice((*self.projects, None)), number, self.amount(), payer=payer)

    # ---- rows

    def pay(self, r: str, project: str | None, amount: Decimal, **values: str) -> None:
        self.add(
            "finance_bureau__gov_payment",
            area_key=self.rng.choice(AREAS),
            budget_type=None if "memo_category" in values else "一般公共预算",
            input_category="其他",
            project_no=project,
            payee_code=self.named(r),
            amount_wan=amount,
            **({"fund_channel": self.rng.choice(("本级安排", "上级转移支付"))} | values),
        )

    def sign(self, e: str, u: str, number: str | None, amount: Decimal) -> None:
        table_id = "statistics_bureau__enterprise_contract"
        self.add(table_id, contract_no=number, payer_code=e, payee_code=self.named(u), amount_wan=amount)

    def hand_exactly(
        self, u: str, v: str, project: str | None, contract: str | None, amount: Decimal, channel: str
    ) -> None:
        self.hand(u, v, project, contract, amount)
        self.receive(v, "单位转拨", project, contract, amount, payer=u, last_channel=channel)

    def receive(
        self,
        unit: str,
        channel: str,
        project: str | None,
        contract: str | None,
        amount: Decimal,
        *,
        payer: str | None = None,
        last_channel: str | None = None,
    ) -> None:
        self.add(
            self.ledger("inflow", unit),
            unit_code=unit,
            fund_channel=channel,
            payer_code=payer,
            project_no=project,
            contract_no=contract,
            amount_wan=amount,
            final_source_channel=last_channel,
        )

    def hand(self, u: str, v: str, project: str | None, contract: str | None, amount: Decimal) -> None:
        self.add(
            self.ledger("outflow", u),
            unit_code=u,
            payee_code=self.named(v),
            project_no=project,
            contract_no=contract,
            amount_wan=amount,
        )

    # ---- totals last, so that they fit the ledgers, or do not

    def draw_totals(self) -> None:
        rng = self.rng
        for bureau in BUREAUS:
            for unit in self.tables.get(f"{bureau}__unit", []):
                rows = self.tables.get(f"{bureau}__inflow", [])
                booked = sum((r["amount_wan"] for r in rows if r["unit_code"] == unit["unit_code"]), Decimal(0))
                more = rng.choices((0, rng.randint(1, 200), -8, -20), (35, 35, 15, 15))[0]
                unit["sti_activity_wan"] = unit["own_other_wan"] = max(Decimal(0), booked + more)
                unit["own_other_wan_status"] = "reported"
        for area in AREAS:
            total = max(Decimal(0), paid_in(self.tables, area) + rng.choice((0, 0, 2, 5, 10, 300, -30)))
            self.add("finance_bureau__gov_input", area_key=area, gov_total_wan=total, general_budget_wan=total)


def paid_in(tables: Tables, area: str) -> Decimal:
    """Σ of an area's payments that are in G."""
    payments = [p for p in tables.get("finance_bureau__gov_payment", []) if p["area_key"] == area]
    in_g = [p for p in payments if p["fund_channel"] != "对下转移支付" and not p["memo_category"]]
    return sum((p["amount_wan"] for p in in_g), Decimal(0))


def random_city(rng: random.Random, *, period: str = PERIOD, has_rings: bool = False) -> Tables:
    """Return a random small city's accepted rows of one period, complete for the contracts.

    Own parents and rings are left out unless asked for: a 强制性 finding keeps them from being accepted.
    """
    city = City(rng, 0, is_aggregate_only=rng.random() < 0.08, has_rings=has_rings)
    return relabel(city.tables, period)
