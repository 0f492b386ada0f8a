"""How a provider's clerk lays out one period's workbook: each a little different, in the ways that the forms allow."""

from dataclasses import dataclass
from datetime import date
from random import Random

from sources.demo_city.forms import ANNUAL_PROVIDERS

META_MODES = ("one_cell", "pairs", "spread", "label_value", "ends")
DATE_MODES = ("real", "iso", "chinese", "real", "slash")
HEADING_MODES = ("plain", "breaks", "spaces", "half_brackets")
FOOT_MODES = ("lines", "row", "one_cell")


@dataclass(frozen=True, slots=True)
class Style:
    """The habits of one workbook."""

    provider: str
    label: str
    unit: str
    year: int
    half: int
    is_annual: bool
    title_rows: int
    meta: str
    colon: str
    says_months: bool
    heading: str
    two_heading_rows: bool
    reorders: bool
    blank_columns: int
    dates: str
    foot: str
    notes: int
    blank_before_foot: bool
    totals: bool
    alias_places: int
    code_case: str
    has_instruction: bool
    has_hidden_sheet: bool
    has_explanation: bool
    reported_on: date

    @property
    def cadence_text(self) -> str:
        """报表类别."""
        return "年报" if self.is_annual else "半年报"

    @property
    def period_text(self) -> str:
        """报告期, in one of its two spellings."""
        if self.half == 1:
            return f"{self.year}年1-6月" if self.says_months else f"{self.year}年上半年"
        return f"{self.year}年1-12月" if self.says_months else f"{self.year}年全年"


def style_of(provider: str, year: int, half: int, rng: Random, *, is_annual: bool = False) -> Style:
    """Return the style of a provider's workbook; habits rotate with provider and period, so that all of them occur."""
    label, unit = ANNUAL_PROVIDERS[provider]
    period = year * 2 + half - 1
    turn = period + 2 * list(ANNUAL_PROVIDERS).index(provider) + (3 if is_annual else 0)
    return Style(
        provider=provider,
        label=label,
        unit=unit,
        year=year,
        half=half,
        is_annual=is_annual,
        title_rows=1 + turn % 3,
        meta=META_MODES[turn % 5],
        colon=":" if turn % 4 == 1 else "：",
        says_months=turn % 2 == 1,
        heading=HEADING_MODES[turn % 4],
        two_heading_rows=provider == "finance_bureau" and period % 4 in (1, 2),
        reorders=turn % 3 == 2,
        blank_columns=(0, 0, 1, 2)[turn % 4],
        dates=DATE_MODES[(turn + 1) % 5],
        foot=FOOT_MODES[turn // 2 % 3],
        notes=turn % 3,
        blank_before_foot=turn % 2 == 0,
        totals=turn % 2 == 1,
        alias_places=turn % 3,
        code_case=("lower", "full_width")[turn % 2],
        has_instruction=turn % 3 == 0,
        has_hidden_sheet=turn % 4 in (0, 3),
        has_explanation=turn % 2 == 0,
        reported_on=date(year, 7, rng.randint(8, 19)) if half == 1 else date(year + 1, 1, rng.randint(8, 19)),
    )
