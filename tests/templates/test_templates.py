"""A template is what the reader reads: filled with a bureau's figures it gives those figures, and no finding of its own."""

import contextlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from click.testing import Result

from expectations.for_template import template_checks
from expectations.rules import load_suites
from sources.contracts import providers
from sources.reading_rules import reading_rules
from sources.reference import area_names, periods
from sources.template import formulas, usable
from sources.template.checks import cell_checks, left_out
from sources.template.form import TemplateError, plan
from sources.template.formulas import LONGEST, ROW, cross_formula, own_formula
from sources.values import WAN_PER_UNIT
from sources.workbook import WorkbookReading, read_workbook
from tests.templates.filling import Tables, blank, fill, recalculated, told

PERIOD = "2026H1"
PROVIDERS = [p.provider for p in providers().values() if p.tables_of("half_year")]


def typed_from(reading: WorkbookReading, unit: str) -> Tables:
    """Return a reading's rows as a clerk would type them: in the form's unit, areas by name, 是 and 否, - for nil."""
    tables: Tables = {}
    for table_id, table in reading.tables.items():
        assert table.rows is not None
        tables[table_id] = []
        for row in table.rows.to_pylist():
            typed = {}
            for column in providers()[reading.provider].tables[table_id].columns_of("half_year"):
                value, status = row[column.name], row.get(column.name + "_status")
                if status in ("nil", "below_unit"):
                    value = "-" if status == "nil" else "…"
                elif column.type == "money" and value is not None:
                    value = float(value / WAN_PER_UNIT[unit])
                elif column.type == "boolean":
                    value = "是" if value else "否"
                typed[column.name] = area_names()[value] if column.type == "area" else value
            tables[table_id].append(typed)
    return tables


@pytest.fixture(scope="module")
def from_samples(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple]:
    """Per provider: the sample workbook's reading, the plan, and the template filled with the same figures by hand, so to speak."""
    folder = tmp_path_factory.mktemp("filled")
    made = []
    for path in sorted((samples / PERIOD).glob("*.xlsx")):
        reading = read_workbook(path)
        most = max(table.rows.num_rows for table in reading.tables.values() if table.rows is not None)
        form, book = blank(reading.provider, PERIOD, rows=most + 5)
        rows = typed_from(reading, form.unit)
        for table_id, sheet in form.sheets.items():
            if sheet.is_fixed:
                order = [row[sheet.table.key[0]] for row in sheet.printed]
                rows[table_id].sort(key=lambda row, key=sheet.table.key[0], order=order: order.index(row[key]))
        fill(form, book, rows)
        target = folder / f"{form.provider.label}_{PERIOD}.xlsx"
        book.save(target)
        made.append((reading, form, target))
    done = recalculated([target for _, _, target in made], folder)
    return {form.provider.provider: (reading, form, path) for (reading, form, _), path in zip(made, done, strict=True)}


def values(table: pa.Table) -> list[tuple]:
    own = {"row_id", "file_sha256", "row_number"}
    rows = table.select([name for name in table.schema.names if name not in own]).to_pylist()
    return sorted(tuple(map(str, row.values())) for row in rows)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_filled_template_is_read_as_typed_and_passes_its_own_checks(
    from_samples: dict[str, tuple], provider: str
) -> None:
    sample, form, path = from_samples[provider]
    reading = read_workbook(path)
    assert {table_id: values(table.rows) for table_id, table in reading.tables.items()} == {
        table_id: values(table.rows) for table_id, table in sample.tables.items()
    }
    # Nothing about headings, cells without one, sheets or the 合计 row: at most what the sample itself has.
    assert {f.rule_id for f in reading.findings} <= {f.rule_id for f in sample.findings} - {"RD-019", "RD-020"}
    assert reading.reported_on is not None
    assert all("强制" not in classes for said in told(form, path).values() for classes, _ in said)


def test_drop_downs_and_locks_survive_another_program(from_samples: dict[str, tuple]) -> None:
    _, form, path = from_samples["finance_bureau"]
    book = openpyxl.load_workbook(path)
    sheet = book["拨付明细"]
    assert (
        sheet.protection.sheet
        and not sheet["C5"].protection.locked
        and sheet["C4"].protection.locked
        and sheet["A5"].protection.locked
    )
    lists = [v.formula1 for v in sheet.data_validations.dataValidation if v.type == "list"]
    assert '"一般公共预算,政府性基金预算,国有资本经营预算"' in lists
    assert book["政府科技创新投入"]["B6"].protection.locked and book["政府科技创新投入"]["B6"].value == "市本级"
    assert sheet.page_setup.orientation == "landscape"


def test_every_rule_of_level_1_has_a_template_check_or_a_reason_for_none() -> None:
    rules = {
        rule.id: rule.template
        for suite in load_suites().values()
        for rule in suite.rules
        if suite.provider and rule.level == 1
    }
    assert [rule_id for rule_id, template in rules.items() if template is None] == []
    assert {rule_id for rule_id, template in rules.items() if template and template.left_out} == {"FIN-004", "RDG-005"}
    checked = {step.rule for steps in cell_checks().values() for step in steps if step.rule} | {"RD-101"}
    level_1 = {rule_id for rule_id, rule in reading_rules().items() if rule.level == 1}
    assert checked | left_out().keys() == level_1
    assert not checked & left_out().keys()


def test_every_provider_has_a_template_of_every_return_it_owes(sti: Callable[..., Result], tmp_path: Path) -> None:
    for provider in providers().values():
        for period in ("2026H1", "2026H2", "2026"):
            owed = provider.tables_of("year" if periods()[period].kind == "year" else "half_year")
            result = sti("template", provider.label, period, "--rows", "3", "--json", "--out", tmp_path / period)
            assert result.exit_code == (0 if owed else 1), result.stderr
            if owed:
                written = json.loads(result.stdout)
                reading = read_workbook(Path(written["file"]))
                assert (reading.provider, reading.period) == (provider.provider, period)
                said = openpyxl.load_workbook(written["file"])["填报说明"]
                assert {said["C2"].value, said["C3"].value} == {written["form_id"], written["template_version"]}
                assert {f.rule_id for f in reading.findings} <= {"RD-021", "RD-102", "RD-115"}


def test_a_template_is_not_written_over_a_filled_one(sti: Callable[..., Result], tmp_path: Path) -> None:
    assert sti("template", "finance_bureau", PERIOD, "--rows", "3", "--out", tmp_path).exit_code == 0
    again = sti("template", "finance_bureau", PERIOD, "--rows", "3", "--out", tmp_path)
    assert again.exit_code == 1 and "不覆盖" in again.stderr


def test_the_version_changes_with_the_contract_and_not_with_the_number_of_rows(
    sti: Callable[..., Result], tmp_path: Path
) -> None:
    def version(name: str, *more: str) -> str:
        result = sti("template", "education_bureau", PERIOD, "--json", "--out", tmp_path / name, *more)
        return str(json.loads(result.stdout)["template_version"])

    assert version("a", "--rows", "3") == version("b", "--rows", "4") != version("c", "--rows", "3", "--unit", "元")


def test_last_period_s_figures_stand_beside_the_inputs_and_are_not_read(
    sti: Callable[..., Result], sample_home: Path, tmp_path: Path
) -> None:
    result = sti(
        "--home",
        sample_home,
        "template",
        "finance_bureau",
        "2026H2",
        "--rows",
        "3",
        "--with-last",
        "--json",
        "--out",
        tmp_path,
    )
    assert result.exit_code == 0, result.stderr
    written = json.loads(result.stdout)
    assert written["last_period"] == periods()["2025H2"].name
    path = recalculated([Path(written["file"])], tmp_path)[0]
    book = openpyxl.load_workbook(path, data_only=True)
    form = book["政府科技创新投入"]
    last = {row[1].value: row[2].value for row in book["上期数_政府科技创新投入"].iter_rows(min_row=4, max_row=13)}
    column = next(cell.column for cell in form[4] if cell.value == "上期数")
    shown = {form.cell(row, 2).value: form.cell(row, column).value for row in range(6, 16)}
    assert shown == last and all(value > 0 for value in last.values())
    assert {f.rule_id for f in read_workbook(path).findings} <= {"RD-021", "RD-115"}


def test_a_template_without_last_figures_says_so(sti: Callable[..., Result], tmp_path: Path) -> None:
    result = sti("--home", tmp_path / "empty", "template", "市财政局", PERIOD, "--with-last", "--out", tmp_path)
    assert result.exit_code == 1 and "已准入" in result.stderr


MOST_ROWS = 100_000
"""Rows that may be prepared at most; the larger a row's number, the longer its formula."""


@pytest.mark.parametrize("unit", WAN_PER_UNIT)
@pytest.mark.parametrize("aggregate_only", [False, True])
def test_no_form_of_any_period_has_a_formula_longer_than_a_spreadsheet_takes(unit: str, aggregate_only: bool) -> None:
    longest = {}
    for provider, period in itertools.product(providers().values(), periods().values()):
        with contextlib.suppress(TemplateError):
            form = plan(provider, period, unit=unit, blank_rows=MOST_ROWS, aggregate_only=aggregate_only)
            checks = [c for c in template_checks(provider.tables, period.ends_on) if usable(c, form)]
            for table_id, sheet in form.sheets.items():
                own = [c for c in checks if c.table_id == table_id and c.breach]
                made = [formula(form, sheet, own) for formula in (own_formula, cross_formula)]
                longest[table_id, period.key] = max(len(f.replace(ROW, str(sheet.last_row))) for f in made)
    assert max(longest.values()) <= LONGEST
    assert ("health_commission__unit", "2027") in longest or aggregate_only


def test_a_formula_too_long_is_refused_with_what_to_do_and_no_file_is_written(
    sti: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formulas, "LONGEST", 5000)
    result = sti("template", "市卫生健康委", "2027", "--out", tmp_path / "out")
    assert (result.exit_code, (tmp_path / "out").exists()) == (1, False)
    assert "health_commission__unit：校验公式有" in result.stderr
    assert "请用 --rows 减少预备的行" in result.stderr
