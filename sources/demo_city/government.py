"""What the areas' budgets spend in a half-year, how much of it the ledger may list, and the payments that fill it."""

from dataclasses import replace
from random import Random

from sources.demo_city.areas import AREAS, CITY_LEVEL, Area
from sources.demo_city.city import City, Party
from sources.demo_city.ledgers import HALVES, Payment, YearLedgers, half_of
from sources.demo_city.money import STEP, YI, split, whole

BUDGET_TYPES = ("一般公共预算", "政府性基金预算", "国有资本经营预算")
ITEMS = {"科研平台": 0.36, "人才引育": 0.25, "概念验证中心、中试平台": 0.06, "科技企业孵化器": 0.06}
MEMOS = ("专项债", "国企平台", "产业基金")
UNUSED_MEMO = ("嘉兴港区", "产业基金")
"""One cell of the summary that is left blank every time: not reported, which is not zero."""

HALF_YEAR = 30 * YI
PAYMENTS_PER_HALF = {1: 20_000, 2: 18_000}

Cell = tuple[str, str]


class HalfBudget:
    """One half-year of all areas: summary figures, and the room that the ledger still has below each of them."""

    def __init__(self, city: City, year: int, half: int) -> None:
        """Set the summary figures of ``half`` of ``year``."""
        base = city.rng("government")
        year_rng = city.rng("government", year)
        growth = city.growth("government", len(AREAS), year, 0.10, 0.025)
        self.budget: dict[Cell, int] = {}
        self.item: dict[Cell, int] = {}
        self.memo: dict[Cell, int] = {}
        self._room: dict[Cell, int] = {}
        for area, factor in zip(AREAS, growth, strict=True):
            first, size = base.uniform(0.45, 0.48), base.uniform(0.92, 1.08)
            general, fund = base.uniform(0.78, 0.86), base.uniform(0.08, 0.11)
            part = first if half == 1 else 1 - first
            total = HALF_YEAR / 0.465 * city.scale * area.gov * size * factor * part
            for budget_type, share in zip(BUDGET_TYPES, (general, fund, 1 - general - fund), strict=True):
                self._set(self.budget, (area.name, budget_type), total * share, year_rng.uniform(0.76, 0.9))
            for item, share in ITEMS.items():
                wobble = base.uniform(0.85, 1.15) * year_rng.uniform(0.97, 1.03)
                self._set(self.item, (area.name, item), total * share * wobble, 0.85)
            for memo in MEMOS:
                amount = total * base.uniform(0.02, 0.035) * year_rng.uniform(0.95, 1.05)
                if (area.name, memo) != UNUSED_MEMO:
                    self._set(self.memo, (area.name, memo), amount, 0.85)

    def _set(self, figures: dict[Cell, int], cell: Cell, fen: float, listed: float) -> None:
        """Record a summary figure and how much of it the ledger lists at most."""
        figures[cell] = whole(fen)
        self._room[cell] = whole(fen * listed)

    def take(self, rng: Random, area: Area, fen: int) -> tuple[Area, str] | None:
        """Find a budget with room for ``fen``, near ``area`` first, and use that room up."""
        others = sorted(AREAS, key=lambda a: -self._room[a.name, BUDGET_TYPES[0]])
        kinds = BUDGET_TYPES if rng.random() < 0.8 else BUDGET_TYPES[1:] + BUDGET_TYPES[:1]
        for place in (area, CITY_LEVEL, *others):
            for kind in kinds:
                if self._room[place.name, kind] >= fen:
                    self._room[place.name, kind] -= fen
                    return place, kind
        return None

    def give_back(self, payment: Payment, fen: int) -> None:
        """Free the room of ``fen`` of a payment that came back."""
        if payment.budget_type:
            self._room[payment.area.name, payment.budget_type] += fen

    def take_memo(self, rng: Random, area: Area, fen: int) -> tuple[Area, str] | None:
        """Find an 附项 with room for ``fen`` and use that room up."""
        for place in (area, CITY_LEVEL, *AREAS):
            for memo in rng.sample(MEMOS, len(MEMOS)):
                if self._room.get((place.name, memo), 0) >= fen:
                    self._room[place.name, memo] -= fen
                    return place, memo
        return None

    def take_item(self, rng: Random, area: Area, fen: int) -> str:
        """Choose the 投入类别 of a payment: one of the four items as long as it has room, else 其他."""
        rooms = [max(0, self._room[area.name, item]) for item in ITEMS]
        rest = 0.35 * sum(rooms) + 1
        choice = rng.choices((*ITEMS, "其他"), (*rooms, rest))[0]
        if choice != "其他":
            if self._room[area.name, choice] < fen:
                return "其他"
            self._room[area.name, choice] -= fen
        return choice

    def left(self) -> dict[Cell, int]:
        """Return the room left per area and budget type."""
        return {cell: self._room[cell] for cell in self.budget}


class Government:
    """The budgets of one year's two halves, and the paying out of them."""

    def __init__(self, city: City, ledgers: YearLedgers) -> None:
        """Set up the budgets of the ledgers' year."""
        self._city, self._ledgers = city, ledgers
        self.halves = {half: HalfBudget(city, ledgers.year, half) for half in HALVES}

    def pay(
        self, rng: Random, half: int, area: Area, payee: Party, fen: int, project: str | None, channel: str = "本级安排"
    ) -> Payment | None:
        """Enter a payment where a budget has room; None if nowhere has."""
        budget = self.halves[half]
        place = budget.take(rng, area, fen)
        if place is None:
            return None
        category = budget.take_item(rng, place[0], fen)
        day = self._ledgers.day(rng, half)
        payment = Payment(day, place[0], place[1], category, channel, project, payee, fen)
        self._ledgers.payments.append(payment)
        return payment

    def pay_memo(
        self, rng: Random, half: int, area: Area, payee: Party, fen: int, project: str | None
    ) -> Payment | None:
        """Enter an 附项 payment, which has no budget type and is in no total; None if no 附项 has room."""
        place = self.halves[half].take_memo(rng, area, fen)
        if place is None:
            return None
        day = self._ledgers.day(rng, half)
        payment = Payment(day, place[0], None, "其他", "本级安排", project, payee, fen, memo=place[1])
        self._ledgers.payments.append(payment)
        return payment

    def take_back(self, rng: Random, payment: Payment, fen: int) -> None:
        """Enter a negative row (退回、冲销) for ``fen`` of ``payment``, in the same half-year."""
        day = self._ledgers.after(rng, payment.on)
        self._ledgers.payments.append(replace(payment, on=day, fen=-fen))
        self.halves[half_of(day)].give_back(payment, fen)

    def pass_down(self, rng: Random, half: int, payee: Party, fen: int, project: str | None) -> None:
        """List money that the city passes to a county: counted by the county's own rows, so it takes no room here."""
        day = self._ledgers.day(rng, half)
        self._ledgers.payments.append(
            Payment(day, CITY_LEVEL, BUDGET_TYPES[0], "其他", "对下转移支付", project, payee, fen)
        )

    def fill(self) -> None:
        """Add what does not go to performers: 附项, money passed down, and payments to firms until the room is used."""
        for half in HALVES:
            rng = self._city.rng("fill", self._ledgers.year, half)
            wanted = round(PAYMENTS_PER_HALF[half] * self._city.scale)
            self._fill_memos(rng, half, max(4, round(wanted * 0.015)))
            self._fill_passed_down(rng, half, max(3, round(wanted * 0.006)))
            listed = sum(1 for p in self._ledgers.payments if half_of(p.on) == half)
            self._fill_budgets(rng, half, max(30, wanted - listed))

    def number(self) -> None:
        """Give every payment its voucher, by date: the first half keeps its numbers in the whole year's return."""
        rng = self._city.rng("vouchers", self._ledgers.year)
        self._ledgers.payments.sort(key=lambda payment: payment.on)
        for number, payment in enumerate(self._ledgers.payments, 1):
            payment.voucher = f"PZ{self._ledgers.year}{number:06d}"
            payment.project_name = f"示例科技项目{rng.randrange(1000, 10_000)}"

    def _fill_memos(self, rng: Random, half: int, count: int) -> None:
        mean = sum(self.halves[half].memo.values()) / count * 0.5
        for _ in range(count):
            payee = rng.choice((*self._city.operators, rng.choice(self._city.firms)))
            fen = whole(mean * rng.uniform(0.3, 1.2))
            self.pay_memo(rng, half, rng.choice(AREAS), payee, fen, self._ledgers.new_project())

    def _fill_passed_down(self, rng: Random, half: int, count: int) -> None:
        mean = self.halves[half].budget[CITY_LEVEL.name, BUDGET_TYPES[0]] * 0.15 / count
        for _ in range(count):
            payee = rng.choice(list(self._city.county_treasuries.values()))
            self.pass_down(rng, half, payee, whole(mean * rng.uniform(0.5, 1.5)), self._ledgers.new_project())

    def _fill_budgets(self, rng: Random, half: int, count: int) -> None:
        budget = self.halves[half]
        rooms = budget.left()
        areas = {area.name: area for area in AREAS}
        total = sum(rooms.values())
        for (name, budget_type), room in rooms.items():
            for fen in self._with_odd_fen(rng, split(rng, room // STEP * STEP, round(count * room / total))):
                area, payee = areas[name], self._payee(rng)
                category = budget.take_item(rng, area, fen)
                channel = "上级转移支付" if name != CITY_LEVEL.name and rng.random() < 0.12 else "本级安排"
                project = self._ledgers.new_project()
                day = self._ledgers.day(rng, half)
                self._ledgers.payments.append(Payment(day, area, budget_type, category, channel, project, payee, fen))

    def _payee(self, rng: Random) -> Party:
        pick = rng.random()
        if pick < 0.002:
            return self._city.village
        if pick < 0.16:
            return rng.choice(self._city.operators)
        return rng.choice(self._city.small_firms if pick < 0.32 else self._city.firms)

    @staticmethod
    def _with_odd_fen(rng: Random, amounts: list[int]) -> list[int]:
        """Move a few odd fen between neighbours, so that some rows go down to the fen and the sum stays."""
        for place in range(1, len(amounts)):
            if rng.random() < 0.02:
                odd = rng.randrange(1, 9_999)
                amounts[place - 1] += odd
                amounts[place] -= odd
        return amounts
