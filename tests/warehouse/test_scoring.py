"""Scoring: the formulas, the policies for odd cases, and that every point is accounted for. Worked examples: test_literature."""

import csv
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.reference import SEEDS_DIR
from warehouse.publish import MACROS
from warehouse.scoring.benchmarks import group_max_min, top_k_mean
from warehouse.scoring.engine import Figure, ScoredFigure, score
from warehouse.scoring.formulas import (
    DegenerateBenchmarkError,
    efficacy_exponential,
    efficacy_five_grade,
    efficacy_linear,
    efficacy_zero_based,
)
from warehouse.scoring.scheme import Scheme, SchemeError, read_scheme, scheme_in_force
from warehouse.scoring.tables import exact, value_of

F = Fraction


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS_DIR / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def scheme(
    head: dict[str, Any] | None = None,
    dimension: dict[str, Any] | None = None,
    policies: dict[str, tuple] | None = None,
) -> Scheme:
    """One indicator of two dimensions and one of one, on the provisional scheme's defaults, changed as given."""
    changed = {**seed("scoring_scheme")[0], **(head or {})}
    rows = [
        {"scheme_id": "provisional", "subject_type": "area", "indicator_id": i, "dimension": d, **(dimension or {})}
        for i, d in (("money", "level"), ("money", "growth"), ("people", "level"))
    ]
    weights = [
        {"scheme_id": "provisional", "subject_type": "area", "indicator_id": i, "weight": w}
        for i, w in (("money", "1"), ("people", "0.5"))
    ]
    treated = [
        {**row, **(dict(zip(("treatment", "points"), policies[row["situation"]], strict=True)) if policies and row["situation"] in policies else {})}
        for row in seed("scoring_policy")
    ]  # fmt: skip
    return read_scheme(changed, weights, rows, treated)


def figures(values: dict[str, str | None], indicator: str = "money", dimension: str = "level") -> list[Figure]:
    """Figures by subject; a value that is no number is the reason why there is none."""

    def one(key: str, text: str | None) -> Figure:
        is_number = text is not None and text.lstrip("-").replace(".", "").isdigit()
        value, code = (F(text), None) if is_number else (None, text)
        return Figure("area", key, indicator, dimension, value, code)

    return [one(key, text) for key, text in values.items()]


@lru_cache(maxsize=1)
def with_macros() -> duckdb.DuckDBPyConnection:
    """A connection that has the macros of the published warehouse."""
    connection = duckdb.connect()
    connection.execute(MACROS.read_text(encoding="utf-8"))
    return connection


def by_subject(scored: list[ScoredFigure]) -> dict[str, ScoredFigure]:
    return {one.figure.subject_key: one for one in scored}


def rounded(value: Fraction, places: str = "0.01") -> Decimal:
    exactly = exact(value)
    assert exactly is not None
    return exactly.quantize(Decimal(places), "ROUND_HALF_UP")


def test_halfway_between_two_grades_is_halfway_between_their_coefficients() -> None:
    points = efficacy_five_grade(F(90), F(100), F(40), F(60), F(80), F(100), F(120))
    assert points == 100 * (F("0.6") + F("0.5") * (F("0.8") - F("0.6")))


@pytest.mark.parametrize("formula", [efficacy_linear, efficacy_exponential])
def test_sixty_points_at_the_unacceptable_and_a_hundred_at_the_satisfactory_value(formula: Any) -> None:
    for worst, best in ((F(6), F(12)), (F(12), F(6))):
        assert (rounded(formula(worst, worst, best)), rounded(formula(best, worst, best))) == (
            Decimal(60),
            Decimal(100),
        )


def test_an_inverse_indicator_scores_more_the_less_there_is_of_it() -> None:
    assert efficacy_zero_based(F(7), F(10), F(5)) == 60
    assert efficacy_zero_based(F(4), F(10), F(5)) == 100
    assert efficacy_five_grade(F(3), F(100), F(10), F(8), F(6), F(4), F(2)) == 90
    scored, _ = score(figures({"a": "1", "b": "3", "c": "2"}), scheme(dimension={"direction": "lower"}))
    assert {k: (one.points, one.rank) for k, one in by_subject(scored).items()} == {"a": (100, 1), "b": (60, 3), "c": (80, 2)}  # fmt: skip


def test_no_distance_between_the_benchmarks_is_an_error_and_never_a_number() -> None:
    for formula in (efficacy_linear, efficacy_zero_based, efficacy_exponential):
        with pytest.raises(DegenerateBenchmarkError):
            formula(F(1), F(2), F(2))
    with pytest.raises(DegenerateBenchmarkError, match="依次"):
        efficacy_five_grade(F(1), F(1), F(1), F(2), F(2), F(3), F(4))


@settings(deadline=None, max_examples=60)
@given(
    x=st.decimals(-1000, 1000, places=2),
    worst=st.decimals(-100, 100, places=2),
    best=st.decimals(-100, 100, places=2),
)
def test_the_published_macros_say_the_same_as_the_exact_formulas(x: Decimal, worst: Decimal, best: Decimal) -> None:
    if abs(best - worst) < 1:
        return
    quarter = (F(best) - F(worst)) / 4
    grades = [F(worst) + place * quarter for place in range(5)]
    (found,) = (
        with_macros()
        .execute(
            "select efficacy_linear(?, ?, ?, 60, 40), efficacy_zero_based(?, ?, ?), efficacy_exponential(?, ?, ?), "
            "efficacy_five_grade(?, 20, ?, ?, ?, ?, ?)",
            [float(v) for v in (*(x, worst, best) * 3, x, *grades)],
        )
        .fetchall()
    )
    wanted = (
        efficacy_linear(F(x), F(worst), F(best)),
        efficacy_zero_based(F(x), F(worst), F(best)),
        efficacy_exponential(F(x), F(worst), F(best)),
        efficacy_five_grade(F(x), F(20), *grades),
    )
    assert found == pytest.approx([float(value) for value in wanted], rel=1e-9, abs=1e-9)


def test_a_macro_of_nothing_or_of_no_distance_is_null() -> None:
    query = (
        "select efficacy_linear(null, 1, 2, 60, 40), efficacy_zero_based(null, 1, 2), efficacy_exponential(null, 1, 2), "
        "efficacy_five_grade(null, 1, 1, 2, 3, 4, 5), efficacy_linear(1, 2, 2, 60, 40), efficacy_zero_based(1, 2, 2), "
        "efficacy_exponential(1, 2, 2), efficacy_five_grade(1, 1, 2, 2, 2, 2, 2)"
    )
    assert with_macros().execute(query).fetchall() == [(None,) * 8]


def test_the_best_and_the_worst_of_a_group_are_its_benchmarks_or_the_means_of_the_k_best_and_worst() -> None:
    values = [F(v) for v in (1, 2, 4, 8, 16)]
    assert (group_max_min(values, "higher").unacceptable, group_max_min(values, "higher").satisfactory) == (1, 16)
    assert (group_max_min(values, "lower").unacceptable, group_max_min(values, "lower").satisfactory) == (16, 1)
    two = top_k_mean(values, 2, "higher")
    assert (two.unacceptable, two.satisfactory, two.grades[2]) == (F(3, 2), 12, (F(3, 2) + 12) / 2)
    # Three of five would make the middle one both: each side takes two.
    assert top_k_mean(values, 3, "higher") == two
    scored, _ = score(figures({"a": "1", "b": "2", "c": "4", "d": "16"}),
                      scheme({"benchmark_method": "top_k_mean", "top_k": 2, "clamp_low": "60", "clamp_high": "100"}))  # fmt: skip
    assert [one.points for one in scored][0::3] == [60, 100]


def test_a_subject_alone_in_its_group_has_no_score_and_the_result_says_so() -> None:
    scored, ranked = score(figures({"a": "5"}) + figures({"a": "7"}, "people"), scheme())
    assert [(one.points, one.note_code) for one in scored] == [(None, "one_subject")] * 2
    assert "只有一个对象" in (scored[0].note or "")
    assert (ranked[0].total, ranked[0].rank, ranked[0].scored_weight) == (None, None, 0)


def test_a_scheme_may_give_a_subject_alone_fixed_points_instead() -> None:
    scored, ranked = score(figures({"a": "5"}), scheme(policies={"one_subject": ("fixed_points", "80")}))
    assert (scored[0].points, ranked[0].total) == (80, 80)
    assert "只有一个对象" in (scored[0].note or "")


def test_fixed_benchmarks_need_no_group() -> None:
    given_values = {"benchmark_method": "fixed", "unacceptable": "6", "satisfactory": "12"}
    scored, _ = score(figures({"a": "5.81"}), scheme(dimension=given_values))
    assert rounded(scored[0].points or F(0)) == Decimal("58.73")


def test_equal_values_have_no_score_and_their_weight_falls_away() -> None:
    scored, ranked = score(figures({"a": "5", "b": "5"}) + figures({"a": "1", "b": "3"}, "people"), scheme())
    assert [(one.points, one.note_code) for one in scored[:2]] == [(None, "no_spread")] * 2
    assert {r.subject_key: (r.total, r.rank, r.scored_weight, r.full_weight) for r in ranked} == {
        "a": (60, 2, F("0.5"), F("1.5")),
        "b": (100, 1, F("0.5"), F("1.5")),
    }


@pytest.mark.parametrize("code", ["value_missing", "base_missing", "base_not_positive", "basis_changed"])
def test_a_missing_figure_drops_out_with_its_reason_and_moves_nobodys_benchmark(code: str) -> None:
    level = figures({"a": "1", "b": "3", "c": "2"})
    scored, ranked = score(level + figures({"a": code, "b": "10", "c": "20"}, dimension="growth"), scheme())
    growth = by_subject(scored[3:])
    assert (growth["a"].points, growth["a"].rank, growth["a"].note_code) == (None, None, code)
    assert growth["a"].note
    assert (growth["b"].points, growth["c"].points) == (60, 100)
    totals = {r.subject_key: r.total for r in ranked}
    # One dimension for a, the plain mean of two for the others.
    assert totals == {"a": 60, "b": 80, "c": 90}


def test_a_base_of_zero_or_less_has_no_growth_and_the_ratio_is_taken_of_exact_numbers() -> None:
    row = {"dimension": "growth", "value_kind": "amount", "numerator_wan": Decimal("2"), "denominator_wan": None,
           "base_numerator_wan": Decimal("3"), "base_denominator_wan": None}  # fmt: skip
    assert value_of({**row, "note_code": "base_not_positive"}) is None
    assert value_of({**row, "note_code": None}) == F(-100, 3)
    ratio = {**row, "value_kind": "ratio", "denominator_wan": Decimal(3), "base_denominator_wan": Decimal(7)}
    assert value_of({**ratio, "note_code": None}) == (F(2, 3) - F(3, 7)) * 100
    assert exact(F(-2, 3)) == Decimal("-0.6666666666666667")


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(*[st.one_of(st.none(), st.integers(0, 10**9))] * 3), min_size=2, max_size=9),
    st.sampled_from(["linear", "zero_based", "exponential", "five_grade"]),
    st.sampled_from(["arithmetic", "geometric"]),
)
def test_contributions_add_up_to_the_composite_and_ranks_follow_it(
    rows: list[tuple[int | None, ...]], formula: str, mean: str
) -> None:
    given_figures = []
    for place, (indicator, dimension) in enumerate((("money", "level"), ("money", "growth"), ("people", "level"))):
        column = {f"s{n}": None if row[place] is None else str(row[place]) for n, row in enumerate(rows)}
        given_figures += figures(column, indicator, dimension)
    scored, ranked = score(given_figures, scheme({"formula": formula, "mean_method": mean}))
    for each in ranked:
        parts = [one.contribution for one in scored if one.figure.subject_key == each.subject_key and one.contribution is not None]  # fmt: skip
        if parts and each.total is not None:
            assert abs(sum(parts) - each.total) < F(1, 10**12)
        assert (each.total is None) == (each.rank is None)
    totals = [each.total for each in ranked if each.total is not None]
    assert all(each.rank == 1 + sum(t > each.total for t in totals) for each in ranked if each.total is not None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"head": {"formula": "cubic"}}, "formula"),
        ({"head": {"benchmark_method": "top_k_mean"}}, "top_k"),
        ({"head": {"mean_method": "harmonic"}}, "mean_method"),
        ({"head": {"clamp_low": "100", "clamp_high": "60"}}, "clamp_low"),
        ({"dimension": {"benchmark_method": "fixed", "unacceptable": "6"}}, "satisfactory"),
        ({"dimension": {"benchmark_method": "fixed", "unacceptable": "6", "satisfactory": "6"}}, "依次"),
        ({"dimension": {"benchmark_method": "fixed", "unacceptable": "6", "satisfactory": "3"}}, "direction"),
        ({"dimension": {"dimension_weight": "0"}}, "dimension_weight"),
        ({"policies": {"no_spread": ("fixed_points", "")}}, "points"),
    ],
)
def test_a_wrong_scheme_is_refused_by_seed_row_and_field(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SchemeError, match=said):
        scheme(**changes)


def test_a_scheme_that_says_nothing_of_a_situation_is_refused() -> None:
    policies = [row for row in seed("scoring_policy") if row["situation"] != "one_subject"]
    with pytest.raises(SchemeError, match="one_subject"):
        read_scheme(seed("scoring_scheme")[0], [], [], policies)


def test_exactly_one_scheme_is_in_force_on_a_day() -> None:
    old = {"scheme_id": "a", "valid_from": date(2024, 1, 1), "valid_to": date(2025, 12, 31)}
    new = {"scheme_id": "b", "valid_from": date(2026, 1, 1), "valid_to": None}
    assert scheme_in_force([old, new], date(2025, 12, 31)) is old
    with pytest.raises(SchemeError, match="没有"):
        scheme_in_force([old, new], date(2023, 12, 31))
    with pytest.raises(SchemeError, match="a、b"):
        scheme_in_force([old | {"valid_to": None}, new], date(2026, 12, 31))


def test_the_default_scheme_is_the_provisional_one_and_says_so() -> None:
    (head,) = seed("scoring_scheme")
    read = read_scheme(head, seed("scoring_weight"), seed("scoring_dimension"), seed("scoring_policy"))
    assert (read.scheme_id, read.is_provisional) == ("provisional", True)
    assert "暂定" in read.scheme_name
