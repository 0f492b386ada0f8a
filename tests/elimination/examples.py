"""The six worked examples of the text as accepted rows, with the numbers that the text states."""

from dataclasses import dataclass, field
from decimal import Decimal

from tests.elimination.matching import Row
from tests.elimination.rows import Tables, relabel, row
from tests.workbooks import code

PERIOD = "2026H1"
UNIVERSITY_A, HOSPITAL_B, INSTITUTE_C = code(1), code(2), code(3)
FIRM_F, FOUNDATION = code(1, "91330400"), code(1, "53100000")
BUREAU_OF = {
    UNIVERSITY_A: "education_bureau",
    HOSPITAL_B: "health_commission",
    INSTITUTE_C: "science_bureau",
}


@dataclass(frozen=True)
class Example:
    """One example: its rows, and per ledger row (reason, tier, unit, amount, first recipient, counterparty, reference)."""

    name: str
    tables: Tables
    total: int
    o_gross: int
    o_net: int
    ledger: set[tuple[str, str, str, int, str, str, str]]
    findings: dict[str, int] = field(default_factory=dict)


def government(total: int, *payments: Row) -> Tables:
    """市财政局's two sheets: one area, and its payments."""
    g_input = row("finance_bureau__gov_input", gov_total_wan=total, general_budget_wan=total)
    return {"finance_bureau__gov_input": [g_input], "finance_bureau__gov_payment": list(payments)}


def payment(payee: str, amount: int, project: str | None, memo: str | None = None) -> Row:
    """One payment of 市财政局."""
    return row(
        "finance_bureau__gov_payment",
        voucher_no=f"PZ-{payee}-{project}-{memo}",
        budget_type=None if memo else "一般公共预算",
        input_category="其他",
        fund_channel="本级安排",
        project_no=project,
        payee_code=payee,
        amount_wan=amount,
        memo_category=memo,
    )


def firm(rd_expense: int, to_universities: int, *contracts: tuple[str, str, int]) -> Tables:
    """Firm F (规上工业) and its contracts as (payee, contract number, amount)."""
    enterprise = row(
        "statistics_bureau__enterprise_rd",
        enterprise_code=FIRM_F,
        frame_category="工业",
        rd_expense_wan=rd_expense,
        external_rd_wan=to_universities,
        external_rd_university_wan=to_universities,
    )
    table_id = "statistics_bureau__enterprise_contract"
    signed = [
        row(table_id, contract_no=number, payer_code=FIRM_F, payee_code=payee, amount_wan=amount)
        for payee, number, amount in contracts
    ]
    return {"statistics_bureau__enterprise_rd": [enterprise], table_id: signed}


def unit(code: str, activity: int, *ledger: Row, parent: str | None = None) -> Tables:
    """A performer, in its parent's figures if it has one, with the rows of its two ledgers."""
    bureau = BUREAU_OF[code]
    of_hospital = {"is_grade_3a": True, "is_in_rd_statistics": True} if bureau == "health_commission" else {}
    sheet = row(
        f"{bureau}__unit",
        unit_code=code,
        parent_code=parent,
        is_in_parent=parent is not None,
        sti_activity_wan=activity,
        **of_hospital,
    )
    tables: Tables = {f"{bureau}__unit": [sheet]}
    for values in ledger:
        kind = "inflow" if "fund_channel" in values else "outflow"
        rows = tables.setdefault(f"{bureau}__{kind}", [])
        rows.append(row(f"{bureau}__{kind}", row_no=str(len(rows) + 1), unit_code=code, **values))
    return tables


def received(channel: str, amount: int, project: str | None = None, **values: str | None) -> Row:
    """One row of 经费来源明细."""
    return {"fund_channel": channel, "amount_wan": amount, "project_no": project, **values}


def handed(payee: str, amount: int, project: str | None = None, contract: str | None = None) -> Row:
    """One row of 转拨明细."""
    return {"payee_code": payee, "amount_wan": amount, "project_no": project, "contract_no": contract}


def from_unit(payer: str, amount: int, last: str, project: str | None = None, contract: str | None = None) -> Row:
    """One row of 经费来源明细 for money handed on by another performer."""
    return received("单位转拨", amount, project, payer_code=payer, contract_no=contract, final_source_channel=last)


def together(*parts: Tables) -> Tables:
    """Put the returns of several providers together as one period."""
    tables: Tables = {}
    for part in parts:
        for table_id, rows in part.items():
            tables.setdefault(table_id, []).extend(rows)
    return relabel(tables, PERIOD)


def examples() -> list[Example]:
    """Return the six examples; the sixth also as money without a project number."""
    a, b, c = UNIVERSITY_A, HOSPITAL_B, INSTITUTE_C
    local = "市县财政"
    return [
        Example(
            "1_look_through",
            together(
                government(100, payment(a, 100, "P1")),
                firm(500, 30, (a, "C1", 30)),
                unit(
                    a,
                    150,
                    received(local, 100, "P1"),
                    received("企业合同", 30, payer_code=FIRM_F, contract_no="C1"),
                    received("中央直拨", 20, payer_code=FOUNDATION),
                    handed(b, 40, "P1"),
                ),
                unit(b, 40, from_unit(a, 40, local, "P1")),
            ),
            total=620,
            o_gross=190,
            o_net=20,
            ledger={
                ("OO", "T1", a, 40, "", b, "P1"),
                ("OG", "T1", a, 60, "", "", "P1"),
                ("OG", "T1", b, 40, a, "", "P1"),
                ("OE", "T1", a, 30, "", FIRM_F, "C1"),
            },
        ),
        Example(
            "2_chain_of_three",
            together(
                government(100, payment(a, 100, "P1")),
                unit(a, 100, received(local, 100, "P1"), handed(b, 40, "P1")),
                unit(b, 40, from_unit(a, 40, local, "P1"), handed(c, 25, "P1")),
                unit(c, 25, from_unit(b, 25, local, "P1")),
            ),
            total=100,
            o_gross=165,
            o_net=0,
            ledger={
                ("OO", "T1", a, 40, "", b, "P1"),
                ("OO", "T1", b, 25, "", c, "P1"),
                ("OG", "T1", a, 60, "", "", "P1"),
                ("OG", "T1", b, 15, a, "", "P1"),
                ("OG", "T1", c, 25, a, "", "P1"),
            },
        ),
        Example(
            "3_handed_on_without_a_number",
            together(
                government(100, payment(a, 100, "P1")),
                unit(a, 100, received(local, 100, "P1"), handed(b, 40)),
                unit(b, 40, from_unit(a, 40, local)),
            ),
            total=140,
            o_gross=140,
            o_net=40,
            ledger={("OO", "T2", a, 40, "", b, ""), ("OG", "T1", a, 60, "", "", "P1")},
            findings={"UNIT_CAP": 1},
        ),
        Example(
            "4_hospital_inside_its_university",
            together(
                government(50, payment(b, 50, "P1")),
                unit(a, 50, received(local, 50, "P1")),
                unit(b, 50, received(local, 50, "P1"), parent=a),
            ),
            total=50,
            o_gross=100,
            o_net=0,
            ledger={("UNIT_DUP", "a", b, 50, "", a, ""), ("OG", "T1", a, 50, "", "", "P1")},
        ),
        Example(
            "5_contract_money_handed_on",
            together(
                firm(500, 30, (a, "C9", 30)),
                unit(
                    a, 30, received("企业合同", 30, payer_code=FIRM_F, contract_no="C9"), handed(b, 12, contract="C9")
                ),
                unit(b, 12, from_unit(a, 12, "企业合同", contract="C9")),
            ),
            total=500,
            o_gross=42,
            o_net=0,
            ledger={
                ("OO", "T1", a, 12, "", b, "C9"),
                ("OE", "T1", a, 18, "", FIRM_F, "C9"),
                ("OE", "T1", b, 12, a, FIRM_F, "C9"),
            },
        ),
        *(
            Example(
                f"6_industry_fund_{name}",
                together(
                    government(0, payment(a, 30, paid_for, "产业基金")), unit(a, 30, received(local, 30, declared))
                ),
                total=30,
                o_gross=30,
                o_net=30,
                ledger=set(),
            )
            for name, paid_for, declared in (
                ("with_its_number", "P1", "P1"),
                ("booked_without_its_number", "P1", None),
                ("without_a_number", None, None),
            )
        ),
    ]


def amounts(ledger: set[tuple[str, str, str, int, str, str, str]]) -> Decimal:
    """Σ of a stated ledger."""
    return Decimal(sum(line[3] for line in ledger))
