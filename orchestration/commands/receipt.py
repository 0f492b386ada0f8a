"""``sti receipt``: the receipts of every hand-in, and one of them with what it changed against the version before."""

import json
from typing import Any

import click

from orchestration import printing
from orchestration.command import WRONG_USE, Stop, guarded
from warehouse.paths import Home

ROWS_SHOWN = 40


@click.command("receipt")
@click.argument("receipt_no", metavar="[受理号]", required=False)
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def receipt_command(home: Home, receipt_no: str | None, as_json_: bool) -> None:
    """列出全部回执；给受理号则看一份：状态、问题、与上一版的差异。还没有审核过的来件先审核（只出回执，不准入）。"""
    from orchestration.receipts import judge_waiting, stored
    from warehouse import archive
    from warehouse.lock import HomeBusy, writing

    try:
        with writing(home):
            judge_waiting(home)
    except HomeBusy as busy:
        click.echo(f"{busy}。以下是此刻的回执，正在审核的还会更新。", err=True)
    documents = [document for r in archive.receipts(home) if (document := stored(home, r.receipt_no))]
    if receipt_no is None:
        if as_json_:
            click.echo(json.dumps(documents, ensure_ascii=False, indent=1))
        else:
            printing.table(
                [_line(document) for document in documents], "还没有收到任何来件；用 sti run PERIOD --inbox 文件夹 收件"
            )
        return
    document = next((d for d in documents if d["receipt_no"] == receipt_no), None)
    if document is None:
        raise Stop(f"没有受理号 {receipt_no}；不给受理号运行 sti receipt，列出全部", WRONG_USE)
    if as_json_:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    printing.table([_line(document)], "")
    click.echo(document["next_action"])
    printing.table([_finding(f) for f in document["findings"][:ROWS_SHOWN]], "没有问题")
    more_count = sum(f["stands_for_count"] for f in document["findings"][ROWS_SHOWN:])
    if more_count:
        click.echo(f"另有 {more_count} 条，见回执工作簿或 --json。")
    _changes(document)
    click.echo(f"回执：{home.receipt_folder(receipt_no)}")


def _line(document: dict[str, Any]) -> dict[str, object]:
    return {
        "受理号": document["receipt_no"],
        "单位": document["provider_label"],
        "报告期": document["period"] or "未识别",
        "文件": document["file_name"],
        "收到时间": document["received_at"][:16].replace("T", " "),
        "状态": document["state_label"],
        "强制性": document["mandatory_count"],
        "核实性": document["query_count"],
        "替换": document["replaces"],
        "被替换": document["replaced_by"],
    }


def _finding(finding: dict[str, Any]) -> dict[str, object]:
    place = f"[{finding['sheet']}]!{finding['cell']}" if finding["sheet"] else ""
    return {
        "编号": finding["finding_id"][:8],
        "类别": finding["class_label"],
        "位置": place,
        "问题": finding["message"],
        "状态": finding["state"],
        "说明": finding.get("explanation", ""),
        "审定": finding["decision_reason"],
    }


def _changes(document: dict[str, Any]) -> None:
    changes = document["changes"]
    if changes is None:
        return
    click.echo(
        f"与上一版 {changes['previous_receipt_no']} 的差异（金额万元）：" + ("" if changes["tables"] else "没有")
    )
    for table in changes["tables"]:
        counts = f"增 {table['added_count']} 行，删 {table['removed_count']} 行，改 {table['changed_count']} 行"
        counts += f"，只改序号 {table['renumbered_count']} 行" if table["renumbered_count"] else ""
        click.echo(f"  {table['sheet']}：{counts}")
        for total in table["control_totals"]:
            click.echo(
                f"    合计“{total['heading']}” {total['old_wan']} → {total['new_wan']}（{total['difference_wan']}）"
            )
        for row in table["rows"][:ROWS_SHOWN]:
            cells = "；".join(f"{c['heading']} {c['old'] or '—'} → {c['new'] or '—'}" for c in row["cells"])
            click.echo(f"    {'／'.join(row['key'].values())}：{cells}")
        if len(table["rows"]) > ROWS_SHOWN:
            click.echo(f"    另有 {len(table['rows']) - ROWS_SHOWN} 行，见回执工作簿或 --json。")
