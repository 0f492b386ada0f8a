"""``sti rules``: every rule that a return or a figure is judged by."""

import json

import click

from orchestration import printing
from orchestration.command import guarded
from warehouse.paths import Home


@click.command("rules")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出（全部字段）")
@guarded
def rules_command(home: Home, as_json_: bool) -> None:
    """列出全部审核规则：编号、级别、类别、表、核对什么、界限、有效期（同 docs/rules.md）。"""
    from expectations.catalogue import listed_rules

    rules = listed_rules()
    if as_json_:
        click.echo(json.dumps([rule.as_dict() for rule in rules], ensure_ascii=False, indent=1))
        return
    rows = [
        {
            "编号": rule.rule_id,
            "级": rule.level,
            "类别": rule.class_label,
            "表": "、".join(rule.table_labels) or "（各表）",
            "核对什么": rule.label,
            "界限、容差": rule.bounds,
            "有效期": f"{rule.valid_from}—{rule.valid_to}" if rule.valid_from else "",
        }
        for rule in rules
    ]
    printing.table(rows, "")
