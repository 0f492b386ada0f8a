"""A scheme as a person writes it (YAML): read safely, laid over the scheme in force, and turned into the rows of a scheme.

The document says the same as the seeds ``scoring_*``, nested: defaults at the top, then ``weights``, ``dimensions``, ``policies`` and
``robustness``. It may say all of it or only what differs.
"""

import copy
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from warehouse.scoring.robustness import Robustness
from warehouse.scoring.scheme import NUMBER, SEED_FILES, SITUATIONS, Scheme, SchemeError, ScoredDimension, read_scheme
from warehouse.scoring.tables import Rows, robustness_of

LARGEST_BYTES = 64 * 1024
PROPOSAL = "proposal"
"""The scheme's id of whatever is proposed."""

DIMENSION_KEYS = tuple(
    name for name in ScoredDimension.model_fields if name not in ("subject_type", "indicator_id", "dimension")
)
HEAD_KEYS = (
    "mean_method",
    *(k for k in DIMENSION_KEYS if k not in ("unacceptable", "low", "average", "good", "satisfactory")),
)
POLICY_KEYS = ("treatment", "points", "note")
ROBUSTNESS_KEYS = tuple(name for name in Robustness.model_fields if name != "scheme_id")
SECTIONS = {
    "weight": "weights",
    "dimension": "dimensions（没有写的取顶层的）",
    "policy": "policies",
    "robustness": "robustness",
}

Document = dict[str, Any]
Cell = tuple[str, str, str]
"""Kind of subject, indicator, dimension."""


class UnreadableProposal(SchemeError):
    """The file is not there, or no YAML that could be a scheme."""


@dataclass(frozen=True)
class SchemeRows:
    """The rows of one scheme in the seeds ``scoring_*``."""

    head: Mapping[str, Any]
    weights: Rows
    dimensions: Rows
    policies: Rows
    robustness: Rows

    def read(self, file_name: str = "") -> tuple[Scheme, Robustness]:
        """Return the scheme, checked; ``file_name`` is where its rows were written, if not in the seeds.

        Raises:
            SchemeError: a row is wrong; named by seed, or by file and section.
        """
        places = {**SEED_FILES, "scheme": file_name, **{k: f"{file_name} {v}" for k, v in SECTIONS.items()}} if file_name else SEED_FILES  # fmt: skip
        scheme = read_scheme(self.head, self.weights, self.dimensions, self.policies, places)
        return scheme, robustness_of(self.robustness, scheme.scheme_id, places["robustness"])


class _Loader(yaml.SafeLoader):
    """Plain YAML: no references, no key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="不支持引用（*）", problem_mark=self.peek_event().start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if key.value in seen if isinstance(key, yaml.ScalarNode) else True:
                raise yaml.MarkedYAMLError(problem="同一个键写了两次，或键不是文字", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_proposal(path: Path) -> Document:
    """Return what a file proposes, not yet checked against anything.

    Raises:
        UnreadableProposal: naming the file, and the line where the YAML is broken.
    """
    if not path.is_file():
        raise UnreadableProposal(f"没有 {path} 这个文件；现行方案的 YAML 可以用 sti scheme 写出，改好再试算")
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise UnreadableProposal(f"{path.name} 超过 {LARGEST_BYTES // 1024} KB，不像一个打分方案")
    try:
        data = yaml.load(content.decode("utf-8-sig"), Loader=_Loader)
    except UnicodeDecodeError as error:
        raise UnreadableProposal(f"{path.name} 不是 UTF-8 文本；请另存为 UTF-8") from error
    except RecursionError as error:
        raise UnreadableProposal(f"{path.name} 套得太深，不像一个打分方案") from error
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"第 {mark.line + 1} 行第 {mark.column + 1} 列" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UnreadableProposal(f"{path.name} {where}不是有效的 YAML：{problem}") from error
    if not isinstance(data, dict) or not data:
        raise UnreadableProposal(f"{path.name} 须是一组“键: 值”，如 weights: {{area: {{gov_total: 2}}}}")
    return data


def document_of(rows: SchemeRows) -> Document:
    """Return the rows of a scheme as a document that says all of it."""
    weights: Document = {}
    for row in rows.weights:
        weights.setdefault(row["subject_type"], {})[row["indicator_id"]] = _plain(row["weight"])
    dimensions: Document = {}
    for row in rows.dimensions:
        given = {key: _plain(row[key]) for key in DIMENSION_KEYS if row[key] not in (None, "")}
        dimensions.setdefault(row["subject_type"], {}).setdefault(row["indicator_id"], {})[row["dimension"]] = given
    (robustness,) = rows.robustness
    return {
        "name": rows.head["scheme_name"],
        **{key: _plain(rows.head[key]) for key in HEAD_KEYS},
        "weights": weights,
        "dimensions": dimensions,
        "policies": {row["situation"]: {key: _plain(row[key]) for key in POLICY_KEYS} for row in rows.policies},
        "robustness": {key: _plain(robustness[key]) for key in ROBUSTNESS_KEYS},
    }


def _plain(value: Any) -> Any:
    """Return the text of a number as the number, if that loses nothing."""
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        return value
    number = Fraction(value)
    if number.denominator == 1:
        return int(number)
    return float(number) if Fraction(str(float(number))) == number else value


def laid_over(in_force: Document, proposed: Document, cells: Collection[Cell], file_name: str) -> Document:
    """Return the scheme in force with what is proposed in its place.

    A dimension that is proposed as null is not scored; an indicator whose weight is null neither.

    Args:
        in_force: the document of the scheme in force.
        proposed: what the file says, all of a scheme or a part.
        cells: what there are figures of, and so can be scored.
        file_name: for messages.

    Raises:
        SchemeError: a key that means nothing here (named, with those that are allowed), or a value of the wrong shape.
    """
    weights: Document = {}
    dimensions: Document = {}
    for subject_type, indicator, dimension in sorted(cells):
        weights.setdefault(subject_type, {})[indicator] = None
        dimensions.setdefault(subject_type, {}).setdefault(indicator, {})[dimension] = dict.fromkeys(DIMENSION_KEYS)
    allowed = {
        **dict.fromkeys(("name", *HEAD_KEYS)),
        "weights": weights,
        "dimensions": dimensions,
        "policies": {situation: dict.fromkeys(POLICY_KEYS) for situation in SITUATIONS},
        "robustness": dict.fromkeys(ROBUSTNESS_KEYS),
    }
    result = {**copy.deepcopy(in_force), "name": Path(file_name).stem}
    _lay(result, proposed, allowed, (), file_name)
    for subject_type, indicators in result["weights"].items():
        for indicator in [name for name, weight in indicators.items() if weight is None]:
            del indicators[indicator]
            result["dimensions"].get(subject_type, {}).pop(indicator, None)
        if not any(_same(weight) for weight in indicators.values()):
            raise SchemeError(f"{file_name} weights.{subject_type}：权重全为 0 或都不计分，排不出位次")
    for subject_type, indicators in result["dimensions"].items():
        for indicator, own in indicators.items():
            where = f"{file_name} dimensions.{subject_type}.{indicator}"
            if not own:
                raise SchemeError(
                    f"{where}：一个维度也不计分；不计分的指标请写 weights.{subject_type}.{indicator}: null"
                )
            if indicator not in result["weights"].get(subject_type, {}):
                raise SchemeError(f"{where}：新计分的指标还须写权重 weights.{subject_type}.{indicator}")
    return result


def _lay(base: Document, changes: Any, allowed: Mapping[str, Any], path: tuple[str, ...], file_name: str) -> None:
    where = f"{file_name} {'.'.join(path)}".rstrip()
    if not isinstance(changes, dict):
        raise SchemeError(f"{where}：须是一组“键: 值”，可写的键：{'、'.join(allowed)}")
    for key, value in changes.items():
        if key not in allowed:
            raise SchemeError(f"{where}：不认识的键 {str(key)[:40]}；可写：{'、'.join(allowed)}")
        inner = allowed[key]
        if inner is None:
            if isinstance(value, bool) or not isinstance(value, str | int | float | None):
                raise SchemeError(f"{where}：{key} 须是数或文字")
            base[key] = value
        elif value is None and path[:1] == ("dimensions",) and len(path) == 3:
            base.pop(key, None)
        else:
            _lay(base.setdefault(key, {}), value, inner, (*path, key), file_name)


def rows_of(document: Document) -> SchemeRows:
    """Return a document that says all of a scheme as the rows of the proposal."""
    own = {"scheme_id": PROPOSAL}
    head = {"scheme_name": str(document["name"] or "")[:200], "is_provisional": True}
    return SchemeRows(
        {**own, **head, **{key: document[key] for key in HEAD_KEYS}},
        [
            {**own, "subject_type": subject_type, "indicator_id": indicator, "weight": weight}
            for subject_type, indicators in document["weights"].items()
            for indicator, weight in indicators.items()
        ],
        [
            {**own, "subject_type": subject_type, "indicator_id": indicator, "dimension": dimension, **given}
            for subject_type, indicators in document["dimensions"].items()
            for indicator, dimensions in indicators.items()
            for dimension, given in dimensions.items()
        ],
        [{**own, "situation": situation, **treated} for situation, treated in document["policies"].items()],
        [{**own, **document["robustness"]}],
    )


def differences(in_force: Document, proposed: Document) -> list[tuple[str, Any, Any]]:
    """Return where two documents differ: the place as it is written in YAML, what is in force, what is proposed (None: nothing)."""
    before, after = dict(_leaves(in_force)), dict(_leaves(proposed))
    return [
        (place, before.get(place), after.get(place))
        for place in dict.fromkeys((*before, *after))
        if place != "name" and _same(before.get(place)) != _same(after.get(place))
    ]


def _leaves(document: Document, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if path[:1] == ("dimensions",) and len(path) == 4:
        yield ".".join(path), "计分"
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield ".".join((*path, key)), value


def _same(value: Any) -> Any:
    """Return a value so that two ways to write it are equal, and nothing or zero is false."""
    text = "" if value is None else str(value).strip()
    return Fraction(text) if NUMBER.fullmatch(text) else text
