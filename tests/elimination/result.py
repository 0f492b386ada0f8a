"""What the reading of one period gives: the ledger, the findings, the reconciliation and the figures."""

from dataclasses import dataclass, field
from decimal import Decimal

from tests.elimination.matching import NIL
from tests.elimination.units import UnitKey

RULE_VERSION = "1"


@dataclass(frozen=True)
class Removal:
    """One row of the elimination ledger; ``elimination_id`` is a hash of `key`."""

    period: str
    reason: str
    tier: str
    provider: str
    unit_code: str
    area: str
    amount_wan: Decimal
    first_recipient: str
    counterparty_code: str
    reference_no: str
    evidence: frozenset[str]
    estimated: bool
    rule_version: str = RULE_VERSION

    @property
    def key(self) -> tuple[str, ...]:
        """(period, reason, tier, provider, unit, area, first recipient, counterparty, reference): unique in the ledger."""
        of_unit = (self.period, self.reason, self.tier, self.provider, self.unit_code, self.area)
        return (*of_unit, self.first_recipient, self.counterparty_code, self.reference_no)


@dataclass(frozen=True)
class Remark:
    """One finding: its kind, what it is about, and the amount that was not removed because of it (0 where none)."""

    kind: str
    subject: tuple[str, ...]
    not_removed_wan: Decimal = NIL


@dataclass(frozen=True)
class Reconciliation:
    """Both sides of one pair; the funder is the budgets as one, or an enterprise. Difference: funder less performer."""

    funder_code: str
    performer_code: str
    funder_side_wan: Decimal
    performer_side_wan: Decimal
    difference_wan: Decimal
    band: str


@dataclass
class Result:
    """What one period gives.

    ``remaining``: per code the performer row that step 1 left; ``hand_on_pairs``: (u, v) with rows of step 2; ``gross`` and
    ``net`` per (provider, unit); ``by_area`` has G, E, O_gross, O_net, total; ``by_sector`` per (provider, area) O_gross, O_net.
    """

    ledger: list[Removal] = field(default_factory=list)
    findings: list[Remark] = field(default_factory=list)
    reconciliation: list[Reconciliation] = field(default_factory=list)
    remaining: dict[str, UnitKey] = field(default_factory=dict)
    hand_on_pairs: set[tuple[str, str]] = field(default_factory=set)
    gross: dict[UnitKey, Decimal] = field(default_factory=dict)
    net: dict[UnitKey, Decimal] = field(default_factory=dict)
    by_area: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    by_sector: dict[tuple[str, str], dict[str, Decimal]] = field(default_factory=dict)
    eg_wan: Decimal = NIL
    ee_wan: Decimal | None = None

    def city(self, figure: str) -> Decimal:
        """Return G, E, O_gross, O_net or total of the whole city."""
        return sum((figures[figure] for figures in self.by_area.values()), NIL)

    def by_tier(self) -> dict[tuple[str, str], Decimal]:
        """Return the amount removed per (reason, tier): how much rests on matched records, how much on declarations."""
        sums: dict[tuple[str, str], Decimal] = {}
        for row in self.ledger:
            sums[row.reason, row.tier] = sums.get((row.reason, row.tier), NIL) + row.amount_wan
        return sums

    def findings_by_kind(self) -> dict[str, int]:
        """Count the findings."""
        kinds = [remark.kind for remark in self.findings]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds))}
