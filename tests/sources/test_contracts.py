"""Contracts are data that cannot be wrong unnoticed."""

from pathlib import Path

import pyarrow as pa
import pytest

from sources import contracts

GOOD = """
provider: some_bureau
label: 示例局
basis: 附件1
tables:
  some_bureau__t:
    sheet: 表
    label: 表
    basis: 附件1
    cadence: [half_year]
    key: [row_no]
    columns:
      - {name: row_no, heading: 序号, type: text}
      - {name: amount_wan, heading: 金额, type: money}
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("name: amount_wan", "name: amount"), "_wan"),
        (("name: row_no", "name: 序号"), "ASCII"),
        (("type: money", "type: mony"), "tables.some_bureau__t.columns.1.type"),
        (("key: [row_no]", "key: [nothing]"), "nothing"),
        (("heading: 金额", "heading: 序号"), "重复"),
        (("some_bureau__t:", "other__t:"), "other__t"),
        (("type: text", "type: enum"), "values"),
        (("label: 示例局\n", ""), "label"),
        (("    sheet: 表\n", "    sheet: 表\n    colour: red\n"), "colour"),
        (("cadence: [half_year]", "cadence: [monthly]"), "cadence"),
        (("tables:", "tables: ["), "YAML"),
    ],
)
def test_a_wrong_contract_is_refused_with_file_field_and_reason(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    path = tmp_path / "some_bureau.yaml"
    path.write_text(GOOD, encoding="utf-8")
    contracts.load_provider(path)
    path.write_text(GOOD.replace(*change), encoding="utf-8")
    with pytest.raises(contracts.ContractError) as error:
        contracts.load_provider(path)
    assert "some_bureau.yaml" in str(error.value)
    assert said in str(error.value)


def test_a_contract_under_another_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "else.yaml"
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(contracts.ContractError, match="文件名"):
        contracts.load_provider(path)


def test_five_providers_owe_fourteen_half_year_tables() -> None:
    assert [p.label for p in contracts.providers_of("half_year")] == [
        "市财政局",
        "市统计局",
        "市教育局",
        "市科技局",
        "市卫生健康委",
    ]
    assert len(contracts.tables("half_year")) == 14


def test_money_is_decimal_in_wan_and_keeps_its_status() -> None:
    for table in contracts.tables().values():
        for column in table.columns:
            if column.type == "money":
                assert table.schema.field(column.name).type == pa.decimal128(20, 6)
                assert table.schema.field(f"{column.name}_status").type == pa.string()


def test_every_table_and_column_id_is_ascii_and_every_heading_chinese() -> None:
    for table_id, table in contracts.tables().items():
        assert contracts.ASCII_ID.match(table_id)
        for column in table.columns:
            assert any("\u4e00" <= c <= "\u9fff" for c in column.heading)
