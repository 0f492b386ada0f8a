"""The status board as one page: HTML that needs no network, readable in print and without telling colours apart."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).parent / "status_page.html.j2"

MARKS = {
    "缺报": "✕",
    "退回": "↩",
    "待说明": "？",
    "待审定": "◇",
    "已报未审": "…",
    "未到期": "○",
    "已准入": "✓",
    "同意缺报": "∅",
}
"""A sign beside every state: colour alone says nothing on paper, nor to every eye."""


def status_page(to_do: Sequence[Mapping[str, Any]], sections: Sequence[Mapping[str, Any]], as_of: str) -> str:
    """Return the page: who has what to do (owner, items), then the sections (period, name, summary, rows, moves); every text escaped."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(to_do=to_do, sections=sections, as_of=as_of, marks=MARKS)
