"""The list of all rules, for people: what is checked, how strictly, why, and for which periods. ``docs/rules.md`` is written from it.

``python -m expectations.catalogue > docs/rules.md`` renews the page; a test holds the two together.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import takewhile
from typing import Any

from expectations.rules import Expect, Rule, Suite, load_suites
from sources.finding import CLASS_LABELS, RuleClass
from sources.reading_rules import reading_rules

LEVEL_LABELS = {
    0: "文件",
    1: "表内、同一工作簿",
    2: "同一单位前后各期、各版本",
    3: "单位之间对照",
    4: "不同领域之间、汇总",
    5: "与公开数据对照",
}
THRESHOLD_LABELS = {
    "floor_wan": "下限（万元）",
    "item_floor_wan": "分项下限（万元）",
    "slip_spread": "差十倍、万倍的宽窄（倍）",
    "growth_pct": "增速（%）",
    "moved_pct": "变动（%）",
    "mirror_pct": "两边相差（%）",
    "mirror_floor_wan": "下限（万元）",
    "rd_low_times": "不低于（倍）",
    "rd_high_times": "不高于（倍）",
    "intensity_low_pct": "不低于（%）",
    "intensity_high_pct": "不高于（%）",
}


@dataclass(frozen=True)
class ListedRule:
    """One rule as it is listed; ``tables`` are the table ids that it judges, none for rules of reading."""

    rule_id: str
    level: int
    level_label: str
    rule_class: RuleClass
    class_label: str
    gate: str
    tables: tuple[str, ...]
    table_labels: tuple[str, ...]
    columns: tuple[str, ...]
    label: str
    bounds: str
    why: str
    action: str
    valid_from: str
    valid_to: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


def listed_rules() -> list[ListedRule]:
    """Return every rule once: those of reading, of gate 1 and of gate 2, by id within each."""
    reading = [
        ListedRule(
            rule_id, rule.level, LEVEL_LABELS[rule.level], rule.rule_class, CLASS_LABELS[rule.rule_class], "读取", (), (), (),
            rule.why, "", rule.why, rule.action, "", "",
        )
        for rule_id, rule in reading_rules().items()
    ]  # fmt: skip
    uses: dict[str, list[tuple[Suite, Rule]]] = {}
    for suite in load_suites().values():
        for rule in suite.rules:
            uses.setdefault(rule.id, []).append((suite, rule))
    judged = [_listed(found) for found in uses.values()]
    order = {"读取": 0, "第一道关卡": 1, "第二道关卡": 2}
    return sorted([*reading, *judged], key=lambda rule: (order[rule.gate], rule.rule_id))


def _listed(uses: list[tuple[Suite, Rule]]) -> ListedRule:
    suites = list({suite.name: suite for suite, _ in uses}.values())
    rule = uses[0][1]
    return ListedRule(
        rule_id=rule.id,
        level=rule.level,
        level_label=LEVEL_LABELS[rule.level],
        rule_class=rule.rule_class,
        class_label=CLASS_LABELS[rule.rule_class],
        gate="第一道关卡" if suites[0].provider else "第二道关卡",
        tables=tuple(suite.name for suite in suites),
        table_labels=tuple(suite.label for suite in suites),
        columns=tuple(dict.fromkeys(column for _, one in uses for column in one.columns)),
        label=_common([one.label for _, one in uses]),
        bounds=_bounds_of_all(uses),
        why=rule.why,
        action=rule.action,
        valid_from=rule.valid_from.isoformat(),
        valid_to=rule.valid_to.isoformat() if rule.valid_to else "",
    )


def _common(labels: list[str]) -> str:
    """Return the label, or what labels that begin with a column's heading have in common."""
    if len(set(labels)) == 1:
        return labels[0]
    alike = takewhile(
        lambda characters: len(set(characters)) == 1, zip(*(label[::-1] for label in labels), strict=False)
    )
    return "各列" + "".join(characters[0] for characters in alike)[::-1]


def _bounds_of_all(uses: list[tuple[Suite, Rule]]) -> str:
    """Return the bounds, and of tables that have others of their own, those beside the table."""
    found = {suite.label: _bounds(suite, rule) for suite, rule in uses}
    (usual, _), *_ = Counter(found.values()).most_common(1)
    return "；".join([usual, *(f"{label}：{bounds}" for label, bounds in found.items() if bounds != usual)])


def _bounds(suite: Suite, rule: Rule) -> str:
    thresholds = [f"{THRESHOLD_LABELS[name]} {suite.thresholds[name]:g}" for name in rule.uses]
    if thresholds and not rule.measure.endswith("_times"):
        # The bound of the measure is 0 then; what is tolerated are the thresholds.
        return "，".join(thresholds)
    tolerance = [f"容差 {rule.tolerance:g}"] if rule.tolerance else []
    return "，".join([_expected(rule.expect), *tolerance, *thresholds])


def _expected(expect: Expect) -> str:
    low, high = expect.min_value, expect.max_value
    if expect.value_set:
        return "取值：" + "、".join(expect.value_set)
    if low is not None and high is not None:
        return f"{low:g}" if low == high else f"{low:g} 至 {high:g}"
    return f"≥ {low:g}" if low is not None else f"≤ {high:g}"


def page() -> str:
    """Return ``docs/rules.md``."""
    rules = listed_rules()
    lines = [
        "# 审核规则一览",
        "",
        "本页由 `python -m expectations.catalogue > docs/rules.md` 生成，不要手改；",
        "规则本身在 `expectations/suites` 和 `sources/reading_rules.yaml`。",
        "同样的清单：`sti rules`，`sti rules --json`。",
        "",
        "- 类别：**强制性**须改正；**核实性**可能属实，须书面说明并经审核认可；**提示**不阻断。",
        "- 级别：" + "；".join(f"{level} {label}" for level, label in LEVEL_LABELS.items()) + "。",
        "- 界限是规则的度量须满足的范围，恒等式的度量以分为单位；与以往比较的规则列出下限和幅度，没有以往数据的不适用，并如实说明。",
        "- 报告期按期末日套用当时有效的规则；起止日期空白的一直有效。",
        "",
    ]
    for gate in dict.fromkeys(rule.gate for rule in rules):
        chosen = [rule for rule in rules if rule.gate == gate]
        lines += [f"## {gate}（{len(chosen)} 条）", ""]
        if gate == "读取":
            lines += ["| 编号 | 级 | 类别 | 为什么 | 怎么办 |", "|---|---|---|---|---|"]
            lines += [_row(r.rule_id, str(r.level), r.class_label, r.why, r.action) for r in chosen]
        else:
            lines += [
                "| 编号 | 级 | 类别 | 表 | 核对什么 | 界限、容差 | 为什么 | 有效期 |",
                "|---|---|---|---|---|---|---|---|",
            ]
            lines += [
                _row(
                    r.rule_id, str(r.level), r.class_label, "、".join(r.table_labels), r.label, r.bounds, r.why,
                    f"{r.valid_from} 起" if not r.valid_to else f"{r.valid_from} 至 {r.valid_to}",
                )
                for r in chosen
            ]  # fmt: skip
        lines.append("")
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


if __name__ == "__main__":
    print(page(), end="")
