"""What a number format makes of a stored number: a date, a share, thousands, nothing at all. A person sees that, not the number."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

CHINESE_DATE_IDS = frozenset([*range(27, 37), *range(50, 59)])
"""Built-in date formats of Chinese Excel; the file holds only their number."""
UNIT_WORDS = ("亿元", "千元", "万元", "元", "亿", "万", "千")

_LITERAL = re.compile(r'"[^"]*"|[\\!_*].')
_BRACKETS = re.compile(r"\[[^\]]*\]")
_SCALED = re.compile(r"[0#?],+(?![0#?,])")
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?[0-9]+(?:\.[0-9]+)?)\]")
_COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}
_DECIMALS = re.compile(r"\.([0#?]*)")


def _is_met(sign: str, bound: float) -> Callable[[float], bool]:
    return lambda value: bool(_COMPARE[sign](value, bound))


@dataclass(frozen=True)
class NumberFormat:
    """One number format of a workbook, by its built-in number and its code."""

    format_id: int
    code: str

    @cached_property
    def is_date(self) -> bool:
        """Whether a number in this format is shown as a date or a time of day."""
        return self.format_id in CHINESE_DATE_IDS or is_date_format(self.code)

    @cached_property
    def is_elapsed(self) -> bool:
        """Whether a number in this format is shown as a span of time, such as 30:15."""
        return is_timedelta_format(self.code)

    def _section(self, value: float) -> str:
        """Return the part of the code that shows a value: by the conditions written in it, else by the number's sign."""
        sections, conditions = self._sections, self._conditions
        if not any(conditions):
            position = 1 if value < 0 else 2 if value == 0 else 0
            return sections[position] if position < min(len(sections), 3) else sections[0]
        for section, condition in zip(sections, conditions, strict=False):
            if condition and condition(value):
                return section
        # What no condition takes: the part after the last of them.
        rest = max(number for number, condition in enumerate(conditions) if condition) + 1
        return sections[rest] if rest < len(sections) else sections[0] if conditions[0] is None else "General"

    @cached_property
    def _sections(self) -> list[str]:
        return re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', self.code)

    @cached_property
    def _conditions(self) -> list[Callable[[float], bool] | None]:
        """The conditions of the first two parts, which alone may have one."""
        found = [_CONDITION.search(section) for section in self._sections[:2]]
        return [_is_met(match.group(1), float(match.group(2))) if match else None for match in found]

    def misleads(self, value: float, unit: str) -> str:
        """Return how the shown number differs in size from the stored one, as a Chinese clause; empty where it does not.

        Args:
            value: the stored number.
            unit: the sheet's unit of amounts; a format may write another one behind the number.
        """
        section = self._section(value)
        if not value or "general" in section.lower() or "@" in section:
            return ""
        literals = "".join(part.strip('"\\!') for part in _LITERAL.findall(section) if part[0] not in "_*")
        bare = _BRACKETS.sub("", _LITERAL.sub("", section))
        if not any(place in bare for place in "0#?"):
            return "不显示数值"
        if "%" in bare or "‰" in literals:
            return "显示为百分数"
        if _SCALED.search(bare) or re.search(r'[0#?](?:[\\!]\.|"\.")[0#?]', section):
            return "显示时缩小了千倍、万倍"
        if any(character.isdigit() for character in literals):
            return "显示时另带了写死的数字"
        word = next((word for word in UNIT_WORDS if word in literals), "")
        return f"显示时带“{word}”" if word and word not in (unit, unit.removesuffix("元")) else ""

    def rounds(self, value: float) -> bool:
        """Return whether the format shows fewer decimal places than the number has (15 digits count)."""
        section = _BRACKETS.sub("", _LITERAL.sub("", self._section(value)))
        if (
            not any(place in section for place in "0#?")
            or any(mark in section for mark in "eE/%@")
            or "eneral" in section
        ):
            return False
        match = _DECIMALS.search(section)
        return round(value, len(match.group(1)) if match else 0) != float(format(value, ".15g"))

    @cached_property
    def pads_with_zeros(self) -> bool:
        """Whether whole numbers are shown with leading zeros, as codes are."""
        return re.search(r"00", _BRACKETS.sub("", _LITERAL.sub("", self.code)).split(".")[0].split(";")[0]) is not None


GENERAL = NumberFormat(0, "General")


def builtin(format_id: int) -> NumberFormat:
    """Return a built-in format by its number."""
    return NumberFormat(format_id, BUILTIN_FORMATS.get(format_id, "General"))
