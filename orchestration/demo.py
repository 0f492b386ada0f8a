"""``make run``: the demo city's workbooks through the whole half-year job, every half-year, ending with the annex 1 table.

The city's annual returns are written beside them, and not run: that would take half as long again. What to type is said at the end.
"""

import atexit
import shlex

from orchestration.cli import entry
from sources.demo_city import HALF_YEARS, YEARS, write_demo_city
from warehouse.paths import Home

ACCEPT = ("--accept-queries", "--by", "演示", "--reason", "演示城市，数据均为虚构，一次认可全部核实性问题")


def run_demo() -> None:
    """Write the demo city into the home and run every half-year that it reports."""
    home = Home.at()
    folder = home.root / "demo"
    write_demo_city(folder, periods=HALF_YEARS)
    # In a folder of their own: a run looks at every workbook of its inbox.
    write_demo_city(home.root / "demo_annual", periods=YEARS)
    atexit.register(print, f"附件2 年度研判：sti {shlex.join(annual_run(home))}")
    entry(["run", *HALF_YEARS, "--inbox", str(folder), *ACCEPT])


def annual_run(home: Home) -> list[str]:
    """Return the arguments of ``sti`` that run the demo city's years."""
    return ["run", *YEARS, "--inbox", str(home.root / "demo_annual"), *ACCEPT]


if __name__ == "__main__":
    run_demo()
