"""Single rules of gate 1, each on a workbook that breaks just this one."""

from pathlib import Path

from tests.expectations.books import (
    CONTRACTS,
    FEN,
    FIRMS,
    FIRMS_BY_AREA,
    INFLOW,
    INPUT,
    OUTFLOW,
    PAYMENT,
    UNIT,
    contract,
    finance,
    findings,
    inflow,
    payment,
    performer,
    places,
    statistics,
    unit,
)


def test_a_payment_has_a_budget_type_or_a_memo_category_and_not_both(tmp_path: Path) -> None:
    tables = finance()
    pairs = [("一般公共预算", None), (None, "专项债"), ("一般公共预算", "专项债"), (None, None)]
    tables[PAYMENT] = [payment(n, budget_type=budget, memo_category=memo) for n, (budget, memo) in enumerate(pairs)]
    expected = [("PAY-002", "query", "C6"), ("PAY-003", "mandatory", "C7")]
    assert places(findings(tmp_path, tables, only=PAYMENT)) == expected


def test_a_missing_area_is_asked_about(tmp_path: Path) -> None:
    tables = finance()
    del tables[INPUT][9]
    (finding,) = findings(tmp_path, tables, only=INPUT)
    assert (finding.rule_id, finding.rule_class, finding.cell) == ("FIN-004", "query", "")
    assert "9 个地区" in finding.message


def test_own_parents_and_rings_are_named_and_chains_are_not(tmp_path: Path) -> None:
    tables = performer()
    rings = {"A1": "A1", "B1": "B2", "B2": "B1", "C1": "C2", "C2": "C3", "C3": "C1"}
    chains = {"C4": "C1", "D1": "D2", "D2": "D3", "D3": None, "E1": "外地"}
    tables[UNIT] = [unit(code, parent_code=parent) for code, parent in (rings | chains).items()]
    found = findings(tmp_path, tables, only=UNIT)
    assert [f.subject for f in found] == list(rings)
    assert {(f.rule_id, f.rule_class, f.cell[0]) for f in found} == {("UNT-002", "mandatory", "D")}
    assert "环上有：C1、C2、C3" in found[-1].message


def test_a_long_ring_is_walked_to_its_end(tmp_path: Path) -> None:
    tables = performer()
    tables[UNIT] = [unit(f"U{n}", parent_code=f"U{(n + 1) % 60}") for n in range(60)]
    assert len([f for f in findings(tmp_path, tables, only=UNIT) if f.rule_id == "UNT-002"]) == 60


def test_included_in_a_parent_that_is_not_named_is_asked_about(tmp_path: Path) -> None:
    tables = performer()
    tables[UNIT][1]["is_in_parent"] = True
    assert places(findings(tmp_path, tables, only=UNIT)) == [("UNT-003", "query", "D5")]


def test_money_from_another_unit_has_a_number_and_a_last_source(tmp_path: Path) -> None:
    tables = performer()
    row = {"fund_channel": "单位转拨", "payer_code": "U2", "final_source_channel": "中央直拨", "amount_wan": 0.5}
    changes: list[dict] = [
        {},
        {"project_no": None, "contract_no": "HT1"},
        {"project_no": None},
        {"final_source_channel": None},
        {"payer_code": "U1"},
    ]
    tables[INFLOW] = [inflow(n, **(row | change)) for n, change in enumerate(changes)]
    expected = [("INF-003", "query", "G6"), ("INF-004", "query", "L7"), ("INF-005", "query", "F8")]
    assert places(findings(tmp_path, tables, only=INFLOW)) == expected


def test_ledger_rows_of_units_that_the_unit_sheet_lacks_are_asked_about(tmp_path: Path) -> None:
    tables = performer()
    tables[INFLOW][1]["unit_code"] = "U9"
    tables[OUTFLOW][0]["unit_code"] = "U9"
    assert places(findings(tmp_path, tables)) == [("INF-002", "query", "B5"), ("OUT-001", "query", "B4")]


def test_handing_on_to_oneself_is_asked_about_and_a_missing_number_is_noted(tmp_path: Path) -> None:
    tables = performer()
    tables[OUTFLOW][0] |= {"payee_code": "U1", "project_no": None}
    assert places(findings(tmp_path, tables, only=OUTFLOW)) == [("OUT-002", "query", "D4"), ("OUT-003", "note", "E4")]


def test_a_contract_of_a_stranger_or_with_oneself_is_asked_about(tmp_path: Path) -> None:
    tables = statistics()
    tables[CONTRACTS] = [contract(1, payer_code="F9"), contract(2, payee_code="F1")]
    assert places(findings(tmp_path, tables, only=CONTRACTS)) == [
        ("CON-001", "query", "B4"),
        ("CON-003", "query", "D5"),
    ]


def test_a_firm_with_contracts_and_both_columns_blank_is_noted(tmp_path: Path) -> None:
    tables = statistics()
    blank = {"external_rd_institute_wan": None, "external_rd_university_wan": None, "external_rd_wan": 7}
    tables[FIRMS][0] |= blank
    tables[FIRMS][1] |= blank  # no contract: nothing to say
    tables[CONTRACTS] = [contract(1)]
    assert places(findings(tmp_path, tables, only=FIRMS)) == [("ENT-003", "note", "K4")]


def test_an_industry_code_of_another_category_is_noted(tmp_path: Path) -> None:
    tables = statistics()
    fits = [
        ("0610", "工业"),
        ("4690", "工业"),
        ("4710", "建筑业"),
        ("6513", "服务业"),
        ("5111", "其他"),
        (None, "工业"),
    ]
    doubtful = [("4710", "工业"), ("6513", "建筑业"), ("3311", "服务业"), ("4890", "其他")]
    tables[FIRMS] = [
        tables[FIRMS][0] | {"enterprise_code": f"F{n}", "industry_code": code, "frame_category": category}
        for n, (code, category) in enumerate(fits + doubtful)
    ]
    found = findings(tmp_path, tables, only=FIRMS)
    assert places(found) == [("ENT-004", "note", f"E{4 + len(fits) + n}") for n in range(len(doubtful))]


def test_the_aggregate_sheet_is_judged_alone(tmp_path: Path) -> None:
    row = {"area_key": "330402", "frame_category": "工业", "enterprise_count": 5, "rd_expense_wan": 100}
    row |= {"external_rd_institute_wan": 40, "external_rd_university_wan": 60, "overlap_university_wan": 100}
    assert findings(tmp_path, {FIRMS_BY_AREA: [row]}, only=FIRMS_BY_AREA) == []
    worse = row | {"external_rd_university_wan": 61, "overlap_hospital_wan": 2, "enterprise_count": 0}
    rules = [("AGG-001", "mandatory", "D4"), ("AGG-002", "query", "H4"), ("AGG-003", "query", "C4")]
    assert places(findings(tmp_path, {FIRMS_BY_AREA: [worse]}, only=FIRMS_BY_AREA)) == rules
    assert places(findings(tmp_path, {FIRMS_BY_AREA: [row, dict(row)]}, only=FIRMS_BY_AREA)) == [
        ("GEN-001", "mandatory", "A5")
    ]


def test_items_may_reach_the_total_but_not_pass_it(tmp_path: Path) -> None:
    tables = finance()
    tables[INPUT][1] |= {"gov_platform_wan": 70, "gov_talent_wan": 30 + 2 * FEN}
    tables[INPUT][2] |= {"gov_platform_wan": 70, "gov_talent_wan": 30 + 3 * FEN}
    (finding,) = findings(tmp_path, tables, only=INPUT)
    assert (finding.rule_id, finding.rule_class, finding.cell) == ("FIN-002", "mandatory", "B6")
    assert "秀洲区" in finding.message


def test_external_may_reach_the_whole_expense_but_not_pass_it(tmp_path: Path) -> None:
    tables = statistics()
    tables[FIRMS][0]["rd_expense_wan"] = 10
    tables[FIRMS][1]["rd_expense_wan"] = 10 - FEN
    assert places(findings(tmp_path, tables, only=FIRMS)) == [("ENT-002", "mandatory", "J5")]


def test_a_negative_amount_is_named_per_column_with_its_heading(tmp_path: Path) -> None:
    tables = finance()
    tables[INPUT][3]["soe_platform_wan"] = -5
    tables[INPUT][3]["industry_fund_wan"] = -5
    found = findings(tmp_path, tables)
    assert places(found) == [("GEN-002", "mandatory", "K7"), ("GEN-002", "mandatory", "L7")]
    assert "附项：国企平台" in found[0].message
    assert found[0].finding_id != found[1].finding_id


def test_the_ledger_may_fill_the_summary_but_not_pass_it_and_the_largest_payment_is_named(tmp_path: Path) -> None:
    tables = finance()
    assert findings(tmp_path, tables, only=PAYMENT) == []  # 40 + 20 of 60
    tables[PAYMENT].append(payment(3, amount_wan=FEN))
    (finding,) = findings(tmp_path, tables, only=PAYMENT)
    assert (finding.rule_id, finding.rule_class, finding.cell) == ("PAY-001", "mandatory", "K4")
    assert finding.subject == "330402/一般公共预算"
    assert "60.000001 万元" in finding.message


def test_memo_rows_transfers_down_and_refunds_do_not_fill_the_summary_and_a_blank_summary_holds_nothing(
    tmp_path: Path,
) -> None:
    tables = finance()
    tables[INPUT][1] |= {"fund_budget_wan": None, "general_budget_wan": 90}
    tables[PAYMENT] = [
        payment(1, amount_wan=95),
        payment(2, amount_wan=-5),
        payment(3, amount_wan=500, budget_type=None, memo_category="专项债"),
        payment(4, amount_wan=500, fund_channel="对下转移支付"),
        payment(5, amount_wan=1, budget_type="政府性基金预算"),
    ]
    expected = [("LED-001", "note", "K5"), ("PAY-001", "mandatory", "K8")]
    assert places(findings(tmp_path, tables, only=PAYMENT)) == expected


LIMITS = {"市县财政": 10, "企业合同": 10, "单位转拨": 3, "其他": 7, "中央直拨": 0, "省级直拨": 0, "上级转移支付": 0}
"""What `books.unit` reports in the source columns that belong to each channel."""


def test_receipts_by_channel_may_reach_their_source_columns_but_not_pass_them(tmp_path: Path) -> None:
    tables = performer()
    tables[UNIT] = [unit(f"U{n}") for n in range(len(LIMITS))]
    rest = {"final_source_channel": "其他", "payer_code": "X"}
    tables[INFLOW] = [
        inflow(2 * n + part, unit_code=f"U{n}", fund_channel=channel, amount_wan=amount, **rest)
        for n, (channel, limit) in enumerate(LIMITS.items())
        for part, amount in enumerate((limit + 2, -2))
    ]
    assert {f.rule_class for f in findings(tmp_path, tables, only=INFLOW)} == {"note"}
    tables[INFLOW] += [row | {"row_no": f"more {row['row_no']}", "amount_wan": FEN} for row in tables[INFLOW][::2]]
    found = [f for f in findings(tmp_path, tables, only=INFLOW) if f.rule_class != "note"]
    assert places(found) == [("INF-001", "mandatory", f"J{4 + 2 * n}") for n in range(len(LIMITS))]
    assert [f.subject for f in found] == [f"U{n}/{channel}" for n, channel in enumerate(LIMITS)]


def test_contracts_beyond_the_firms_external_expense_are_asked_about(tmp_path: Path) -> None:
    tables = statistics()
    tables[CONTRACTS].append(contract(3, amount_wan=FEN))
    assert places(findings(tmp_path, tables, only=CONTRACTS)) == [("CON-002", "query", "G4")]


def test_sums_handed_on_beyond_the_column_are_asked_about(tmp_path: Path) -> None:
    tables = performer()
    tables[OUTFLOW][0]["amount_wan"] = 2 + FEN
    assert places(findings(tmp_path, tables, only=UNIT)) == [("UNT-004", "query", "R4")]
