"""Findings of a table that may be wrong in every row: the first of each rule by name (``limits.yaml``), the rest as one exact count."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import yaml

from sources.finding import Finding, digest_of_findings
from sources.reading_rules import breach

LIMITS_FILE = Path(__file__).parent / "limits.yaml"
LONGEST_TEXT = 300
"""Characters of a bulk file's cell that a finding repeats."""


@lru_cache(maxsize=1)
def findings_per_rule() -> int:
    """Return how many findings a rule may have of one table; what is beyond them is one closing finding."""
    limit = yaml.safe_load(LIMITS_FILE.read_text(encoding="utf-8"))["findings_per_rule"]
    if not isinstance(limit, int) or limit < 1:
        raise ValueError(f"{LIMITS_FILE.name}: findings_per_rule must be a whole number of at least 1, found {limit!r}")
    return limit


class LimitedFindings:
    """Collects findings of one file or sheet; see `findings_per_rule`. ``where`` are the fields that all share.

    ``longest_text`` cuts what a finding repeats; None leaves that to `Finding`.
    """

    def __init__(self, where: dict[str, str], longest_text: int | None = LONGEST_TEXT) -> None:
        self._where, self._longest_text = where, longest_text
        self._kept_per_rule = findings_per_rule()
        self._counts: Counter[str] = Counter()
        self._kept: list[Finding] = []

    def report(self, rule_id: str, message: str, **more: str) -> None:
        """Keep one finding, or only count it."""
        self._counts[rule_id] += 1
        if self._counts[rule_id] <= self._kept_per_rule:
            texts = {name: self._cut(text) for name, text in more.items()}
            self._kept.append(breach(rule_id, self._cut(message), **self._where, **texts))

    def count_more(self, rule_id: str, number: int) -> None:
        """Count findings of a rule that nobody looked at one by one."""
        self._counts[rule_id] += number

    def is_full(self, rule_id: str) -> bool:
        """Whether further findings of the rule would only be counted."""
        return self._counts[rule_id] >= self._kept_per_rule

    def all(self) -> list[Finding]:
        """Return the findings, and per rule with more of them one that says how many were not listed.

        What a file's findings are is decided by its bytes alone: the closing finding's value holds their hash, so that what was accepted
        for it lapses with any change in the file. A correction slip changes no file: what was decided about the reading stands, and the
        rows as corrected are judged by the suites, whose closing finding holds their values (`expectations.judge`).
        """
        file = self._where.get("file_sha256", "")[:16]
        rest = {rule_id: n - self._kept_per_rule for rule_id, n in self._counts.items() if n > self._kept_per_rule}
        return self._kept + [_closing(rule_id, number, f"文件 {file}", self._where) for rule_id, number in rest.items()]

    def _cut(self, text: str) -> str:
        return text if self._longest_text is None else _cut(text, self._longest_text)


def limited(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings of reading rules, of each rule and table no more than may be listed, and what closes the list of those with more.

    The closing finding's value holds a digest of all that it stands for.
    """
    kept: list[Finding] = []
    rest: dict[tuple[str, ...], list[Finding]] = {}
    counts: Counter[tuple[str, ...]] = Counter()
    for finding in findings:
        group = (finding.rule_id, finding.file_sha256, finding.table_id, finding.sheet)
        counts[group] += 1
        if counts[group] <= findings_per_rule():
            kept.append(finding)
        else:
            rest.setdefault(group, []).append(finding)
    names = ("file_name", "file_sha256", "provider", "period", "table_id", "sheet")
    for (rule_id, *_), hidden in rest.items():
        where = {name: getattr(hidden[0], name) for name in names}
        kept.append(_closing(rule_id, len(hidden), f"摘要 {digest_of_findings(hidden)}", where))
    return kept


def cut_short(finding: Finding) -> Finding:
    """Return a finding that repeats no more than `LONGEST_TEXT` characters of what stands in the file."""
    return replace(finding, message=_cut(finding.message), found=_cut(finding.found), subject=_cut(finding.subject))


def _closing(rule_id: str, number: int, bound_to: str, where: dict[str, str]) -> Finding:
    finding = breach(
        rule_id,
        f"同样的问题另有 {number} 处，没有逐条列出（共 {number + findings_per_rule()} 处）",
        subject="其余",
        found=f"另有 {number} 处（{bound_to}）",
        **where,
    )
    return replace(finding, stands_for_count=number)


def _cut(text: str, longest: int = LONGEST_TEXT) -> str:
    return text if len(text) <= longest else text[:longest] + "…"
