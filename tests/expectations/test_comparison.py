"""Level 2: a return beside the same provider's earlier figures. What is asked, of which cell, and what is left alone."""

from pathlib import Path
from typing import Any

import pytest

from expectations.comparison import LISTED, Earlier, earlier_periods
from expectations.judge import JudgeError, Verdict, judge, load_suite
from expectations.rules import Against
from sources.finding import Finding
from tests.expectations.books import AREAS, FIRMS, FIRMS_BY_AREA, INPUT, UNIT, Row, statistics, unit, write

OF_LEVEL_2 = "CMP-", "FIN-005"


def verdict(folder: Path, table_id: str, now: list[Row], period: str = "2026H1", **earlier: list[Row]) -> Verdict:
    """Judge the level 2 rules of one table beside ``last_year``, ``last_period``, ``last_version`` rows."""
    files: dict[Against, dict[str, Path]] = {}
    for kind, rows in earlier.items():
        (folder / kind).mkdir(parents=True)
        files[kind] = write(folder / kind, {table_id: rows})[0]  # type: ignore[index]
    relations, manifests = write(folder, {table_id: now}, period=period)
    suite = load_suite(table_id)
    rules = tuple(rule for rule in suite.rules if rule.id.startswith(OF_LEVEL_2))
    return judge(
        suite.model_copy(update={"rules": rules}), relations=relations, manifests=manifests, earlier=Earlier(files)
    )


def asked(*arguments: Any, **earlier: Any) -> list[tuple[str, str, str]]:
    return [(f.rule_id, f.subject, f.cell) for f in verdict(*arguments, **earlier).findings]


def government(totals: dict[str, Any]) -> list[Row]:
    return [{"area_key": area, "gov_total_wan": total} for area, total in totals.items()]


def every(value: Any) -> dict[str, Any]:
    return dict.fromkeys(AREAS, value)


CHANGES = {
    "JX-CITY": (13000, set()),
    "330402": (13001, {"CMP-001"}),
    "330411": (20001, {"CMP-002"}),
    "330421": (4999, {"CMP-002", "FIN-005"}),
    "330424": (100000, {"CMP-003"}),
    "330481": (1100, {"CMP-003", "FIN-005"}),
    "330482": (0, {"CMP-005", "FIN-005"}),
    "330483": (10000, {"CMP-006"}),
    "JX-ETDZ": (9999.999999, {"FIN-005"}),
    "JX-PORT": (99_999_999, {"CMP-003"}),
}


def test_each_change_since_last_year_is_asked_about_at_its_cell(tmp_path: Path) -> None:
    now = government({area: value for area, (value, _) in CHANGES.items()})
    found = verdict(tmp_path, INPUT, now, last_year=government(every(10000))).findings
    wanted = {
        (rule, f"row/{area}/gov_total_wan", f"B{4 + place}")
        for place, (area, (_, rules)) in enumerate(CHANGES.items())
        for rule in rules
    }
    assert {(f.rule_id, f.subject, f.cell) for f in found} == wanted
    assert len(found) == len(wanted)
    assert {(f.rule_class, f.level) for f in found} == {("query", 2)}
    growth = next(f for f in found if f.rule_id == "CMP-001")
    assert (
        growth.message
        == "南湖区：政府科技创新投入合计 13001 万元，上年同期（2025年上半年）10000 万元，增速 30.01%，超出 ±30%。"
    )


def test_ten_times_last_period_beside_a_normal_year_hides_no_row_of_the_table(tmp_path: Path) -> None:
    now = government(every(10500) | {"330402": 13100})
    earlier = {"last_year": government(every(10000)), "last_period": government(every(1050))}
    assert asked(tmp_path, INPUT, now, **earlier) == [("CMP-001", "row/330402/gov_total_wan", "B5")]


def test_a_question_binds_to_the_value_and_not_to_the_row_it_stands_in(tmp_path: Path) -> None:
    before = government({"330402": 10000, "330411": 10000})

    def ids(folder: str, rows: list[Row]) -> set[str]:
        (tmp_path / folder).mkdir()
        return {f.finding_id for f in verdict(tmp_path / folder, INPUT, rows, last_year=before).findings}

    rows = government({"330402": 14000, "330411": 11000})
    assert len(ids("first", rows)) == 1
    assert ids("turned", rows[::-1]) == ids("again", rows)
    assert not ids("other value", government({"330402": 14001, "330411": 11000})) & ids("third", rows)


def test_small_amounts_and_small_items_are_left_alone(tmp_path: Path) -> None:
    def rows(total: Any, talent: Any) -> list[Row]:
        return [{"area_key": "330402", "gov_total_wan": total, "gov_talent_wan": talent}]

    assert asked(tmp_path, INPUT, rows(999, 90), last_year=rows(100, 900)) == []
    (tmp_path / "item").mkdir()
    assert asked(tmp_path / "item", INPUT, rows(9500, 450), last_year=rows(9000, 4500)) == []
    (tmp_path / "large item").mkdir()
    found = asked(tmp_path / "large item", INPUT, rows(9500, 600), last_year=rows(9000, 6000))
    assert ("CMP-003", "row/330402/gov_talent_wan", "G4") in found


def test_a_whole_sheet_in_another_unit_is_one_question_and_not_one_per_row(tmp_path: Path) -> None:
    now, before = government(every(105_000)), government(every(10_000))
    assert asked(tmp_path, INPUT, now, last_year=before) == [("CMP-003", "table//gov_total_wan", "")]


def test_an_area_in_another_unit_is_asked_about_beside_its_units(tmp_path: Path) -> None:
    def firms(first: int, *rest: int) -> list[Row]:
        model = statistics()[FIRMS][0]
        amounts = (first, *rest)
        return [
            model | {"enterprise_code": f"F{n}", "area_key": "330411" if n < 2 else "330402", "rd_expense_wan": wan}
            for n, wan in enumerate(amounts)
        ]

    found = asked(tmp_path, FIRMS, firms(60_000, 60_000, 900_000), last_year=firms(6_000, 6_000, 890_000))
    assert {(rule, subject) for rule, subject, _ in found} == {
        ("CMP-003", "row/F0/rd_expense_wan"),
        ("CMP-003", "row/F1/rd_expense_wan"),
        ("CMP-003", "area/330411/rd_expense_wan"),
    }


def test_many_questions_of_one_kind_are_cut_to_a_list_and_an_exact_rest(tmp_path: Path) -> None:
    def firms(amount: int) -> list[Row]:
        model = statistics()[FIRMS][0]
        return [model | {"enterprise_code": f"F{n}", "rd_expense_wan": amount} for n in range(LISTED + 23)]

    found = verdict(tmp_path, FIRMS, firms(14_000), last_year=firms(10_000)).findings
    growth = [f for f in found if f.rule_id == "CMP-001"]
    assert len(growth) == LISTED + 1
    assert "另有 23 行" in growth[-1].message


def test_a_cumulative_figure_may_not_fall_within_its_year(tmp_path: Path) -> None:
    before = [unit("U1", sti_activity_wan=3000), unit("U2", sti_activity_wan=3000), unit("U3", sti_activity_wan=3000)]
    now = [unit("U1", sti_activity_wan=2999), unit("U2", sti_activity_wan=3000)]
    assert asked(tmp_path, UNIT, now, "2025H2", last_period=before) == [
        ("CMP-007", "row/U2/sti_activity_wan", "F5"),
        ("CMP-008", "row/U1/sti_activity_wan", "F4"),
        ("CMP-009", "row/U3/sti_activity_wan", ""),
    ]
    (tmp_path / "next year").mkdir()
    first_half = [unit(code, sti_activity_wan=1500) for code in ("U1", "U2", "U3")]
    assert asked(tmp_path / "next year", UNIT, first_half, "2026H1", last_period=before) == []


def test_a_unit_that_is_new_since_last_year_is_compared_with_the_last_period(tmp_path: Path) -> None:
    now = [unit("U1", sti_activity_wan=30_000), unit("U2", sti_activity_wan=400_000)]
    before = [unit("U1", sti_activity_wan=3_000), unit("U2", sti_activity_wan=390_000)]
    found = asked(tmp_path, UNIT, now, "2025H2", last_year=[before[1]], last_period=before)
    assert ("CMP-004", "row/U1/sti_activity_wan", "F4") in found


def test_a_blank_and_a_missing_row_are_no_zero(tmp_path: Path) -> None:
    before = [unit("U1", local_fiscal_wan=2000, sti_activity_wan=5000), unit("U2", sti_activity_wan=5000)]
    now = [unit("U1", local_fiscal_wan=None, sti_activity_wan=5100)]
    found = verdict(tmp_path, UNIT, now, last_year=before).findings
    said = {f.rule_id: (f.subject, f.found) for f in found}
    assert said == {
        "CMP-005": ("row/U1/local_fiscal_wan", "空白"),
        "CMP-010": ("row/U2/sti_activity_wan", "本表没有（上年同期 5000 万元）"),
    }


def test_a_new_version_that_moves_the_total_or_drops_a_unit_is_asked_about(tmp_path: Path) -> None:
    before = [unit("U1", sti_activity_wan=5000), unit("U2", sti_activity_wan=5000)]
    small = [unit("U1", sti_activity_wan=6000), unit("U2", sti_activity_wan=5000)]
    assert asked(tmp_path, UNIT, small, last_version=before) == []
    (tmp_path / "larger").mkdir()
    found = asked(tmp_path / "larger", UNIT, small[:1], last_version=before)
    assert found == [("CMP-011", "table//sti_activity_wan", ""), ("CMP-012", "row/U2/sti_activity_wan", "")]


def test_the_aggregate_sheet_is_compared_per_area_and_category(tmp_path: Path) -> None:
    def rows(amount: int) -> list[Row]:
        return [{"area_key": "330402", "frame_category": "工业", "enterprise_count": 9, "rd_expense_wan": amount}]

    found = asked(tmp_path, FIRMS_BY_AREA, rows(25_000), last_year=rows(10_000))
    assert found == [("CMP-002", "row/330402/工业/rd_expense_wan", "D4")]


def test_without_earlier_data_the_rules_do_not_apply_and_the_summary_says_so(tmp_path: Path) -> None:
    alone = verdict(tmp_path, INPUT, government(every(10000)))
    assert alone.findings == ()
    assert alone.summary["rules_run"] == alone.summary["rules_met"] == 0
    assert {check["not_applicable"] for check in alone.summary["checks"]} == {
        "没有上年同期的数据",
        "没有上期的数据",
        "没有上一版本的数据",
    }
    (tmp_path / "beside").mkdir()
    beside = verdict(tmp_path / "beside", INPUT, government(every(11000)), last_year=government(every(10000)))
    run = [check["rule_id"] for check in beside.summary["checks"] if not check["not_applicable"]]
    assert run == ["CMP-001", "CMP-002", "CMP-003", "CMP-005", "CMP-006", "CMP-010", "FIN-005"]


def test_earlier_rows_that_cannot_be_read_stop_the_judging(tmp_path: Path) -> None:
    relations, manifests = write(tmp_path, {INPUT: government(every(1))})
    gone = Earlier({"last_year": {INPUT: tmp_path / "gone.parquet"}})
    with pytest.raises(JudgeError, match="以往数据"):
        judge(load_suite(INPUT), relations=relations, manifests=manifests, earlier=gone)


@pytest.mark.parametrize(
    ("period", "wanted"),
    [("2026H1", ("2025H1", "2025H2")), ("2025H2", ("2024H2", "2025H1")), ("2024H1", ("", ""))],
)
def test_the_periods_compared_with_come_from_the_calendar(period: str, wanted: tuple[str, str]) -> None:
    assert tuple(earlier_periods(period).values()) == wanted


def test_findings_are_the_same_with_rows_in_any_order(tmp_path: Path) -> None:
    def found(folder: str, turn: int) -> list[Finding]:
        (tmp_path / folder).mkdir()
        now = government({area: value for area, (value, _) in list(CHANGES.items())[::turn]})
        return list(verdict(tmp_path / folder, INPUT, now, last_year=government(every(10000))).findings)

    assert {f.finding_id for f in found("one", 1)} == {f.finding_id for f in found("other", -1)}
