"""Suites and rules as data: reading ``suites/*.yaml`` and checking every field before anything is judged.

A suite has the name of its table. Files that begin with ``_`` are not suites: they hold rules that several
suites take over with ``extends``. A rule with ``each`` is written once and applies per column (or key) of the
table's contract. What does *not* belong here: running a rule (``measures``, ``bridge``, ``judge``).
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from expectations.rule_parts import AskedBefore, Asks, Expect, Template
from sources import contracts
from sources.finding import RuleClass

SUITES_DIR = Path(__file__).parent / "suites"
RULE_ID = re.compile(r"^[A-Z]{3}-\d{3}$")
Against = Literal["last_year", "last_period", "last_version"]
AGAINST_LABELS: dict[Against, str] = {"last_year": "上年同期", "last_period": "上期", "last_version": "上一版本"}
COMPARED_COLUMNS = (
    "scope", "about", "label", "column_name", "heading", "is_main", "is_present", "row_count", "value_wan", "table_is_off", "is_same_year",
    *(f"{kind}_wan" for kind in AGAINST_LABELS), *(f"has_{kind}" for kind in AGAINST_LABELS),
    "last_year_times", "last_period_times", "table_times", "table_period_times", "last_year_name", "last_period_name",
)  # fmt: skip
"""Columns of an amount beside earlier ones (``comparison``), for SQL and texts of rules with ``each: compared``."""
TEXT_FIELDS = ("label", "message", "found", "expected", "subject", "why", "action")
SQL_FIELDS = ("rows", "when", "measure")


class SuiteError(ValueError):
    """A suite file is wrong; the message names the file, the rule, the field and the reason."""


class NoSuiteError(LookupError):
    """There is no suite of that name: nothing may pass without one."""


class Rule(BaseModel):
    """One rule.

    ``measure`` is SQL over the alias ``t``: ``rows`` (by default the judged rows, in SQL ``{rows}``) that
    ``when`` holds for. DuckDB computes it exactly; ``expect`` is what it must meet, give or take ``tolerance``
    (unit of the measure). ``values`` are further SQL expressions for the texts. In texts ``{name}`` is a value
    or a column; a name that ends in ``_wan`` is an amount in 万元. ``subject`` says what a finding is about, by
    default the row's key. ``asks`` (gate 2) names the bureaus that a finding is laid before, ``asked_before`` what gate 1 has asked already.
    ``needs`` names tables that the rule compares with; where one is missing, that is a
    finding of the rule's own class. With ``each: compared`` the rows are amounts beside earlier ones (``comparison``);
    ``against`` says which earlier figures it takes, ``uses`` which thresholds; where there are none it does not apply, and the
    summary says so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: str
    label: str
    rule_class: RuleClass = Field(alias="class")
    level: int = Field(ge=0, le=5)
    each: Literal["key", "min", "within_period", "compared"] | None = None
    against: Against | None = None
    columns: tuple[str, ...] = ()
    cell: str | None = None
    rows: str | None = None
    when: str = "true"
    measure: str = ""
    expect: Expect
    tolerance: float = Field(default=0, ge=0)
    values: dict[str, str] = {}
    needs: tuple[str, ...] = ()
    subject: str | None = None
    found: str
    expected: str
    message: str
    why: str
    action: str
    valid_from: date
    valid_to: date | None = None
    column: str | None = None
    uses: tuple[str, ...] = ()
    template: Template | None = None
    asks: tuple[Asks, ...] = ()
    asked_before: AskedBefore | None = None

    @model_validator(mode="after")
    def _fields_fit(self) -> "Rule":
        if not RULE_ID.match(self.id):
            raise ValueError(f"id：{self.id} 须为三个大写字母、连字符、三位数字，例如 FIN-001")
        if bool(self.measure) == self.expect.is_of_table:
            raise ValueError("measure：按行的规则须写，整表的规则不得写")
        if bool(self.columns) == bool(self.each):
            raise ValueError("columns：与 each 须写且只写一个")
        if (self.each == "compared") > bool(self.against and self.subject):
            raise ValueError("against、subject：each: compared 的规则须写")
        if self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to：早于 valid_from")
        if self.asks and self.rule_class == "mandatory":
            raise ValueError("asks：只有核实性问题和提示问得到单位，强制性的由数据组处理")
        return self

    @property
    def check_id(self) -> str:
        """The rule's id, with the column where the rule applies per column."""
        return f"{self.id}/{self.column}" if self.column else self.id

    @property
    def placeholders(self) -> set[str]:
        """The names in braces in the rule's texts, and the other names that a finding is made with."""
        texts = [getattr(self, name) or "" for name in TEXT_FIELDS] + [text for ask in self.asks for text in ask.texts]
        before = self.asked_before
        texts += before.subjects if before else ()
        named = {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}
        return named | {ask.column for ask in self.asks if ask.column} | set(before.values if before else ())

    def is_valid_on(self, day: date) -> bool:
        """Whether the rule holds for a period that ends on this day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def filled(self, tokens: dict[str, str], **update: Any) -> "Rule":
        """Return the rule with ``{token}`` replaced in every text and SQL field, and other fields replaced as given."""

        def fill(text: str) -> str:
            for token, value in tokens.items():
                text = text.replace("{" + token + "}", value)
            return text

        names = [n for n in (*TEXT_FIELDS, *SQL_FIELDS, "cell") if getattr(self, n) is not None]
        filled: dict[str, Any] = {name: fill(getattr(self, name)) for name in names}
        filled["values"] = {name: fill(sql) for name, sql in self.values.items()}
        filled["needs"] = tuple(fill(need) for need in self.needs)
        filled["asks"] = tuple(
            ask.model_copy(update={name: fill(getattr(ask, name)) for name in ("message", "found", "expected")})
            for ask in self.asks
        )
        if self.template:
            texts = {name: fill(getattr(self.template, name)) for name in ("breach", "at")}
            filled["template"] = self.template.model_copy(update=texts)
        return self.model_copy(update=filled | update)


class Compares(BaseModel):
    """Which amounts of a table are set beside earlier ones, the main one first, and the SQL that names a row to people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[str, ...]
    label: str


class Suite(BaseModel):
    """The rules of one table; its key and columns come from the contract where the table has one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    label: str
    basis: str
    data_class: Literal["internal", "restricted"] = "internal"
    provider: str = ""
    key: tuple[str, ...] = ()
    subject_columns: tuple[str, ...] = ()
    table_columns: tuple[str, ...] = ()
    compares: Compares | None = None
    thresholds: dict[str, float] = {}
    rules: tuple[Rule, ...]


class _File(BaseModel):
    """A YAML file as written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = ""
    basis: str = ""
    data_class: Literal["internal", "restricted"] = "internal"
    extends: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    compares: Compares | None = None
    thresholds: dict[str, float] = {}
    rules: tuple[Rule, ...] = ()


def _reason(data: Any, error: dict) -> str:
    location = [str(part) for part in error["loc"]]
    if len(location) > 1 and location[0] == "rules":
        number = int(location[1])
        rule = data["rules"][number]
        name = rule.get("id", f"第 {number + 1} 条") if isinstance(rule, dict) else f"第 {number + 1} 条"
        return f"规则 {name}，字段 {'.'.join(location[2:]) or '（整条）'}：{error['msg']}"
    return f"字段 {'.'.join(location) or '（整个文件）'}：{error['msg']}"


def _read(path: Path) -> _File:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise SuiteError(f"{path.name}：不是有效的 YAML：{error}") from error
    try:
        return _File.model_validate(data)
    except ValidationError as error:
        raise SuiteError(f"{path.name}：" + "；".join(_reason(data, dict(e)) for e in error.errors())) from error


def _uses(rule: Rule, thresholds: dict[str, float]) -> tuple[str, ...]:
    return tuple(name for name in thresholds if "{" + name + "}" in rule.when + rule.measure)


def _expanded(
    rule: Rule, table: contracts.Table | None, name: str, compares: Compares | None, thresholds: dict[str, float]
) -> Iterable[Rule]:
    """Yield the rule once, or once per column (key) of the contract that ``each`` means."""
    tokens = {"provider": name.split("__")[0], "table": name}
    tokens |= {threshold: f"{value:.10g}" for threshold, value in thresholds.items()}
    if rule.each is None and rule.against:
        raise SuiteError(f"{name}.yaml：规则 {rule.id}，字段 against：只能与 each: compared 一起写")
    if rule.each is None:
        yield rule.filled(tokens, uses=_uses(rule, thresholds))
    elif table is None:
        raise SuiteError(f"{name}.yaml：规则 {rule.id}，字段 each：只能用于有合同（contract）的表")
    elif rule.each == "compared":
        if compares is None:
            raise SuiteError(f"{name}.yaml：规则 {rule.id}，字段 each：本表没有写 compares")
        # Amounts below the floor are left out of every comparison.
        uses = ("floor_wan", *_uses(rule, thresholds))
        yield rule.filled(tokens, columns=compares.columns, uses=tuple(dict.fromkeys(uses)), each=None)
    elif rule.each == "key":
        if table.key:
            columns = [table.column(k) for k in table.key]
            texts = [f"area_name(t.{c.name})" if c.type == "area" else f"t.{c.name}" for c in columns]
            tokens |= {
                "key": ", ".join(f"t.{k}" for k in table.key),
                "key_sql": f"concat_ws(' ', {', '.join(texts)})",
                "key_cell": table.key[0],
                "heading": "、".join(c.heading for c in columns),
            }
            yield rule.filled(tokens, columns=table.key, each=None)
    else:
        for column in table.columns:
            if (column.min is not None) if rule.each == "min" else column.within_period:
                more = {"column": column.name, "heading": column.heading, "min": str(column.min)}
                yield rule.filled(tokens | more, columns=(column.name,), column=column.name, each=None)


def _check(rule: Rule, suite: Suite) -> None:
    known = set(suite.table_columns)
    for field, names in (("columns", rule.columns), ("cell", (rule.cell,) if rule.cell else ())):
        unknown = sorted(set(names) - known)
        if unknown:
            raise SuiteError(f"{suite.name}.yaml：规则 {rule.id}，字段 {field}：{'、'.join(unknown)} 不是本表的列")
    strangers = sorted({ask.provider for ask in rule.asks if ask.provider} - contracts.providers().keys())
    if strangers or ((rule.asks or rule.asked_before) and suite.provider):
        why = (
            f"没有 {'、'.join(strangers)} 这个单位" if strangers else "只用于事实表和集市表：报表的问题本来就问报送单位"
        )
        raise SuiteError(f"{suite.name}.yaml：规则 {rule.id}，字段 asks、asked_before：{why}")
    if rule.against:
        known = set(COMPARED_COLUMNS)
    allowed = known | set(rule.values) if not rule.expect.is_of_table else {"row_count"}
    unknown = sorted(rule.placeholders - allowed)
    if unknown:
        listed = "、".join(unknown)
        raise SuiteError(
            f"{suite.name}.yaml：规则 {rule.id}，字段 message 等：{listed} 既不是本表的列，也不在 values 中"
        )


def _suite(path: Path, files: dict[str, _File]) -> Suite:
    file, name = files[path.stem], path.stem
    table = contracts.tables().get(name)
    if table is None and not (name.startswith(("fct_", "mart_", "dim_")) and file.columns and file.key):
        raise SuiteError(f"{path.name}：没有 {name} 这张表的合同；事实表和集市表须写 key 和 columns")
    if table is not None and (file.columns or file.key):
        raise SuiteError(f"{path.name}：字段 columns、key：{name} 以合同为准，不得另写")
    missing = [part for part in file.extends if part not in files]
    if missing:
        raise SuiteError(f"{path.name}：字段 extends：没有 {missing[0]}.yaml")
    parts = [files[part] for part in (*file.extends, name)]
    compares = next((part.compares for part in reversed(parts) if part.compares), None)
    thresholds = {key: value for part in parts for key, value in part.thresholds.items()}
    rules = [one for part in parts for rule in part.rules for one in _expanded(rule, table, name, compares, thresholds)]
    key = table.key if table else file.key
    suite = Suite(
        name=name,
        label=table.label if table else file.label,
        basis=table.basis if table else file.basis,
        data_class=table.data_class if table else file.data_class,
        provider=table.provider if table else "",
        key=key,
        subject_columns=file.subject or key,
        table_columns=tuple(table.schema.names) if table else file.columns,
        compares=compares,
        thresholds=thresholds,
        rules=tuple(rules),
    )
    for rule in suite.rules:
        _check(rule, suite)
    return suite


def load_suites(directory: Path = SUITES_DIR) -> dict[str, Suite]:
    """Read and check every suite of a directory, by name.

    Raises:
        SuiteError: naming the file, the rule, the field and the reason; also where one rule id stands twice.
    """
    paths = sorted(directory.glob("*.yaml"))
    files = {path.stem: _read(path) for path in paths}
    seen: dict[str, str] = {}
    for stem, file in files.items():
        for rule in file.rules:
            if rule.id in seen:
                raise SuiteError(f"{stem}.yaml：规则 {rule.id}，字段 id：已用于 {seen[rule.id]}.yaml")
            seen[rule.id] = stem
    return {path.stem: _suite(path, files) for path in paths if not path.stem.startswith("_")}


@lru_cache(maxsize=1)
def _suites() -> dict[str, Suite]:
    return load_suites()


def load_suite(name: str) -> Suite:
    """Return the suite of a table.

    Raises:
        NoSuiteError: there is none.
        SuiteError: a suite file is wrong.
    """
    try:
        return _suites()[name]
    except KeyError:
        raise NoSuiteError(f"{name}：没有校验规则（expectations/suites/{name}.yaml），不得通过") from None


def is_restricted(name: str) -> bool:
    """Return whether a table holds data of single enterprises, of which people are shown counts and no cells."""
    suite, table = _suites().get(name), contracts.tables().get(name)
    return any(each is not None and each.data_class == "restricted" for each in (suite, table))


def is_of_gate_2(rule_id: str) -> bool:
    """Return whether a rule judges facts or marts, not a return."""
    return any(rule.id == rule_id for suite in _suites().values() if not suite.provider for rule in suite.rules)
