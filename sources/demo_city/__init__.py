"""A made-up city that files its half-year returns: workbooks as the providers send them, from a seed and a size.

What belongs here: who the city's parties are, what money moves between them, and how clerks write it down. What does
not: reading workbooks (the reader must cope with what forms.md allows, not with what this generator happens to write),
and annual forms.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from sources.demo_city.city import BASE_YEAR, found_city
from sources.demo_city.forms import PROVIDERS
from sources.demo_city.returns import sheets_of
from sources.demo_city.style import style_of
from sources.demo_city.writer import write_workbook
from sources.demo_city.year import Year, live

__all__ = ["write_demo_city"]

HALF_YEAR = re.compile(r"(\d{4})H([12])")


def write_demo_city(
    out: Path,
    *,
    scale: float = 0.05,
    seed: int = 14,
    periods: Sequence[str] = ("2024H1", "2024H2", "2025H1", "2025H2", "2026H1"),
) -> list[Path]:
    """Write ``<out>/<period>/<provider label>_<period>.xlsx`` for the five half-year providers and return the paths.

    ``scale`` 1.0 is the real size: 7,000 firms, 20,000 payments, 3,500 contracts in a first half-year. The same
    scale and seed give the same bytes, whichever periods are asked for beside.

    Example:
        >>> write_demo_city(Path("demo"), periods=["2026H1"])[0].as_posix()
        'demo/2026H1/市财政局_2026H1.xlsx'

    Raises:
        ValueError: a period is no half-year, or lies before 2024; or the scale is not above zero.
    """
    halves = [_half_year(period) for period in periods]
    if scale <= 0:
        raise ValueError(f"规模 scale={scale} 须大于 0（1.0 为真实规模）")
    city = found_city(scale, seed)
    years: dict[int, Year] = {year: live(city, year) for year in sorted({year for year, _ in halves})}
    paths = []
    for period, (year, half) in zip(periods, halves, strict=True):
        for provider, (label, _) in PROVIDERS.items():
            rng = city.rng("clerk", provider, period)
            style = style_of(provider, year, half, rng)
            path = Path(out) / period / f"{label}_{period}.xlsx"
            paths.append(write_workbook(path, sheets_of(provider, years[year], half), style, rng))
    return paths


def _half_year(period: str) -> tuple[int, int]:
    """Return year and half of a period key such as ``2026H1``."""
    match = HALF_YEAR.fullmatch(period)
    if not match or int(match[1]) < BASE_YEAR:
        raise ValueError(f"报告期 {period!r} 须为 {BASE_YEAR} 年起的半年（如 2026H1、2026H2）")
    return int(match[1]), int(match[2])
