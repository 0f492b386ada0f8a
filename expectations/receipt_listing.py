"""Which findings 问题清单 lists where they are more than a sheet is good for: some of every rule and table, and of the rest the exact number.

A mostly wrong file has thousands of one rule; listed in order they would hide every other rule.
"""

from collections.abc import Mapping, Sequence
from typing import Any

FINDINGS_LISTED = 2000
"""Rows of 问题清单; the receipt as JSON has every finding."""

Entry = Mapping[str, Any]


def listed(findings: Sequence[Entry]) -> list[Entry]:
    """Return the findings of a receipt to list, in its order.

    Where they are too many, every rule of every table has the same number of rows, and a last one that says how many places it stands for:
    those that the receipt lists elsewhere, and those that no list has (`sources.limited`).
    """
    if len(findings) <= FINDINGS_LISTED:
        return list(findings)
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for finding in findings:
        groups.setdefault((finding["rule_id"], finding["table_id"], finding["sheet"]), []).append(finding)
    share = _share([len(group) for group in groups.values()])
    return [entry for group in groups.values() for entry in _shortened(group, share)]


def _share(counts: Sequence[int]) -> int:
    """Return how many rows each of so many findings may have, so that all of them fit; never none."""
    share, left, still = 1, FINDINGS_LISTED, sorted(counts)
    while still:
        share = max(1, left // len(still))
        if still[0] > share:
            return share
        left -= still.pop(0)
    return share


def _shortened(group: Sequence[Entry], share: int) -> list[Entry]:
    if len(group) <= share:
        return list(group)
    kept, rest = group[: share - 1], group[share - 1 :]
    count = sum(finding["stands_for_count"] for finding in rest)
    total = count + sum(finding["stands_for_count"] for finding in kept)
    # What closes the receipt's own list stands for the rest here too: an explanation of it names no cell either.
    closing = next((finding for finding in rest if finding["stands_for_count"] > 1), rest[0])
    message = f"同样的问题另有 {count} 处，没有列在这里（共 {total} 处，见 receipt.json）"
    return [*kept, {**closing, "cell": "", "found": f"另有 {count} 处", "message": message, "stands_for_count": count}]
