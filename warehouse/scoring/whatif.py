"""What a proposed scheme would change: one published year scored by the scheme in force and by the proposal, side by side.

Reads the published warehouse, writes nothing. The figures are taken as the exact parts that the mart keeps of each value, and the
scheme in force as the published rows; so the points of the scheme in force come out as published, to the last of their 16 places.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from warehouse.scoring.formulas import DegenerateBenchmarkError
from warehouse.scoring.proposal import (
    Cell,
    Document,
    SchemeRows,
    differences,
    document_of,
    laid_over,
    read_proposal,
    rows_of,
)
from warehouse.scoring.scheme import SchemeError, scheme_in_force
from warehouse.scoring.tables import range_rows, score_rows

Rows = list[dict[str, Any]]
Subject = tuple[str, str]
"""Kind of subject and its key."""


class CannotCompare(RuntimeError):
    """The published warehouse does not hold what a comparison needs; the message says what to do."""


@dataclass(frozen=True)
class PublishedYear:
    """One published year: its figures, its ranking, and the scheme that it was scored by."""

    year: int
    period: str
    figures: Rows
    ranking: Mapping[Subject, Mapping[str, Any]]
    scheme: SchemeRows

    @property
    def document(self) -> Document:
        """The scheme in force, as a person would write it."""
        return document_of(self.scheme)

    @property
    def cells(self) -> set[Cell]:
        """What can be scored: the kinds of subject that are ranked, their indicators and dimensions."""
        kinds = {kind for kind, _ in self.ranking}
        return {
            (f["subject_type"], f["indicator_id"], f["dimension"]) for f in self.figures if f["subject_type"] in kinds
        }


@dataclass(frozen=True)
class Compared:
    """One subject under the scheme in force and under the proposal; ``movers``: points that each indicator adds or takes, largest first."""

    subject_type: str
    subject_key: str
    subject_name: str
    total_points: Decimal | None
    proposed_total_points: Decimal | None
    rank: int | None
    proposed_rank: int | None
    rank_low: int | None
    rank_high: int | None
    proposed_rank_low: int | None
    proposed_rank_high: int | None
    movers: list[tuple[str, str, Decimal]]

    @property
    def change_points(self) -> Decimal | None:
        """How many points the proposal adds."""
        if self.total_points is None or self.proposed_total_points is None:
            return None
        return self.proposed_total_points - self.total_points

    @property
    def rank_change(self) -> int | None:
        """How many places the proposal moves the subject up (negative: down)."""
        return None if self.rank is None or self.proposed_rank is None else self.rank - self.proposed_rank

    @property
    def is_unmoved(self) -> bool:
        """Whether points, rank and interval stay as they are."""
        now = (self.total_points, self.rank, self.rank_low, self.rank_high)
        return now == (
            self.proposed_total_points,
            self.proposed_rank,
            self.proposed_rank_low,
            self.proposed_rank_high,
        )


@dataclass(frozen=True)
class Comparison:
    """A proposal beside the scheme in force."""

    published: PublishedYear
    proposal_name: str
    differences: list[tuple[str, Any, Any]]
    robustness: Mapping[str, Any]
    subjects: list[Compared]


def read_year(connection: duckdb.DuckDBPyConnection, year: int | None) -> PublishedYear:
    """Read one year from the published warehouse; the latest, if none is named.

    Raises:
        CannotCompare: no such year was published, or by a version that did not publish its scheme yet.
    """
    try:
        years = [
            row[0] for row in connection.execute("select distinct year from mart_annual_ranking order by 1").fetchall()
        ]
        if not years:
            raise CannotCompare("还没有发布过年度研判；请先运行 sti run 年度，如 sti run 2025")
        if year not in (None, *years):
            raise CannotCompare(f"没有发布过 {year} 年度的研判；已发布的年度：{'、'.join(map(str, years))}")
        return _read_year(connection, years[-1] if year is None else year)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise CannotCompare("已发布的数仓是旧版程序发布的，其中没有打分方案；请重新 sti run 该年度") from error


def _read_year(connection: duckdb.DuckDBPyConnection, year: int) -> PublishedYear:
    def rows(query: str, *parameters: Any) -> Rows:
        found: Rows = connection.sql(query, params=list(parameters)).to_arrow_table().to_pylist()
        return found

    # A figure that has a value has no reason for having none: what note_code says then is the scheme's.
    figures = rows(
        "select subject_type, subject_key, subject_name, indicator_id, indicator_name, dimension, value_kind, numerator_wan, "
        "denominator_wan, base_numerator_wan, base_denominator_wan, case when value is null then note_code end as note_code "
        "from mart_annual_evaluation where year = ? order by all",
        year,
    )
    ranking = rows(
        "select r.*, p.ends_on from mart_annual_ranking r join dim_period p using (period) where r.year = ? "
        "order by subject_type, rank nulls last, subject_sort_order",
        year,
    )
    head = scheme_in_force(rows("select * from scoring_scheme"), ranking[0]["ends_on"])
    weight, dimension, policy, robustness = (
        rows(f"select * from scoring_{name} where scheme_id = ?", head["scheme_id"])
        for name in ("weight", "dimension", "policy", "robustness")
    )
    by_subject = {(row["subject_type"], row["subject_key"]): row for row in ranking}
    return PublishedYear(
        year, ranking[0]["period"], figures, by_subject, SchemeRows(head, weight, dimension, policy, robustness)
    )


def compare(published: PublishedYear, path: Path) -> Comparison:
    """Score a published year by the scheme in force and by the one that a file proposes.

    Raises:
        CannotCompare: this program does not arrive at the published points.
        UnreadableProposal: the file is absent or no YAML.
        SchemeError: the proposal is refused; the message names the file, the key and the reason.
    """
    in_force, _ = published.scheme.read()
    document = published.document
    proposed = laid_over(document, read_proposal(path), published.cells, path.name)
    scheme, robustness = rows_of(proposed).read(path.name)
    before = score_rows(published.figures, in_force)
    totals = _composites(before)
    for subject, row in published.ranking.items():
        if totals.get(subject) != (row["total_points"], row["rank"]):
            raise CannotCompare(
                f"{row['subject_name']}已发布的得分与现行程序算出的不同；请先重新 sti run {published.year}"
            )
    try:
        after = score_rows(published.figures, scheme)
        ranges = range_rows(published.figures, scheme, robustness, published.period)
    except (DegenerateBenchmarkError, SchemeError) as error:
        raise SchemeError(f"{path.name}：{error}") from error
    moved = _moved(published.figures, before, after)
    proposed_totals = _composites(after)
    proposed_ranges = {(row["subject_type"], row["subject_key"]): (row["rank_low"], row["rank_high"]) for row in ranges}
    subjects = [
        Compared(
            *subject,
            row["subject_name"],
            *(row["total_points"], proposed_totals[subject][0]),
            *(row["rank"], proposed_totals[subject][1]),
            *(row["rank_low"], row["rank_high"]),
            *proposed_ranges.get(subject, (None, None)),
            moved.get(subject, []),
        )
        for subject, row in published.ranking.items()
    ]
    changed = differences(document, proposed)
    return Comparison(published, scheme.scheme_name, changed, proposed["robustness"], subjects)


def _composites(rows: Rows) -> dict[Subject, tuple[Decimal | None, int | None]]:
    ranked = [row for row in rows if row["full_weight"] is not None]
    return {(row["subject_type"], row["subject_key"]): (row["total_points"], row["total_rank"]) for row in ranked}


def _moved(figures: Rows, before: Rows, after: Rows) -> dict[Subject, list[tuple[str, str, Decimal]]]:
    """Return by subject how many points of the composite each indicator adds or takes; nothing where a mean cannot be split up."""
    names = {(f["subject_type"], f["indicator_id"]): f["indicator_name"] for f in figures}
    changes: dict[Subject, dict[str, Decimal]] = {}
    unsplit = set()
    for rows, sign in ((before, -1), (after, 1)):
        for row in rows:
            subject = (row["subject_type"], row["subject_key"])
            if row["score_points"] is not None and row["contribution_points"] is None:
                unsplit.add(subject)
            own = changes.setdefault(subject, {})
            points = sign * (row["contribution_points"] or Decimal(0))
            own[row["indicator_id"]] = own.get(row["indicator_id"], Decimal(0)) + points
    return {
        subject: [
            (indicator, names[subject[0], indicator], change)
            for indicator, change in sorted(own.items(), key=lambda one: (-abs(one[1]), one[0]))
            if change
        ]
        for subject, own in changes.items()
        if subject not in unsplit
    }
