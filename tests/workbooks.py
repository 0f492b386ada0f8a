"""Workbooks made for a test: a minimal valid return of each provider, changed cell by cell as the test wants."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl import Workbook
from stdnum.cn import uscc

from sources.contracts import providers

Row = dict[str, Any]


def code(number: int, prefix: str = "12330400") -> str:
    """A made-up credit code with a valid check character; its registry part (MY) is not issued."""
    body = f"{prefix}MY{number:07d}"
    return body + uscc.calc_check_digit(body)


def gov_row(area: str, total: float = 100.0, **more: Any) -> Row:
    row: Row = {
        "地区": area,
        "政府科技创新投入合计": total,
        "一般公共预算": total,
        "政府性基金预算（不含专项债）": 0,
        "国有资本经营预算": 0,
        "其中：科研平台投入": total / 2,
        "其中：人才引育投入": 0,
        "其中：概念验证中心、中试平台投入": 0,
        "其中：科技企业孵化器投入": 0,
        "附项：专项债": 0,
        "附项：国企平台": 0,
        "附项：产业基金": 0,
        "财政科学技术支出": total,
        "一般公共预算支出": total * 10,
        "财政经常性收入": total * 8,
    }
    return row | more


def payment_row(number: int, **more: Any) -> Row:
    row: Row = {
        "凭证号": f"PZ{number:06d}",
        "地区": "市本级",
        "预算类型": "一般公共预算",
        "投入类别": "科研平台",
        "资金渠道": "本级安排",
        "项目编号": f"P{number}",
        "项目名称": "示例项目",
        "收款单位": "示例大学",
        "收款单位统一社会信用代码": code(1),
        "拨付日期": "2026-03-15",
        "金额": 10,
        "附项类别": None,
    }
    return row | more


AREAS = ["市本级", "南湖区", "秀洲区", "嘉善县", "海盐县", "海宁市", "平湖市", "桐乡市", "嘉兴经开区", "嘉兴港区"]


def finance_rows() -> dict[str, list[Row]]:
    return {
        "finance_bureau__gov_input": [gov_row(area) for area in AREAS],
        "finance_bureau__gov_payment": [payment_row(n) for n in range(1, 4)],
    }


def unit_row(number: int, total: float = 100.0, **more: Any) -> Row:
    row: Row = {
        "统一社会信用代码": code(number),
        "单位名称": f"示例大学{number}",
        "地区": "市本级",
        "上级单位统一社会信用代码": None,
        "已含在上级单位数据中": "否",
        "科技活动费用合计": total,
        "中央财政直拨": 0,
        "省级财政直拨": 0,
        "市县财政资金": total,
        "上级转移支付资金": 0,
        "规上企业委托（市内）": 0,
        "其他企业委托（市内）": 0,
        "企业委托（市外）": 0,
        "境外资金": 0,
        "成果转化收入": 0,
        "其他单位转拨": 0,
        "自筹及其他": 0,
        "转拨外单位": 0,
    }
    return row | more


def inflow_row(number: int, **more: Any) -> Row:
    row: Row = {
        "序号": number,
        "单位统一社会信用代码": code(1),
        "资金性质": "纵向",
        "资金渠道": "市县财政",
        "出资单位": "市财政局",
        "出资单位统一社会信用代码": None,
        "项目编号": f"P{number}",
        "合同编号": None,
        "到账日期": "2026-03-20",
        "金额": 10,
        "最终来源单位统一社会信用代码": None,
        "最终来源渠道": None,
    }
    return row | more


def outflow_row(number: int, **more: Any) -> Row:
    row: Row = {
        "序号": number,
        "单位统一社会信用代码": code(1),
        "收款单位": "示例大学2",
        "收款单位统一社会信用代码": code(2),
        "项目编号": "P1",
        "合同编号": None,
        "转拨日期": "2026-04-20",
        "金额": 1,
    }
    return row | more


def education_rows() -> dict[str, list[Row]]:
    return {
        "education_bureau__unit": [unit_row(1), unit_row(2)],
        "education_bureau__inflow": [inflow_row(1), inflow_row(2)],
        "education_bureau__outflow": [outflow_row(1)],
    }


def write_return(
    path: Path,
    provider: str,
    rows: dict[str, list[Row]],
    *,
    period: str = "2026年上半年",
    unit: str = "万元",
    reported_on: str = "2026年7月10日",
    edit: Callable[[Workbook], None] | None = None,
) -> Path:
    """Write one return: title, info line, headings, rows, (finance summary) 合计 row, foot; then let ``edit`` change it."""
    contract = providers()[provider]
    book = Workbook()
    book.remove(book.worksheets[0])
    for table_id, table_rows in rows.items():
        table = contract.tables[table_id]
        sheet = book.create_sheet(table.sheet)
        sheet.append([table.label])
        sheet.append([f"填报单位：{contract.label}", f"报告期：{period}", f"计量单位：{unit}"])
        headings = list(table_rows[0]) if table_rows else [c.heading for c in table.columns_of("half_year")]
        sheet.append(headings)
        for row in table_rows:
            sheet.append(list(row.values()))
        if table.total_row == "required":
            totals = [
                sum(row[h] for row in table_rows if isinstance(row[h], int | float)) if h != "地区" else "合计"
                for h in headings
            ]
            sheet.append(totals)
        sheet.append(["单位负责人：示例负责人", f"报出日期：{reported_on}"])
    if edit:
        edit(book)
    book.save(path)
    return path


def with_cell(sheet: str, cell: str, value: Any) -> Callable[[Workbook], None]:
    """An edit that sets one cell."""

    def edit(book: Workbook) -> None:
        book[sheet][cell] = value

    return edit


def open_cells(path: Path, sheet: str) -> list[tuple[Any, ...]]:
    """The values of a sheet, read plainly."""
    return list(openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True))
