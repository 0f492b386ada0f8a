"""Local budget money (市县财政, 上级转移支付) on both sides: the area's payment and the performer's receipt.

Most flows stand on both sides with the same project and amount; a few differ in the ways that the elimination must cope
with. The odd part of a flow is small, so that the two sides of a performer's whole account stay close.
"""

from random import Random

from sources.demo_city.areas import CITY_LEVEL
from sources.demo_city.city import City, Performer
from sources.demo_city.government import Government
from sources.demo_city.ledgers import Payment, Receipt, YearLedgers
from sources.demo_city.money import STEP, whole

CASES = {
    "two_vouchers": 0.03, "two_receipts": 0.02, "differs": 0.04, "differs_much": 0.003, "payment_unnumbered": 0.015,
    "receipt_unnumbered": 0.015, "both_unnumbered": 0.015, "declared_only": 0.02, "paid_only": 0.02, "memo": 0.015,
    "memo_unnumbered": 0.005, "returned": 0.02, "taken_back": 0.003, "passed_down": 0.02, "odd_fen": 0.02,
}  # fmt: skip
"""Share of each unusual case among all flows."""

ODD_PART = 0.15
CHANNELS = {"local": "本级安排", "upper": "上级转移支付"}

Payer = tuple[str | None, str | None]


class Fiscal:
    """Writes the flows of one year."""

    def __init__(self, city: City, ledgers: YearLedgers, government: Government, rng: Random) -> None:
        """Pay out of ``government``, drawing from ``rng``."""
        self._city, self._ledgers, self._government, self._rng = city, ledgers, government, rng
        self._projects: dict[int, list[str]] = {}

    def flow(self, half: int, performer: Performer, column: str, fen: int, case: str) -> None:
        """Enter ``fen`` of income in ``column`` on both sides, as ``case`` says."""
        project, channel = self._project(performer), CHANNELS[column]
        side = whole(fen * ODD_PART) if case in ("declared_only", "memo", "memo_unnumbered") else 0
        main = fen - side + (self._rng.randrange(1, STEP) if case == "odd_fen" else 0)
        payment = self._pay(half, performer, main, project, channel, case)
        treasury = self._city.county_treasuries.get(payment.area.name) if payment else None
        payer: Payer = (treasury.name, treasury.code) if treasury else ("市财政局", None)
        receipt = self._receive(half, performer, column, main, project, payment, payer, case)
        self._beside(half, performer, column, fen, side, payer, case)
        if case == "returned" and payment:
            self._return(payment, receipt, payer)
        elif case == "passed_down" and performer.area is not CITY_LEVEL:
            self._government.pass_down(self._rng, half, performer, main, project)

    def _project(self, performer: Performer) -> str:
        """Return a new project number, at times one that this performer or another already has."""
        own, pick = self._projects.setdefault(performer.index, []), self._rng.random()
        others = self._projects[min(self._projects)]
        if own and pick < 0.15:
            return self._rng.choice(own)
        if others and pick > 0.985:
            return self._rng.choice(others)
        own.append(self._ledgers.new_project())
        return own[-1]

    def _pay(self, half: int, performer: Performer, fen: int, project: str, channel: str, case: str) -> Payment | None:
        """Enter the payer's side, in one voucher or two; None if no budget has room."""
        rng, paid = self._rng, fen
        if case in ("differs", "differs_much"):
            low, high = (0.01, 0.03) if case == "differs" else (0.12, 0.2)
            paid = whole(fen * (1 + rng.choice((-1, 1)) * rng.uniform(low, high)))
        number = None if case in ("payment_unnumbered", "both_unnumbered") else project
        parts = [paid - whole(paid * 0.4), whole(paid * 0.4)] if case == "two_vouchers" else [paid]
        payments = [self._government.pay(rng, half, performer.area, performer, p, number, channel) for p in parts]
        return payments[0]

    def _receive(
        self,
        half: int,
        performer: Performer,
        column: str,
        fen: int,
        project: str,
        payment: Payment | None,
        payer: Payer,
        case: str,
    ) -> Receipt:
        """Enter the performer's side, in one receipt or two; return the last."""
        number = None if case in ("receipt_unnumbered", "both_unnumbered") else project
        parts = [whole(fen * 0.3), fen - whole(fen * 0.3)] if case == "two_receipts" else [fen]
        for part in parts:
            day = self._ledgers.after(self._rng, payment.on) if payment else self._ledgers.day(self._rng, half)
            receipt = self._ledgers.receive(day, performer.index, column, part, payer, number)
        return receipt

    def _beside(
        self, half: int, performer: Performer, column: str, fen: int, side: int, payer: Payer, case: str
    ) -> None:
        """Enter what stands on one side only, or came as 附项 and was booked as local money."""
        rng, government, channel = self._rng, self._government, CHANNELS[column]
        if side:
            number = self._ledgers.new_project()
            if case != "declared_only":
                government.pay_memo(rng, half, performer.area, performer, side, number)
            shown = None if case == "memo_unnumbered" else number
            self._ledgers.receive(self._ledgers.day(rng, half), performer.index, column, side, payer, shown)
        elif case == "paid_only":
            number = self._ledgers.new_project()
            government.pay(rng, half, performer.area, performer, whole(fen * ODD_PART), number, channel)
        elif case == "taken_back":
            number = self._ledgers.new_project()
            mistaken = government.pay(rng, half, performer.area, performer, whole(fen * 0.5), number, channel)
            if mistaken:
                government.take_back(rng, mistaken, mistaken.fen)

    def _return(self, payment: Payment, receipt: Receipt, payer: Payer) -> None:
        """Send a part of a flow back, a negative row on both sides."""
        back = whole(receipt.fen * ODD_PART)
        self._government.take_back(self._rng, payment, back)
        receipt.left -= back
        day = self._ledgers.after(self._rng, receipt.on)
        self._ledgers.receive(day, receipt.performer, receipt.column, -back, payer, receipt.project)
