"""The rules of reading as data (``reading_rules.yaml``), and the one place that turns a breach into a finding."""

from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from sources.finding import Finding, RuleClass

OUR_FAULT = "RD-099"
"""The rule that our own program broke on a file: it blocks, and the sender need do nothing."""

RULES_FILE = Path(__file__).parent / "reading_rules.yaml"


class ReadingRule(BaseModel):
    """One rule: its class, level, why it exists, and what the clerk does about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule_class: RuleClass = Field(alias="class")
    level: int
    why: str
    action: str


@lru_cache(maxsize=1)
def reading_rules() -> dict[str, ReadingRule]:
    """Return the reading rules by id."""
    data = yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))
    return {rule_id: ReadingRule.model_validate(rule) for rule_id, rule in data.items()}


def breach(
    rule_id: str,
    message: str,
    *,
    file_name: str,
    file_sha256: str = "",
    provider: str = "",
    table_id: str = "",
    period: str = "",
    sheet: str = "",
    cell: str = "",
    subject: str = "",
    found: str = "",
    expected: str = "",
) -> Finding:
    """Return the finding of a broken reading rule; ``message`` says what was found and expected, in one Chinese sentence."""
    rule = reading_rules()[rule_id]
    return Finding(
        rule_id=rule_id,
        rule_class=rule.rule_class,
        level=rule.level,
        provider=provider,
        table_id=table_id,
        period=period,
        file_name=file_name,
        file_sha256=file_sha256,
        sheet=sheet,
        cell=cell,
        subject=subject or f"{sheet}!{cell}",
        found=found,
        expected=expected,
        message=message,
        why=rule.why,
        action=rule.action,
    )
