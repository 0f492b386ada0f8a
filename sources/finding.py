"""A finding: one thing that is wrong, doubtful or worth saying about a hand-in or a figure.

The reader (this room) and the gates (``expectations``) speak in findings; receipts and the ledger store them.
"""

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

from sources.text import visible

RuleClass = Literal["mandatory", "query", "note"]
CLASS_LABELS: dict[RuleClass, str] = {"mandatory": "强制性", "query": "核实性", "note": "提示"}
CLASS_ORDER: dict[RuleClass, int] = {"mandatory": 0, "query": 1, "note": 2}

LONGEST_TEXT, KEPT_TEXT = 1000, 900
"""Characters of a finding's text; of a longer one so many are kept, with its length and a digest."""


@dataclass(frozen=True)
class Ask:
    """What one bureau is asked about a finding that is of no return alone (gate 2), in words that hold nothing of another bureau's units."""

    provider: str
    message: str
    found: str
    expected: str

    def __post_init__(self) -> None:
        """Make what the sender wrote fit to be read; see `Finding`."""
        for name in ("message", "found", "expected"):
            object.__setattr__(self, name, visible(getattr(self, name)))


@dataclass(frozen=True)
class Finding:
    """One finding, with its rule, its place, both values, why it matters and what to do next.

    ``rule_class``: mandatory (强制性) must be corrected, query (核实性) needs an explanation that is accepted, note (提示)
    blocks nothing. ``level``: 0 file, 1 within the sheet or workbook, 2 the same provider over time, 3 between providers,
    4 between domains, 5 outside figures. ``cell``: ``K8``, ``3:3`` for a whole row, empty for a whole sheet or file.
    ``subject``: what it is about independent of its place (the row's key), so that moving a row does not make a new finding.
    ``stands_for_count``: 1, or of the finding that closes a list cut short (`sources.limited`) the places that are not listed.
    ``asks``: the bureaus that a finding of gate 2 is laid before, each in words of its own; none for a finding of a return, which is its
    sender's. ``id_salt``: of a finding of gate 2 what keeps its id, which every bureau that it asks is told, from telling the values that it is made
    of to whoever tries them; it stands in the ledger alone.
    """

    rule_id: str
    rule_class: RuleClass
    level: int
    provider: str
    table_id: str
    period: str
    file_name: str
    file_sha256: str
    sheet: str
    cell: str
    subject: str
    found: str
    expected: str
    message: str
    why: str
    action: str
    stands_for_count: int = 1
    asks: tuple[Ask, ...] = ()
    id_salt: str = ""

    def __post_init__(self) -> None:
        """Make what the sender wrote fit to be read: nothing unseen, nothing endless. A long value keeps what tells it from others."""
        for name in ("subject", "found", "expected", "message"):
            text = visible(getattr(self, name))
            if len(text) > LONGEST_TEXT:
                digest = hashlib.sha256(text.encode()).hexdigest()[:16]
                text = f"{text[:KEPT_TEXT]}…（共 {len(text)} 字，{digest}）"
            object.__setattr__(self, name, text)

    @cached_property
    def finding_id(self) -> str:
        """16 hex digits from rule, table, period, subject and value: an acceptance binds to the value and lapses with it."""
        salt = (self.id_salt,) if self.id_salt else ()
        return hashlib.sha256("\x1f".join((*self._identity, *salt)).encode()).hexdigest()[:16]

    @property
    def _identity(self) -> tuple[str, ...]:
        return self.rule_id, self.provider, self.table_id, self.period, self.subject, self.found

    def salted(self, key: bytes) -> "Finding":
        """Return the finding with an id that cannot be worked out from what it says without the key; the same each time."""
        text = "\x1f".join(self._identity).encode()
        return replace(self, id_salt=hmac.new(key, text, hashlib.sha256).hexdigest()[:32])

    @property
    def place(self) -> str:
        """Where it stands, as ``file[sheet]!cell``, as far as known."""
        sheet = f"[{visible(self.sheet)}]" if self.sheet else ""
        cell = f"!{self.cell}" if self.cell else ""
        return f"{self.file_name}{sheet}{cell}"

    def ask_of(self, provider: str) -> Ask | None:
        """Return what a bureau is asked; None where it is not."""
        return next((ask for ask in self.asks if ask.provider == provider), None)

    @property
    def mark(self) -> str:
        """What stands for the place of a finding that has none, in receipts and in 核实说明: ``#`` and the beginning of its id."""
        return f"#{self.finding_id[:8]}"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields and the id as plain JSON values, to be told: ``asks`` only where somebody is asked, and no ``id_salt``."""
        plain = {"finding_id": self.finding_id, **asdict(self)}
        asks, _ = plain.pop("asks"), plain.pop("id_salt")
        return plain | ({"asks": list(asks)} if asks else {})

    def as_recorded(self) -> dict[str, Any]:
        """Return what the ledger keeps: `as_dict`, and ``id_salt`` where there is one."""
        return self.as_dict() | ({"id_salt": self.id_salt} if self.id_salt else {})

    @classmethod
    def from_dict(cls, data: dict) -> "Finding":
        """Rebuild a finding from `as_dict` or `as_recorded`."""
        fields = {key: value for key, value in data.items() if key != "finding_id"}
        return cls(**fields | {"asks": tuple(Ask(**ask) for ask in data.get("asks", ()))})


def place_count(findings: Iterable[Finding]) -> int:
    """Return the exact number of places that findings stand for: what people are told, never the length of a list that may be cut."""
    return sum(finding.stands_for_count for finding in findings)


def count_by_class(findings: Iterable[Finding]) -> Counter[RuleClass]:
    """Return `place_count` per class."""
    counts: Counter[RuleClass] = Counter()
    for finding in findings:
        counts[finding.rule_class] += finding.stands_for_count
    return counts


def digest_of_findings(findings: Iterable[Finding]) -> str:
    """Return 16 hex digits that change when one of the findings, its value or their number does, whatever their order."""
    lines = sorted("\x1f".join((f.finding_id, f.subject, f.found, f.expected)) for f in findings)
    return hashlib.sha256("\x1e".join(lines).encode()).hexdigest()[:16]


def in_order(findings: list[Finding]) -> list[Finding]:
    """Return the findings, hardest first, then by place."""
    return sorted(
        findings, key=lambda f: (CLASS_ORDER[f.rule_class], f.file_name, f.sheet, f.rule_id, len(f.cell), f.cell)
    )


def told_apart(findings: list[Finding]) -> list[Finding]:
    """Number findings that would share one id (same rule, subject and value on several rows), so that none hides another."""
    seen: Counter[str] = Counter()
    result = []
    for finding in findings:
        seen[finding.finding_id] += 1
        nth = seen[finding.finding_id]
        result.append(replace(finding, subject=f"{finding.subject}#{nth}") if nth > 1 else finding)
    return result
