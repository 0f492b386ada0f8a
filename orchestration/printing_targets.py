"""What the command line prints of the targets of the plan: a table for people, plain values for ``--json``."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sources.reference import CITY
from warehouse.paths import Home
from warehouse.query import as_json, run_query
from warehouse.report.rounding import rounded
from warehouse.report.targets import TargetRow, TargetUnit, target_units


def progress_rows(rows: Sequence[TargetRow]) -> list[dict[str, Any]]:
    """Return targets as rows for people; figures rounded, "—" where there is none, and why."""
    has_areas = any(row.area_key != CITY for row in rows)
    return [
        {
            "条款": row.clause,
            "目标": row.target_name,
            **({"地区": row.area_name} if has_areas else {}),
            "目标值": row.text_of(row.target_value),
            "现值": row.text_of(row.value),
            "数据年度": row.data_year,
            "差距": _lacking(row),
            "需年均增长": _pct(row.needed_growth_pct),
            "最近增长": _pct(row.growth_pct),
            "预计": _projected(row),
            "状态": row.state,
            "说明": row.note,
        }
        for row in rows
    ]


def short_rows(rows: Sequence[TargetRow]) -> list[dict[str, Any]]:
    """Return targets as rows for the end of a run: target, value, what is lacking, state."""
    return [
        {name: row[name] for name in ("目标", "目标值", "现值", "数据年度", "差距", "状态")}
        for row in progress_rows(rows)
    ]


def _pct(value: Any) -> str:
    return "" if value is None else f"{rounded(value, 1)}%"


def _lacking(row: TargetRow) -> str:
    """Return what is lacking, in words where nothing is; a difference of two percentages is 百分点."""
    if row.gap is None:
        return "—"
    if row.gap <= 0:
        return "无" if row.state_code == "reached" else row.text_of(row.gap)
    text = row.text_of(row.gap)
    return f"{text.removesuffix('%')} 百分点" if row.unit == "%" else text


def _projected(row: TargetRow) -> str:
    if row.projected_value is None:
        return ""
    text = row.text_of(row.projected_value)
    if row.projected_low is not None and row.projected_high is not None:
        return f"{text}（{row.text_of(row.projected_low)} 至 {row.text_of(row.projected_high)}）"
    return f"{text}（无区间）"


def unit_rows(units: Sequence[TargetUnit]) -> list[dict[str, Any]]:
    """Return the units beside a target that each has to meet, as rows for people."""
    return [
        {
            "单位": unit.unit_name,
            "地区": unit.area_name,
            "企业和社会经费（万元）": rounded(unit.market_wan, 2),
            "科技活动费用（万元）": rounded(unit.total_wan, 2),
            "占比": "—" if unit.share_pct is None else f"{rounded(unit.share_pct, 2)}%",
            "要求": f"{unit.target_pct.normalize():f}%",
            "状态": unit.state,
        }
        for unit in units
    ]


def targets_json(home: Home, period: str) -> dict[str, Any]:
    """Return all columns of a period's targets, reasons and sources too, as plain values: decimals as text, no digit lost."""
    order = "order by target_sort_order, area_sort_order"
    found = run_query(home, f"select * from mart_target_progress where period = '{period}' {order}")
    return {
        "period": period,
        "targets": json.loads(as_json(found)),
        "units": [asdict(unit) for unit in target_units(home, period)],
    }
