"""The section "Laying" of the text: on whose figure a duplicate of step 3 or 4 falls. Same rule for both.

What does not belong here: finding the duplicates (`reading`), and the caps of step 5 (`reading`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from tests.elimination.matching import NIL, Match

UnitRef = tuple[str, str]
"""(unit code, p): p is 项目编号 for OG, 合同编号 for OE."""


@dataclass(frozen=True)
class HandedOn:
    """A part of one step-2 amount u → v, of one class; ``p`` is blank for T2."""

    tier: str
    u: str
    v: str
    money_class: str
    p: str
    amount: Decimal


@dataclass(frozen=True)
class Laid:
    """A part of a duplicate and the unit whose figure it lowers; '' as unit: it cannot be laid."""

    duplicate: Match
    unit: str
    amount: Decimal


@dataclass
class Books:
    """What laying one class of money has to know.

    ``own``: the unit's own inflow of the class for p, if (u,p) is a T1 key ("OG: after setting aside 附项; OE: from payers
    in frame_e"); ``own_unmatched``: per unit, of the same inflow what "T1 did not match (whole keys)".
    """

    t1_keys: set[UnitRef]
    own: dict[UnitRef, Decimal]
    own_unmatched: dict[str, Decimal]
    handed: list[HandedOn]

    def handed_to(self, u: str, p: str) -> Decimal:
        """What step 2 matched under T1 with reference p to u."""
        return sum((h.amount for h in self.handed if h.tier == "T1" and (h.v, h.p) == (u, p)), NIL)

    def handed_from(self, u: str, p: str) -> Decimal:
        """What step 2 matched under T1 with reference p from u."""
        return sum((h.amount for h in self.handed if h.tier == "T1" and (h.u, h.p) == (u, p)), NIL)

    def receivers(self, p: str) -> list[str]:
        """The units that were handed money of the class with reference p, ascending."""
        return sorted({h.v for h in self.handed if h.tier == "T1" and h.p == p})

    def kept(self, u: str, p: str) -> Decimal:
        """Own inflow for p if (u,p) is a T1 key, + what was matched to u, − what was matched from u; not below 0."""
        return max(NIL, self.own.get((u, p), NIL) + self.handed_to(u, p) - self.handed_from(u, p))

    def parts_of_h(self, r: str) -> dict[str, Decimal]:
        """Per reference p for which r has no T1 key: matched under T1 from r less matched to r, not below 0."""
        references = sorted({h.p for h in self.handed if h.tier == "T1" and h.u == r and (r, h.p) not in self.t1_keys})
        return {p: max(NIL, self.handed_from(r, p) - self.handed_to(r, p)) for p in references}

    def t2_sums(self, r: str) -> dict[str, Decimal]:
        """Per receiver: what step 2 matched from r in the class with T2."""
        sums: dict[str, Decimal] = {}
        for h in self.handed:
            if h.tier == "T2" and h.u == r:
                sums[h.v] = sums.get(h.v, NIL) + h.amount
        return sums


def lay(duplicates: list[Match], books: Books) -> list[Laid]:
    """Lay every duplicate: T1 on first recipients, then T1's over on receivers, then T2 and T3."""
    units = {unit for unit, _ in books.t1_keys} | {h.v for h in books.handed}
    references = {p for _, p in books.t1_keys} | {h.p for h in books.handed}
    left_of_kept = {(u, p): books.kept(u, p) for u in units for p in references}
    laid: list[Laid] = []

    # "T1 amounts d(r,p): first on r, up to kept(r,p)" — ascending first recipient, then payer.
    t1 = sorted((d for d in duplicates if d.tier == "T1"), key=lambda d: (d.payee, d.reference, d.payer))
    overs = []
    for duplicate in t1:
        on_r = min(duplicate.amount, left_of_kept[duplicate.payee, duplicate.reference])
        left_of_kept[duplicate.payee, duplicate.reference] -= on_r
        laid.append(Laid(duplicate, duplicate.payee, on_r))
        overs.append((duplicate, duplicate.amount - on_r))
    # "what is over, summed per p, on the units that were handed money of the class with reference p, in ascending code
    # order, each up to what is left of its kept. (The over of several first recipients in ascending code, then payer.)"
    for duplicate, over in overs:
        for v in books.receivers(duplicate.reference):
            on_v = min(over, left_of_kept[v, duplicate.reference])
            left_of_kept[v, duplicate.reference] -= on_v
            over -= on_v
            laid.append(Laid(duplicate, v, on_v))
        laid.append(Laid(duplicate, "", over))

    # "T2 and T3 amounts of r, together, T2 before T3 (within a tier ascending payer)"
    t2_t3 = sorted((d for d in duplicates if d.tier != "T1"), key=lambda d: (d.payee, d.tier, d.payer))
    for r in sorted({d.payee for d in t2_t3}):
        laid += _lay_t2_t3(r, [d for d in t2_t3 if d.payee == r], books, left_of_kept)
    return [part for part in laid if part.amount > 0]


def _lay_t2_t3(r: str, duplicates: list[Match], books: Books, left_of_kept: dict[UnitRef, Decimal]) -> Iterable[Laid]:
    part_of_h = books.parts_of_h(r)
    t2_sums = books.t2_sums(r)
    h = sum(t2_sums.values(), NIL) + sum(part_of_h.values(), NIL)
    # "first on r, up to its own inflow of the class that T1 did not match (whole keys) less h."
    room_on_r = max(NIL, books.own_unmatched.get(r, NIL) - h)
    # "all in ascending (code, reference)"; a T2 sum has a blank reference.
    places = sorted([(v, "") for v in t2_sums] + [(v, p) for p in part_of_h for v in books.receivers(p) if v != r])
    for duplicate in duplicates:
        over = duplicate.amount
        on_r = min(over, room_on_r)
        room_on_r -= on_r
        over -= on_r
        yield Laid(duplicate, r, on_r)
        for v, p in places:
            if p == "":
                # "T2 sums on their receivers, each up to the amount"
                on_v = min(over, t2_sums[v])
                t2_sums[v] -= on_v
            else:
                # "each up to what is left of its kept(·,p), together up to that p's part of h"
                on_v = min(over, left_of_kept[v, p], part_of_h[p])
                left_of_kept[v, p] -= on_v
                part_of_h[p] -= on_v
            over -= on_v
            yield Laid(duplicate, v, on_v)
        # "What cannot be laid is not removed, with a finding."
        yield Laid(duplicate, "", over)
