"""更正单: the only way to change a received value. One YAML file, kept read-only by its hash, asked for by one person and approved by another.

What belongs here: what a slip must say, and the register of slips. Putting a slip's values into the rows is `warehouse.corrections`.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sources import contracts
from sources.contracts import Column, Table
from sources.reference import area_keys, periods
from sources.text import person_of
from sources.values import MISSING, NOT_REPORTED, WAN_PER_UNIT, CellFault, CellValue, cell_reader
from warehouse.paths import Home, append_line, read_lines, write_atomically

LARGEST_SLIP_BYTES = 1024 * 1024


class SlipError(ValueError):
    """A slip that may not be registered or withdrawn; the message says what is wrong, where, and what to do next."""


class Entry(BaseModel):
    """One value to change: the row by its table's key, the column, the value that must stand there now, and the new one.

    Amounts (``…_wan``) are in 万元, whatever unit the workbook uses; ``null`` is a blank cell, ``-`` nil, ``…`` below the unit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    key: dict[str, str | int | date]
    column: str
    expected: str | None
    value: str | None
    reason: str = ""

    @field_validator("expected", "value", mode="before")
    @classmethod
    def _text_of(cls, value: Any) -> Any:
        # A YAML number such as 12.30 has already lost how it was written; as a text it is exact.
        if isinstance(value, bool):
            return "是" if value else "否"
        if isinstance(value, float):
            raise ValueError('小数请加引号，例如 "12.30"')
        return str(value) if isinstance(value, int | date) else value

    @property
    def contract(self) -> Table:
        """The contract of the table."""
        return contracts.table(self.table)

    @property
    def place(self) -> str:
        """What is changed, in words: sheet, row and heading."""
        keys = "、".join(f"{self.contract.column(name).heading} {value}" for name, value in self.key.items())
        return f"“{self.contract.sheet}”{keys} 的“{self.contract.column(self.column).heading}”"

    def expected_on(self, day: date) -> CellValue:
        """Return the value that must stand there now, typed as the contract says."""
        column = self.contract.column(self.column)
        if self.expected is None:
            return NOT_REPORTED if column.is_number else MISSING
        return _typed(column, self.expected, day)

    def value_on(self, day: date) -> CellValue:
        """Return the new value, typed as the contract says."""
        return _typed(self.contract.column(self.column), self.value, day)

    def key_on(self, day: date) -> dict[str, Any]:
        """Return the key's values, typed as the contract says."""
        return {name: _typed(self.contract.column(name), str(value), day).value for name, value in self.key.items()}


class Slip(BaseModel):
    """A correction slip (更正单): whose return, why, who asked and who approved, and the values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str
    period: str
    reason: str = Field(min_length=2)
    requester: str = Field(min_length=2)
    approver: str = Field(min_length=2)
    requested_on: date
    corrections: tuple[Entry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> "Slip":
        if self.provider not in contracts.providers():
            raise ValueError(f"provider：没有 {self.provider} 这个单位")
        if self.period not in periods():
            raise ValueError(f"period：{self.period} 不在日历内")
        if person_of(self.requester) == person_of(self.approver):
            raise ValueError("approver：申请人和批准人不能是同一个人")
        places = [(entry.table, tuple(sorted(entry.key.items())), entry.column) for entry in self.corrections]
        for number, entry in enumerate(self.corrections, 1):
            _check_entry(entry, self, f"第 {number} 条")
            if places.count(places[number - 1]) > 1:
                raise ValueError(f"第 {number} 条：{entry.place} 写了两次")
        return self

    @property
    def ends_on(self) -> date:
        """The last day of the slip's period, on which areas and aliases are looked up."""
        return periods()[self.period].ends_on


@dataclass(frozen=True)
class Registered:
    """A slip in the register: its number (the first 12 hex digits of its hash), when it came, and who withdrew it, if anybody."""

    slip_no: str
    slip: Slip
    registered_at: str
    withdrawn_by: str = ""
    withdrawn_reason: str = ""

    @property
    def is_active(self) -> bool:
        """Whether its values are put in."""
        return not self.withdrawn_by


def _typed(column: Column, text: str | None, day: date) -> CellValue:
    return cell_reader(column, WAN_PER_UNIT["万元"], area_keys(day))(text)


def _check_entry(entry: Entry, slip: Slip, where: str) -> None:
    table = contracts.providers()[slip.provider].tables.get(entry.table)
    if table is None:
        raise ValueError(f"{where}，table：{slip.provider} 没有 {entry.table} 这张表")
    cadence = periods()[slip.period].kind
    names = [column.name for column in table.columns if cadence in column.cadence]
    if entry.column not in names:
        raise ValueError(f"{where}，column：{entry.table} 没有 {entry.column} 这一列")
    if set(entry.key) != set(table.key):
        raise ValueError(f"{where}，key：须写 {'、'.join(table.key)}")
    day = slip.ends_on
    try:
        entry.key_on(day)
        old, new = entry.expected_on(day), entry.value_on(day)
    except CellFault as fault:
        raise ValueError(f"{where}：{fault.message}") from fault
    if (old.value, old.status) == (new.value, new.status):
        raise ValueError(f"{where}：新值与原值相同")


def load_slip(path: Path) -> tuple[Slip, bytes]:
    """Read and check one slip; return it with its bytes.

    Raises:
        SlipError: naming the file, the field and the reason.
    """
    if path.stat().st_size > LARGEST_SLIP_BYTES:
        raise SlipError(f"{path.name}：更正单超过 1 MB，请分成几份")
    content = path.read_bytes()
    return _parse(content, path.name), content


def _parse(content: bytes, name: str) -> Slip:
    try:
        data = yaml.safe_load(content.decode("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SlipError(f"{name}：不是有效的 UTF-8 YAML：{error}") from error
    if not isinstance(data, dict):
        raise SlipError(f"{name}：须写 provider、period、reason、requester、approver、requested_on、corrections")
    try:
        return Slip.model_validate(data)
    except ValidationError as error:
        reasons = [
            f"字段 {'.'.join(map(str, e['loc'])) or '（整份）'}：{e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        ]
        raise SlipError(f"{name}：" + "；".join(reasons)) from error


def registered(home: Home) -> list[Registered]:
    """Return every slip of the register in order of registration, withdrawn ones too.

    Raises:
        SlipError: a kept slip is missing or was changed.
    """
    slips: dict[str, Registered] = {}
    for line in read_lines(home.correction_register):
        number = line["slip_no"]
        if line["event"] == "registered":
            content = _kept(home, number)
            slips[number] = Registered(number, _parse(content, f"{number}.yaml"), line["at"])
        elif number in slips:
            before = slips[number]
            slips[number] = Registered(number, before.slip, before.registered_at, line["by"], line["reason"])
    return list(slips.values())


def active(home: Home, provider: str, period: str) -> list[Registered]:
    """Return the slips whose values are put into one return."""
    return [r for r in registered(home) if r.is_active and (r.slip.provider, r.slip.period) == (provider, period)]


def register(home: Home, slip: Slip, content: bytes) -> Registered:
    """Keep a slip and put it into force.

    Raises:
        SlipError: the same slip stands already or was withdrawn, or another slip in force changes the same cell.
    """
    number = hashlib.sha256(content).hexdigest()[:12]
    for other in registered(home):
        if other.slip_no == number:
            state = "已经登记" if other.is_active else "曾登记，后被撤销；需要重新更正的，请另写一份"
            raise SlipError(f"更正单 {number} {state}")
    taken = {
        (entry.table, tuple(sorted(entry.key_on(slip.ends_on).items())), entry.column): other.slip_no
        for other in active(home, slip.provider, slip.period)
        for entry in other.slip.corrections
    }
    for entry in slip.corrections:
        other_no = taken.get((entry.table, tuple(sorted(entry.key_on(slip.ends_on).items())), entry.column))
        if other_no:
            raise SlipError(f"{entry.place} 已由更正单 {other_no} 更正；请先撤销它：sti withdraw {other_no}")
    write_atomically(_path(home, number), content, mode=0o444)
    at = _now()
    append_line(home.correction_register, {"event": "registered", "slip_no": number, "at": at})
    return Registered(number, slip, at)


def withdraw(home: Home, number: str, by: str, reason: str) -> Registered:
    """Take a slip out of force; it stays in the register.

    Raises:
        SlipError: no such slip in force, or no name or reason.
    """
    found = next((r for r in registered(home) if r.slip_no == number), None)
    if found is None:
        raise SlipError(f"没有更正单 {number}；sti corrections 列出全部")
    if not found.is_active:
        raise SlipError(f"更正单 {number} 已由{found.withdrawn_by}撤销")
    if not by.strip() or not reason.strip():
        raise SlipError("撤销更正单须写明姓名和理由")
    line = {"event": "withdrawn", "slip_no": number, "at": _now(), "by": by.strip(), "reason": reason.strip()}
    append_line(home.correction_register, line)
    return Registered(number, found.slip, found.registered_at, by.strip(), reason.strip())


def _path(home: Home, number: str) -> Path:
    return home.corrections / f"{number}.yaml"


def _kept(home: Home, number: str) -> bytes:
    path = _path(home, number)
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest()[:12] != number:
        raise SlipError(f"登记的更正单 {number} 缺失或被改动；请从备份恢复 {path.name}")
    return content


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
