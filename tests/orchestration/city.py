"""A home in which the finance bureau hands in, gate 1 judges, people explain and decide, without the rest of a run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result
from openpyxl import Workbook

from orchestration.hand_ins import judge_slot, receive_all
from orchestration.options import RunOptions
from sources.explanations import EXPLANATION_HEADINGS
from tests.conftest import run_sti
from warehouse import archive, layers
from warehouse.paths import Home

PERIOD, FINANCE, SHEET = "2026H1", "finance_bureau", "拨付明细"
LATE = "GEN-003"
"""The rule that a date lies within the period: 核实性."""
FIRST_ROW = 4


def explaining(said: list[tuple[Any, ...]]) -> Callable[[Workbook], None]:
    """Return the edit that adds 核实说明 with these rows to a workbook."""

    def edit(book: Workbook) -> None:
        sheet = book.create_sheet("核实说明")
        sheet.append(["核实性审核说明表"])
        sheet.append(["填报单位：市财政局", "报告期：2026年上半年"])
        sheet.append(list(EXPLANATION_HEADINGS))
        for line in said:
            sheet.append(list(line))
        sheet.append(["填表人：张三", "注：照回执填"])

    return edit


class City:
    """One home with its inbox, asked as its people would; only the finance bureau reports."""

    def __init__(self, folder: Path) -> None:
        self.home, self.inbox = folder / "home", folder / "inbox"
        self.inbox.mkdir(parents=True)

    def sti(self, *arguments: str | Path) -> Result:
        return run_sti("--home", self.home, *arguments)

    def judge(self) -> None:
        """Receive and judge as a run does, without the rest of the run."""
        options = RunOptions(home=str(self.home))
        receive_all(options.where, self.inbox, PERIOD)
        judge_slot(options.where, FINANCE, PERIOD, lambda f: options.settle("run-1", PERIOD, f"gate1:{FINANCE}", f))

    def lines(self, *more: str) -> list[dict[str, Any]]:
        result = self.sti("findings", PERIOD, "--provider", "市财政局", "--json", *more)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def open_ones(self, rule_id: str = "") -> list[dict[str, Any]]:
        return [f for f in self.lines("--open") if f["rule_id"].startswith(rule_id)]

    def accept(self) -> None:
        """Let the return in as a run does, once nothing of it is open."""
        assert self.open_ones() == []
        layers.accept(Home.at(self.home), FINANCE, PERIOD)

    def late(self) -> dict[str, Any]:
        (found,) = [f for f in self.lines() if f["rule_id"] == LATE and f["state"] != "已修改"]
        return found

    def notes(self) -> dict[str, str]:
        return {f["rule_id"]: f["message"] for f in self.lines() if f["sheet"] == "核实说明" and f["state"] == "提示"}

    def receipt(self) -> dict[str, Any]:
        newest = archive.versions(Home.at(self.home), FINANCE, PERIOD)[-1]
        path = Home.at(self.home).receipt_folder(newest.receipt_no) / "receipt.json"
        return json.loads(path.read_text(encoding="utf-8"))
