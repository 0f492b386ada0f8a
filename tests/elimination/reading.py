"""A second, independent reading of the elimination text in plain Python: the oracle that the SQL is compared with.

Written from the text alone, sentence by sentence, for clarity and not for speed. Input: the accepted rows of one period by
table id, amounts Decimal 万元. The text's words are quoted where they are carried out.
What does not belong here: anything of the warehouse's own way to compute the same.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from tests.elimination.laying import Books, HandedOn, Laid, lay
from tests.elimination.matching import (
    CLASSES,
    NIL,
    Key,
    Match,
    Pile,
    Row,
    Side,
    amount_of,
    class_of,
    gather,
    match,
    normal,
)
from tests.elimination.reconciling import reconcile
from tests.elimination.result import Remark, Removal, Result
from tests.elimination.units import BUREAUS, UnitKey, Units

PeriodKind = Literal["half_year", "year"]
OVERLAP = {
    "education_bureau": "overlap_university_wan",
    "science_bureau": "overlap_institute_wan",
    "health_commission": "overlap_hospital_wan",
}


def eliminate(tables: dict[str, list[Row]], *, period_kind: PeriodKind, period: str) -> Result:
    """Return the ledger, the findings and the figures of one period."""
    return _Period(tables, period_kind, period).result


class _Period:
    """The rows of one period and, step after step, what the text makes of them."""

    def __init__(self, tables: dict[str, list[Row]], period_kind: PeriodKind, period: str) -> None:
        self.tables, self.period_kind, self.period = tables, period_kind, period
        self.result = Result()
        self._read_frames()
        self._step_1_unit_dup()
        self._read_ledgers()
        handed, oo = self._step_2_oo()
        og = self._step_3_og(handed)
        oe = self._step_4_oe(handed)
        self._step_5_caps(oo, og, oe)
        if self.is_aggregate_only:
            self._bureau_tier()
        self.result.reconciliation = reconcile(self.og_paid, self.og_received) + reconcile(
            self.oe_paid, self.oe_received
        )
        self._sum_up()

    def _rows(self, table_id: str) -> list[Row]:
        return self.tables.get(table_id, [])

    def _remark(self, kind: str, *subject: str, not_removed: Decimal = NIL) -> None:
        self.result.findings.append(Remark(kind, subject, not_removed))

    # ---- Terms

    def _read_frames(self) -> None:
        """``frame_e`` and ``frame_o``."""
        enterprises = self._rows("statistics_bureau__enterprise_rd")
        by_area = self._rows("statistics_bureau__enterprise_rd_area")
        self.is_aggregate_only = bool(by_area) and not enterprises
        # "Half-year: E counts 规上类别 = 工业 … Annual: E counts all"
        self.counted_enterprises = [row for row in enterprises if self._counts(row)]
        self.counted_area_rows = [row for row in by_area if self._counts(row)] if self.is_aggregate_only else []
        self.frame_e = {normal(row["enterprise_code"]): row for row in self.counted_enterprises}
        self.units = Units(self.tables, self.frame_e)
        self.frame_o, self.remaining = self.units.frame_o, self.units.remaining
        self.result.remaining = self.remaining

    def _counts(self, row: Row) -> bool:
        return self.period_kind == "year" or row["frame_category"] == "工业"

    # ---- 1 UNIT_DUP

    def _step_1_unit_dup(self) -> None:
        for code in sorted(self.units.own_parents):
            self._remark("OWN_PARENT", code)
        for tier, key, counterparty, partners in self.units.removed:
            amount = amount_of(self.frame_o[key], "sti_activity_wan")
            evidence = Pile([self.frame_o[key], *partners]).ids
            self._write("UNIT_DUP", tier, key, amount, "", counterparty, "", evidence, False)

    # ---- the ledgers, read once

    def _read_ledgers(self) -> None:
        """Text: "Only rows of a remaining performer count."."""
        self.inflow, self.outflow = [
            [
                row
                for bureau in BUREAUS
                for row in self._rows(f"{bureau}__{ledger}")
                if self.remaining.get(normal(row["unit_code"])) == (bureau, normal(row["unit_code"]))
            ]
            for ledger in ("inflow", "outflow")
        ]

    # ---- 2 OO

    def _step_2_oo(self) -> tuple[list[HandedOn], list[Match]]:
        """Text: "money handed on between two remaining performers u → v (u ≠ v)"."""

        def reference(row: Row) -> str:
            """Text: "The reference of a row is its 项目编号, or if blank its 合同编号."."""
            return normal(row["project_no"]) or normal(row["contract_no"])

        # "u's outflow rows to v against v's inflow rows with 资金渠道 = 单位转拨 and 出资单位 = u."
        paid = gather(
            self.outflow, lambda row: (normal(row["unit_code"]), self.units.read(row["payee_code"]), reference(row))
        )
        received = gather(
            [row for row in self.inflow if row["fund_channel"] == "单位转拨"],
            lambda row: (self.units.read(row["payer_code"]), normal(row["unit_code"]), reference(row)),
        )
        oo_paid, oo_received = self._between_units(paid), self._between_units(received)
        self.result.hand_on_pairs = {key[:2] for key in oo_paid.keys() | oo_received.keys()}
        matches = [m for m in match(oo_paid, oo_received) if m.tier != "T3"]
        return [part for m in matches for part in self._classes(m)], matches

    def _between_units(self, side: Side) -> Side:
        return {
            (u, v, reference): pile
            for (u, v, reference), pile in side.items()
            if u in self.remaining and v in self.remaining and u != v
        }

    def _classes(self, matched: Match) -> Iterable[HandedOn]:
        """Text: "if they mix, it is filled in the order local, contract, other, each class up to the sum of v's rows of that
        class."."""
        left = matched.amount
        for money_class in CLASSES:
            amount = min(left, matched.payee_pile.counted_of_class(money_class))
            left -= amount
            if amount > 0:
                p = self._contract_of(matched) if money_class == "contract" else matched.reference
                yield HandedOn(matched.tier, matched.payer, matched.payee, money_class, p, amount)

    @staticmethod
    def _contract_of(matched: Match) -> str:
        """Text: "For class contract, the p of a step-2 amount is the 合同编号 of v's rows of its key when they bear one and the
        same, else its reference."."""
        numbers = {normal(row["contract_no"]) for row in matched.payee_pile.rows}
        one = numbers.pop() if len(numbers) == 1 and matched.tier == "T1" else ""
        return one or matched.reference

    # ---- 3 OG

    def _step_3_og(self, handed: list[HandedOn]) -> list[Laid]:
        def key_of(row: Row) -> tuple[str, str, str]:
            return "", self.units.read(row["payee_code"]), normal(row["project_no"])

        # "B(r,p): Σ gov_payment.金额 to r for project p, without 附项 and without 对下转移支付."
        # A row with 对下转移支付 is counted by the receiving county's own rows, as 附项 too.
        payments = [p for p in self._rows("finance_bureau__gov_payment") if p["fund_channel"] != "对下转移支付"]
        of_g = [p for p in payments if not p["memo_category"]]
        paid = gather((p for p in of_g if self.units.read(p["payee_code"]) in self.remaining), key_of)
        # "I(r,p): Σ r's own inflow rows of class local for p."
        received = gather(
            (row for row in self.inflow if class_of(row["fund_channel"]) == "local"),
            lambda row: ("", normal(row["unit_code"]), normal(row["project_no"])),
        )
        memo = gather((p for p in payments if p["memo_category"]), key_of)
        self._set_aside(received, memo)
        self.og_paid, self.og_received = paid, received

        matches = match(paid, received)
        matches = [m for m in matches if m.tier != "T3"] + self._limit_t3([m for m in matches if m.tier == "T3"], of_g)
        t1_keys = {(m.payer, m.payee, m.reference) for m in matches if m.tier == "T1"}
        return self._lay("OG", "local", matches, t1_keys, received, handed)

    def _set_aside(self, received: Side, memo: Side) -> None:
        """Text: "First, money that came as 附项 is set aside, for it is not in G"."""
        for r in sorted(self.remaining):
            came = sum((pile.total for (_, payee, _), pile in memo.items() if payee == r), NIL)
            # "from I(r,p) up to the 附项 payments to r for p"
            for key in sorted(memo.keys() & received.keys()):
                if key[1] == r and key[2]:
                    received[key].aside = min(received[key].counted, memo[key].counted)
                    came -= received[key].aside
            # "then what is left of r's 附项 payments from r's local rows without 项目编号."
            without_number = received.get(("", r, ""))
            if without_number:
                without_number.aside = min(without_number.counted, max(NIL, came))
        # What was set aside whole is no side of anything.
        for key in [key for key, pile in received.items() if pile.aside > 0 and pile.total == 0]:
            del received[key]

    def _limit_t3(self, declared: list[Match], of_g: list[Row]) -> list[Match]:
        """Text: "In ascending code order as long as Σ T3 ≤ max(0, G total − Σ all ledger payments without 附项 and
        对下转移支付), city-wide; the unit that meets the limit is cut, the rest get nothing, with a finding."."""
        g_total = sum((amount_of(row, "gov_total_wan") for row in self._rows("finance_bureau__gov_input")), NIL)
        room = max(NIL, g_total - Pile(of_g).total)
        kept = []
        for m in sorted(declared, key=lambda m: m.payee):
            amount = min(m.amount, room)
            room -= amount
            if amount < m.amount:
                self._remark("OG_T3_LIMIT", m.payee, not_removed=m.amount - amount)
            kept.append(_with_amount(m, amount))
        return [m for m in kept if m.amount > 0]

    # ---- 4 OE

    def _step_4_oe(self, handed: list[HandedOn]) -> list[Laid]:
        # "its own inflow rows of class contract whose 出资单位 e is in frame_e, against enterprise_contract."
        received = gather(
            (row for row in self.inflow if class_of(row["fund_channel"]) == "contract"),
            lambda row: (normal(row["payer_code"]), normal(row["unit_code"]), normal(row["contract_no"])),
        )
        received = {key: pile for key, pile in received.items() if key[0] in self.frame_e}
        paid = gather(
            self._rows("statistics_bureau__enterprise_contract"),
            lambda row: (normal(row["payer_code"]), self.units.read(row["payee_code"]), normal(row["contract_no"])),
        )
        paid = {key: pile for key, pile in paid.items() if key[0] in self.frame_e and key[1] in self.remaining}
        self.oe_paid, self.oe_received = paid, received
        matches = match(paid, received)
        t1_keys = {(m.payer, m.payee, m.reference) for m in matches if m.tier == "T1"}
        return self._lay("OE", "contract", self._cap_enterprises(matches), t1_keys, received, handed)

    def _cap_enterprises(self, matches: list[Match]) -> list[Match]:
        """Text: "Cap: Σ of e over all tiers ≤ e's 委托境内研究机构 + 委托境内高等学校, whatever u's sector"."""
        kept = []
        for e in sorted({m.payer for m in matches}):
            columns = [self.frame_e[e][c] for c in ("external_rd_institute_wan", "external_rd_university_wan")]
            # "one of the two blank or nil counts 0; both blank: no cap, a 核实性 finding."
            has_cap = any(value is not None for value in columns)
            room = sum((value for value in columns if value is not None), NIL)
            if not has_cap:
                self._remark("OE_NO_CAP", e)
            # "Tiers in order; within a tier ascending by (code of u, 合同编号); the row that meets the cap is cut, the
            # rest get nothing, with a finding."
            for m in sorted((m for m in matches if m.payer == e), key=lambda m: (m.tier, m.payee, m.reference)):
                amount = min(m.amount, room) if has_cap else m.amount
                room -= amount
                if amount < m.amount:
                    self._remark("OE_CAP", e, m.tier, m.payee, m.reference, not_removed=m.amount - amount)
                kept.append(_with_amount(m, amount))
        return [m for m in kept if m.amount > 0]

    # ---- Laying

    def _lay(
        self,
        reason: str,
        money_class: str,
        matches: list[Match],
        t1_keys: set[Key],
        own: Side,
        handed: list[HandedOn],
    ) -> list[Laid]:
        of_class = [part for part in handed if part.money_class == money_class]
        books = Books({(u, p) for _, u, p in t1_keys}, {}, {}, of_class)
        for key, pile in own.items():
            _, u, p = key
            if (u, p) in books.t1_keys:
                books.own[u, p] = books.own.get((u, p), NIL) + pile.counted
            # "that T1 did not match (whole keys)": T1 of step 4 matches (e, u, 合同编号).
            if key not in t1_keys:
                books.own_unmatched[u] = books.own_unmatched.get(u, NIL) + pile.counted
        laid = lay(matches, books)
        for part in laid:
            if not part.unit:
                m = part.duplicate
                self._remark("LAY_FAILED", reason, m.tier, m.payee, m.payer, m.reference, not_removed=part.amount)
        return [part for part in laid if part.unit]

    # ---- 5 Caps, and the ledger

    def _step_5_caps(self, oo: list[Match], og: list[Laid], oe: list[Laid]) -> None:
        # "Removed from u." — the payer of money handed on.
        rows = [("OO", m.tier, m.payer, m.amount, "", m.payee, m.reference, m.evidence) for m in oo]
        # Per T1 key of step 4, its payers and their evidence.
        keys: dict[tuple[str, str], dict[str, frozenset[str]]] = {}
        for m in (part.duplicate for part in oe if part.duplicate.tier == "T1"):
            keys.setdefault((m.payee, m.reference), {})[m.payer] = m.evidence
        for reason, laid in (("OG", og), ("OE", oe)):
            for part in laid:
                m = part.duplicate
                # "first_recipient: r or u of the key, when it differs from the unit."
                first = "" if m.payee == part.unit else m.payee
                # "OG blank; OE the payer e (T1 laid on a unit handed money: the payer if the key has one, else blank)"
                of_key = keys.get((m.payee, m.reference), {}) if reason == "OE" and m.tier == "T1" else {}
                is_shared = bool(first) and len(of_key) > 1
                counterparty = "" if is_shared else m.payer
                # "There, a key's first recipient is u and its d the sum over e": the rows of all payers are its evidence.
                evidence = frozenset().union(*of_key.values()) if is_shared else m.evidence
                rows.append((reason, m.tier, part.unit, part.amount, first, counterparty, m.reference, evidence))
        # Parts of one duplicate, or of several payers, that fall on one unit are one row of the ledger.
        merged: dict[tuple[str, str, str, str, str, str, str], tuple[Decimal, frozenset[str]]] = {}
        for reason, tier, unit, amount, first, counterparty, reference, evidence in rows:
            # "in the order OO, OG, OE, and within a reason by (tier, counterparty, reference, first recipient)"
            place = str(["OO", "OG", "OE"].index(reason))
            key = (unit, place, tier, counterparty, reference, first, reason)
            before = merged.get(key, (NIL, frozenset()))
            merged[key] = (before[0] + amount, before[1] | evidence)
        room = {code: amount_of(self.frame_o[key], "sti_activity_wan") for code, key in self.remaining.items()}
        for key in sorted(merged):
            unit, _, tier, counterparty, reference, first, reason = key
            wanted, evidence = merged[key]
            # "Σ removed of a unit ≤ its 科技活动费用合计 … the row that meets the cap is cut, with a finding."
            amount = min(wanted, room[unit])
            room[unit] -= amount
            if amount < wanted:
                subject = (unit, reason, tier, counterparty, reference, first)
                self._remark("UNIT_CAP", *subject, not_removed=wanted - amount)
            # "T3 (declared, estimated)"
            is_estimated = tier == "T3"
            self._write(
                reason, tier, self.remaining[unit], amount, first, counterparty, reference, evidence, is_estimated
            )

    def _write(
        self,
        reason: str,
        tier: str,
        key: UnitKey,
        amount: Decimal,
        first_recipient: str,
        counterparty: str,
        reference: str,
        evidence: frozenset[str],
        estimated: bool,
    ) -> None:
        """Write one row; "every step's amounts are > 0"; ``area``: "its area as reported"."""
        if amount > 0:
            provider, unit = key
            area = self.frame_o[key]["area_key"]
            of_flow = (first_recipient, counterparty, reference, evidence, estimated)
            self.result.ledger.append(Removal(self.period, reason, tier, provider, unit, area, amount, *of_flow))

    def _bureau_tier(self) -> None:
        """Text: "the bureau's three sums per area …, one ledger row per sector and area, no unit, cut at what that sector has
        left in that area."."""
        for provider, column in OVERLAP.items():
            for area in sorted({row["area_key"] for row in self.counted_area_rows}):
                rows = [row for row in self.counted_area_rows if row["area_key"] == area]
                wanted = sum((amount_of(row, column) for row in rows), NIL)
                amount = min(wanted, self._left_in(provider, area))
                if amount < wanted:
                    self._remark("BUREAU_CAP", provider, area, not_removed=wanted - amount)
                if amount > 0:
                    of_flow = ("", "", "", Pile(rows).ids, False)
                    row = Removal(self.period, "OE", "bureau", provider, "", area, amount, *of_flow)
                    self.result.ledger.append(row)

    def _left_in(self, provider: str, area: str) -> Decimal:
        units = [row for (p, _), row in self.frame_o.items() if (p, row["area_key"]) == (provider, area)]
        gross = sum((amount_of(row, "sti_activity_wan") for row in units), NIL)
        removed = [row.amount_wan for row in self.result.ledger if (row.provider, row.area) == (provider, area)]
        return gross - sum(removed, NIL)

    # ---- the figures

    def _sum_up(self) -> None:
        result = self.result
        for key, row in self.frame_o.items():
            removed = [row.amount_wan for row in result.ledger if (row.provider, row.unit_code) == key]
            result.gross[key] = amount_of(row, "sti_activity_wan")
            result.net[key] = result.gross[key] - sum(removed, NIL)
        # "EG Σ 来自政府部门的资金, EE Σ 委托境内企业 (null in aggregate-only mode)"
        e_rows = self.counted_area_rows if self.is_aggregate_only else self.counted_enterprises
        result.eg_wan = sum((amount_of(row, "from_government_wan") for row in e_rows), NIL)
        if not self.is_aggregate_only:
            result.ee_wan = sum((amount_of(row, "external_rd_enterprise_wan") for row in e_rows), NIL)
        g_rows = self._rows("finance_bureau__gov_input")
        for area in sorted({row["area_key"] for row in [*g_rows, *e_rows, *self.frame_o.values()]}):
            for provider in BUREAUS:
                of_sector = [k for k, row in self.frame_o.items() if (k[0], row["area_key"]) == (provider, area)]
                gross = sum((result.gross[k] for k in of_sector), NIL)
                result.by_sector[provider, area] = {"O_gross": gross, "O_net": self._left_in(provider, area)}
            figures = {
                "G": sum((amount_of(row, "gov_total_wan") for row in g_rows if row["area_key"] == area), NIL),
                "E": sum((amount_of(row, "rd_expense_wan") for row in e_rows if row["area_key"] == area), NIL),
            }
            for figure in ("O_gross", "O_net"):
                figures[figure] = sum((result.by_sector[p, area][figure] for p in BUREAUS), NIL)
            # "total = G + E + O_net"
            figures["total"] = figures["G"] + figures["E"] + figures["O_net"]
            result.by_area[area] = figures


def _with_amount(m: Match, amount: Decimal) -> Match:
    return Match(m.tier, m.payer, m.payee, m.reference, amount, m.evidence, m.payee_pile)
