"""What the command line prints of the annual evaluation (附件2): the ranking, and how one subject's score came about."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from warehouse.paths import Home
from warehouse.query import connect
from warehouse.report.rounding import rounded

SUBJECT_LABELS = {
    "area": "地区",
    "university": "高校",
    "institute": "科研机构",
    "hospital": "医疗卫生机构",
    "sector": "机构整体",
    "city": "全市",
}
DIMENSION_LABELS = {"level": "总量", "share": "占比", "growth": "增速"}
FORMULA_LABELS = {"linear": "线性", "zero_based": "从零到百", "five_grade": "五档", "exponential": "指数"}
PROVISIONAL = "暂定（演示）：权重和标准值未经市委科技办确定，不作考核依据"


def scheme_line(home: Home, period: str) -> str:
    """Return which scheme the scores of a year rest on, and that it is provisional where it is."""
    with connect(home) as connection:
        rows = connection.execute(
            "select distinct scheme_id, scheme_name, is_provisional from mart_annual_ranking where period = ?", [period]
        ).fetchall()
    return "；".join(f"打分方案 {key} {name}" + (f"。{PROVISIONAL}" if is_new else "") for key, name, is_new in rows)


def robustness_text(parameters: Mapping[str, Any]) -> str:
    """Return in words how an interval of ranks came about: ``parameters`` are those of ``scoring_robustness``."""
    weight, benchmark = (
        f"{float(Fraction(str(parameters[name])) * 100):g}" for name in ("weight_spread", "benchmark_spread")
    )
    return (
        f"各权重上下 {weight}%、各标准值上下（两值距离的）{benchmark}% 之内随机变动 {parameters['draw_count']} 次，"
        f"{parameters['coverage_pct']}% 落在区间内；区间相交的，不宜分高下"
    )


def robustness_line(home: Home, period: str) -> str:
    """Return how the intervals of ranks of a year came about."""
    with connect(home) as connection:
        found = connection.sql(
            "select distinct s.* from scoring_robustness s join mart_annual_ranking r using (scheme_id) where r.period = ?",
            params=[period],
        ).to_arrow_table()
    return "；".join(f"位次区间：{robustness_text(row)}" for row in found.to_pylist())


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
            "select subject_type, indicator_name, dimension, data_year, value, unit, unacceptable, satisfactory, formula, "
            "score_points, weight, contribution_points, value_change, contribution_change_points, rank, note, is_provisional "
            "from mart_annual_evaluation where period = ? and (subject_key = ? or subject_name = ?) "
            "order by subject_type, indicator_sort_order, list_position(?, dimension)",
            [period, subject, subject, list(DIMENSION_LABELS)],
        ).fetchall()
    return [
        {
            "对象": SUBJECT_LABELS[kind],
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
            kind, indicator, dimension, data_year, value, unit, unacceptable, satisfactory, formula, points, weight,
            contribution, change, contribution_change, rank, note, is_provisional,
        ) in found
    ]  # fmt: skip
