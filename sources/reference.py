"""Reference data that reading needs: areas with their aliases, and the calendar of periods.

Both are dbt seeds (``dbt_project/seeds``), so that the reader and the warehouse can never disagree; a new area, alias or period is
a row there, not code here.
"""

import csv
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import cast

from sources.contracts import Cadence
from sources.text import label_of

CITY = "330400"
"""Area key of the city total (seed ``area``)."""

SEEDS_DIR = Path(__file__).parent.parent / "dbt_project" / "seeds"


@dataclass(frozen=True)
class Period:
    """One reporting period: ``2026H1`` (half-year, cumulative from 1 January) or ``2026`` (year)."""

    key: str
    kind: Cadence
    year: int
    half: int | None
    starts_on: date
    ends_on: date
    name: str
    base_period: str


def _seed(name: str) -> list[dict[str, str]]:
    with (SEEDS_DIR / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@lru_cache(maxsize=1)
def periods() -> dict[str, Period]:
    """Return the calendar: every period by key, in calendar order (seed ``period``)."""
    return {
        row["period"]: Period(
            key=row["period"],
            kind=cast(Cadence, row["period_kind"]),
            year=int(row["year"]),
            half=int(row["half"]) if row["half"] else None,
            starts_on=date.fromisoformat(row["starts_on"]),
            ends_on=date.fromisoformat(row["ends_on"]),
            name=row["period_name"],
            base_period=row["base_period"],
        )
        for row in _seed("period")
    }


def half_years() -> list[str]:
    """Return the half-year period keys of the calendar, oldest first."""
    return [p.key for p in periods().values() if p.kind == "half_year"]


@lru_cache(maxsize=1)
def area_names() -> dict[str, str]:
    """Return the official area names by key (seed ``area``), the city total included."""
    return {row["area_key"]: row["area_name"] for row in _seed("area")}


@lru_cache(maxsize=64)
def area_keys(on: date) -> dict[str, str]:
    """Return the key of every reporting area by name and alias, as valid on a day (seeds ``area`` and ``area_alias``).

    The city itself is no reporting area: a row 全市 beside the areas would count everything twice.
    """
    named = [(row["area_name"], row) for row in _seed("area") if row["area_type"] != "city"]
    aliased = [(row["alias"], row) for row in _seed("area_alias")]
    return {
        label_of(name): row["area_key"]
        for name, row in named + aliased
        if row["valid_from"] <= on.isoformat() and (not row["valid_to"] or on.isoformat() <= row["valid_to"])
    }


def indicator_components(indicator_id: str) -> list[tuple[str, str]]:
    """Return what an indicator is the sum of, as (subject, measure) pairs (seed ``indicator_component``); empty if unknown."""
    return [
        (row["subject"], row["measure"]) for row in _seed("indicator_component") if row["indicator_id"] == indicator_id
    ]


def annual_parts(subject_type: str, indicator_id: str, on: date) -> tuple[str, str] | None:
    """Return the measures that an indicator of 附件2 is worked out from (numerator, denominator or ''), on a day; seed ``annual_indicator``."""
    for row in _seed("annual_indicator"):
        is_it = (row["subject_type"], row["indicator_id"]) == (subject_type, indicator_id)
        if is_it and row["valid_from"] <= on.isoformat() and (not row["valid_to"] or on.isoformat() <= row["valid_to"]):
            return row["numerator"], row["denominator"]
    return None


def subject_providers() -> dict[str, str]:
    """Return the provider of each subject (seed ``sector``): government, enterprise, university, institute, hospital."""
    return {row["subject"]: row["provider"] for row in _seed("sector")}


def enterprise_frame(period: Period) -> list[str]:
    """Return the 规上类别 that count in a period's enterprise figure (seeds ``subject_basis`` and ``enterprise_frame``)."""
    names = {
        row["basis_name"]
        for row in _seed("subject_basis")
        if row["subject"] == "enterprise"
        and row["period_kind"] == period.kind
        and row["valid_from"] <= period.ends_on.isoformat()
        and (not row["valid_to"] or period.ends_on.isoformat() <= row["valid_to"])
    }
    return [row["frame_category"] for row in _seed("enterprise_frame") if row["basis_name"] in names]
