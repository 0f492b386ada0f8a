"""Contract money of firms above the threshold on both sides: what the firm books and what the performer receives."""

from random import Random

from sources.demo_city.city import Firm, Performer
from sources.demo_city.firms import Firms
from sources.demo_city.ledgers import YearLedgers
from sources.demo_city.money import whole

CASES = {
    "differs": 0.03, "payer_unnumbered": 0.02, "payee_unnumbered": 0.02, "both_unnumbered": 0.01, "column_only": 0.01,
    "unbooked": 0.004, "booked_only": 0.008, "returned": 0.02,
}  # fmt: skip
"""Share of each unusual case among all contracts."""


def commission(
    rng: Random, ledgers: YearLedgers, firms: Firms, half: int, performer: Performer, fen: int, case: str, firm: Firm
) -> None:
    """Enter ``fen`` that ``firm`` pays the performer on both sides, as ``case`` says."""
    kind = "university" if performer.sector == "university" else "institute"
    number = ledgers.new_contract()
    day = ledgers.day(rng, half)
    if case == "column_only":
        firms.book(half, firm, kind, fen)
    elif case != "unbooked":
        booked = whole(fen * rng.uniform(0.97, 0.99)) if case == "differs" else fen
        shown = None if case in ("payer_unnumbered", "both_unnumbered") else number
        day = ledgers.after(rng, firms.commission(rng, half, firm, performer, kind, booked, shown).on)
    shown = None if case in ("payee_unnumbered", "both_unnumbered") else number
    payer = (firm.name, firm.code)
    receipt = ledgers.receive(day, performer.index, "large", fen, payer, contract=shown)
    if case == "booked_only":
        part = whole(fen * 0.3)
        firms.commission(rng, half, firms.draw(rng, half, part), performer, kind, part, ledgers.new_contract())
    elif case == "returned":
        back = whole(fen * 0.2)
        firms.commission(rng, half, firm, performer, kind, -back, number).on = day
        receipt.left -= back
        ledgers.receive(ledgers.after(rng, day), performer.index, "large", -back, payer, contract=number)
