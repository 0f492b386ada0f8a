"""``sti findings``: the finding ledger of a period, and the history of one finding."""

import json
from dataclasses import asdict

import click

from orchestration import printing
from orchestration.command import WRONG_USE, Stop, guarded, period_of
from sources.contracts import providers
from sources.finding import CLASS_LABELS
from warehouse.paths import Home

CLASSES = {label: rule_class for rule_class, label in CLASS_LABELS.items()} | {c: c for c in CLASS_LABELS}
LINES_SHOWN = 500
"""Lines that a screen is good for; a table takes longer to lay out than to read from the ledger."""


@click.command("findings")
@click.argument("period")
@click.option("--open", "only_open", is_flag=True, help="只列挡住发布的：未处理、已说明待审定、说明被退回")
@click.option("--provider", default="", help="只列一个单位的（标识或名称，如 finance_bureau、市财政局）")
@click.option("--class", "class_", default="", type=click.Choice(["", *CLASSES]), help="只列一类")
@click.option("--rule", "rule_start", default="", metavar="RULE", help="只列一条规则（REC-001）或一组规则（REC）的")
@click.option(
    "--ids", "only_ids", is_flag=True, help="只写编号，给 sti explain、sti decide 用：sti decide $(sti findings …)"
)
@click.option("--history", "beginning", default="", metavar="FINDING", help="一条问题的全部经过")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def findings_command(
    home: Home,
    period: str,
    only_open: bool,
    provider: str,
    class_: str,
    rule_start: str,
    only_ids: bool,
    beginning: str,
    as_json_: bool,
) -> None:
    """问题台账：每条问题在哪里、什么状态、怎样说明、谁怎样决定、下一步该谁。"""
    from expectations.ledger_file import head_of
    from orchestration import ledger_view as view

    period_of(period)
    try:
        if beginning:
            of_period, (state,) = view.find(home, [beginning])
            if of_period != period:
                raise Stop(
                    f"{beginning} 是 {of_period} 的问题：sti findings {of_period} --history {beginning}", WRONG_USE
                )
            told = view.history(home, period, state.finding.finding_id)
            if as_json_:
                plain = [{**asdict(one), "at": one.at.isoformat()} for one in told]
                click.echo(json.dumps(plain, ensure_ascii=False, indent=1))
            else:
                printing.table([view.history_row(one) for one in told], "")
            return
        # Before the lines: what comes in between is then said to be new.
        head = head_of(home.findings, period)
        found = view.lines(
            home, period, only_open=only_open, provider=_provider(provider), rule_class=CLASSES.get(class_, "")
        )
    except view.UnknownFinding as error:
        raise Stop(str(error), WRONG_USE) from error
    found = [line for line in found if line["rule_id"].startswith(rule_start.upper())]
    if only_ids:
        click.echo("\n".join(line["finding_id"] for line in found))
        return
    if as_json_:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    printing.table(
        [view.table_row(line) for line in found[:LINES_SHOWN]], f"{period} 没有{'挡住发布的' if only_open else ''}问题"
    )
    count, open_count = view.counted(found)
    listed = f"；台账列了 {len(found)} 行，其余合在“其余”一行里" if count > len(found) else ""
    more = (
        f"；上面只有前 {LINES_SHOWN} 行，全部用 --json，或按 --rule、--provider 挑着看"
        if len(found) > LINES_SHOWN
        else ""
    )
    click.echo(f"{count} 条，其中 {open_count} 条挡住发布{listed}{more}；台账到第 {head.number} 条", err=True)


def _provider(wanted: str) -> str:
    for provider in providers().values():
        if wanted in ("", provider.provider, provider.label, *provider.aliases):
            return provider.provider if wanted else ""
    names = "、".join(f"{p.provider}（{p.label}）" for p in providers().values())
    raise Stop(f"不认识的单位 {wanted}；有：{names}", WRONG_USE)
