"""Small clean workbooks as the reader leaves them (parquet and manifests), for tests to spoil one cell at a time."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl.utils import get_column_letter

from expectations.judge import Verdict, judge, judge_workbook, load_suite
from sources import contracts
from sources.finding import Finding
from sources.manifest import Manifest

Row = dict[str, Any]
Tables = dict[str, list[Row]]

AREAS = ("JX-CITY", "330402", "330411", "330421", "330424", "330481", "330482", "330483", "JX-ETDZ", "JX-PORT")
FIRST_SHEET_ROW = 4
FEN = Decimal("0.000001")
"""One fen in 万元."""

INPUT, PAYMENT = "finance_bureau__gov_input", "finance_bureau__gov_payment"
FIRMS, CONTRACTS = "statistics_bureau__enterprise_rd", "statistics_bureau__enterprise_contract"
FIRMS_BY_AREA = "statistics_bureau__enterprise_rd_area"
UNIT, INFLOW, OUTFLOW = "education_bureau__unit", "education_bureau__inflow", "education_bureau__outflow"


def finance() -> Tables:
    gov = {"gov_total_wan": 100, "general_budget_wan": 60, "fund_budget_wan": 30, "state_capital_budget_wan": 10}
    return {
        INPUT: [{"area_key": area, **gov, "gov_platform_wan": 20, "gov_talent_wan": 10} for area in AREAS],
        PAYMENT: [payment(1, amount_wan=40), payment(2, amount_wan=20)],
    }


def payment(number: int, **more: Any) -> Row:
    return {
        "voucher_no": f"PZ{number}",
        "area_key": "330402",
        "budget_type": "一般公共预算",
        "input_category": "科研平台",
        "fund_channel": "本级安排",
        "paid_on": date(2026, 3, 1),
        "amount_wan": 1,
    } | more


def statistics() -> Tables:
    external = {"external_rd_institute_wan": 1, "external_rd_university_wan": 2, "external_rd_enterprise_wan": 3}
    return {
        FIRMS: [
            {
                "enterprise_code": code,
                "enterprise_name": f"示例企业{code}",
                "area_key": "330402",
                "industry_code": "3311",
                "frame_category": "工业",
                "rd_expense_wan": 50,
                "external_rd_wan": 10,
                **external,
                "external_rd_overseas_wan": 4,
            }
            for code in ("F1", "F2")
        ],
        CONTRACTS: [contract(1), contract(2)],
    }


def contract(number: int, **more: Any) -> Row:
    row = {"contract_no": f"HT{number}", "payer_code": "F1", "payee_code": "U1", "booked_on": date(2026, 3, 1)}
    return row | {"amount_wan": 5} | more


def performer() -> Tables:
    return {
        UNIT: [unit("U1"), unit("U2")],
        INFLOW: [inflow(1, amount_wan=6), inflow(2, amount_wan=4)],
        OUTFLOW: [{"row_no": "1", "unit_code": "U1", "payee_code": "U2", "project_no": "P1", **outflow_rest()}],
    }


def unit(code: str, **more: Any) -> Row:
    row = {"unit_code": code, "unit_name": f"示例大学{code}", "area_key": "330402", "is_in_parent": False}
    sources = {
        "sti_activity_wan": 30,
        "local_fiscal_wan": 10,
        "enterprise_local_large_wan": 5,
        "enterprise_nonlocal_wan": 5,
    }
    return row | sources | {"from_units_wan": 3, "overseas_wan": 3, "own_other_wan": 4, "handed_on_wan": 2} | more


def inflow(number: int, **more: Any) -> Row:
    row = {"row_no": str(number), "unit_code": "U1", "fund_channel": "市县财政", "received_on": date(2026, 3, 1)}
    return row | {"project_no": "P1", "amount_wan": 1} | more


def outflow_rest() -> Row:
    return {"transferred_on": date(2026, 3, 1), "amount_wan": 2}


def write(folder: Path, tables: Tables, period: str = "2026H1", unit: str = "万元") -> tuple[dict, dict]:
    """Write the tables as the reader would, one row per sheet row from row 4; columns stand in the contract's order."""
    relations, manifests = {}, {}
    for sheet_index, (table_id, rows) in enumerate(tables.items()):
        table = contracts.table(table_id)
        schema = table.schema
        complete = []
        for number, row in enumerate(rows, FIRST_SHEET_ROW):
            full: Row = dict.fromkeys(schema.names) | {
                "row_id": f"0123456789abcdef:{sheet_index}:{number}",
                "period": period,
                "file_sha256": "0123456789abcdef",
                "sheet_name": table.sheet,
                "row_number": number,
            }
            for column in table.columns:
                value = row.get(column.name)
                if column.type == "money" and value is not None:
                    value = Decimal(str(value)).quantize(FEN)
                full[column.name] = value
                if column.is_number:
                    full[f"{column.name}_status"] = "not_reported" if value is None else "reported"
            complete.append(full)
        relations[table_id] = folder / f"{table_id}.parquet"
        pq.write_table(pa.Table.from_pylist(complete, schema=schema), relations[table_id])
        letters = {column.name: get_column_letter(n) for n, column in enumerate(table.columns, 1)}
        manifests[table_id] = Manifest(
            table_id, period, table.provider, "样表.xlsx", "0123456789abcdef", table.sheet, unit, 3, letters
        )
    return relations, manifests


def verdicts(folder: Path, tables: Tables, **options: Any) -> list[Verdict]:
    """Judge the tables as one workbook."""
    relations, manifests = write(folder, tables, **options)
    return judge_workbook(relations, manifests)


def findings(folder: Path, tables: Tables, only: str = "", **options: Any) -> list[Finding]:
    """Return the findings of one workbook, or of only one of its tables.

    One table alone is judged without the minimum of each column (GEN-002): half the expectations, hence half the time,
    and they have a test of their own.
    """
    if only:
        suite = load_suite(only)
        brief = suite.model_copy(update={"rules": tuple(rule for rule in suite.rules if rule.id != "GEN-002")})
        relations, manifests = write(folder, tables, **options)
        return list(judge(brief, relations=relations, manifests=manifests).findings)
    return [finding for verdict in verdicts(folder, tables, **options) for finding in verdict.findings]


def places(found: list[Finding]) -> list[tuple[str, str, str]]:
    """Return (rule, class, cell) of each finding."""
    return [(f.rule_id, f.rule_class, f.cell) for f in found]
