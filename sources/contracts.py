"""Contracts: the layout of every provider's workbook, as data.

A contract file (``sources/providers/<provider>.yaml``) names the sheets of one provider, and per sheet the headings, their
column ids, types and obligations. One id per table, ``<provider>__<table>``, is used by the contract, the asset, the suite,
the staging model and the path. What does *not* belong here: rules between cells (``expectations/suites``), and the
meaning of a figure (``dbt_project``).
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from sources.settings import read_yaml, reasons

PROVIDERS_DIR = Path(__file__).parent / "providers"
ASCII_ID = re.compile(r"^[a-z][a-z0-9_]*$")

ColumnType = Literal[
    "text", "reference", "code", "uscc", "area", "enum", "boolean", "date", "year", "count", "number", "money"
]
Cadence = Literal["half_year", "year"]
CADENCE_LABELS: dict[Cadence, str] = {"half_year": "半年报", "year": "年报"}

MONEY = pa.decimal128(20, 6)
ARROW_TYPES: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "year": pa.int32(),
    "count": pa.int64(),
    "number": MONEY,
    "money": MONEY,
}
"""Arrow type per column type; every other type is text."""

ROW_COLUMNS: dict[str, pa.DataType] = {
    "row_id": pa.string(),
    "period": pa.string(),
    "file_sha256": pa.string(),
    "sheet_name": pa.string(),
    "row_number": pa.int32(),
}
"""Columns that every row of every table carries first: its own id, its period, and the file, sheet and row it was read from."""

STATUS_SUFFIX = "_status"
CELL_STATUSES = ("reported", "nil", "below_unit", "not_reported")
"""How a number cell was filled in: a number (0 too), ``-``/``—``, ``…``, or left blank. A missing row is a missing row."""


class ContractError(ValueError):
    """A contract file is wrong; the message names the file, the field and the reason."""


class Column(BaseModel):
    """One column of a sheet: its heading as printed, its id in the warehouse, and what its cells must be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    heading: str
    type: ColumnType
    required: bool = False
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    min: int | None = None
    numbers_only: bool = False
    within_period: bool = False
    cadence: tuple[Cadence, ...] = ("half_year", "year")

    @field_validator("name")
    @classmethod
    def _name_is_ascii(cls, name: str) -> str:
        if not ASCII_ID.match(name):
            raise ValueError(f"列名 {name!r} 须为小写 ASCII（^[a-z][a-z0-9_]*$）")
        return name

    @model_validator(mode="after")
    def _type_fits(self) -> "Column":
        if (self.type == "enum") != bool(self.values):
            raise ValueError(f"{self.name}：type: enum 与 values 须同时给出")
        if (self.type == "money") != self.name.endswith("_wan"):
            raise ValueError(f"{self.name}：金额列（type: money）的列名须以 _wan（万元）结尾，其他列不得")
        return self

    @property
    def is_number(self) -> bool:
        """Whether the cells hold a number that may also be nil, below the unit or blank (and so has a status column)."""
        return self.type in ("money", "count", "number")


class Table(BaseModel):
    """One sheet of one provider, and the table it becomes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table_id: str
    sheet: str
    label: str
    basis: str
    cadence: tuple[Cadence, ...]
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    total_row: Literal["optional", "required"] = "optional"
    unit_line: bool = True
    data_class: Literal["internal", "restricted"] = "internal"
    instead_of: tuple[str, ...] = ()
    blank_rows: int = 0
    """Rows that the template prepares beyond the ones it prints (areas); a clerk may add more."""

    @model_validator(mode="after")
    def _columns_agree(self) -> "Table":
        names = [c.name for c in self.columns]
        headings = [h for c in self.columns for h in (c.heading, *c.aliases)]
        for kind, items in (("列名", names), ("表头", headings)):
            twice = sorted({i for i in items if items.count(i) > 1})
            if twice:
                raise ValueError(f"{self.table_id}：{kind}重复：{'、'.join(twice)}")
        unknown = sorted(set(self.key) - set(names))
        if unknown:
            raise ValueError(f"{self.table_id}：key 中的 {'、'.join(unknown)} 不是本表的列")
        return self

    @property
    def provider(self) -> str:
        """The provider's id, the part of the table id before ``__``."""
        return self.table_id.split("__")[0]

    def column(self, name: str) -> Column:
        """Return the column called ``name``."""
        return next(c for c in self.columns if c.name == name)

    def columns_of(self, cadence: Cadence) -> tuple[Column, ...]:
        """Return the columns that a return of this cadence must have."""
        return tuple(c for c in self.columns if cadence in c.cadence)

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the table's rows in ``raw/`` and ``accepted/``: amounts in 万元, DECIMAL(20,6)."""
        fields = list(ROW_COLUMNS.items())
        for column in self.columns:
            fields.append((column.name, ARROW_TYPES.get(column.type, pa.string())))
            if column.is_number:
                fields.append((column.name + STATUS_SUFFIX, pa.string()))
        return pa.schema(fields)


class Provider(BaseModel):
    """One provider (数源单位) and its tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str
    label: str
    basis: str
    aliases: tuple[str, ...] = ()
    unit: Literal["元", "千元", "万元", "亿元"] = "万元"
    """计量单位 that the template prints; a return may state another."""
    tables: dict[str, Table]

    @model_validator(mode="before")
    @classmethod
    def _ids_into_tables(cls, data: dict) -> dict:
        tables = data.get("tables")
        if not isinstance(tables, dict):
            raise ValueError("tables：须为 表号: 内容 的映射")
        for table_id, table in tables.items():
            if not ASCII_ID.match(str(table_id)) or not str(table_id).startswith(f"{data.get('provider')}__"):
                raise ValueError(f"tables.{table_id}：表号须为 <provider>__<table> 的小写 ASCII")
            if isinstance(table, dict):
                table["table_id"] = table_id
        return data

    @model_validator(mode="after")
    def _references_exist(self) -> "Provider":
        for table in self.tables.values():
            unknown = sorted(set(table.instead_of) - set(self.tables))
            if unknown:
                raise ValueError(f"{table.table_id}：instead_of 中的 {'、'.join(unknown)} 不是本单位的表")
        return self

    def tables_of(self, cadence: Cadence) -> tuple[Table, ...]:
        """Return the tables that a return of this cadence may hold."""
        return tuple(t for t in self.tables.values() if cadence in t.cadence)


def load_provider(path: Path) -> Provider:
    """Read and check one contract file.

    Raises:
        ContractError: naming the file, the field and the reason.
    """
    data = read_yaml(path, ContractError)
    if not isinstance(data, dict):
        raise ContractError(f"{path.name}：文件须为映射（provider、label、basis、tables）")
    try:
        provider = Provider.model_validate(data)
    except ValidationError as error:
        raise ContractError(f"{path.name}：{reasons(error)}") from error
    if provider.provider != path.stem:
        raise ContractError(f"{path.name}：字段 provider：{provider.provider} 与文件名不符")
    return provider


@lru_cache(maxsize=1)
def providers() -> dict[str, Provider]:
    """Return every provider by id, in the order of annex 1 (附件1): finance, statistics, education, science, health, then others.

    Raises:
        ContractError: a contract file is wrong.
    """
    order = ["finance_bureau", "statistics_bureau", "education_bureau", "science_bureau", "health_commission"]
    paths = sorted(
        PROVIDERS_DIR.glob("*.yaml"),
        key=lambda p: (order.index(p.stem) if p.stem in order else len(order), p.stem),
    )
    return {path.stem: load_provider(path) for path in paths}


def providers_of(cadence: Cadence) -> list[Provider]:
    """Return the providers that owe a return of this cadence, in the order of annex 1."""
    return [provider for provider in providers().values() if provider.tables_of(cadence)]


def tables(cadence: Cadence | None = None) -> dict[str, Table]:
    """Return every table by id, of one cadence or of all."""
    return {
        table.table_id: table
        for provider in providers().values()
        for table in provider.tables.values()
        if cadence is None or cadence in table.cadence
    }


def table(table_id: str) -> Table:
    """Return one table's contract.

    Raises:
        KeyError: no such table.
    """
    return providers()[table_id.split("__")[0]].tables[table_id]
