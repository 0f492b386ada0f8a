"""The sheet 填报说明: whose form it is and which version, how the sheets stand, what each column takes, which rules hold and why."""

from collections.abc import Iterable, Sequence

from openpyxl.workbook import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from sources.contracts import Column
from sources.finding import CLASS_LABELS
from sources.layout import INSTRUCTION_SHEET
from sources.reading_rules import reading_rules
from sources.template.checks import Check, steps_of
from sources.template.form import Form, SheetForm
from sources.template.formulas import choices, tally_formula
from sources.template.sheets import print_on_a4

VERSION_CELL = "C3"
WIDTHS = {"A": 12, "B": 30, "C": 18, "D": 14, "E": 46, "F": 46}
TYPE_LABELS = {
    "text": "文字", "reference": "编号（文本）", "code": "代码（文本）", "uscc": "18位代码（文本）", "area": "地区（下拉）", "enum": "下拉",
    "boolean": "是、否（下拉）", "date": "日期", "year": "四位年份", "count": "整数", "number": "数字", "money": "金额",
}  # fmt: skip
HOW = (
    "黄色格填写，灰色、蓝色格已印好并锁定；工作表保护没有密码，确需改动时可以撤销，但表头不要改。",
    "金额一律填自1月1日起的累计数，只填数字；计量单位以表头为准。",
    "没有发生填 - 或 0；不足一个计量单位填 …；没有统计到的留空。三者不一样：空白不等于零。标明“只填数字”的列不能填 - 和 …。",
    "统一社会信用代码、编号按文本填写；从别处粘贴时用“选择性粘贴—数值”，免得带走格式和下拉。",
    "每行左边的“校验”：√ 通过；× 有强制性问题，必须改正；？ 有核实性问题，属实的在“核实说明”表写明。右边写着是哪条规则。",
    "校验与正式审核同一套规则。只有写法要求更严：数字不能存成文本，地区和下拉列只认所列的写法。",
    "多余的行空着即可。行数不够时在最后一行之前插入行；新行也要校验的，先撤销保护，再把上一行的校验公式复制下来（没有公式的行照样审核）。",
    "只有一张表有表尾：填好负责人、填表人和报出日期。更正重报时写新的报出日期，系统以日期晚的为准。",
)


def write_instructions(book: Workbook, form: Form, checks: Sequence[Check], version: str, due: str) -> None:
    """Fill the workbook's first sheet."""
    at = book.create_sheet(INSTRUCTION_SHEET, 0)
    for letter, width in WIDTHS.items():
        at.column_dimensions[letter].width = width
    at["A1"] = f"{form.provider.label}　{form.period_text}　填报说明"
    at["A1"].style = "sti_title"
    at.merge_cells("A1:F1")
    at.row_dimensions[1].height = 34
    facts = [
        ("表式编号", form.form_id),
        ("模板版本", version),
        ("填报单位", form.provider.label),
        ("报告期", f"{form.period_text}（{form.period.key}），{'；'.join(form.info()[2:]) or '半年报'}"),
        ("计量单位", form.unit),
        ("报送时限", due or "以市委科技办通知为准"),
        ("依据", form.provider.basis),
    ]
    for index, (name, value) in enumerate(facts):
        _row(at, 2 + index, (None, name, value), merge_to=6)
    row = _overview(at, form, 2 + len(facts) + 1)
    row = _section(at, row + 1, "怎样填")
    for index, line in enumerate(HOW, start=1):
        _row(at, row, (str(index), line), merge_to=6, height=16 if len(line) < 75 else 31)
        row += 1
    for sheet in form.sheets.values():
        row = _columns(at, form, sheet, row + 1)
    _rules(at, form, checks, row + 1)
    at.protection.sheet = True
    print_on_a4(at)
    at.sheet_view.showGridLines = False


def _section(at: Worksheet, row: int, text: str) -> int:
    at.cell(row, 1, text).style = "sti_section"
    return row + 1


def _row(
    at: Worksheet,
    row: int,
    values: Iterable[str | None],
    *,
    style: str = "sti_cell",
    merge_to: int = 0,
    height: float = 0,
) -> None:
    """Write one line of a table; its last value takes the columns up to ``merge_to``."""
    listed = list(values)
    for column, value in enumerate(listed, start=1):
        if value is not None:
            at.cell(row, column, value).style = style
    if merge_to > len(listed):
        for column in range(len(listed) + 1, merge_to + 1):
            at.cell(row, column).style = style
        at.merge_cells(start_row=row, start_column=len(listed), end_row=row, end_column=merge_to)
    if height:
        at.row_dimensions[row].height = height


def _overview(at: Worksheet, form: Form, row: int) -> int:
    row = _section(at, row, "自校结果（随填随算）")
    _row(at, row, ("", "工作表（点击前往）", "通过（行）", "强制性（行）", "核实性（行）"), style="sti_heading")
    for index, sheet in enumerate(form.sheets.values(), start=1):
        row += 1
        tallies = [f"={tally_formula(sheet, mark)}" for mark in ("√", "×", "？")]
        _row(at, row, (str(index), sheet.table.sheet, *tallies), style="sti_cell_center")
        at.cell(row, 2).style = "sti_link"
        at.cell(row, 2).hyperlink = Hyperlink(ref=f"B{row}", location=f"'{sheet.table.sheet}'!B{sheet.first_row}")
    return row + 1


def _columns(at: Worksheet, form: Form, sheet: SheetForm, row: int) -> int:
    row = _section(at, row, f"“{sheet.table.sheet}”各列（{sheet.table.basis}）")
    _row(at, row, ("序号", "列", "填法", "必填", "可以填", "不能填"), style="sti_heading")
    for index, column in enumerate(sheet.columns, start=1):
        row += 1
        takes, refuses = _takes(column, form), _refuses(column)
        lines = max(len(takes), len(refuses)) // 24 + 1
        line = (str(index), column.heading, TYPE_LABELS[column.type], "必填" if column.required else "", takes, refuses)
        _row(at, row, line, height=15.5 * lines)
    return row + 1


def _takes(column: Column, form: Form) -> str:
    offered = choices(column, form.period)
    if offered:
        return "、".join(offered) + ("" if column.required else "；可以留空")
    if column.type == "date":
        return f"{form.period.starts_on} 至 {form.period.ends_on} 的日期"
    if not column.is_number:
        return "" if column.required else "可以留空"
    least = f"不小于 {column.min} 的" if column.min is not None else ""
    kind = f"{least}{'整数' if column.type == 'count' else '数字'}"
    return (
        f"{kind}（只填数字）" if column.numbers_only else f"{kind}，-（没有发生），…（不足一个单位），空白（未统计到）"
    )


def _refuses(column: Column) -> str:
    said = [
        f"{step.says}（{step.rule} {CLASS_LABELS[step.rule_class]}）"
        for step in steps_of(column)
        if step.rule and step.says != "必填"
    ]
    return "；".join(said)


def _rules(at: Worksheet, form: Form, checks: Sequence[Check], row: int) -> None:
    row = _section(at, row, "审核规则：强制性必须改正，核实性属实的要说明，提示不影响报送")
    _row(at, row, ("编号", "规则", "工作表", "类别", "为什么", "怎么办"), style="sti_heading")
    for sheet in form.sheets.values():
        told: set[str] = set()
        for check in checks:
            if check.rule_table_id == sheet.table.table_id and check.rule_id + check.label not in told:
                told.add(check.rule_id + check.label)
                row += 1
                line = (
                    check.rule_id,
                    check.label,
                    sheet.table.sheet,
                    CLASS_LABELS[check.rule_class],
                    check.why,
                    check.action,
                )
                _row(
                    at,
                    row,
                    line,
                    height=15.5 * (max(len(check.why), len(check.action), len(check.label) * 1.5) // 24 + 1),
                )
    used = {
        step.rule
        for sheet in form.sheets.values()
        for column in sheet.columns
        for step in steps_of(column)
        if step.rule
    }
    for rule_id in sorted({*used, "RD-101"}):
        row += 1
        rule = reading_rules()[rule_id]
        line = (rule_id, "单元格填法", "各表", CLASS_LABELS[rule.rule_class], rule.why, rule.action)
        _row(at, row, line, height=15.5 * (max(len(rule.why), len(rule.action)) // 24 + 1))
