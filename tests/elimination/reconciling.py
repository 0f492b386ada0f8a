"""The table beside the ledger: both sides of every pair of funder and performer, compared.

Of funders only: between performers, the differences of step 2 are findings of their own.
"""

from tests.elimination.matching import NIL, Side
from tests.elimination.result import Reconciliation

GOVERNMENT = "330400"
"""The budgets as one funder."""
BANDS = {"agree": 3, "ask": 10}


def reconcile(paid: Side, received: Side) -> list[Reconciliation]:
    """Text: "per pair (funder, performer): funder side, performer side (after setting aside 附项), difference (of the larger
    side), band (≤ 3 % agree, ≤ 10 % ask, > 10 % 核实性 finding)".

    Cross-multiplied: where neither side is above 0, any difference is to be asked about.
    """
    rows = []
    for funder, performer in sorted({key[:2] for key in paid.keys() | received.keys()}):
        ours, theirs = (
            sum((pile.total for key, pile in side.items() if key[:2] == (funder, performer)), NIL)
            for side in (paid, received)
        )
        difference, larger = abs(ours - theirs), max(ours, theirs)
        band = next((band for band, pct in BANDS.items() if difference * 100 <= larger * pct), "query")
        rows.append(Reconciliation(funder or GOVERNMENT, performer, ours, theirs, ours - theirs, band))
    return rows
