"""What reading one sheet gave: the small JSON file beside the raw rows that leads from a row and column back to a cell."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

MANIFEST_KEY = b"sti.manifest"
"""Where the manifest stands in the metadata of a Parquet file of rows: one file, so the two can never disagree."""


@dataclass(frozen=True)
class Manifest:
    """Where the rows of one table and period were read from, and their control totals.

    ``cell_columns`` maps a contract column to the sheet's column letter; with a row's ``row_number`` it names the cell.
    ``control_totals_wan`` are exact sums (万元, 6 places) per money column. ``reported_on`` is 报出日期 as written (ISO), be
    it impossible; empty if absent.
    ``corrections`` are the values put in by correction slips (row_id, column, old, new, slip_no, reason, requester, approver).
    """

    table_id: str
    period: str
    provider: str
    file_name: str
    file_sha256: str
    sheet: str
    unit: str
    heading_row: int
    cell_columns: dict[str, str] = field(default_factory=dict)
    reported_on: str = ""
    row_count: int = 0
    control_totals_wan: dict[str, str] = field(default_factory=dict)
    corrections: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def load(cls, path: Path) -> "Manifest":
        """Read a manifest from its JSON file."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))
