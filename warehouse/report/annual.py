"""The annual evaluation (附件2) as the published warehouse holds it: figures and ranking of one year, with the words that people read.

Nothing is rounded here; the sheets and pictures round once, where they write.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

import duckdb

from sources.reference import periods
from warehouse.paths import Home
from warehouse.query import connect

SUBJECT_LABELS = {
    "area": "地区",
    "university": "高校",
    "institute": "科研机构",
    "hospital": "医疗卫生机构",
    "sector": "机构整体",
    "city": "全市",
}
SCORED = ("area", "university", "institute", "hospital")
"""The kinds of subject that have a score, in the document's order; the city and the sectors as wholes have figures only."""

DIMENSION_LABELS = {"level": "总量", "share": "占比", "growth": "增速"}
FORMULA_LABELS = {"linear": "线性", "zero_based": "从零到百", "five_grade": "五档", "exponential": "指数"}
BENCHMARK_LABELS = {
    "group_max_min": "同类对象中的最小、最大值",
    "top_k_mean": "同类对象中后几名、前几名的平均",
    "fixed": "方案规定的固定值",
}
PROVISIONAL = "暂定（演示）：权重和标准值未经市委科技办确定，不作考核依据"


class NoSuchYear(RuntimeError):
    """The published warehouse holds no annual evaluation of this period."""


@dataclass(frozen=True)
class AnnualFigure:
    """One dimension of one indicator of one subject: a row of ``mart_annual_evaluation``; amounts in 万元, ratios in %, all exact."""

    subject_type: str
    subject_key: str
    subject_name: str
    annex_group: str
    annex_no: str
    indicator_id: str
    indicator_name: str
    dimension: str
    provider: str | None
    share_of_name: str | None
    data_year: int
    value: Decimal | None
    unit: str
    value_note: str | None
    unacceptable: Decimal | None
    satisfactory: Decimal | None
    formula: str | None
    base_points: Decimal | None
    span_points: Decimal | None
    benchmark_method: str | None
    score_points: Decimal | None
    indicator_score_points: Decimal | None
    weight: Decimal | None
    contribution_points: Decimal | None
    value_change: Decimal | None
    contribution_change_points: Decimal | None
    rank: int | None
    base_rank: int | None
    note_code: str | None
    note: str | None

    @property
    def subject(self) -> tuple[str, str]:
        """Kind and key of the subject."""
        return self.subject_type, self.subject_key

    @property
    def is_whole(self) -> bool:
        """Whether the subject is the city or a sector as a whole: listed, never scored."""
        return self.subject_type not in SCORED


@dataclass(frozen=True)
class AnnualRank:
    """One subject's composite: a row of ``mart_annual_ranking``, points exact; ``rank_low`` the best rank of the interval."""

    subject_type: str
    subject_key: str
    subject_name: str
    total_points: Decimal | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    base_total_points: Decimal | None
    base_rank: int | None
    total_change_points: Decimal | None
    scored_weight: Decimal
    full_weight: Decimal
    note: str | None


@dataclass(frozen=True)
class Annual:
    """One year's evaluation: figures in the annex's order, wholes before their parts; ranking by kind and rank.

    ``scheme`` and ``robustness`` (how the intervals of ranks came about) are sentences for people.
    """

    year: int
    figures: list[AnnualFigure]
    ranking: list[AnnualRank]
    scheme: str
    is_provisional: bool
    robustness: str

    def of(self, provider: str, kinds: Collection[str]) -> "Annual":
        """Return what one provider reported, and the ranking of the kinds of subject that are wholly its own."""
        return Annual(
            self.year,
            [figure for figure in self.figures if figure.provider == provider],
            [rank for rank in self.ranking if rank.subject_type in kinds],
            self.scheme,
            self.is_provisional,
            self.robustness,
        )

    @property
    def missing(self) -> list[str]:
        """The providers that sent nothing for this year."""
        return list(dict.fromkeys(f.provider for f in self.figures if f.provider and f.value_note == "not_received"))

    def marked(self, heading: str) -> str:
        """Return a heading of points, marked where the scheme is provisional."""
        return f"{heading}（暂定）" if self.is_provisional else heading


def read_annual(home: Home, period: str) -> Annual:
    """Return the published evaluation of one year.

    Raises:
        NoSuchYear: the period is no year, or none of its figures are published.
        NothingPublished: nothing was published yet.
    """
    if periods()[period].kind != "year":
        raise NoSuchYear(f"{period} 不是年度，没有附件2；年度写 {periods()[period].year}")
    with connect(home) as connection:
        figures = connection.execute(
            f"select {', '.join(each.name for each in fields(AnnualFigure))} from mart_annual_evaluation where period = ? "
            "order by list_position(?, case subject_type when 'sector' then subject_key when 'city' then 'area' else subject_type end), "
            "indicator_sort_order, subject_type not in ('city', 'sector'), subject_sort_order, subject_key, "
            "list_position(?, dimension)",
            [period, list(SCORED), list(DIMENSION_LABELS)],
        ).fetchall()
        ranking = connection.execute(
            f"select {', '.join(each.name for each in fields(AnnualRank))} from mart_annual_ranking where period = ? "
            "order by list_position(?, subject_type), rank nulls last, subject_sort_order, subject_key",
            [period, list(SCORED)],
        ).fetchall()
        schemes = _schemes(connection, period)
    if not figures:
        raise NoSuchYear(f"已发布的数仓里没有 {period} 年度研判；请先运行 sti run {period}")
    named = [AnnualFigure(*row) for row in figures]
    clashing = _clashing_names(named)
    return Annual(
        year=periods()[period].year,
        figures=[_told_apart(figure, clashing) for figure in named],
        ranking=[_told_apart(AnnualRank(*row), clashing) for row in ranking],
        scheme=_told(schemes),
        is_provisional=any(is_new for *_, is_new in schemes),
        robustness=robustness_line(home, period),
    )


_Named = TypeVar("_Named", AnnualFigure, AnnualRank)


def _clashing_names(figures: Iterable[AnnualFigure]) -> set[tuple[str, str]]:
    """Return kind and name where several subjects of one kind bear one name."""
    subjects = {(figure.subject_type, figure.subject_name, figure.subject_key) for figure in figures}
    counts = Counter((kind, name) for kind, name, _ in subjects)
    return {subject for subject, count in counts.items() if count > 1}


def _told_apart(each: _Named, clashing: Collection[tuple[str, str]]) -> _Named:
    """Return a row whose subject's name is followed by its code, if another subject bears that name too."""
    if (each.subject_type, each.subject_name) not in clashing:
        return each
    return replace(each, subject_name=f"{each.subject_name}（{each.subject_key}）")


def scheme_line(home: Home, period: str) -> str:
    """Return which scheme the scores of a year rest on, and that it is provisional where it is."""
    with connect(home) as connection:
        return _told(_schemes(connection, period))


def _schemes(connection: duckdb.DuckDBPyConnection, period: str) -> list[tuple[str, str, bool]]:
    query = "select distinct scheme_id, scheme_name, is_provisional from mart_annual_evaluation where period = ? order by all"
    return connection.execute(query, [period]).fetchall()


def _told(schemes: list[tuple[str, str, bool]]) -> str:
    return "；".join(f"打分方案 {key} {name}" + (f"。{PROVISIONAL}" if is_new else "") for key, name, is_new in schemes)


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
