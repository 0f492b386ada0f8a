"""One year of the city: everything that is paid, contracted, received and handed on from January to December."""

from dataclasses import dataclass

from sources.demo_city.city import City
from sources.demo_city.firms import Firms
from sources.demo_city.government import Government
from sources.demo_city.hand_on import hand_on
from sources.demo_city.income import write_income
from sources.demo_city.ledgers import YearLedgers


@dataclass(frozen=True, slots=True)
class Year:
    """The ledgers of a year, and the budgets and firms behind them."""

    city: City
    ledgers: YearLedgers
    government: Government
    firms: Firms


def live(city: City, year: int) -> Year:
    """Return the year; it depends on the city and the year alone, not on which other years were asked for."""
    ledgers = YearLedgers(year)
    government, firms = Government(city, ledgers), Firms(city, ledgers)
    write_income(city, ledgers, government, firms)
    hand_on(city, ledgers)
    firms.fill()
    government.fill()
    government.number()
    for rows in (ledgers.receipts, ledgers.handed_on):
        rows.sort(key=lambda row: (row.performer, row.on))
    return Year(city, ledgers, government, firms)
