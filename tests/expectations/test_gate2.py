from pathlib import Path

import duckdb
import pytest

from expectations.judge import JudgeError, judge_database, load_suite
from sources.finding import Finding
from tests.expectations.books import AREAS

MART, FACT = "mart_half_year_monitoring", "fct_input"
PARTS = {"gov_total": 100, "enterprise_rd": 500, "university_sti": 60, "institute_sti": 30, "hospital_sti": 10}
VALUES = PARTS | {
    "gov_platform": 40,
    "gov_talent": 30,
    "gov_poc_pilot": 20,
    "gov_incubator": 10,
    "other_gross": 100,
    "other_eliminated": 20,
    "other_net": 80,
    "sti_total": 680,
}


WAN = "decimal(20,6)"
UNIT_COLUMNS = f"enterprise_local_large_wan {WAN}, local_fiscal_wan {WAN}, upper_transfer_wan {WAN}"
DOMESTIC = f"external_rd_institute_wan {WAN}, external_rd_university_wan {WAN}"
STAGING = {
    **{f"stg_{name}__unit": UNIT_COLUMNS for name in ("education_bureau", "science_bureau")},
    "stg_health_commission__unit": UNIT_COLUMNS + ", is_grade_3a bool, is_in_rd_statistics bool",
    **{
        f"stg_{name}__outflow": f"unit_code text, payee_code text, amount_wan {WAN}"
        for name in ("education_bureau", "science_bureau", "health_commission")
    },
    "stg_statistics_bureau__enterprise_rd": f"enterprise_code text, from_government_wan {WAN}, {DOMESTIC}",
    "stg_statistics_bureau__enterprise_rd_area": DOMESTIC,
    "int_keep_performer": "provider text, unit_code text",
    "int_read_as_parent": "unit_code text, read_as_code text",
    "int_read_inflow": f"unit_code text, payer_code text, money_class text, amount_wan {WAN}",
}
"""What the mirror checks read, empty in a clean candidate."""


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> bytes:
    """A candidate database in which everything holds, as bytes."""
    path = tmp_path_factory.mktemp("clean") / "candidate.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table mart_half_year_monitoring (period text, area_key text, indicator_id text, "
            "area_name text, indicator_name text, value_wan decimal(20,6), base_wan decimal(20,6), "
            "growth_pct double, growth_note text, "
            "share_pct double, share_of_city_pct double, rank int, growth_rank int, basis text, base_period text)"
        )
        rows = []
        for period, base in (("2026H1", "2025H1"), ("2025H1", "2024H1")):
            for area in (*AREAS, "330400"):
                for indicator, value in VALUES.items():
                    times = 10 if area == "330400" else 1
                    growth = (round(value * 0.9, 6) * times, 100 / 9) if period == "2026H1" else (None, None)
                    rows.append((period, area, indicator, area, indicator, value * times, *growth, None, 50.0, base))
        connection.executemany(
            "insert into mart_half_year_monitoring "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null, null, null, 'half_year', ?)",
            rows,
        )
        connection.execute(
            "create table fct_input (period text, subject text, provider text, area_key text, unit_key text, "
            "gross_wan decimal(20,6), eliminated_wan decimal(20,6), net_wan decimal(20,6), "
            "estimated_wan decimal(20,6), elimination_state text, basis text)"
        )
        connection.execute(
            "insert into fct_input values "
            "('2026H1', 'government', 'finance_bureau', '330402', '330402', 100, 0, 100, 0, '', ''), "
            "('2026H1', 'university', 'education_bureau', '330402', 'U1', 100, 20, 80, 0, '', ''), "
            "('2026H1', 'university', 'education_bureau', '330402', 'U2', 100, null, null, null, '', '')"
        )
        connection.execute("create table fct_elimination (period text, area text, tier text, amount_wan decimal(20,6))")
        connection.execute("insert into fct_elimination values ('2026H1', '330402', 'T1', 20)")
        connection.execute("create schema staging")
        connection.execute(
            "create table staging.stg_finance_bureau__gov_payment as "
            "select '2026H1' as period, '330402' as area_key, cast(60 as decimal(20,6)) as amount_wan, "
            "cast(null as text) as memo_category, '本级安排' as fund_channel, 'F1' as payee_code"
        )
        for name, columns in STAGING.items():
            connection.execute(f"create table staging.{name} (period text, {columns})")
    return path.read_bytes()


def judged(folder: Path, clean: bytes, name: str, *spoil: str, period: str = "2026H1") -> tuple[Finding, ...]:
    path = folder / "candidate.duckdb"
    path.write_bytes(clean)
    if spoil:
        with duckdb.connect(str(path)) as connection:
            for statement in spoil:
                connection.execute(statement)
    (verdict,) = judge_database([load_suite(name)], path, period)
    # The few amounts of these candidates are nowhere near a city's: level 5 has tests of its own.
    return tuple(finding for finding in verdict.findings if finding.level < 5)


@pytest.mark.parametrize("name", [MART, FACT])
def test_a_clean_candidate_has_no_findings_and_is_not_changed(tmp_path: Path, clean: bytes, name: str) -> None:
    assert judged(tmp_path, clean, name) == ()
    assert (tmp_path / "candidate.duckdb").read_bytes() == clean


def where(area: str, indicator: str) -> str:
    return f"where period = '2026H1' and area_key = '{area}' and indicator_id = '{indicator}'"


@pytest.mark.parametrize(
    ("spoil", "rules"),
    [
        (f"update {MART} set value_wan = value_wan + 0.000001 {where('330400', 'sti_total')}", {"MON-003", "MON-004"}),
        (
            f"update {MART} set value_wan = value_wan + 0.000001 {where('330402', 'other_eliminated')}",
            {"MON-003", "MON-005"},
        ),
        (f"update {MART} set value_wan = value_wan + 1 {where('330402', 'hospital_sti')}", {"MON-003", "MON-006"}),
        (f"update {MART} set value_wan = value_wan + 1 {where('330402', 'gov_talent')}", {"MON-003", "MON-008"}),
        (f"delete from {MART} {where('330402', 'gov_talent')}", {"MON-002", "MON-003"}),
        (f"insert into {MART} select * from {MART} {where('330402', 'gov_talent')}", {"MON-001", "MON-003"}),
    ],
)
def test_a_figure_that_does_not_add_up_blocks(tmp_path: Path, clean: bytes, spoil: str, rules: set) -> None:
    found = judged(tmp_path, clean, MART, spoil)
    assert {f.rule_id for f in found} == rules
    assert {f.rule_class for f in found} == {"mandatory"}


CHANGES = [
    ("growth_pct = 30, base_wan = 80", None),
    ("growth_pct = 30.1, base_wan = 80", "MON-011"),
    ("growth_pct = 100, base_wan = 50", "MON-011"),
    ("growth_pct = 104, base_wan = 49", "MON-012"),
    ("growth_pct = 900, base_wan = 10", "MON-013"),
    ("growth_pct = -1, base_wan = 100.000001", "MON-014"),
    ("growth_pct = 0, base_wan = 100", "MON-017"),
    ("growth_pct = null, base_wan = 0", None),
    ("share_pct = 55", None),
    ("share_pct = 55.1", "MON-016"),
]


def test_what_may_be_true_is_asked_about(tmp_path: Path, clean: bytes) -> None:
    spoil = [
        f"update {MART} set {change} {where(area, 'gov_total')}"
        for area, (change, _) in zip(AREAS, CHANGES, strict=True)
    ]
    found = judged(tmp_path, clean, MART, *spoil)
    wanted = {(f"2026H1/{area}/gov_total", rule) for area, (_, rule) in zip(AREAS, CHANGES, strict=True) if rule}
    assert {(f.subject, f.rule_id) for f in found} == wanted
    assert len(found) == len(wanted)
    assert {(f.rule_class, f.cell) for f in found} == {("query", "")}


def test_zero_where_there_was_something_is_asked_about(tmp_path: Path, clean: bytes) -> None:
    lower = f"update {MART} set value_wan = value_wan - 10 where period = '2026H1' and area_key in ('330402', '330400')"
    spoil = (
        lower + " and indicator_id in ('hospital_sti', 'other_gross', 'other_net', 'sti_total')",
        f"update {MART} set growth_pct = -100 {where('330402', 'hospital_sti')}",
        f"update {MART} set base_wan = 91 {where('330400', 'hospital_sti')}",
    )
    assert [f.rule_id for f in judged(tmp_path, clean, MART, *spoil)] == ["MON-015"]


def test_growth_of_small_items_is_watched_for_the_city_only(tmp_path: Path, clean: bytes) -> None:
    spoil = [f"update {MART} set growth_pct = 31 {where(area, 'gov_talent')}" for area in ("330402", "330400")]
    found = judged(tmp_path, clean, MART, *spoil)
    assert [(f.rule_id, f.subject) for f in found] == [("MON-011", "2026H1/330400/gov_talent")]


def test_each_wrong_fact_is_named_by_its_rule(tmp_path: Path, clean: bytes) -> None:
    row = "insert into fct_input values ('2026H1', '{}', 'education_bureau', '{}', '{}', {}, 0, '', '')"
    spoil = (
        row.format("university", "330402", "difference", "100, 20, 80.000001"),
        row.format("university", "330402", "negative", "100, 101, -1"),
        row.format("enterprise", "330402", "enterprise", "100, 1, 99"),
        row.format("school", "330402", "school", "100, 0, 100"),
        row.format("university", "330499", "abroad", "100, 0, 100"),
        row.format("university", "330402", "U2", "100, 0, 100"),
    )
    found = {(f.rule_id, f.subject.split("/")[-1].split("#")[0]) for f in judged(tmp_path, clean, FACT, *spoil)}
    assert found == {
        ("FCT-001", "U2"),
        ("FCT-002", "difference"),
        ("FCT-003", "negative"),
        ("FCT-004", "enterprise"),
        ("FCT-005", "school"),
        ("FCT-006", "abroad"),
    }


SUBTRACTED_FROM_ENTERPRISES = (
    "insert into fct_elimination values ('2026H1', '330402', 'policy', 7)",
    "insert into fct_input values ('2026H1', 'enterprise', 'statistics_bureau', '330402', '330402', 500, 7, 493, 0, '', '')",
    f"update {MART} set value_wan = value_wan - 7 where period = '2026H1' and area_key in ('330402', '330400') "
    "and indicator_id = 'sti_total'",
)
"""A policy that subtracts 7 from the enterprises of one area, carried through everywhere."""


def test_a_policy_that_subtracts_from_enterprises_is_let_through_with_what_its_ledger_says(
    tmp_path: Path, clean: bytes
) -> None:
    for name in (MART, FACT):
        assert judged(tmp_path, clean, name, *SUBTRACTED_FROM_ENTERPRISES) == ()
    one_fen_more = "update fct_elimination set amount_wan = amount_wan + 0.0001 where tier = 'policy'"
    found = [judged(tmp_path, clean, name, *SUBTRACTED_FROM_ENTERPRISES, one_fen_more) for name in (MART, FACT)]
    assert [{f.rule_id for f in one} for one in found] == [{"MON-004"}, {"FCT-004"}]
    assert {f.rule_class for one in found for f in one} == {"mandatory"}


@pytest.mark.parametrize(
    "spoil",
    [
        "update staging.stg_finance_bureau__gov_payment set amount_wan = 59.999999",
        "update staging.stg_finance_bureau__gov_payment set memo_category = '专项债'",
        "drop table staging.stg_finance_bureau__gov_payment",
    ],
)
def test_a_ledger_under_three_fifths_of_the_summary_is_asked_about(tmp_path: Path, clean: bytes, spoil: str) -> None:
    found = [f for f in judged(tmp_path, clean, FACT, spoil) if f.rule_class == "query"]
    assert [f.rule_id for f in found] == ["FCT-007"]


def test_only_the_rows_of_the_period_are_judged(tmp_path: Path, clean: bytes) -> None:
    spoil = "insert into fct_input select '2025H1', * exclude (period) replace (-1 as net_wan) from fct_input"
    assert judged(tmp_path, clean, FACT, spoil) == ()
    assert {f.period for f in judged(tmp_path, clean, FACT, spoil, period="2025H1")} == {"2025H1"}


def test_views_over_relative_paths_start_at_the_working_directory(tmp_path: Path, clean: bytes) -> None:
    home = tmp_path / "home"
    (home / "accepted").mkdir(parents=True)
    path = tmp_path / "candidate.duckdb"
    path.write_bytes(clean)
    with duckdb.connect(str(path), config={"file_search_path": str(home)}) as connection:
        connection.execute(f"copy staging.stg_finance_bureau__gov_payment to '{home}/accepted/rows.parquet'")
        connection.execute("drop table staging.stg_finance_bureau__gov_payment")
        rows = "select * from read_parquet('accepted/*.parquet')"
        connection.execute(f"create view staging.stg_finance_bureau__gov_payment as {rows}")
    (verdict,) = judge_database([load_suite(FACT)], path, "2026H1", working_directory=home)
    assert verdict.findings == ()


def test_a_missing_table_column_or_file_cannot_be_judged(tmp_path: Path, clean: bytes) -> None:
    with pytest.raises(JudgeError, match=MART):
        judged(tmp_path, clean, MART, f"drop table {MART}")
    with pytest.raises(JudgeError, match="share_pct"):
        judged(tmp_path, clean, MART, f"alter table {MART} drop column share_pct")
    with pytest.raises(JudgeError, match=r"none\.duckdb"):
        judge_database([load_suite(MART)], tmp_path / "none.duckdb", "2026H1")
