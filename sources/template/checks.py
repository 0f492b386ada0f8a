"""The checks of a template: rules of reading and of the gate, each with an Excel formula that is true where a row breaks it.

The formulas are data: a cell's stand in ``cell_checks.yaml`` per column type, a rule's beside the rule in
``expectations/suites`` (this room does not import that one; whoever asks for a template hands them in as `Check`). Column
names in braces become cells, see `sources.template.formulas`.
"""

from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from sources.contracts import Column, ColumnType
from sources.finding import RuleClass
from sources.reading_rules import reading_rules

CELL_CHECKS_FILE = Path(__file__).parent / "cell_checks.yaml"


class Check(BaseModel):
    """One rule of the gate as a template checks it.

    ``table_id`` is the table whose rows the check stands on, ``rule_table_id`` the one whose rule it is; ``breach`` an Excel
    formula with column names in braces, true where the row breaks the rule, empty where the template has no check.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule_id: str
    rule_class: RuleClass
    label: str
    why: str
    action: str
    rule_table_id: str
    table_id: str
    columns: tuple[str, ...]
    breach: str


class CellCheck(BaseModel):
    """One step in judging a cell; the first that is true tells. Without a rule the cell is as it should be.

    ``only`` limits it to columns of which that is true: required, optional or numbers_only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    breach: str
    rule: str = ""
    says: str = ""
    only: str = ""

    def applies_to(self, column: Column) -> bool:
        """Whether the step is taken in this column."""
        if self.only == "optional":
            return not column.required
        return not self.only or bool(getattr(column, self.only))

    @property
    def rule_class(self) -> RuleClass:
        """The class of its reading rule."""
        return reading_rules()[self.rule].rule_class


@lru_cache(maxsize=1)
def cell_checks() -> dict[ColumnType, tuple[CellCheck, ...]]:
    """Return the steps by column type, in order."""
    data = yaml.safe_load(CELL_CHECKS_FILE.read_text(encoding="utf-8"))
    return {kind: tuple(CellCheck.model_validate(step) for step in steps) for kind, steps in data["types"].items()}


def steps_of(column: Column) -> list[CellCheck]:
    """Return the steps in judging a cell of this column."""
    return [step for step in cell_checks()[column.type] if step.applies_to(column)]


@lru_cache(maxsize=1)
def left_out() -> dict[str, str]:
    """Return the reading rules of level 1 that the template does not check, with the reason."""
    return dict(yaml.safe_load(CELL_CHECKS_FILE.read_text(encoding="utf-8"))["left_out"])
