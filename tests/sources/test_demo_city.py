"""The demo city, read back with plain openpyxl: it obeys the forms, and it holds what the product is about."""

import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook
from stdnum.cn.uscc import calc_check_digit

from sources.demo_city import write_demo_city

PERIODS = ("2024H1", "2024H2", "2025H1", "2025H2", "2026H1")
PROVIDERS = {"市财政局": "万元", "市统计局": "千元", "市教育局": "万元", "市科技局": "万元", "市卫生健康委": "元"}
BUREAUS = ("市教育局", "市科技局", "市卫生健康委")
WAN_PER_UNIT = {"万元": Decimal(1), "千元": Decimal("0.1"), "元": Decimal("0.0001")}
AREAS = ["市本级", "南湖区", "秀洲区", "嘉善县", "海盐县", "海宁市", "平湖市", "桐乡市", "嘉兴经开区", "嘉兴港区"]
ALIASES = {"嘉兴经济技术开发区": "嘉兴经开区", "浙江乍浦经济开发区": "嘉兴港区", "乍浦经开区": "嘉兴港区"}
SOURCES = ["中央财政直拨", "省级财政直拨", "市县财政资金", "上级转移支付资金", "规上企业委托（市内）", "其他企业委托（市内）",
           "企业委托（市外）", "境外资金", "成果转化收入", "其他单位转拨", "自筹及其他"]  # fmt: skip
HEADINGS = {
    "政府科技创新投入": "地区 政府科技创新投入合计 一般公共预算 政府性基金预算（不含专项债） 国有资本经营预算 其中：科研平台投入"
    " 其中：人才引育投入 其中：概念验证中心、中试平台投入 其中：科技企业孵化器投入 附项：专项债 附项：国企平台 附项：产业基金"
    " 财政科学技术支出 一般公共预算支出 财政经常性收入",
    "拨付明细": "凭证号 地区 预算类型 投入类别 资金渠道 项目编号 项目名称 收款单位 收款单位统一社会信用代码 拨付日期 金额"
    " 附项类别",
    "规上企业研发费用": "统一社会信用代码 单位名称 地区 行业代码 规上类别 国有控股 高新技术企业 营业收入 研究开发费用合计"
    " 委托外部研究开发费用 委托境内研究机构 委托境内高等学校 委托境内企业 委托境外机构 来自政府部门的资金",
    "委托研发明细": "合同编号 委托单位统一社会信用代码 委托单位 受托单位统一社会信用代码 受托单位 入账日期 金额",
    "科技活动费用": "统一社会信用代码 单位名称 地区 上级单位统一社会信用代码 已含在上级单位数据中 科技活动费用合计 转拨外单位 "
    + " ".join(SOURCES),
    "经费来源明细": "序号 单位统一社会信用代码 资金性质 资金渠道 出资单位 出资单位统一社会信用代码 项目编号 合同编号 到账日期 金额"
    " 最终来源单位统一社会信用代码 最终来源渠道",
    "转拨明细": "序号 单位统一社会信用代码 收款单位 收款单位统一社会信用代码 项目编号 合同编号 转拨日期 金额",
}
TEXTS = {"地区", "凭证号", "序号", "预算类型", "投入类别", "资金渠道", "项目编号", "项目名称", "收款单位", "附项类别", "单位名称",
         "行业代码", "规上类别", "国有控股", "高新技术企业", "合同编号", "委托单位", "受托单位", "已含在上级单位数据中",
         "资金性质", "出资单位", "最终来源渠道", "三级甲等", "纳入研发统计"}  # fmt: skip
ZERO = Decimal(0)


def bare(value: object) -> str:
    """Return a cell's text without white space, brackets full-width, as the forms say labels are compared."""
    return "".join(str(value).split()).replace("(", "（").replace(")", "）").replace(":", "：")


@dataclass
class Sheet:
    """One sheet read back: rows by heading, amounts in 万元; the 合计 row; the lines above the headings; merges."""

    rows: list[dict]
    total: dict | None
    head: str
    heading_row: int
    headings: list[str]
    has_two_heading_rows: bool


def amount(value: object, per_unit: Decimal) -> Decimal | None:
    """Return a number cell in 万元; nil and below-unit are 0, a blank is None."""
    if value is None:
        return None
    if isinstance(value, str):
        text = unicodedata.normalize("NFKC", value.strip().replace("…", "0").replace("，", ",")).replace(",", "")
        return Decimal("0") if text in ("-", "—") else Decimal(text) * per_unit
    assert isinstance(value, int | float), value
    return Decimal(str(value)) * per_unit


def day(value: object) -> date:
    """Return a date cell, real or text."""
    if isinstance(value, datetime):
        return value.date()
    year, month, number = (
        str(value).replace("年", "-").replace("月", "-").replace("日", "").replace("/", "-").split("-")
    )
    return date(int(year), int(month), int(number))


def cell(heading: str, value: object, per_unit: Decimal) -> object:
    """Return a cell's value as its heading wants it."""
    if heading.endswith("代码") and heading != "行业代码":
        return value and unicodedata.normalize("NFKC", bare(value)).upper()
    if heading.endswith("日期"):
        return value and day(value)
    if heading == "地区":
        return ALIASES.get(bare(value), bare(value))
    return value if heading in TEXTS else amount(value, per_unit)


def read_sheet(sheet, name: str, unit: str) -> Sheet:
    """Read one sheet by its headings."""
    grid = [list(row) for row in sheet.iter_rows(values_only=True)]
    wanted = set(HEADINGS[name].split())
    start = next(i for i, row in enumerate(grid) if len(wanted & {bare(v) for v in row if v}) >= 5)
    names = [bare(v) if v else None for v in grid[start]]
    has_two = "其中：" in names
    if has_two:
        group = None
        for place, below in enumerate(grid[start + 1]):
            group = names[place] or group
            names[place] = f"{group}{bare(below)}" if below else names[place]
    assert wanted <= set(names), wanted - set(names)
    rows, total = [], None
    for row in grid[start + 1 + has_two :]:
        words = [bare(v) for v in row if isinstance(v, str)]
        if words and words[0].startswith(("单位负责人：", "注：", "说明：")):
            break
        pairs = [(heading, row[i] if i < len(row) else None) for i, heading in enumerate(names) if heading]
        if "合计" in words:
            total = {h: v for h, v in pairs if isinstance(v, int | float)}
        elif any(v is not None for v in row):
            rows.append({h: cell(h, v, WAN_PER_UNIT[unit]) for h, v in pairs})
    head = "|".join(bare(v) for row in grid[:start] for v in row if v)
    return Sheet(rows, total, head, start + 1, [n for n in names if n], has_two)


def read_all(folder: Path) -> dict[tuple[str, str, str], Sheet]:
    """Return every data sheet by period, provider and sheet name."""
    sheets = {}
    for period in PERIODS:
        for provider, unit in PROVIDERS.items():
            book = load_workbook(folder / period / f"{provider}_{period}.xlsx", data_only=True)
            for sheet in book.worksheets:
                if sheet.title in HEADINGS:
                    sheets[period, provider, sheet.title] = read_sheet(sheet, sheet.title, unit)
    return sheets


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> dict[tuple[str, str, str], Sheet]:
    """A small city's five half-years, read back."""
    folder = tmp_path_factory.mktemp("city")
    paths = write_demo_city(folder, scale=0.03, seed=14, periods=PERIODS)
    assert len(paths) == len(set(paths)) == len(PERIODS) * len(PROVIDERS)
    assert all(path.is_file() for path in paths)
    return read_all(folder)


def rows_of(city, period: str, sheet: str) -> list[dict]:
    """Return the rows of a sheet over all providers that send it, each with its provider."""
    return [
        {**row, "provider": p} for p in PROVIDERS if (period, p, sheet) in city for row in city[period, p, sheet].rows
    ]


def summed(rows: list[dict], *keys: str, of: str = "金额") -> dict[tuple, Decimal]:
    """Return the sums of a column per key."""
    sums: dict[tuple, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[tuple(row[key] for key in keys)] += row[of] or 0
    return sums


def test_the_same_seed_writes_the_same_bytes_whichever_periods_are_asked_for(tmp_path):
    one = write_demo_city(tmp_path / "one", scale=0.01, seed=3, periods=["2025H1", "2025H2"])
    two = write_demo_city(tmp_path / "two", scale=0.01, seed=3, periods=["2025H2"])
    assert [path.read_bytes() for path in one[5:]] == [path.read_bytes() for path in two]


def test_another_seed_writes_other_workbooks(tmp_path):
    one = write_demo_city(tmp_path / "one", scale=0.01, seed=3, periods=["2025H1"])
    two = write_demo_city(tmp_path / "two", scale=0.01, seed=4, periods=["2025H1"])
    assert all(a.read_bytes() != b.read_bytes() for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("period", ["2023", "2025H3", "2023H2"])
def test_a_period_that_the_city_does_not_know_is_refused_in_chinese(tmp_path, period):
    with pytest.raises(ValueError, match="报告期"):
        write_demo_city(tmp_path, periods=[period])


def test_every_sheet_says_who_reports_which_period_in_which_unit(city):
    for (period, provider, name), sheet in city.items():
        words = ("上半年", "1-6月") if period.endswith("H1") else ("全年", "1-12月")
        told = sheet.head.replace("：|", "：")
        assert f"填报单位：{provider}" in told, (period, provider, name)
        assert any(f"报告期：{period[:4]}年{word}" in told for word in words)
        assert f"计量单位：{PROVIDERS[provider]}" in told
        assert ("报表类别：半年报" in told) == period.endswith("H2")


def test_every_provider_sends_its_sheets_in_every_period(city):
    names = {"市财政局": {"政府科技创新投入", "拨付明细"}, "市统计局": {"规上企业研发费用", "委托研发明细"}}
    for period in PERIODS:
        for provider in PROVIDERS:
            wanted = names.get(provider, {"科技活动费用", "经费来源明细", "转拨明细"})
            assert {s for p, o, s in city if (p, o) == (period, provider)} == wanted


def test_layouts_differ(city):
    assert len({sheet.heading_row for sheet in city.values()}) >= 3
    assert len({tuple(s.headings) for (_, _, name), s in city.items() if name == "科技活动费用"}) >= 3
    summaries = [s for (_, _, name), s in city.items() if name == "政府科技创新投入"]
    assert {s.has_two_heading_rows for s in summaries} == {True, False}


def test_every_credit_code_checks_and_is_of_no_real_registry(city):
    codes = {v for s in city.values() for row in s.rows for h, v in row.items() if h.endswith("信用代码") and v}
    assert len(codes) > 200
    for code in codes:
        assert len(code) == 18 and code[8:10] == "MY", code
        assert calc_check_digit(code[:17]) == code[17], code


def test_totals_of_the_finance_summary_hold(city):
    for period in PERIODS:
        sheet = city[period, "市财政局", "政府科技创新投入"]
        assert [row["地区"] for row in sheet.rows] == AREAS
        for row in sheet.rows:
            budgets = [v for h, v in row.items() if h in HEADINGS["政府科技创新投入"].split()[2:5]]
            items = [v for h, v in row.items() if h.startswith("其中：")]
            assert row["政府科技创新投入合计"] == sum(budgets) and sum(items) <= sum(budgets)
            assert all(v is None or v >= 0 for h, v in row.items() if h != "地区")
        assert sheet.total is not None and len(sheet.total) == 14


def test_every_total_row_is_the_exact_sum(city):
    seen = 0
    for (_, provider, _), sheet in city.items():
        for heading, value in (sheet.total or {}).items():
            seen += 1
            per_unit = WAN_PER_UNIT[PROVIDERS[provider]]
            assert Decimal(str(value)) * per_unit == sum((row[heading] or ZERO for row in sheet.rows), ZERO)
    assert seen > 100


def test_the_payment_ledger_stays_below_the_summary_and_its_vouchers_are_unique(city):
    short = {"政府性基金预算": "政府性基金预算（不含专项债）"}
    for period in PERIODS:
        payments = city[period, "市财政局", "拨付明细"].rows
        summary = {row["地区"]: row for row in city[period, "市财政局", "政府科技创新投入"].rows}
        assert max(Counter(row["凭证号"] for row in payments).values()) == 1
        assert all(bool(row["预算类型"]) != bool(row["附项类别"]) for row in payments)
        listed = [row for row in payments if not row["附项类别"] and row["资金渠道"] != "对下转移支付"]
        for (area, budget), fen in summed(listed, "地区", "预算类型").items():
            assert fen <= summary[area][short.get(budget, budget)]
        for (area, memo), fen in summed([r for r in payments if r["附项类别"]], "地区", "附项类别").items():
            assert fen <= summary[area][f"附项：{memo}"]
        covered = sum(row["金额"] for row in listed) / sum(row["政府科技创新投入合计"] for row in summary.values())
        assert Decimal("0.6") < covered < 1


def test_what_firms_contract_out_is_the_sum_of_its_parts_and_within_the_total(city):
    for period in PERIODS:
        rows = city[period, "市统计局", "规上企业研发费用"].rows
        assert len({row["统一社会信用代码"] for row in rows}) == len(rows)
        for row in rows:
            parts = [v or ZERO for h, v in row.items() if h.startswith("委托境")]
            assert len(parts) == 4 and sum(parts) == row["委托外部研究开发费用"] <= row["研究开发费用合计"]
            assert all(part >= 0 for part in parts)


def test_a_unit_takes_in_what_its_sources_say_and_lists_no_more(city):
    columns = dict(
        zip(("中央直拨", "省级直拨", "市县财政", "上级转移支付", "单位转拨"), (*SOURCES[:4], SOURCES[9]), strict=True)
    )
    groups = {k: [v] for k, v in columns.items()} | {"企业合同": SOURCES[4:7], "其他": [*SOURCES[7:9], SOURCES[10]]}
    for period in PERIODS:
        for bureau in BUREAUS:
            units = city[period, bureau, "科技活动费用"].rows
            by_code = {row["统一社会信用代码"]: row for row in units}
            assert len(by_code) == len(units)
            for row in units:
                assert row["科技活动费用合计"] == sum(row[source] for source in SOURCES)
                assert row["上级单位统一社会信用代码"] != row["统一社会信用代码"]
            inflow = summed(city[period, bureau, "经费来源明细"].rows, "单位统一社会信用代码", "资金渠道")
            for (code, channel), listed in inflow.items():
                assert listed <= sum(by_code[code][source] for source in groups[channel]), (period, code, channel)
            for (code,), given in summed(city[period, bureau, "转拨明细"].rows, "单位统一社会信用代码").items():
                assert given == by_code[code]["转拨外单位"]


def test_dates_lie_in_the_period(city):
    for (period, _, name), sheet in city.items():
        last = date(int(period[:4]), 6, 30) if period.endswith("H1") else date(int(period[:4]), 12, 31)
        for row in sheet.rows:
            assert all(date(int(period[:4]), 1, 1) <= v <= last for h, v in row.items() if h.endswith("日期")), name


def test_the_whole_year_lists_the_first_half_again(city):
    def entries(period: str, provider: str, name: str) -> Counter:
        rows = city[period, provider, name].rows
        return Counter(tuple(sorted((h, str(v)) for h, v in row.items() if h != "序号")) for row in rows)

    for year in ("2024", "2025"):
        for period, provider, name in city:
            if period == f"{year}H1" and name.endswith("明细"):
                first, whole = entries(period, provider, name), entries(f"{year}H2", provider, name)
                assert first <= whole and first.total() < whole.total(), (provider, name)


def test_figures_grow_within_a_year_and_moderately_over_years(city):
    def figures(period: str, sheet: str, key: str, value: str) -> dict:
        return {(row["provider"], row[key]): row[value] for row in rows_of(city, period, sheet)}

    for sheet, key, value in (
        ("政府科技创新投入", "地区", "政府科技创新投入合计"),
        ("规上企业研发费用", "统一社会信用代码", "研究开发费用合计"),
        ("科技活动费用", "统一社会信用代码", "科技活动费用合计"),
    ):
        by_period = {period: figures(period, sheet, key, value) for period in PERIODS}
        for first, whole in (("2024H1", "2024H2"), ("2025H1", "2025H2")):
            assert all(by_period[first][k] < by_period[whole][k] for k in by_period[first])
        for base, now in (("2024H1", "2025H1"), ("2025H1", "2026H1"), ("2024H2", "2025H2")):
            assert by_period[base].keys() == by_period[now].keys()
            growth = [by_period[now][k] / by_period[base][k] - 1 for k in by_period[base]]
            usual = [g for g in growth if Decimal("-0.11") < g < Decimal("0.26")]
            assert len(usual) >= 0.97 * len(growth), (sheet, now)


def test_shares_of_the_city_are_plausible(city):
    for period in PERIODS:
        gov = sum(row["政府科技创新投入合计"] for row in rows_of(city, period, "政府科技创新投入"))
        firms = [r for r in rows_of(city, period, "规上企业研发费用") if r["规上类别"] == "工业"]
        enterprise = sum(row["研究开发费用合计"] for row in firms)
        gross = sum(row["科技活动费用合计"] for row in rows_of(city, period, "科技活动费用"))
        whole = gov + enterprise + gross
        assert 0.04 < gov / whole < 0.10 and 0.70 < enterprise / whole < 0.85 and 0.10 < gross / whole < 0.25


@pytest.mark.parametrize("period", PERIODS)
def test_the_ledgers_hold_the_flows_that_the_elimination_is_about(city, period):
    units = rows_of(city, period, "科技活动费用")
    inflow, outflow = rows_of(city, period, "经费来源明细"), rows_of(city, period, "转拨明细")
    payments, contracts = rows_of(city, period, "拨付明细"), rows_of(city, period, "委托研发明细")
    firms = {row["统一社会信用代码"]: row for row in rows_of(city, period, "规上企业研发费用")}
    codes = Counter(row["统一社会信用代码"] for row in units)

    # Budget money: the same project on both sides, on one side only, other amounts, no number, 附项, passed down.
    paid = summed(
        [r for r in payments if r["项目编号"] and not r["附项类别"] and r["资金渠道"] != "对下转移支付"],
        "收款单位统一社会信用代码",
        "项目编号",
    )
    local = [row for row in inflow if row["资金渠道"] in ("市县财政", "上级转移支付")]
    got = summed([row for row in local if row["项目编号"]], "单位统一社会信用代码", "项目编号")
    both = [key for key in got if key in paid]
    assert len(both) > 50 and sum(paid[key] == got[key] for key in both) > 0.8 * len(both)
    assert any(paid[key] != got[key] for key in both)
    assert any(key not in paid for key in got) and any(key not in got for key in paid if key[0] in codes)
    assert any(not row["项目编号"] for row in local) and any(not row["项目编号"] for row in payments)
    assert any(row["附项类别"] and row["收款单位统一社会信用代码"] in codes for row in payments)
    assert any(row["资金渠道"] == "对下转移支付" for row in payments)
    assert {"中央直拨", "省级直拨"} <= {row["资金渠道"] for row in inflow}

    # Contracts: matched by number, without a number, booked only, received only, from firms outside the frame.
    booked = summed(contracts, "委托单位统一社会信用代码", "受托单位统一社会信用代码", "合同编号")
    bought = [row for row in inflow if row["资金渠道"] == "企业合同" and row["出资单位统一社会信用代码"] in firms]
    received = summed(bought, "出资单位统一社会信用代码", "单位统一社会信用代码", "合同编号")
    assert sum(booked.get(key) == value for key, value in received.items() if key[2]) > 20
    assert any(not row["合同编号"] for row in contracts) and any(not row["合同编号"] for row in bought)
    assert any(key not in booked for key in received if key[2])
    assert any(key not in received for key in booked if key[1] in codes and key[2])
    assert any(row["出资单位统一社会信用代码"][2:6] == "3101" for row in inflow if row["资金渠道"] == "企业合同")

    # Handed on: by project, by contract, without any number; chains of three.
    handed = [row for row in inflow if row["资金渠道"] == "单位转拨"]
    assert all(row["最终来源渠道"] for row in handed)
    assert any(row["项目编号"] for row in handed) and any(row["合同编号"] for row in handed)
    hops = {(row["出资单位统一社会信用代码"], row["单位统一社会信用代码"], row["项目编号"]) for row in handed}
    starts = {(start, number) for start, _, number in hops if number}
    assert any((end, number) in starts for _, end, number in hops)
    unnumbered = [row for row in handed if not row["项目编号"] and not row["合同编号"]]
    assert 1 <= len(unnumbered) <= 5

    # Units counted elsewhere, and hospitals outside the frame.
    parents = {row["上级单位统一社会信用代码"] for row in units if row["已含在上级单位数据中"] == "是"}
    assert any(parent in codes for parent in parents) and any(parent not in codes for parent in parents)
    assert max(codes.values()) == 2
    assert any(code in firms and firms[code]["规上类别"] == "工业" for code in codes)
    assert any("否" in (row.get("三级甲等"), row.get("纳入研发统计")) for row in units)

    # Some of it came back.
    for rows in (payments, contracts, inflow, outflow):
        assert 0 < sum(row["金额"] < 0 for row in rows) < 0.1 * len(rows)
