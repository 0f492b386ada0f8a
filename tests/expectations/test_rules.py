import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from expectations.rules import SUITES_DIR, NoSuiteError, SuiteError, load_suite, load_suites
from sources import contracts

RULE = {
    "id": "TST-001",
    "label": "试验",
    "class": "mandatory",
    "level": 1,
    "columns": ["gov_total_wan"],
    "cell": "gov_total_wan",
    "measure": "fen(t.gov_total_wan)",
    "expect": {"type": "expect_column_values_to_be_between", "min_value": 0},
    "found": "{gov_total_wan}",
    "expected": "不小于 0",
    "message": "{gov_total_wan}",
    "why": "试验",
    "action": "试验",
    "valid_from": "2024-01-01",
}


def suites_of(folder: Path, name: str = "finance_bureau__gov_input", **changes: object) -> dict:
    rule = {key: value for key, value in (RULE | changes).items() if value is not None}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump({"rules": [rule]}, allow_unicode=True), encoding="utf-8")
    return load_suites(folder)


def test_every_table_and_every_judged_model_have_a_suite() -> None:
    names = set(load_suites())
    judged = {
        "fct_input",
        "fct_elimination_finding",
        "fct_reconciliation",
        "mart_half_year_monitoring",
        "mart_annual_monitoring",
        "mart_annual_evaluation",
        "mart_annual_ranking",
        "mart_target_progress",
    }
    assert names == set(contracts.tables()) | judged
    assert len(contracts.tables()) == 16


def test_a_table_without_a_suite_does_not_pass() -> None:
    with pytest.raises(NoSuiteError, match="sti_office__promise"):
        load_suite("sti_office__promise")


def test_every_shared_file_is_used() -> None:
    shared = {path.stem for path in SUITES_DIR.glob("_*.yaml")}
    used = {
        part for path in SUITES_DIR.glob("[!_]*.yaml") for part in yaml.safe_load(path.read_text()).get("extends", [])
    }
    assert shared == {part for part in used if part.startswith("_")}


def test_the_three_performer_bureaus_have_the_same_rules_and_write_none() -> None:
    for table in ("unit", "inflow", "outflow"):
        rules = [
            [(r.check_id, r.rule_class) for r in load_suite(f"{provider}__{table}").rules]
            for provider in ("education_bureau", "science_bureau", "health_commission")
        ]
        assert rules[0] == rules[1] == rules[2]
        assert all("rules" not in yaml.safe_load(p.read_text()) for p in SUITES_DIR.glob(f"*__{table}.yaml"))


def test_contract_rules_apply_to_every_column_that_the_contract_names() -> None:
    for table_id, table in contracts.tables().items():
        checks = {rule.check_id for rule in load_suite(table_id).rules}
        wanted = {f"GEN-002/{c.name}" for c in table.columns if c.min is not None}
        wanted |= {f"GEN-003/{c.name}" for c in table.columns if c.within_period}
        assert wanted == {check for check in checks if check.startswith(("GEN-002", "GEN-003"))}
        assert ("GEN-001" in checks) == bool(table.key)


def test_every_rule_says_why_and_what_to_do_in_chinese() -> None:
    for suite in load_suites().values():
        for rule in suite.rules:
            for text in (rule.label, rule.why, rule.action, rule.message, rule.expected):
                assert re.search("[\u4e00-\u9fff]", text), (suite.name, rule.id, text)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"class": "hard"}, "class"),
        ({"level": 6}, "level"),
        ({"why": None}, "why"),
        ({"unknown": 1}, "unknown"),
        ({"id": "total"}, "id"),
        ({"measure": None}, "measure"),
        ({"expect": {"type": "expect_column_values_to_be_grand", "min_value": 0}}, "expect.type"),
        ({"expect": {"type": "expect_column_values_to_be_between"}}, "expect"),
        ({"columns": None}, "columns"),
        ({"columns": ["gov_totl_wan"]}, "columns"),
        ({"cell": "gov_totl_wan"}, "cell"),
        ({"message": "{gov_totl_wan}"}, "message"),
        ({"valid_to": "2023-01-01"}, "valid_to"),
        ({"tolerance": -1}, "tolerance"),
    ],
)
def test_a_wrong_rule_is_named_with_file_rule_and_field(tmp_path: Path, changes: dict, field: str) -> None:
    with pytest.raises(SuiteError) as error:
        suites_of(tmp_path, **changes)
    assert "finance_bureau__gov_input.yaml" in str(error.value)
    assert changes.get("id", "TST-001") in str(error.value)
    assert field in str(error.value)


def test_a_suite_for_an_unknown_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="finance_bureau__gov_inputs"):
        suites_of(tmp_path, name="finance_bureau__gov_inputs")


def test_one_rule_id_in_two_files_is_refused(tmp_path: Path) -> None:
    suites_of(tmp_path)
    with pytest.raises(SuiteError, match=r"TST-001.*已用于"):
        suites_of(tmp_path, name="statistics_bureau__rd_gdp", columns=["gdp_wan"], cell="gdp_wan")


def test_a_missing_shared_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "finance_bureau__gov_input.yaml").write_text("extends: [_contrct]\n", encoding="utf-8")
    with pytest.raises(SuiteError, match="_contrct"):
        load_suites(tmp_path)


def test_a_rule_holds_from_its_first_to_its_last_day(tmp_path: Path) -> None:
    rule = suites_of(tmp_path, valid_from="2025-06-30", valid_to="2026-06-29")["finance_bureau__gov_input"].rules[0]
    periods = {"2024-12-31": False, "2025-06-30": True, "2025-12-31": True, "2026-06-30": False}
    assert {day: rule.is_valid_on(date.fromisoformat(day)) for day in periods} == periods
