"""The models' own statements in PostgreSQL 15 (Debian's), a throw-away server on a socket of its own, ended by its pid.

Loading is not timed: the other contenders read the Parquet files, PostgreSQL cannot. Needs a dbt build of the same home.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

BIN = Path("/usr/lib/postgresql/15/bin")
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "1GB",
    "work_mem": "512MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
}
"""As kind to PostgreSQL as a throw-away database allows."""
SHIM = """
create function string_split(text, text) returns text[] immutable language sql as 'select string_to_array($1, $2)';
create function list_sort(text[]) returns text[] immutable language sql
as 'select array_agg(x order by x) from unnest($1) as t(x)';
create schema staging; create schema seeds; create schema main;
"""
TYPES = {"VARCHAR": "text", "DOUBLE": "double precision"}


def why_not() -> str | None:
    """Return why PostgreSQL cannot take part here; None if it can."""
    if not (BIN / "postgres").exists():
        return f"没有安装 PostgreSQL 15（{BIN}）"
    return None


class Server:
    """A server in a temporary folder; the folder and the process go at the end."""

    def __enter__(self) -> "Server":
        self.folder = Path(tempfile.mkdtemp(prefix="sti-pg-"))
        # The server refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        data = self.folder / "data"
        self._run("initdb", "-D", str(data), "-A", "trust", "-U", "bench", "--locale=C", "-E", "UTF8", "-N")
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        options += ["-c", f"unix_socket_directories={self.folder}"]
        with (self.folder / "log").open("w") as log:
            command = [str(BIN / "postgres"), "-D", str(data), *options]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, user=self.user, cwd=self.folder)
        for _ in range(300):
            if subprocess.run([str(BIN / "pg_isready"), "-q", "-h", str(self.folder)], check=False).returncode == 0:
                return self
            time.sleep(0.1)
        raise RuntimeError((self.folder / "log").read_text())

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(BIN / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, user=self.user, cwd=self.folder)

    def sql(self, statements: str) -> None:
        """Run statements in one session; stop at the first that fails."""
        command = [
            str(BIN / "psql"),
            "-q",
            "-X",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            str(self.folder),
            "-U",
            "bench",
            "postgres",
        ]
        done = subprocess.run(command, input=statements, text=True, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)


def load(server: Server, tables: list[str], csv: Path) -> None:
    """Copy tables of the candidate (staging views and seeds) into the server."""
    with duckdb.connect("candidate/warehouse.duckdb", read_only=True) as candidate:
        for table in tables:
            relation = candidate.sql(f"from {table}")
            columns = [
                f"{n} {TYPES.get(str(t), str(t))}" for n, t in zip(relation.columns, relation.types, strict=True)
            ]
            candidate.execute(f"copy (from {table}) to '{csv}' (header false, nullstr '\\N')")
            server.sql(
                f"create table {table} ({', '.join(columns)});\n\\copy {table} from '{csv}' (format csv, null '\\N')\nanalyze {table};"
            )
    csv.unlink()


def main() -> None:
    """Build the ledger in the home of the current directory, write it to the CSV named, print the seconds of the statements."""
    out = Path(sys.argv[1]).absolute()
    plan = json.loads(Path("statements.json").read_text(encoding="utf-8"))
    # A race that takes too long ends this process; the server must go with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with Server() as server:
        server.sql(SHIM)
        load(server, plan["tables"], out)
        start = time.perf_counter()
        for name, kind, code in plan["models"]:
            analyze = "" if kind == "view" else f"analyze {name};"
            server.sql(f"create {kind} {name} as {code};\n{analyze}")
        print(time.perf_counter() - start)
        server.sql(f"\\copy (select * from main.fct_elimination) to '{out}' (format csv, header)")


if __name__ == "__main__":
    main()
