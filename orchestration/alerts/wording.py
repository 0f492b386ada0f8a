"""The words of an alert, as data (``wording.yaml``): which kinds there are, and what each says.

An alert is put together from a fixed list of facts, none of which can hold a unit's name, code or figure, nor anything a workbook says.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

FACTS = (
    "period", "period_name", "provider", "due", "remaining", "stage", "version", "receipt_no", "state", "run",
)  # fmt: skip
"""All that an alert may say."""


class Kind(BaseModel):
    """One kind of alert; ``has_end``: it stands until something is done, and its end is told too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    title: str
    action: str
    has_end: bool = False


@dataclass(frozen=True)
class Message:
    """What is sent: the alert's number, the number of the alert that it follows on, a title, and lines."""

    alert_id: str
    follows: str
    title: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole as plain text."""
        return "\n".join((self.title, *self.lines))


def _kinds() -> dict[str, Kind]:
    data = yaml.safe_load((Path(__file__).parent / "wording.yaml").read_text(encoding="utf-8"))
    return {name: Kind.model_validate(kind) for name, kind in data.items()}


KINDS = _kinds()


def message(entry: dict[str, Any], *, is_repeat: bool) -> Message:
    """Return the message of a journal entry (``raised`` or ``resolved``); ``is_repeat``: it may have been sent before."""
    kind, facts = KINDS[entry["kind"]], dict.fromkeys(FACTS, "") | entry["facts"]
    title = kind.title.format(**facts)
    number = f"编号 {entry['alert_id']}"
    if is_repeat:
        number += "（可能已发过一次：编号相同的是同一件事）"
    if entry["event"] == "resolved":
        now = f"现在：{facts['state']}。" if facts["state"] else ""
        lines: tuple[str, ...] = (f"原提醒：{title}", f"{now}原提醒编号 {entry['of']}，到此为止。", number)
        who = " ".join(filter(None, (facts["provider"], facts["period"])))
        return Message(entry["alert_id"], entry["of"], f"【解除·{kind.label}】{who}（科技创新投入）", lines)
    title = f"【{kind.label}】{title}（科技创新投入）"
    return Message(entry["alert_id"], entry.get("of", ""), title, (kind.action.format(**facts), number))
