"""What the firms spend on R&D in a year and whom they commission: the bureau's side of every contract."""

from random import Random

from sources.demo_city.city import City, Firm, Party
from sources.demo_city.ledgers import HALVES, Contract, YearLedgers
from sources.demo_city.money import WAN, YUAN, whole

THOUSAND = 1000 * YUAN
MOST_EXTERNAL = 0.25
"""No firm contracts out more than this part of a half-year's R&D, so that 委托外部 never exceeds the total."""

CONTRACTS_ELSEWHERE_PER_HALF = 1_450
ELSEWHERE = {"university": 0.30, "institute": 0.20, "enterprise": 0.50}


class Firms:
    """One year's R&D expenses of the firms, and the contracts charged to them so far."""

    def __init__(self, city: City, ledgers: YearLedgers) -> None:
        """Set the firms' R&D expense per half-year, in whole 千元."""
        self._city, self._ledgers = city, ledgers
        growth = city.growth("firms", len(city.firms), ledgers.year, 0.075, 0.06)
        self.rd: dict[tuple[str, int], int] = {}
        self._charged: dict[tuple[str, int], int] = {}
        for firm, factor in zip(city.firms, growth, strict=True):
            for half in HALVES:
                part = firm.first_half if half == 1 else 1 - firm.first_half
                self.rd[firm.code, half] = max(1, round(firm.rd_base * factor * part / THOUSAND)) * THOUSAND

    def draw(self, rng: Random, half: int, fen: int) -> Firm:
        """Return a firm, large ones more often, that can still commission ``fen``."""
        for _ in range(30):
            firm = rng.choices(self._city.firms, cum_weights=self._city.firm_weights)[0]
            if self._free(firm, half) >= fen:
                return firm
        return max(self._city.firms[:-1], key=lambda f: self._free(f, half))

    def commission(
        self, rng: Random, half: int, firm: Firm, payee: Party, kind: str, fen: int, number: str | None
    ) -> Contract:
        """Enter a contract sum in the list and in the firm's column of that ``kind``."""
        self.book(half, firm, kind, fen)
        contract = Contract(self._ledgers.day(rng, half), number, firm, payee, fen)
        self._ledgers.contracts.append(contract)
        return contract

    def book(self, half: int, firm: Firm, kind: str, fen: int) -> None:
        """Put ``fen`` into the firm's column only: the list of contracts need not be complete."""
        key = (firm.code, kind, half)
        self._ledgers.booked[key] = self._ledgers.booked.get(key, 0) + fen
        self._charged[firm.code, half] = self._charged.get((firm.code, half), 0) + fen

    def fill(self) -> None:
        """Add the contracts with parties that report to nobody here: universities elsewhere, other firms."""
        for half in HALVES:
            rng = self._city.rng("contracts elsewhere", self._ledgers.year, half)
            for _ in range(max(6, round(CONTRACTS_ELSEWHERE_PER_HALF * self._city.scale))):
                fen = whole(rng.lognormvariate(3.1, 0.6) * WAN)
                kind = rng.choices(list(ELSEWHERE), list(ELSEWHERE.values()))[0]
                others = self._city.small_firms if kind == "enterprise" else self._city.nonlocal_performers
                firm = self.draw(rng, half, fen)
                if self._free(firm, half) >= fen:
                    self.commission(rng, half, firm, rng.choice(others), kind, fen, self._ledgers.new_contract())
        self._ledgers.contracts.sort(key=lambda contract: (contract.on, contract.number or ""))

    def columns(self, firm: Firm, halves: int) -> dict[str, int]:
        """Return the firm's row over the first ``halves`` half-years: R&D, four 委托 parts, money from government."""
        row = dict.fromkeys(("rd", "institute", "university", "enterprise", "overseas"), 0)
        for half in HALVES[:halves]:
            rd = self.rd[firm.code, half]
            row["rd"] += rd
            for kind, share in firm.residual.items():
                unlisted = round(rd * share / THOUSAND) * THOUSAND
                row[kind] += self._ledgers.booked.get((firm.code, kind, half), 0) + unlisted
        row["government"] = round(row["rd"] * firm.government / THOUSAND) * THOUSAND
        return row

    def _free(self, firm: Firm, half: int) -> int:
        """Return what the firm can still commission in this half-year."""
        return int(self.rd[firm.code, half] * MOST_EXTERNAL) - self._charged.get((firm.code, half), 0)
