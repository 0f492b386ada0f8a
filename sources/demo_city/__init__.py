"""A made-up city that files its half-year and annual returns: workbooks as the providers send them, from a seed and a size.

What belongs here: who the city's parties are, what money moves between them, and how clerks write it down. What does
not: reading workbooks (the reader must cope with what forms.md allows, not with what this generator happens to write).
"""

import re
from collections.abc import Sequence
from pathlib import Path

from sources.demo_city.annual import annual_sheets_of
from sources.demo_city.city import BASE_YEAR, found_city
from sources.demo_city.forms import ANNUAL_PROVIDERS, PROVIDERS
from sources.demo_city.returns import sheets_of
from sources.demo_city.style import style_of
from sources.demo_city.writer import write_workbook
from sources.demo_city.year import Year, live

__all__ = ["HALF_YEARS", "YEARS", "write_demo_city"]

HALF_YEARS = ("2024H1", "2024H2", "2025H1", "2025H2", "2026H1")
YEARS = ("2024", "2025")
"""What the city files unless asked for something else."""

PERIOD = re.compile(r"(\d{4})(?:H([12]))?")


def write_demo_city(
    out: Path,
    *,
    scale: float = 0.05,
    seed: int = 14,
    periods: Sequence[str] = (*HALF_YEARS, *YEARS),
) -> list[Path]:
    """Write ``<out>/<period>/<provider label>_<period>.xlsx`` for the five half-year providers, or the six annual ones; return the paths.

    ``scale`` 1.0 is the real size: 7,000 firms, 20,000 payments, 3,500 contracts in a first half-year. The same
    scale and seed give the same bytes, whichever periods are asked for beside.

    Example:
        >>> write_demo_city(Path("demo"), periods=["2026H1"])[0].as_posix()
        'demo/2026H1/市财政局_2026H1.xlsx'

    Raises:
        ValueError: a period is no half-year or year, or lies before 2024; or the scale is not above zero.
    """
    asked = [_parts(period) for period in periods]
    if scale <= 0:
        raise ValueError(f"规模 scale={scale} 须大于 0（1.0 为真实规模）")
    city = found_city(scale, seed)
    years: dict[int, Year] = {year: live(city, year) for year in sorted({year for year, _ in asked})}
    paths = []
    for period, (year, half) in zip(periods, asked, strict=True):
        for provider, (label, _) in (PROVIDERS if half else ANNUAL_PROVIDERS).items():
            rng = city.rng("clerk", provider, period)
            style = style_of(provider, year, half or 2, rng, is_annual=half is None)
            lived = years[year]
            sheets = sheets_of(provider, lived, half) if half else annual_sheets_of(provider, lived)
            paths.append(write_workbook(Path(out) / period / f"{label}_{period}.xlsx", sheets, style, rng))
    return paths


def _parts(period: str) -> tuple[int, int | None]:
    """Return year and half of a period key such as ``2026H1``; no half for a year such as ``2025``."""
    match = PERIOD.fullmatch(period)
    if not match or int(match[1]) < BASE_YEAR:
        raise ValueError(f"报告期 {period!r} 须为 {BASE_YEAR} 年起的半年（如 2026H1、2026H2）或年度（如 2026）")
    return int(match[1]), int(match[2]) if match[2] else None
