"""The list of all rules: complete, and the same on the page, on the command line and in the suites."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from expectations.catalogue import listed_rules, page
from expectations.rules import load_suites
from sources.reading_rules import reading_rules

ROOT = Path(__file__).parent.parent.parent

EXAMPLES = {
    ("mandatory", "合计等于各分项"): {"FIN-001", "UNT-001", "ENT-001", "RD-016", "MON-003", "MON-004"},
    ("mandatory", "分项不超过合计"): {"FIN-002", "ENT-002", "PAY-001", "INF-001", "AGG-001", "MON-008"},
    ("mandatory", "单位、报告期、代码有效"): {"RD-002", "RD-003", "RD-007", "RD-008", "UNT-002"},
    ("mandatory", "主键唯一"): {"GEN-001"},
    ("mandatory", "合计不为负"): {"GEN-002", "FCT-003", "MON-007"},
    ("mandatory", "附项不在合计内"): {"FIN-001", "PAY-003"},
    ("query", "增速在 ±30% 之内"): {"CMP-001", "MON-011"},
    ("query", "不到上年一半或超过两倍"): {"CMP-002", "MON-012"},
    ("query", "与以往差十倍、万倍"): {"CMP-003", "CMP-004", "MON-013"},
    ("query", "政府投入只增不减"): {"FIN-005", "MON-014"},
    ("query", "原来有数的变成零"): {"CMP-005", "MON-015"},
    ("query", "占比变动超过 5 个百分点"): {"MON-016"},
    ("query", "与上期完全相同"): {"CMP-006", "CMP-007", "MON-017"},
    ("query", "出资方与执行方相差超过 10%"): {"REC-001"},
    ("query", "明细不足汇总的六成"): {"FCT-007"},
}
"""What the design names for each class, and the rules that it became."""


@pytest.mark.parametrize(("rule_class", "example"), EXAMPLES)
def test_every_example_of_the_design_is_a_rule_of_its_class(rule_class: str, example: str) -> None:
    classes = {rule.rule_id: rule.rule_class for rule in listed_rules()}
    assert {classes.get(rule_id) for rule_id in EXAMPLES[rule_class, example]} == {rule_class}


def test_every_rule_is_listed_once_with_all_that_it_says() -> None:
    rules = listed_rules()
    ids = [rule.rule_id for rule in rules]
    in_suites = {rule.id for suite in load_suites().values() for rule in suite.rules}
    assert len(set(ids)) == len(ids)
    assert set(ids) == in_suites | set(reading_rules())
    assert all(rule.why and rule.action and rule.label for rule in rules)
    assert all(rule.bounds and rule.valid_from and rule.tables for rule in rules if rule.rule_id in in_suites)
    assert {rule.level for rule in rules} >= {0, 1, 2, 3, 4}


def test_the_committed_page_is_the_generated_one() -> None:
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == page()


def test_the_command_line_lists_the_same_rules(sti: Callable[..., Result]) -> None:
    listed = json.loads(sti("rules", "--json").stdout)
    assert [rule["rule_id"] for rule in listed] == [rule.rule_id for rule in listed_rules()]
    assert next(rule for rule in listed if rule["rule_id"] == "CMP-001")["level"] == 2
    shown = sti("rules").stdout
    assert all(rule["rule_id"] in shown for rule in listed)
