"""How findings and figures look in the Dagster UI: short Chinese tables in Markdown."""

from collections import Counter
from pathlib import Path

import dagster as dg

from sources.finding import CLASS_LABELS, Finding, count_by_class, place_count
from sources.text import visible

ROWS_SHOWN = 50
_MEANS_SOMETHING = str.maketrans({sign: f"\\{sign}" for sign in "\\`|<["})


def in_markdown(text: str) -> str:
    """Return a text as it may stand in a cell of a Markdown table: what a sender wrote is no picture, link, tag or cell border."""
    return visible(text).translate(_MEANS_SOMETHING)


def findings_table(found: list[Finding]) -> str:
    """Return findings as a Markdown table: place, class, message, what to do; at most 50 rows."""
    if not found:
        return "没有发现问题"
    lines = ["| 类别 | 规则 | 位置 | 问题 | 怎么办 |", "|---|---|---|---|---|"]
    for f in found[:ROWS_SHOWN]:
        cells = (CLASS_LABELS[f.rule_class], f.rule_id, f.place or f.subject, f.message, f.action)
        lines.append("| " + " | ".join(in_markdown(cell) for cell in cells) + " |")
    if len(found) > ROWS_SHOWN:
        lines.append(f"\n另有 {place_count(found[ROWS_SHOWN:])} 条，见问题台账。")
    return "\n".join(lines)


def findings_metadata(
    periods: str,
    found: list[Finding],
    blocking: list[Finding],
    *,
    is_restricted: bool = False,
    page: Path | None = None,
) -> dict[str, dg.MetadataValue]:
    """Return check metadata: the period(s), counts by class, how many still block, and the failing cells (counts only for restricted tables).

    ``page`` is the run's quality page, if there is one.
    """
    by_class = count_by_class(found)
    metadata: dict[str, dg.MetadataValue] = {"报告期": dg.MetadataValue.text(periods)}
    metadata |= {label: dg.MetadataValue.int(by_class[rule_class]) for rule_class, label in CLASS_LABELS.items()}
    metadata["仍阻断"] = dg.MetadataValue.int(place_count(blocking))
    if page:
        metadata["质量审核页"] = dg.MetadataValue.path(page)
    if is_restricted:
        rules: Counter[str] = Counter()
        for f in found:
            rules[f"{f.rule_id}（{CLASS_LABELS[f.rule_class]}）"] += f.stands_for_count
        text = "\n".join(f"- {rule}：{count} 处" for rule, count in sorted(rules.items())) or "没有发现问题"
        metadata["问题（单位级数据只列数量）"] = dg.MetadataValue.md(text)
    else:
        metadata["问题"] = dg.MetadataValue.md(findings_table(found))
    return metadata
