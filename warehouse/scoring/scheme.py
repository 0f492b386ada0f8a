"""A scoring scheme read from rows (seeds ``scoring_*``) and checked: formulas, benchmarks, weights, what to do in odd cases."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from warehouse.scoring.benchmarks import Direction

Formula = Literal["linear", "zero_based", "five_grade", "exponential"]
BenchmarkMethod = Literal["fixed", "group_max_min", "top_k_mean"]
SITUATIONS = (
    "value_missing", "denominator_missing", "denominator_not_positive", "data_years_differ", "base_missing",
    "base_not_positive", "base_other_year", "basis_changed", "no_spread", "one_subject",
)  # fmt: skip
"""What keeps a dimension from a score; a scheme says of each what to do."""

Key = tuple[str, str]
"""Subject type and indicator."""

SEED_FILES = {name: f"scoring_{name}.csv" for name in ("scheme", "weight", "dimension", "policy", "robustness")}
"""Where each kind of row of a scheme in force is written."""


class SchemeError(ValueError):
    """A scheme is wrong; the message names the seed, the row, the field and the reason."""


NUMBER = re.compile(r"[+-]?[0-9]{1,20}((\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?|/0*[1-9][0-9]{0,19})")
"""A decimal or a fraction of a size that a scheme can mean; anything longer would only keep the machine busy."""


def _exact(value: Any) -> Any:
    if value in (None, ""):
        return None
    if isinstance(value, Fraction):
        return value
    if not NUMBER.fullmatch(text := str(value).strip()):
        raise ValueError(f"“{text[:40]}”不是数；写成 0.25、60 或 1/3")
    return Fraction(text)


Exact = Annotated[Fraction, BeforeValidator(_exact)]
Maybe = Annotated[Fraction | None, BeforeValidator(_exact)]


class SchemeRow(BaseModel):
    """A row of one of the seeds ``scoring_*``; columns that it does not name (why, source) are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, arbitrary_types_allowed=True)


class Policy(SchemeRow):
    """What happens to a dimension in one situation: no score (``drop``), or ``fixed_points``; always with a note."""

    situation: Literal[SITUATIONS]  # type: ignore[valid-type]
    treatment: Literal["drop", "fixed_points"]
    points: Maybe = None
    note: str = Field(min_length=1)

    @model_validator(mode="after")
    def _points_fit(self) -> "Policy":
        if (self.treatment == "fixed_points") != (self.points is not None):
            raise ValueError("points：treatment 为 fixed_points 时须写，drop 时不得写")
        return self


class Weight(SchemeRow):
    """The weight of one indicator in the composite score of its kind of subject."""

    subject_type: str
    indicator_id: str
    weight: Exact

    @model_validator(mode="after")
    def _not_negative(self) -> "Weight":
        if self.weight < 0:
            raise ValueError("weight：不得为负")
        return self


class ScoredDimension(SchemeRow):
    """How one dimension of an indicator is scored; what a row leaves blank is the scheme's."""

    subject_type: str
    indicator_id: str
    dimension: Literal["level", "share", "growth"]
    dimension_weight: Exact
    direction: Direction
    formula: Formula
    base_points: Exact
    span_points: Exact
    benchmark_method: BenchmarkMethod
    top_k: int | None = None
    clamp_low: Maybe = None
    clamp_high: Maybe = None
    unacceptable: Maybe = None
    low: Maybe = None
    average: Maybe = None
    good: Maybe = None
    satisfactory: Maybe = None

    @model_validator(mode="after")
    def _fields_fit(self) -> "ScoredDimension":
        if self.dimension_weight <= 0:
            raise ValueError("dimension_weight：须大于 0；不计分的维度不写行")
        if self.benchmark_method == "fixed" and (self.unacceptable is None or self.satisfactory is None):
            raise ValueError("unacceptable、satisfactory：benchmark_method 为 fixed 时须写")
        if self.benchmark_method == "fixed" and self.direction != self._fixed_direction:
            raise ValueError("unacceptable…satisfactory：须由差到优依次递增（direction 为 lower 时递减），且各不相同")
        if self.benchmark_method == "top_k_mean" and not (self.top_k and self.top_k > 0):
            raise ValueError("top_k：benchmark_method 为 top_k_mean 时须写正整数")
        if self.clamp_low is not None and self.clamp_high is not None and self.clamp_low > self.clamp_high:
            raise ValueError("clamp_low：大于 clamp_high")
        return self

    @property
    def _fixed_direction(self) -> Direction | None:
        """The way the fixed values run, from the worst to the best; None where they do not run one way."""
        given = (self.unacceptable, self.low, self.average, self.good, self.satisfactory)
        values = [value for value in given if value is not None]
        if len(values) not in (2, 5):
            return None
        if all(a < b for a, b in pairwise(values)):
            return "higher"
        return "lower" if all(a > b for a, b in pairwise(values)) else None


@dataclass(frozen=True)
class Scheme:
    """One scheme: how the composite is averaged, the weights, the scored dimensions, the policies."""

    scheme_id: str
    scheme_name: str
    is_provisional: bool
    mean_method: Literal["arithmetic", "geometric"]
    weights: Mapping[Key, Fraction]
    dimensions: Mapping[tuple[str, str, str], ScoredDimension]
    policies: Mapping[str, Policy]


class _Head(SchemeRow):
    scheme_id: str
    scheme_name: str = Field(min_length=1)
    is_provisional: bool
    mean_method: Literal["arithmetic", "geometric"]


_REASONS = {
    "missing": "须写",
    "int_parsing": "须是整数",
    "int_from_float": "须是整数",
    "bool_parsing": "须是 true 或 false",
}


def _reason(error: Any) -> str:
    """Return what pydantic found, in Chinese where a scheme's author can meet it."""
    if error["type"] == "literal_error":
        return "只能是 " + re.sub(", | or ", "、", error["ctx"]["expected"]).replace("'", "")
    return _REASONS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")


Row = TypeVar("Row", bound=SchemeRow)


def checked(kind: type[Row], place: str, row: Mapping[str, Any]) -> Row:
    """Return a row as its model; blank cells are absent.

    Raises:
        SchemeError: naming ``place`` (the seed's file), the row's key, the field and the reason.
    """
    try:
        return kind.model_validate({name: value for name, value in row.items() if value not in (None, "")})
    except ValidationError as error:
        names = ("subject_type", "indicator_id", "dimension", "situation")
        which = "/".join(str(row[name]) for name in ("scheme_id", *names) if row.get(name))
        reasons = "；".join(f"字段 {'.'.join(map(str, e['loc'])) or '（整行）'}：{_reason(e)}" for e in error.errors())
        raise SchemeError(f"{place} {which}：{reasons}") from error


def read_scheme(
    head: Mapping[str, Any],
    weights: Iterable[Mapping[str, Any]],
    dimensions: Iterable[Mapping[str, Any]],
    policies: Iterable[Mapping[str, Any]],
    places: Mapping[str, str] = SEED_FILES,
) -> Scheme:
    """Read and check one scheme; rows of other schemes among the given ones are passed over.

    Args:
        head: its row of ``scoring_scheme``, with the defaults for what a dimension leaves blank.
        weights: rows of ``scoring_weight``.
        dimensions: rows of ``scoring_dimension``.
        policies: rows of ``scoring_policy``.
        places: where each kind of row was written, for messages.

    Raises:
        SchemeError: a row is wrong, stands twice, or a weight, dimension or policy is missing.
    """
    top = checked(_Head, places["scheme"], head)

    def own(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [row for row in rows if row["scheme_id"] == top.scheme_id]

    defaults = {name: value for name, value in head.items() if name in ScoredDimension.model_fields}
    weighed = [checked(Weight, places["weight"], row) for row in own(weights)]
    scored = [
        checked(
            ScoredDimension,
            places["dimension"],
            {"scheme_id": top.scheme_id, **defaults, **{n: v for n, v in row.items() if v not in (None, "")}},
        )
        for row in own(dimensions)
    ]
    treated = [checked(Policy, places["policy"], row) for row in own(policies)]
    by_weight = {(w.subject_type, w.indicator_id): w.weight for w in weighed}
    by_dimension: dict[tuple[str, str, str], ScoredDimension] = {
        (d.subject_type, d.indicator_id, d.dimension): d for d in scored
    }
    by_situation = {p.situation: p for p in treated}
    for place, rows, kept in (
        ("weight", weighed, by_weight),
        ("dimension", scored, by_dimension),
        ("policy", treated, by_situation),
    ):
        if len(rows) != len(kept):
            raise SchemeError(f"{places[place]}：方案 {top.scheme_id} 有重复的行")
    lacking = sorted({"/".join(key[:2]) for key in by_dimension} ^ {"/".join(key) for key in by_weight})
    if lacking:
        raise SchemeError(
            f"方案 {top.scheme_id}：{'、'.join(lacking)} 在 {places['weight']} 与 {places['dimension']} 中只有一处"
        )
    unsaid = [situation for situation in SITUATIONS if situation not in by_situation]
    if unsaid:
        raise SchemeError(f"{places['policy']}：方案 {top.scheme_id} 没有写 {'、'.join(unsaid)} 怎样处理")
    return Scheme(
        top.scheme_id, top.scheme_name, top.is_provisional, top.mean_method, by_weight, by_dimension, by_situation
    )


def scheme_in_force(heads: Iterable[Mapping[str, Any]], on: date) -> Mapping[str, Any]:
    """Return the one row of ``scoring_scheme`` that is valid on a day.

    Raises:
        SchemeError: there is none, or more than one.
    """
    valid = [row for row in heads if row["valid_from"] <= on and (row["valid_to"] is None or on <= row["valid_to"])]
    if len(valid) != 1:
        named = "、".join(str(row["scheme_id"]) for row in valid) or "没有"
        raise SchemeError(f"scoring_scheme.csv：{on:%Y-%m-%d} 须有且只有一个有效方案，现有：{named}")
    return valid[0]
