"""Money that performers hand on to each other, cut out of what they received, in chains of up to three."""

from dataclasses import replace
from random import Random

from sources.demo_city.city import City, Performer
from sources.demo_city.ledgers import HALVES, HandOn, Receipt, YearLedgers, half_of
from sources.demo_city.money import STEP, WAN, deal, split_by_mean, whole

CASES = {"differs": 0.03, "paid_only": 0.015, "received_only": 0.015, "returned": 0.015, "unnumbered": 0.008}
CHANNELS = {
    "central": "中央直拨", "provincial": "省级直拨", "local": "市县财政", "upper": "上级转移支付",
    "large": "企业合同", "other_firm": "企业合同", "nonlocal": "企业合同",
    "overseas": "其他", "commercial": "其他", "own": "其他", "from_units": "单位转拨",
}  # fmt: skip
"""资金渠道 of each source column of 科技活动费用."""

MEAN = 40 * WAN
MOST_OF_A_RECEIPT = 0.7
CHAINED = 0.5
LONGEST_CHAIN = 2


def hand_on(city: City, ledgers: YearLedgers) -> None:
    """Write the sums handed on in both halves, to each performer from its donors, in an order that makes no rings."""
    growth = city.growth("handed on", len(city.performers), ledgers.year, 0.08, 0.05)
    for half in HALVES:
        rng = city.rng("hand on", ledgers.year, half)
        received: dict[int, list[Receipt]] = {}
        for receipt in ledgers.receipts:
            if half_of(receipt.on) == half:
                received.setdefault(receipt.performer, []).append(receipt)
        tasks = [
            (city.performers[donor], taker, fen)
            for taker in (city.performers[index] for index in city.hand_on_order)
            for donor in taker.donors
            for fen in split_by_mean(rng, _wanted(taker, growth[taker.index], half), MEAN)
        ]
        for (donor, taker, fen), case in zip(tasks, deal(rng, len(tasks), CASES, "matched"), strict=True):
            source = _source(rng, received.get(donor.index, []), fen)
            if source:
                receipt = _transfer(rng, ledgers, donor, taker, source, fen, case)
                if case != "paid_only":
                    ledgers.receipts.append(receipt)
                    received.setdefault(taker.index, []).append(receipt)
                if case == "returned":
                    _return(rng, ledgers, receipt)


def _wanted(taker: Performer, growth: float, half: int) -> int:
    """Return what the performer is handed by each of its donors in this half-year."""
    part = taker.first_half if half == 1 else 1 - taker.first_half
    return whole(taker.from_units * growth * part / len(taker.donors))


def _source(rng: Random, receipts: list[Receipt], fen: int) -> Receipt | None:
    """Choose the receipt that ``fen`` is cut out of: numbered, large enough, often one that was itself handed on."""
    usable = [
        r
        for r in receipts
        if (r.project or r.contract) and r.left >= 10 * STEP and r.hops < LONGEST_CHAIN and CHANNELS[r.column] != "其他"
    ]
    fitting = [r for r in usable if r.left * MOST_OF_A_RECEIPT >= fen]
    chained = [r for r in fitting if r.hops]
    if chained and rng.random() < CHAINED:
        return rng.choice(chained)
    return rng.choice(fitting) if fitting else max(usable, key=lambda r: r.left, default=None)


def _transfer(
    rng: Random, ledgers: YearLedgers, donor: Performer, taker: Performer, source: Receipt, fen: int, case: str
) -> Receipt:
    """Enter what the donor sent, as ``case`` says, and return what the taker books."""
    fen = min(fen, whole(source.left * MOST_OF_A_RECEIPT))
    source.left -= fen
    is_numbered = case != "unnumbered"
    project = source.project if is_numbered else None
    contract = source.contract if is_numbered else None
    sent = ledgers.after(rng, source.on)
    if case != "received_only":
        ledgers.handed_on.append(HandOn(sent, donor.index, taker, fen, project, contract))
    got = whole(fen * rng.uniform(0.95, 0.98)) if case == "differs" else fen
    channel = CHANNELS[source.column]
    return Receipt(
        on=ledgers.after(rng, sent),
        performer=taker.index,
        column="from_units",
        fen=got,
        payer_name=donor.name,
        payer_code=donor.code,
        project=project,
        contract=contract,
        final_code=source.final_code if source.hops else source.payer_code,
        final_channel=source.final_channel if source.hops else channel,
        hops=source.hops + 1,
        left=got,
    )


def _return(rng: Random, ledgers: YearLedgers, receipt: Receipt) -> None:
    """Send a part back to the donor: a negative row in both ledgers."""
    sent = ledgers.handed_on[-1]
    back = whole(receipt.fen * 0.15)
    day = ledgers.after(rng, receipt.on)
    ledgers.handed_on.append(replace(sent, on=day, fen=-back))
    receipt.left -= back
    ledgers.receipts.append(replace(receipt, on=day, fen=-back, left=0))
