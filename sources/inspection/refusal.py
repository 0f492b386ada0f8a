"""How the inspection says no: a rule of ``reading_rules.yaml`` and one plain Chinese sentence; and the limits it holds files to."""

from dataclasses import dataclass

MIB = 1024 * 1024
LARGEST_FILE_BYTES = 20 * MIB
MOST_UNPACKED_BYTES = 200 * MIB
MOST_RATIO = 200
RATIO_FROM_BYTES = MIB
"""A part may unpack to more than `MOST_RATIO` times its size only below this."""
MOST_PARTS = 2_000
MOST_STRUCTURE_BYTES = 16 * MIB
"""For a part that is parsed whole: content types, relationships, the workbook part, links to other workbooks."""

EMPTY = "RD-030"
TOO_LARGE = "RD-031"
NOT_A_WORKBOOK = "RD-032"
ENCRYPTED = "RD-033"
DAMAGED = "RD-034"
DOUBTFUL_PACKAGE = "RD-035"
BOMB = "RD-036"
MACRO = "RD-037"
DDE = "RD-038"
EMBEDDED_OBJECT = "RD-039"
DOCTYPE = "RD-040"
DATA_CONNECTION = "RD-041"
OUTSIDE_REFERENCE = "RD-042"
NO_SHEET = "RD-043"
LINKED_CELL = "RD-044"
UNUSED_LINK = "RD-045"
NOT_RECEIVABLE = "RD-046"


@dataclass(frozen=True)
class Refusal:
    """Why a file is refused unread: the rule (which says why it matters and what to do) and what was found, in one sentence."""

    rule_id: str
    message: str

    def __str__(self) -> str:
        return self.message


class Refused(Exception):
    """Raised where the inspection finds a reason to refuse; `sources.inspection.inspect` turns it into a `Refusal`."""

    def __init__(self, rule_id: str, message: str) -> None:
        super().__init__(message)
        self.refusal = Refusal(rule_id, message)


def shown(text: str, most: int = 60) -> str:
    """Return a name from inside a file fit for a sentence: printable characters only, not longer than ``most``."""
    clean = "".join(c if c.isprintable() else "□" for c in text)
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"
