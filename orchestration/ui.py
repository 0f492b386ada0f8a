"""``make ui``: Dagster's web UI on 127.0.0.1, on the home of `make run`, with the demo city loaded, years too, if nothing is there yet."""

import os
import subprocess
import sys
from pathlib import Path

from orchestration.demo import annual_run
from orchestration.run import prepare
from warehouse.paths import Home

HOST, PORT = "127.0.0.1", "3000"


def serve() -> None:
    """Load the demo city if this home has published nothing, then become Dagster's server."""
    home = Home.at()
    if not home.published.exists():
        subprocess.run([sys.executable, "-m", "orchestration.demo"], check=True)
        subprocess.run([sys.executable, "-m", "orchestration", *annual_run(home)], check=True)
    prepare(home)
    dagster = Path(sys.executable).with_name("dagster")
    arguments = ["dev", "-m", "orchestration.definitions", "-h", HOST, "-p", os.environ.get("STI_UI_PORT", PORT)]
    os.execv(dagster, [str(dagster), *arguments])


if __name__ == "__main__":
    serve()
