"""The quality page: one HTML file that needs nothing else, made from plain data with a template that escapes everything."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.findings import local_time
from expectations.quality import RESULTS, results
from sources.finding import CLASS_LABELS
from sources.text import shown_name

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).parent / "templates"
LONGEST_TEXT = 400
"""Characters of one text that a page shows: a cell may hold thirty thousand."""
SHOWN_RUN_COUNT = 12
BAR_WIDTH, BAR_GAP, BAR_HEIGHT = 7, 2, 18
SYMBOLS = {
    "failed": "✕", "open_query": "?", "not_compared": "!", "accepted": "✓", "note": "i", "met": "✓", "no_rows": "–",
}  # fmt: skip
TELLING = ("failed", "open_query", "not_compared", "accepted")
"""Results of single checks that a whole return bears; one with nothing but notes is met."""
LEVELS = ("文件", "表内", "与上期、上年比", "单位之间", "领域之间", "外部数据")

Key = tuple[str, str, str]


def render(
    document: Mapping[str, Any], before: Sequence[Mapping[str, Any]], others: Mapping[str, Mapping[str, Any]]
) -> str:
    """Return the page of one run.

    Args:
        document: what the run found, as `expectations.quality` makes it, with period, times, and what still blocks.
        before: earlier runs of the same period, oldest first.
        others: of each other period its newest run.
    """
    runs = [*before, document]
    by_run = [(_when(run["started_at"]), results(run)) for run in runs[-SHOWN_RUN_COUNT:]]
    periods = sorted({**others, document["period"]: document}.items())
    by_period = [(period, results(run)) for period, run in periods[-SHOWN_RUN_COUNT:]]
    sections = [_section(part, by_run, by_period) for part in document["sections"].values()]
    return _template().render(
        document=document,
        written_at=_when(document["written_at"]),
        started_at=_when(document["started_at"]),
        sections=sections,
        overview=_overview(sections, periods),
        class_labels=CLASS_LABELS,
        levels=LEVELS,
        results=RESULTS,
        symbols=SYMBOLS,
        run_count=len(by_run),
    )


@lru_cache(maxsize=1)
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        """What a clerk typed can neither be markup, nor hide or turn round what stands beside it."""
        if not isinstance(value, str) or isinstance(value, Markup):
            return value
        plain = value if value.isprintable() else shown_name(value)
        return plain if len(plain) <= LONGEST_TEXT else f"{plain[:LONGEST_TEXT]}…（共 {len(plain)} 字）"

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    return environment.get_template("quality.html")


def _section(
    part: Mapping[str, Any],
    by_run: Sequence[tuple[str, Mapping[Key, tuple[str, int]]]],
    by_period: Sequence[tuple[str, Mapping[Key, tuple[str, int]]]],
) -> dict[str, Any]:
    listed = []
    for table in part["tables"]:
        checks = []
        for check in table["checks"]:
            key = (part["scope"], table["table_id"], check["check_id"])
            history = [(when, run.get(key)) for when, run in by_run]
            periods = [(period, run.get(key)) for period, run in by_period]
            checks.append({**check, "runs": _bars(history), "periods": _bars(periods), "trend": _trend(periods)})
        is_shown = [check["result"] not in ("met", "no_rows") for check in checks]
        listed.append(
            {
                **table,
                "found": [check for check, shown in zip(checks, is_shown, strict=True) if shown],
                "met": [check for check, shown in zip(checks, is_shown, strict=True) if not shown],
            }
        )
    return {**part, "tables": listed, "anchor": part["scope"].replace(":", "-"), **_tally(part)}


def _tally(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an overview says of one section."""
    checks = [check for table in part["tables"] for check in table["checks"]]
    counts = {
        rule_class: sum(c["failed_count"] for c in checks if c["class"] == rule_class) for rule_class in CLASS_LABELS
    }
    ended = {check["result"] for check in checks}
    worst = next((result for result in RESULTS if result in ended and result in TELLING), "met")
    return {
        "row_count": sum(table["row_count"] or 0 for table in part["tables"]),
        "check_count": sum(check["evaluated_count"] is not None for check in checks),
        "met_count": sum(check["result"] in ("met", "no_rows") for check in checks),
        "counts": counts,
        "worst": worst,
    }


def _overview(
    sections: Sequence[Mapping[str, Any]], periods: Sequence[tuple[str, Mapping[str, Any]]]
) -> dict[str, Any]:
    """Return, per section of this run, how its newest run ended in each period."""
    shown = periods[-SHOWN_RUN_COUNT:]
    rows = []
    for part in sections:
        cells = [
            _tally(run["sections"][part["scope"]]) if part["scope"] in run["sections"] else None for _, run in shown
        ]
        rows.append({"label": part["label"], "cells": cells})
    return {"periods": [period for period, _ in shown], "rows": rows}


def _bars(history: Sequence[tuple[str, tuple[str, int] | None]]) -> dict[str, Any]:
    """Return a small bar chart: a bar per run or period, coloured by result, as high as failures are many (logarithmic)."""
    bars = []
    for position, (name, ended) in enumerate(history):
        if ended is None:
            continue
        result, count = ended
        height = 3 if not count else min(BAR_HEIGHT, 6 + round(4 * math.log10(count)))
        bars.append(
            {
                "x": position * (BAR_WIDTH + BAR_GAP),
                "y": BAR_HEIGHT - height,
                "height": height,
                "result": result,
                "title": f"{name}：{RESULTS[result]}" + (f" {count} 处" if count else ""),
            }
        )
    return {"bars": bars, "width": max(1, len(history) * (BAR_WIDTH + BAR_GAP) - BAR_GAP), "height": BAR_HEIGHT}


def _trend(periods: Sequence[tuple[str, tuple[str, int] | None]]) -> str:
    """Return the failures by period in words, for paper and for those who cannot see the bars; one period alone is no history."""
    ended = [f"{period} {counted[1]}" for period, counted in periods if counted is not None]
    return "，".join(ended) if len(ended) > 1 else ""


def _when(text: str) -> str:
    return local_time(datetime.fromisoformat(text))
