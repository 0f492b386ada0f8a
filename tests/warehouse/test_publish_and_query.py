"""The published file: replaced in one step, never touched by readers or by anything the gates have not passed."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pytest

from tests.conftest import run_sti
from warehouse import publish, query
from warehouse.layers import verify_accepted
from warehouse.paths import Home, write_atomically


def home_of(path: Path) -> Home:
    return Home.at(path)


def test_the_candidate_of_a_finished_run_may_be_published_again(home_copy: Path) -> None:
    home = home_of(home_copy)
    before = {
        t: query.run_query(home, f"select * from {t} order by all") for t in ("fct_input", "mart_half_year_monitoring")
    }
    publication = publish.publish(home)
    assert publication.row_counts["mart_half_year_monitoring"] == before["mart_half_year_monitoring"].num_rows
    for name, table in before.items():
        assert query.run_query(home, f"select * from {name} order by all").equals(table)


def test_a_candidate_that_changed_after_its_gate_is_not_published(home_copy: Path) -> None:
    home = home_of(home_copy)
    with duckdb.connect(str(home.candidate)) as connection:
        connection.execute("update mart_half_year_monitoring set value_wan = value_wan + 1 where value_wan is not null")
    with pytest.raises(publish.NotPassed, match="重新运行"):
        publish.publish(home)


@pytest.mark.parametrize("record", ["build.json", "gate2.json"])
def test_without_its_records_nothing_is_published(home_copy: Path, record: str) -> None:
    home = home_of(home_copy)
    (home.candidate.parent / record).unlink()
    with pytest.raises(publish.NotPassed):
        publish.publish(home)


def test_a_failed_gate_2_is_not_published(home_copy: Path) -> None:
    home = home_of(home_copy)
    path = home.candidate.parent / "gate2.json"
    write_atomically(path, json.dumps(json.loads(path.read_text()) | {"passed": False}).encode())
    with pytest.raises(publish.NotPassed, match="第二道关卡"):
        publish.publish(home)


def test_accepted_data_newer_than_the_candidate_are_not_published_as_if_they_were_in_it(home_copy: Path) -> None:
    home = home_of(home_copy)
    path = home.candidate.parent / "build.json"
    record = json.loads(path.read_text())
    record["inputs"].pop(next(iter(verify_accepted(home))))
    write_atomically(path, json.dumps(record).encode())
    with pytest.raises(publish.NotPassed, match="已过期"):
        publish.publish(home)


def test_every_published_table_and_column_is_described_in_chinese_and_nothing_restricted_is_there(
    sample_home: Path,
) -> None:
    home = home_of(sample_home)
    tables = query.run_query(home, "select table_name, comment from duckdb_tables()").to_pylist()
    names = {row["table_name"] for row in tables}
    assert {"mart_half_year_monitoring", "fct_input", "dim_area", "dim_indicator", "dim_period", "dim_unit"} <= names
    assert not [n for n in names if n.startswith(("stg_", "int_"))]
    columns = query.run_query(
        home,
        "select table_name, column_name, comment from duckdb_columns() where schema_name = 'main' and not internal",
    )
    for row in [*tables, *columns.to_pylist()]:
        assert any("\u4e00" <= c <= "\u9fff" for c in row["comment"] or ""), row
    enterprises = query.run_query(
        home, "select count(*) as n from fct_input where subject = 'enterprise' and unit_key <> area_key"
    )
    assert enterprises["n"][0].as_py() == 0
    assert (
        query.run_query(home, "select count(*) as n from dim_unit where unit_name like '%有限公司%'")["n"][0].as_py()
        == 0
    )


READER = """
    import duckdb, sys
    connection = duckdb.connect(sys.argv[1], read_only=True)
    totals = lambda: connection.execute("select count(*), sum(value_wan) from mart_half_year_monitoring").fetchall()
    first = totals()
    print(first, flush=True)
    sys.stdin.readline()
    assert totals() == first, (totals(), first)
    print("same", flush=True)
"""


def test_an_analysts_open_connection_neither_breaks_a_run_nor_sees_it(home_copy: Path) -> None:
    home = home_of(home_copy)
    reader = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(READER), str(home.published)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert reader.stdout is not None
    assert reader.stdout.readline().startswith("[(")
    result = run_sti("--home", home_copy, "run", "2026H1")
    assert result.exit_code == 0, result.stderr
    out, err = reader.communicate("\n", timeout=60)
    assert (reader.returncode, out.strip()) == (0, "same"), err


def test_the_prompt_is_hardened_and_read_only(sample_home: Path) -> None:
    home = home_of(sample_home)
    for forbidden in (
        "create table x (a int)",
        "delete from dim_area",
        "copy dim_area to '/tmp/stolen.csv'",
        "select * from read_csv('/etc/passwd')",
        "attach '/tmp/other.duckdb'",
        "set enable_external_access = true",
        "install httpfs",
    ):
        with pytest.raises(query.QueryFailed):
            query.run_query(home, forbidden)


def test_not_even_where_a_query_might_spill_can_one_write(home_copy: Path) -> None:
    home = home_of(home_copy)
    beside = Path(f"{home.published}.tmp")
    beside.mkdir()
    for statement in (f"copy (select 1) to '{beside}/x.csv'", f"attach '{beside}/x.duckdb' as x"):
        with pytest.raises(query.QueryFailed):
            query.run_query(home, statement)
    assert list(beside.iterdir()) == []


@pytest.mark.parametrize(("statements", "count"), [("", 0), ("select 1; select 2", 2)])
def test_no_statement_is_dropped_in_silence(sample_home: Path, statements: str, count: int) -> None:
    with pytest.raises(query.QueryFailed, match=f"这里有 {count} 条"):
        query.run_query(home_of(sample_home), statements)


def test_a_text_that_starts_like_a_formula_leaves_as_text() -> None:
    table = pa.table({"name": ["=1+1", "@x", "＋1", "甲", "-2"], "amount": [-1.5, 2.0, None, 4.0, 5.0]})
    assert query.as_csv(table).splitlines() == ["name,amount", "'=1+1,-1.5", "'@x,2.0", "'＋1,", "甲,4.0", "'-2,5.0"]


def test_sql_prints_every_format(sample_home: Path, tmp_path: Path) -> None:
    ask = ("--home", sample_home, "sql", "select area_name, value_wan from mart_half_year_monitoring where period = '2026H1' "
           "and indicator_id = 'gov_total' and area_key = '330400'")  # fmt: skip
    assert "383224.370000" in run_sti(*ask).stdout
    assert run_sti(*ask, "--format", "csv").stdout == "area_name,value_wan\n全市,383224.370000\n"
    assert json.loads(run_sti(*ask, "--json").stdout) == [{"area_name": "全市", "value_wan": "383224.370000"}]
    assert run_sti(*ask, "--format", "parquet", "--out", tmp_path / "x.parquet").exit_code == 0
    assert duckdb.sql(f"select value_wan::varchar from '{tmp_path / 'x.parquet'}'").fetchall() == [("383224.370000",)]
    wrong = run_sti("--home", sample_home, "sql", "select nonsense")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "查询有误" in wrong.stderr


def test_sql_before_any_publication_says_what_to_do(tmp_path: Path) -> None:
    result = run_sti("--home", tmp_path, "sql", "select 1")
    assert result.exit_code == 1
    assert "make run" in result.stderr


def test_the_annex_workbook_opens_without_a_formula(sample_home: Path) -> None:
    book = openpyxl.load_workbook(sample_home / "reports" / "2026H1" / "附件1_2026H1.xlsx")
    assert not [c for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"]


def test_two_columns_of_one_name_stay_two(sample_home: Path) -> None:
    ask = ("--home", sample_home, "sql", "select 1 as a, 2 as a, 3 as b")
    assert run_sti(*ask, "--format", "csv").stdout == "a,a_2,b\n1,2,3\n"
    assert json.loads(run_sti(*ask, "--json").stdout) == [{"a": 1, "a_2": 2, "b": 3}]


def test_a_table_in_a_pipe_is_never_cut_and_texts_are_taken_as_they_are(sample_home: Path) -> None:
    text = "示例[a]研究院 :smile: [/foo] " + "长" * 300
    assert (
        text
        in run_sti(
            "--home", sample_home, "sql", f"select '{text}' as t, * from mart_half_year_monitoring limit 1"
        ).stdout
    )


def test_any_value_can_be_written_as_json(sample_home: Path) -> None:
    query_text = "select 'nan'::double as n, '\\xAA'::blob as b, time '10:00' as t, [1.5, 2.5] as l"
    (row,) = json.loads(run_sti("--home", sample_home, "sql", query_text, "--json").stdout)
    assert row["n"] is None


def test_a_file_that_cannot_be_written_is_wrong_use(sample_home: Path, tmp_path: Path) -> None:
    ask = ("--home", sample_home, "sql", "select 1 as a", "--format", "parquet", "--out", tmp_path / "no" / "x.parquet")
    result = run_sti(*ask)
    assert result.exit_code == 1
    assert "x.parquet" in result.stderr
