"""Findings of a file with ten million rows: the first thousand of each rule by name, the rest as one exact count."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from sources.finding import Finding
from sources.reading_rules import breach

KEPT_PER_RULE = 1000
LONGEST_TEXT = 300
"""Characters of a cell that a finding repeats."""


class LimitedFindings:
    """Collects findings of one file; see `KEPT_PER_RULE`. ``where`` are the fields that all share."""

    def __init__(self, where: dict[str, str], kept_per_rule: int = KEPT_PER_RULE) -> None:
        self._where, self._kept_per_rule = where, kept_per_rule
        self._counts: Counter[str] = Counter()
        self._kept: list[Finding] = []

    def report(self, rule_id: str, message: str, **more: str) -> None:
        """Keep one finding, or only count it."""
        self._counts[rule_id] += 1
        if self._counts[rule_id] <= self._kept_per_rule:
            self._kept.append(breach(rule_id, _cut(message), **self._where, **{k: _cut(v) for k, v in more.items()}))

    def count_more(self, rule_id: str, number: int) -> None:
        """Count findings of a rule that nobody looked at one by one."""
        self._counts[rule_id] += number

    def is_full(self, rule_id: str) -> bool:
        """Whether further findings of the rule would only be counted."""
        return self._counts[rule_id] >= self._kept_per_rule

    def all(self) -> list[Finding]:
        """Return the findings, and per rule with more of them one that says how many were not listed.

        Its value holds the file's hash, so that an explanation accepted for it lapses with any change in the file.
        """
        rest = {rule_id: n - self._kept_per_rule for rule_id, n in self._counts.items() if n > self._kept_per_rule}
        sha256 = self._where.get("file_sha256", "")
        return self._kept + [
            breach(
                rule_id,
                f"同样的问题另有 {number} 处，没有逐条列出（共 {number + self._kept_per_rule} 处）",
                subject="其余",
                found=f"另有 {number} 处（文件 {sha256[:16]}）",
                **self._where,
            )
            for rule_id, number in rest.items()
        ]


Report = Callable[..., None]


def cut_short(finding: Finding) -> Finding:
    """Return a finding that repeats no more than `LONGEST_TEXT` characters of what stands in the file."""
    return replace(finding, message=_cut(finding.message), found=_cut(finding.found), subject=_cut(finding.subject))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
