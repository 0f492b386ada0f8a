"""The rows of one year's ledgers as they happened, before any clerk writes them into a sheet."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from sources.demo_city.areas import Area
from sources.demo_city.city import Firm, Party

HALVES = (1, 2)


@dataclass(slots=True)
class Payment:
    """A budget payment (拨付明细)."""

    on: date
    area: Area
    budget_type: str | None
    category: str
    channel: str
    project: str | None
    payee: Party
    fen: int
    memo: str | None = None
    voucher: str = ""
    project_name: str = ""


@dataclass(slots=True)
class Contract:
    """A contract sum booked by a firm (委托研发明细)."""

    on: date
    number: str | None
    payer: Firm
    payee: Party
    fen: int


@dataclass(slots=True)
class Receipt:
    """A sum received by a performer (经费来源明细); ``column`` is the source column of 科技活动费用 that it stands in.

    ``left`` is what of it was not yet handed on, ``hops`` how often it was handed on before it came here.
    """

    on: date
    performer: int
    column: str
    fen: int
    payer_name: str | None = None
    payer_code: str | None = None
    project: str | None = None
    contract: str | None = None
    final_code: str | None = None
    final_channel: str | None = None
    hops: int = 0
    left: int = 0


@dataclass(slots=True)
class HandOn:
    """A sum handed on by a performer (转拨明细)."""

    on: date
    performer: int
    payee: Party
    fen: int
    project: str | None = None
    contract: str | None = None


@dataclass(slots=True)
class YearLedgers:
    """All rows of one year, and the parts of the columns that stand in no row.

    ``unlisted``: (performer, column, half) → fen. ``booked``: (firm's code, kind of payee, half) → fen.
    """

    year: int
    payments: list[Payment] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    handed_on: list[HandOn] = field(default_factory=list)
    unlisted: dict[tuple[int, str, int], int] = field(default_factory=dict)
    booked: dict[tuple[str, str, int], int] = field(default_factory=dict)
    project_count: int = 0
    contract_count: int = 0

    def receive(
        self,
        on: date,
        performer: int,
        column: str,
        fen: int,
        payer: tuple[str | None, str | None] = (None, None),
        project: str | None = None,
        contract: str | None = None,
    ) -> Receipt:
        """Enter a receipt from ``payer`` (name and code); all of it can still be handed on."""
        receipt = Receipt(on, performer, column, fen, *payer, project=project, contract=contract, left=max(0, fen))
        self.receipts.append(receipt)
        return receipt

    def new_project(self) -> str:
        """Return the next project number of the year."""
        self.project_count += 1
        return f"{self.year}-ZD-{self.project_count:05d}"

    def new_contract(self) -> str:
        """Return the next contract number of the year."""
        self.contract_count += 1
        return f"HT{self.year}-{self.contract_count:05d}"

    def day(self, rng: Random, half: int) -> date:
        """Return a working day or not, inside the half-year and off its edges."""
        return date(self.year, 1 if half == 1 else 7, 4) + timedelta(days=rng.randrange(175))

    def after(self, rng: Random, day: date) -> date:
        """Return a day up to three weeks later, still in the same half-year: timing never breaks a pair here."""
        last = date(self.year, 6, 30) if day.month <= 6 else date(self.year, 12, 31)
        return min(last, day + timedelta(days=rng.randrange(21)))


def half_of(day: date) -> int:
    """Return 1 or 2."""
    return 1 if day.month <= 6 else 2
