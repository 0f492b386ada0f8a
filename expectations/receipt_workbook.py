"""The receipt as a workbook: 回执, 问题清单, 控制合计, 与上一版的差异, then the hand-in's own sheets with the faulty cells coloured.

Built from the receipt document (`expectations.receipt`) and the sheets' plain cells; text is never a formula (`sources.spreadsheet`).
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from expectations import receipt_style as style
from expectations.receipt import shown_time
from expectations.receipt_copy import Copied, copy_sheets, link_to
from expectations.receipt_listing import listed
from sources.finding import CLASS_LABELS
from sources.grids import Sheet
from sources.spreadsheet import append

FIRST, FINDINGS, TOTALS, CHANGES = "回执", "问题清单", "控制合计", "与上一版的差异"
CHANGES_LISTED = 2000
WIDTHS = (16, 33, 16, 33)
FINDING_WIDTHS = (6, 9, 20, 9, 44, 18, 18, 30, 30, 10, 10, 30, 26)
KINDS = {"changed": "改", "added": "增", "removed": "删"}
DO = {
    "mandatory": "必须改正，改正后重新报送",
    "query": "不属实的改正，属实的在“核实说明”工作表写明",
    "note": "只是告诉您，不影响受理",
}


def receipt_workbook(document: Mapping[str, Any], sheets: Sequence[Sheet]) -> bytes:
    """Return the receipt as the bytes of a workbook.

    Args:
        document: the receipt document.
        sheets: the hand-in's sheets that were read by contract; none for a file that was refused.
    """
    book = Workbook()
    first = book.worksheets[0]
    first.title = FIRST
    book.properties.creator = "科技创新投入数据仓库"
    book.properties.title = f"回执 {document['receipt_no'] or '自查'}"
    was_read = bool(document["tables"] or sheets)
    findings = book.create_sheet(FINDINGS) if was_read and document["findings"] else None
    if document["tables"]:
        _totals(book.create_sheet(TOTALS), document)
    if document["changes"] and document["changes"]["tables"]:
        _changes(book.create_sheet(CHANGES), document)
    copied = copy_sheets(book, sheets, document)
    if findings:
        _findings(findings, document, copied)
    _first(first, document, copied, book.sheetnames)
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _first(sheet: Worksheet, document: Mapping[str, Any], copied: Mapping[str, Copied], names: Sequence[str]) -> None:
    for column, width in zip("ABCD", WIDTHS, strict=True):
        sheet.column_dimensions[column].width = width
    sheet.sheet_view.showGridLines = False
    title = "科技创新投入统计自查回执" if document["is_self_check"] else "科技创新投入统计报送回执"
    _across(sheet, title, font=style.TITLE, alignment=style.CENTRE, height=34)
    _across(
        sheet,
        "　".join(document["state_label"]) if len(document["state_label"]) < 4 else document["state_label"],
        font=style.STATE,
        alignment=style.CENTRE,
        height=40,
    )
    sheet.cell(sheet.max_row, 1).fill = style.STATE_FILLS[document["state"]]
    _across(sheet, document["next_action"], font=style.LABEL)
    _section(sheet, "一、报送情况")
    for left, right in _facts(document):
        _pair(sheet, left, right)
    if document["tables"]:
        _section(sheet, "二、读到的内容")
        _line(sheet, ("工作表", "数据行数（单元格数）", "计量单位", "第一项控制合计"), heading=True)
        for read in document["tables"]:
            total = next(iter(read["control_totals"]), None)
            amount = f"{total['heading']} {_grouped(total['total_in_unit'])}" if total else "无金额列"
            rows = f"{read['row_count']} 行（{read['cell_count']} 格）"
            _line(sheet, (read["sheet"], rows, read["unit"] or "无", amount))
    if document["stage"] == "judged":
        _section(sheet, f"{'三' if document['tables'] else '二'}、问题")
        _line(sheet, ("类别", "条数（其中还没有了结）", "怎么办", ""), heading=True)
        for rule_class, label in CLASS_LABELS.items():
            left = document.get(f"blocking_{rule_class}_count", 0)
            count = document[f"{rule_class}_count"]
            _line(
                sheet,
                (
                    label,
                    f"{count} 条" + (f"（{left} 条）" if rule_class != "note" and count else ""),
                    DO[rule_class],
                    "",
                ),
            )
            sheet.cell(sheet.max_row, 1).fill = style.CLASS_FILLS[rule_class]
    if FINDINGS not in names:
        for finding in listed(document["findings"]):
            _across(sheet, f"{finding['message']}\n为什么：{finding['why']}\n怎么办：{finding['action']}", boxed=True)
    _notes(sheet, document, copied, names)
    style.set_page(sheet, landscape=False, footer=_footer(document))


def _facts(document: Mapping[str, Any]) -> list[tuple[tuple[str, str], tuple[str, str] | None]]:
    late = document["late_days_count"]
    due = (
        document["due_on"] + ("（暂定）" if document["is_due_provisional"] else "")
        if document["due_on"]
        else "未识别报告期"
    )
    arrival = shown_time(document["received_at"]) or "未报送（自查）"
    lateness = "" if late is None else f"迟 {late} 天" if late else "按时"
    version = (
        f"第 {document['version_number']} 版（共收到 {document['version_count']} 版）"
        if document["version_number"]
        else "—"
    )
    succession = document["replaced_by"] and f"已被 {document['replaced_by']} 替换"
    succession = succession or (document["replaces"] and f"替换 {document['replaces']}") or "—"
    return [
        (("受理号", document["receipt_no"] or "自查，无受理号"), ("收到时间", arrival)),
        (("填报单位", document["provider_label"]), ("报告期", f"{document['period_label']}　{document['form_label']}")),
        (("报送期限", due), ("是否按时", lateness or "—")),
        (("版本", version), ("版本关系", succession)),
        (
            ("报出日期", document["reported_on"] or "表内未填或还没有读"),
            ("文件大小", f"{document['file_size_bytes']:,} 字节"),
        ),
        (("文件名", document["file_name"]), None),
        (("SHA-256", document["file_sha256"]), None),
    ]


def _notes(sheet: Worksheet, document: Mapping[str, Any], copied: Mapping[str, Copied], names: Sequence[str]) -> None:
    notes = []
    if FINDINGS in names:
        notes.append(
            "“问题清单”列出全部问题，点单元格可以跳到后附的表；后附各表是读到的内容，红色强制性、黄色核实性、蓝色提示，批注写着原因和办法。"
        )
        count, rows = sum(_counts(document).values()), len(listed(document["findings"]))
        if count > rows:
            notes.append(
                f"问题共 {count} 条，清单列 {rows} 行：一条规则在一张表里太多的，先列几条，其余合成一行写明数目；改正后请再自查一次。"
            )
    notes += [f"“{name}”共 {c.row_count} 行，太长：{c.left_out}" for name, c in copied.items() if c.left_out]
    if copied:
        notes.append("后附各表不含负责人、填表人和电话；请在原文件上改正，不要报送本回执。")
    notes.append(f"本回执由系统自动生成，生成时间 {shown_time(document['written_at'])}。")
    append(sheet, [])
    for note in notes:
        _across(sheet, note, font=style.SMALL)


def _totals(sheet: Worksheet, document: Mapping[str, Any]) -> None:
    """List the control totals as read back, in the sheet's own unit and in 万元, beside those of the version before."""
    old = {
        (t["table_id"], total["column"]): total
        for t in (document["changes"] or {"tables": []})["tables"]
        for total in t["control_totals"]
    }
    _heading(
        sheet,
        "控制合计（系统读到的各列合计，请与原表核对）",
        ("工作表", "列", "计量单位", "合计（表内单位）", "合计（万元）", "上一版（万元）", "增减（万元）"),
    )
    for read in document["tables"]:
        for total in read["control_totals"]:
            before = old.get((read["table_id"], total["column"]))
            unchanged = total["total_wan"] if document["changes"] else None
            amounts = (
                total["total_in_unit"],
                total["total_wan"],
                before["old_wan"] if before else unchanged,
                before["difference_wan"] if before else "0" if document["changes"] else None,
            )
            append(sheet, [read["sheet"], total["heading"], read["unit"], *(_number(amount) for amount in amounts)])
            for cell in sheet[sheet.max_row]:
                cell.font, cell.border = style.BODY, style.BOX
                if cell.column and cell.column > 3:
                    cell.number_format = "#,##0.00####"
            if before:
                sheet.cell(sheet.max_row, 7).fill = style.HEADING_FILL
    _widths(sheet, (26, 38, 10, 22, 20, 20, 18))
    style.set_page(sheet, landscape=True, footer=_footer(document), heading_rows="2:2")


def _changes(sheet: Worksheet, document: Mapping[str, Any]) -> None:
    changes = document["changes"]
    title = f"与上一版（受理号 {changes['previous_receipt_no']}）的差异：金额均为万元"
    _heading(sheet, title, ("工作表", "情况", "主键", "原行号", "现行号", "列", "上一版", "本版"))
    listed_count = 0
    add = style.rows_below(sheet, style.LEFT)
    for changed in changes["tables"]:
        counts = f"增 {changed['added_count']} 行，删 {changed['removed_count']} 行，改 {changed['changed_count']} 行"
        if changed["renumbered_count"]:
            counts += f"，只改序号 {changed['renumbered_count']} 行（不逐行列出）"
        if changed["is_in_old"] != changed["is_in_new"]:
            counts = "上一版没有这张表，或没有读出" if changed["is_in_new"] else "本版没有这张表，或没有读出"
        cells = add([changed["sheet"], counts])
        sheet.merge_cells(start_row=cells[0].row, start_column=2, end_row=cells[0].row, end_column=8)
        for written in cells:
            written.font, written.border = style.LABEL, style.NO_BOX
        for row in changed["rows"]:
            if listed_count >= CHANGES_LISTED:
                break
            for cell in row["cells"]:
                listed_count += 1
                key = "／".join(row["key"].values())
                place = (row["old_row_number"], row["new_row_number"])
                values = (cell["heading"], cell["old"] or "—", cell["new"] or "—")
                add([changed["sheet"], KINDS[row["kind"]], key, *place, *values])
    if listed_count >= CHANGES_LISTED:
        append(sheet, [f"只列前 {CHANGES_LISTED} 格，全部见 receipt.json"])
    _widths(sheet, (22, 8, 26, 8, 8, 26, 24, 24))
    style.set_page(sheet, landscape=True, footer=_footer(document), heading_rows="2:2")


def _findings(sheet: Worksheet, document: Mapping[str, Any], copied: Mapping[str, Copied]) -> None:
    title = "问题清单：" + "，".join(f"{label} {count} 条" for label, count in _counts(document).items() if count)
    _heading(
        sheet,
        title,
        (
            "序号",
            "类别",
            "工作表",
            "单元格",
            "问题",
            "填的是",
            "应为",
            "为什么",
            "怎么办",
            "规则",
            "状态",
            "说明",
            "审定",
        ),
    )
    add = style.rows_below(sheet, style.TOP)
    for number, finding in enumerate(listed(document["findings"]), start=1):
        where = (finding["sheet"] or "整份文件", finding["cell"] or "—")
        values = (
            finding["found"],
            finding["expected"],
            finding["why"],
            finding["action"],
            finding["rule_id"],
            finding["state"],
            finding["explanation"] or "—",
            _decided(finding),
        )
        cells = add([number, finding["class_label"], *where, finding["message"], *values])
        texts = zip((finding["message"], *values), FINDING_WIDTHS[4:], strict=True)
        sheet.row_dimensions[cells[0].row].height = max(style.height_of(text, width) for text, width in texts)
        cells[1].fill = style.CLASS_FILLS[finding["rule_class"]]
        target = link_to(copied, finding["sheet"], finding["cell"])
        if target:
            place = cells[3]
            place.hyperlink = Hyperlink(ref=place.coordinate, location=target, tooltip="跳到单元格")
            place.font = style.LINK
    _widths(sheet, FINDING_WIDTHS)
    style.set_page(sheet, landscape=True, footer=_footer(document), heading_rows="2:2")


def _counts(document: Mapping[str, Any]) -> dict[str, int]:
    """Return the exact number of places per class, hardest first."""
    return {label: document[f"{rule_class}_count"] for rule_class, label in CLASS_LABELS.items()}


def _decided(finding: Mapping[str, Any]) -> str:
    """Return who decided what about a finding and why; a dash where nobody has."""
    if not finding["decided_by"]:
        return "—"
    until = f"（到 {finding['waived_until']}）" if finding["waived_until"] else ""
    return f"{finding['decided_by']} {shown_time(finding['decided_at'])}{until}：{finding['decision_reason']}"


def _heading(sheet: Worksheet, title: str, headings: Sequence[str]) -> None:
    append(sheet, [title])
    sheet.cell(1, 1).font = style.SECTION
    sheet.row_dimensions[1].height = 24
    append(sheet, headings)
    for cell in sheet[2]:
        cell.font, cell.fill, cell.border, cell.alignment = style.LABEL, style.HEADING_FILL, style.BOX, style.CENTRE
    sheet.freeze_panes = "A3"


def _widths(sheet: Worksheet, widths: Sequence[float]) -> None:
    for position, width in enumerate(widths):
        sheet.column_dimensions[chr(ord("A") + position)].width = width


def _across(
    sheet: Worksheet,
    text: str,
    *,
    font: Any = style.BODY,
    alignment: Any = style.LEFT,
    height: float = 0,
    boxed: bool = False,
) -> None:
    append(sheet, [text])
    row = sheet.max_row
    sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=len(WIDTHS))
    cell = sheet.cell(row, 1)
    cell.font, cell.alignment = font, alignment
    sheet.row_dimensions[row].height = height or style.height_of(text, sum(WIDTHS))
    if boxed:
        for column in range(1, len(WIDTHS) + 1):
            sheet.cell(row, column).border = style.BOX


def _section(sheet: Worksheet, title: str) -> None:
    _across(sheet, title, font=style.SECTION, height=26)


def _pair(sheet: Worksheet, left: tuple[str, str], right: tuple[str, str] | None) -> None:
    """Write one or two facts; a single one takes the whole line."""
    append(sheet, [*left, *(right or ())])
    row = sheet.max_row
    if right is None:
        sheet.merge_cells(start_row=row, start_column=2, end_row=row, end_column=len(WIDTHS))
    for column in range(1, len(WIDTHS) + 1):
        cell = sheet.cell(row, column)
        is_label = column in ((1, 3) if right else (1,))
        cell.border, cell.alignment = style.BOX, style.LEFT
        cell.font = style.LABEL if is_label else style.BODY
        if is_label:
            cell.fill = style.LABEL_FILL
    widths = (WIDTHS[0], WIDTHS[1], WIDTHS[2], WIDTHS[3]) if right else (WIDTHS[0], sum(WIDTHS[1:]))
    texts = (*left, *(right or ()))
    sheet.row_dimensions[row].height = max(style.height_of(t, w) for t, w in zip(texts, widths, strict=True)) + 3


def _line(sheet: Worksheet, texts: tuple[str, str, str, str], *, heading: bool = False) -> None:
    append(sheet, texts)
    row = sheet.max_row
    if not texts[3]:
        sheet.merge_cells(start_row=row, start_column=3, end_row=row, end_column=4)
    for column in range(1, len(WIDTHS) + 1):
        cell = sheet.cell(row, column)
        cell.border, cell.alignment = style.BOX, style.CENTRE if heading else style.LEFT
        cell.font = style.LABEL if heading else style.BODY
        if heading:
            cell.fill = style.LABEL_FILL
    sheet.row_dimensions[row].height = max(style.height_of(t, w) for t, w in zip(texts, WIDTHS, strict=True))
    if not texts[3]:
        sheet.row_dimensions[row].height = style.height_of(texts[1], WIDTHS[1])


def _grouped(number: str) -> str:
    whole, dot, rest = number.partition(".")
    return f"{int(whole):,}{dot}{rest}" if whole.lstrip("-").isdigit() and whole != "-0" else number


def _number(text: str | None) -> float | None:
    """Return an amount as the number that a cell holds; the document keeps it exactly."""
    return None if text is None else float(text)


def _footer(document: Mapping[str, Any]) -> str:
    return f"{document['receipt_no'] or '自查'}　{document['provider_label']}"
