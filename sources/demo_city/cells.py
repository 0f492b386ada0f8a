"""From plain values to what a clerk types: numbers in the sheet's unit, nil marks, dates, at times an odd spelling."""

from collections.abc import Callable
from datetime import date, datetime
from random import Random

from sources.demo_city.areas import Area
from sources.demo_city.forms import Kind
from sources.demo_city.style import Style

FEN_PER_UNIT = {"元": 100, "千元": 100_000, "万元": 1_000_000}
NIL_MARKS = ("-", "—", 0, 0, 0)
BELOW_UNIT = "…"
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}

Row = list[object]


def number(fen: int, unit: str) -> int | float:
    """Return ``fen`` in ``unit``; dividing whole numbers once gives the shortest decimal that means it."""
    divisor = FEN_PER_UNIT[unit]
    return fen // divisor if fen % divisor == 0 else fen / divisor


def renderers(kinds: list[Kind], style: Style, rng: Random) -> list[Callable[[object], object]]:
    """Return one function per column that turns a plain value into a cell's."""
    table: dict[str, Callable] = {
        "amount": lambda fen: number(fen, style.unit),
        # A mark that must stand as it is, where nothing else would do, comes as text.
        "money": lambda fen: fen if isinstance(fen, str) else number(fen, style.unit) if fen else _nil(fen, style, rng),
        "date": _date_writer(style),
        "flag": lambda flag: "是" if flag else "否",
        "area": lambda area: area.name,
    }
    return [table.get(kind, _same) for kind in kinds]


def _same(value: object) -> object:
    return value


def _nil(fen: int | None, style: Style, rng: Random) -> object:
    """Return how "none" is written: a mark or 0; a blank stays a blank, which means not reported."""
    if fen is None:
        return None
    if style.unit != "元" and rng.random() < 0.02:
        return BELOW_UNIT
    return rng.choice(NIL_MARKS)


def _date_writer(style: Style) -> Callable[[date], object]:
    """Return the function that writes dates as this clerk does."""
    return {
        "real": lambda day: datetime(day.year, day.month, day.day),
        "iso": lambda day: day.isoformat(),
        "slash": lambda day: f"{day.year}/{day.month}/{day.day}",
        "chinese": lambda day: f"{day.year}年{day.month}月{day.day}日",
    }[style.dates]


def odd_spellings(rows: list[Row], values: list[Row], kinds: list[Kind], style: Style, rng: Random) -> None:
    """Respell a handful of cells of ``rows`` in place: a few per sheet, whatever its size."""
    places = {kind: [i for i, k in enumerate(kinds) if k == kind] for kind in ("amount", "money", "code", "area")}
    for _ in range(3 + len(rows) // 1000):
        _respell(rows, places["amount"] + places["money"], rng, _as_text)
    for _ in range(1 + len(rows) // 2000):
        _respell(rows, places["code"], rng, str.lower if style.code_case == "lower" else _full_width)
    for place in places["area"]:
        for row, value in zip(rows, values, strict=True):
            area = value[place]
            if style.alias_places and isinstance(area, Area) and area.aliases:
                row[place] = area.aliases[style.alias_places % len(area.aliases)]
        if style.alias_places:
            _respell(rows, [place], rng, lambda name, _=None: name[:1] + " " + name[1:])


def _respell(rows: list[Row], places: list[int], rng: Random, how: Callable) -> None:
    """Respell one cell, if the one that is drawn holds something to respell."""
    if not rows or not places:
        return
    row, place = rng.choice(rows), rng.choice(places)
    value = row[place]
    if how is _as_text:
        if isinstance(value, int | float):
            row[place] = _as_text(value, rng)
    elif isinstance(value, str):
        row[place] = how(value)


def _as_text(value: int | float, rng: Random) -> str:
    """Return a number as clerks type it into text cells."""
    style = rng.randrange(4)
    if style == 0:
        return f"{value:,}"
    if style == 1:
        return f"{value:,}".replace(",", "，")
    return f"  {value} " if style == 2 else _full_width(str(value))


def _full_width(text: str) -> str:
    return text.translate(FULL_WIDTH)


def spell_heading(heading: str, style: Style, rng: Random) -> str:
    """Return a heading as printed: line breaks, inner blanks or half-width brackets, as the style has it."""
    if style.heading == "half_brackets":
        heading = heading.replace("（", "(").replace("）", ")")
    if style.heading == "plain" or len(heading) < 4 or rng.random() < 0.6:
        return heading
    cut = rng.randint(2, len(heading) - 2)
    return heading[:cut] + (" " if style.heading == "spaces" else "\n") + heading[cut:]
