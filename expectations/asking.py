"""Whom gate 2 asks: the bureaus at whose door a finding can be laid, each in words of its own; and what gate 1 has asked them already."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from expectations.rule_parts import AskedBefore
from expectations.rules import Rule
from sources import contracts
from sources.finding import Ask, Finding

_AMOUNT = re.compile(r"-?\d+(?:\.\d+)? 万元")
"""A figure as texts hold it; a rule's bounds beside it (±30%, 2 倍) are none."""


def asks_of(rule: Rule, row: Mapping[str, Any], texts: Mapping[str, str], own: Ask) -> tuple[Ask, ...]:
    """Return what each bureau is asked about one failing row, each bureau once.

    Args:
        rule: which says whom it asks.
        row: the row's values by name.
        texts: the same as people read them.
        own: the finding's own words, for a bureau that the rule has no others for.
    """
    asked: dict[str, Ask] = {}
    for ask in rule.asks:
        provider = ask.provider or row.get(ask.column)
        if provider not in contracts.providers() or provider in asked:
            continue
        message, found, expected = (text.format_map(texts) for text in ask.texts)
        words = Ask(provider, message, found, expected) if message else replace(own, provider=provider)
        asked[provider] = words
    return tuple(asked.values())


def was_asked(before: AskedBefore, texts: Mapping[str, str], settled: Sequence[Finding]) -> bool:
    """Return whether one of the settled findings of gate 1 asked about the same figure beside the same earlier figure.

    What counts is the figures as they are written, exact to the fen: of another version's figures, or where gate 1 had nothing to compare
    with, there is no such finding.
    """
    subjects = {subject.format_map(texts) for subject in before.subjects}
    mine, *earlier = (texts[name] for name in before.values)
    return any(
        finding.rule_id in before.rules
        and finding.table_id == before.table
        and finding.subject.partition("#")[0] in subjects
        and _AMOUNT.findall(finding.found)[:1] == [mine]
        and set(earlier) <= {mine, *_AMOUNT.findall(finding.expected)}
        for finding in settled
    )
