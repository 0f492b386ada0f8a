"""Ledger rows gathered under keys, and the matching of two sides of a flow: what steps 2, 3 and 4 share.

What does not belong here: which rows make the two sides (`reading`), and on whose figure a duplicate falls (`laying`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
Key = tuple[str, str, str]
"""(payer, payee, reference). The payer is '' where the text's key has none (step 3: whoever of the budgets paid)."""
NIL = Decimal(0)
CLASSES = ("local", "contract", "other")
CLASS_OF_CHANNEL = {"市县财政": "local", "上级转移支付": "local", "企业合同": "contract"}


def normal(value: str | None) -> str:
    """Return a code or number as it compares: all white space out, full width to half width, upper case; blank is ''."""
    half = "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in value or "")
    return "".join(half.split()).upper()


def amount_of(row: Row, column: str = "amount_wan") -> Decimal:
    """Return an amount; a blank cell adds nothing to a sum."""
    amount: Decimal | None = row[column]
    return NIL if amount is None else amount


def class_of(channel: str | None) -> str:
    """Return the class of a channel: local = 市县财政, 上级转移支付; contract = 企业合同; other = the rest and blank."""
    return CLASS_OF_CHANNEL.get(channel or "", "other")


@dataclass
class Pile:
    """The rows of one side of one key, a negative row netting within it; ``aside``: what of it is set aside as 附项."""

    rows: list[Row] = field(default_factory=list)
    aside: Decimal = NIL

    @property
    def total(self) -> Decimal:
        """Σ of the rows, without what is set aside."""
        return sum((amount_of(row) for row in self.rows), NIL) - self.aside

    @property
    def counted(self) -> Decimal:
        """The total; a key whose sum is ≤ 0 counts 0 in kept and own inflow."""
        return max(self.total, NIL)

    @property
    def ids(self) -> frozenset[str]:
        """Ids of the source rows."""
        return frozenset(row["row_id"] for row in self.rows)

    def counted_of_class(self, money_class: str) -> Decimal:
        """Σ of the rows whose 最终来源渠道 is of this class; ≤ 0 counts 0."""
        of_class = [row for row in self.rows if class_of(row["final_source_channel"]) == money_class]
        return Pile(of_class).counted


Side = dict[Key, Pile]


def gather(rows: Iterable[Row], key_of: Callable[[Row], Key]) -> Side:
    """Gather rows under their keys."""
    side: Side = {}
    for row in rows:
        side.setdefault(key_of(row), Pile()).rows.append(row)
    return side


@dataclass(frozen=True)
class Match:
    """One amount matched under a key (T1) or a pair (T2), or left on the payee's side of a pair after T2 (T3)."""

    tier: str
    payer: str
    payee: str
    reference: str
    amount: Decimal
    evidence: frozenset[str]
    payee_pile: Pile


def match(payer_side: Side, payee_side: Side) -> list[Match]:
    """Match two sides: T1 per key, T2 per pair, and as T3 what T2 left of the payee's rows.

    "T1: per (pair, reference) present on both sides: min(Σ, Σ). T2: per pair, all rows whose T1 key has no partner:
    min(Σ, Σ)." A blank reference never matches. A key whose sum is ≤ 0 has no side: its rows fall to T2 and net there.
    A T1 difference is a discrepancy; it does not fall to T2.
    """
    matches = []
    t1_keys = set()
    for key in sorted(payer_side.keys() & payee_side.keys()):
        payer, payee, reference = key
        ours, theirs = payer_side[key], payee_side[key]
        if reference and ours.total > 0 and theirs.total > 0:
            t1_keys.add(key)
            amount = min(ours.total, theirs.total)
            matches.append(Match("T1", payer, payee, reference, amount, ours.ids | theirs.ids, theirs))
    paid, received = _rest(payer_side, t1_keys), _rest(payee_side, t1_keys)
    for pair in sorted(received):
        payer, payee = pair
        ours, theirs = paid.get(pair, Pile()), received[pair]
        matched = min(ours.counted, theirs.counted)
        if matched > 0:
            matches.append(Match("T2", payer, payee, "", matched, ours.ids | theirs.ids, theirs))
        left = theirs.counted - matched
        if left > 0:
            matches.append(Match("T3", payer, payee, "", left, theirs.ids, theirs))
    return matches


def _rest(side: Side, t1_keys: set[Key]) -> dict[tuple[str, str], Pile]:
    """Return per pair all rows whose T1 key has no partner."""
    rest: dict[tuple[str, str], Pile] = {}
    for key, pile in side.items():
        if key not in t1_keys:
            of_pair = rest.setdefault(key[:2], Pile())
            of_pair.rows.extend(pile.rows)
            of_pair.aside += pile.aside
    return rest
