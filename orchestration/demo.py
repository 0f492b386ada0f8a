"""``make run``: the demo city's workbooks through the whole half-year job, every half-year, ending with the annex 1 table."""

from orchestration.cli import entry
from sources.demo_city import write_demo_city
from sources.reference import half_years
from warehouse.paths import Home

REASON = "演示城市，数据均为虚构，一次认可全部核实性问题"


def run_demo() -> None:
    """Write the demo city into the home and run every half-year that it reports."""
    home = Home.at()
    folder = home.root / "demo"
    written = {path.parent.name for path in write_demo_city(folder)}
    periods = [period for period in half_years() if period in written]
    entry(["run", *periods, "--inbox", str(folder), "--accept-queries", "--by", "演示", "--reason", REASON])


if __name__ == "__main__":
    run_demo()
