"""What the command line prints of the annual evaluation (附件2): the ranking, and how one subject's score came about."""

from typing import Any

from warehouse.paths import Home
from warehouse.query import connect
from warehouse.report.annual import DIMENSION_LABELS, FORMULA_LABELS, SUBJECT_LABELS
from warehouse.report.rounding import rounded


def interval(low: int | None, high: int | None) -> str:
    """Return an interval of ranks as text; empty where there is none."""
    if low is None or high is None:
        return ""
    return str(low) if low == high else f"{low}–{high}"


def ranking_rows(home: Home, period: str) -> list[dict[str, Any]]:
    """Return the ranking of a year as rows for people: points to two places, last year's beside them."""
    with connect(home) as connection:
        found = connection.execute(
            "select subject_type, subject_name, total_points, rank, rank_low, rank_high, base_total_points, base_rank, note, "
            "is_provisional from mart_annual_ranking where period = ? "
            "order by list_position(?, subject_type), rank nulls last, subject_sort_order",
            [period, list(SUBJECT_LABELS)],
        ).fetchall()
    return [
        {
            "对象": SUBJECT_LABELS[kind],
            "名称": name,
            "综合得分": marked(total, is_provisional),
            "位次": rank,
            "位次区间": interval(low, high),
            "上年得分": marked(base_total, is_provisional),
            "上年位次": base_rank,
            "说明": note,
        }
        for kind, name, total, rank, low, high, base_total, base_rank, note, is_provisional in found
    ]


def marked(points: Any, is_provisional: bool = False) -> str | None:
    """Return points to two places, marked wherever they stand if the scheme is provisional; None as it is."""
    return None if points is None else f"{rounded(points, 2)}{'（暂定）' if is_provisional else ''}"


def standing(home: Home, period: str, subject: str) -> list[dict[str, Any]]:
    """Return composite, rank, interval and how firm the rank is of one subject (by key or name); empty where it has none."""
    with connect(home) as connection:
        found = connection.execute(
            "select subject_type, subject_name, total_points, rank, rank_low, rank_high, rank_kept_pct, rank_first_pct, note, "
            "is_provisional from mart_annual_ranking where period = ? and (subject_key = ? or subject_name = ?) order by 1",
            [period, subject, subject],
        ).fetchall()
    return [
        {
            "对象": SUBJECT_LABELS[kind],
            "名称": name,
            "综合得分": marked(total, is_provisional),
            "位次": rank,
            "位次区间": interval(low, high),
            "位次不变的次数占比（%）": rounded(kept, 1),
            "排第一的次数占比（%）": rounded(first, 1),
            "说明": note,
        }
        for kind, name, total, rank, low, high, kept, first, note, is_provisional in found
    ]


def explained_rows(home: Home, period: str, subject: str) -> list[dict[str, Any]]:
    """Return every figure of one subject (by key or name) with all that its score rests on, and what changed since last year.

    Empty where there is no such subject.
    """
    with connect(home) as connection:
        found = connection.execute(
            "select subject_type, subject_key, indicator_name, dimension, data_year, value, unit, unacceptable, satisfactory, formula, "
            "score_points, weight, contribution_points, value_change, contribution_change_points, rank, note, is_provisional "
            "from mart_annual_evaluation where period = ? and (subject_key = ? or subject_name = ?) "
            "order by subject_type, subject_key, indicator_sort_order, list_position(?, dimension)",
            [period, subject, subject, list(DIMENSION_LABELS)],
        ).fetchall()
    return [
        {
            "对象": SUBJECT_LABELS[kind],
            "代码": key,
            "指标": indicator,
            "维度": DIMENSION_LABELS[dimension],
            "数据年度": data_year,
            "数值": None if value is None else f"{rounded(value, 2)} {unit}",
            "不允许值": rounded(unacceptable, 2),
            "满意值": rounded(satisfactory, 2),
            "公式": FORMULA_LABELS.get(formula, ""),
            "得分": marked(points, is_provisional),
            "权重": None if weight is None else f"{weight.normalize():f}",
            "贡献": rounded(contribution, 2),
            "数值较上年": rounded(change, 2),
            "贡献较上年": rounded(contribution_change, 2),
            "位次": rank,
            "说明": note,
        }
        for (
            kind, key, indicator, dimension, data_year, value, unit, unacceptable, satisfactory, formula, points, weight,
            contribution, change, contribution_change, rank, note, is_provisional,
        ) in found
    ]  # fmt: skip
