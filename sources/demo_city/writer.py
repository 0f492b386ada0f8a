"""Writing a filled-in form into a workbook, and the workbook into a file whose bytes depend on its content alone."""

from pathlib import Path
from random import Random

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from sources.demo_city.areas import AREAS
from sources.demo_city.cells import Row, number, odd_spellings, renderers, spell_heading
from sources.demo_city.forms import EXPLANATION, WITHOUT_UNIT, Form
from sources.demo_city.government import BUDGET_TYPES, ITEMS
from sources.demo_city.returns import Sheet
from sources.demo_city.style import Style
from sources.spreadsheet import append_as_typed, workbook_bytes

WIDTHS = {"code": 22, "text": 16, "date": 13, "money": 13, "amount": 14, "area": 12}
GROUPS = ("其中：", "附项：")
INSTRUCTION = (
    "填表说明",
    "一、本表金额均为自年初起的累计数。",
    "二、统一社会信用代码须为文本格式，18位。",
    "三、“-”表示无，“…”表示不足本表最小单位，空白表示未报。",
    f"四、地区：{'、'.join(area.name for area in AREAS)}。",
    "五、示例数据，单位、人员、号码均为虚构。",
)
NOTES = ("注：1.本表数据为累计数。", "说明：部分数据因四舍五入的原因，存在总计与分项合计不等的情况。")


def write_workbook(path: Path, sheets: list[Sheet], style: Style, rng: Random) -> Path:
    """Write the provider's sheets, and the side sheets that its style has, to ``path``."""
    book = Workbook(write_only=True)
    if style.has_instruction:
        side = book.create_sheet("填表说明")
        for line in INSTRUCTION:
            append_as_typed(side, [line])
    for sheet in sheets:
        _SheetWriter(book, sheet.form, style, rng).write(sheet.rows)
    if style.has_explanation:
        _SheetWriter(book, EXPLANATION, style, rng).write([])
    if style.has_hidden_sheet:
        _write_helper(book)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(workbook_bytes(book, "示例"))
    return path


class _SheetWriter:
    """Lays out one form: the places of its columns, then title, unit line, headings, rows, 合计 and foot."""

    def __init__(self, book: Workbook, form: Form, style: Style, rng: Random) -> None:
        self._sheet = book.create_sheet(form.sheet)
        self._form, self._style, self._rng = form, style, rng
        self._has_groups = style.two_heading_rows and any(h.startswith(GROUPS) for h, _ in form.columns)
        self._slots = self._arrange()
        self._line = 0
        for place, slot in enumerate(self._slots, 1):
            width = WIDTHS.get(form.columns[slot][1], 9) if slot is not None else 4
            self._sheet.column_dimensions[get_column_letter(place)].width = width

    def write(self, rows: list[Row]) -> None:
        """Write the whole sheet."""
        self._write_titles()
        self._write_meta()
        self._write_headings()
        kinds = [kind for _, kind in self._form.columns]
        render = renderers(kinds, self._style, self._rng)
        cells = [[write(value) for write, value in zip(render, row, strict=True)] for row in rows]
        odd_spellings(cells, rows, kinds, self._style, self._rng)
        for row in cells:
            self._append([None if slot is None else row[slot] for slot in self._slots])
        if self._form.needs_total or (self._style.totals and rows and {"money", "amount"} & set(kinds)):
            self._write_total(rows)
        self._write_foot()

    def _arrange(self) -> list[int | None]:
        """Return which column of the form stands in each column of the sheet; None is a blank column."""
        slots: list[int | None] = list(range(len(self._form.columns)))
        if self._form is EXPLANATION:
            return slots
        if self._style.reorders and not self._has_groups:
            moved = slots[3:]
            self._rng.shuffle(moved)
            slots[3:] = moved
        for _ in range(self._style.blank_columns):
            last_group = max((i for i, (h, _) in enumerate(self._form.columns) if h.startswith(GROUPS)), default=0)
            # Under a merged heading there is no room for a blank column.
            slots.insert(self._rng.randint(last_group + 1 if self._has_groups else 1, len(slots)), None)
        return slots

    def _append(self, row: Row) -> None:
        append_as_typed(self._sheet, row)
        self._line += 1

    def _merge(self, first_row: int, first: int, last_row: int, last: int) -> None:
        cells = f"{get_column_letter(first)}{first_row}:{get_column_letter(last)}{last_row}"
        self._sheet.merged_cells.add(cells)

    def _styled(self, value: str, size: int = 11) -> Cell:
        cell = WriteOnlyCell(self._sheet, value)
        cell.font = Font(bold=True, size=size)
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        return cell

    def _write_titles(self) -> None:
        titles = (
            self._form.title,
            f"（{self._style.year}年{self._style.cadence_text}）",
            "科技创新投入统计报表制度（示例）",
        )
        for title in titles[: 1 if self._form is EXPLANATION else self._style.title_rows]:
            self._append([self._styled(title, 14)])
            self._merge(self._line, 1, self._line, len(self._slots))

    def _write_meta(self) -> None:
        """Write 填报单位, 报告期, 计量单位 and 报表类别 in any order, in one cell or several."""
        style, width = self._style, len(self._slots)
        pairs = [("填报单位", style.label), ("报告期", style.period_text)]
        if self._form not in WITHOUT_UNIT:
            pairs.append(("计量单位", style.unit))
        if style.half == 2:
            pairs.append(("报表类别", style.cadence_text))
        if style.meta in ("pairs", "ends"):
            self._rng.shuffle(pairs)
        texts = [f"{label}{style.colon}{value}" for label, value in pairs]
        line: Row = [None] * width
        if style.meta == "label_value" and 2 * len(pairs) <= width:
            step = 3 if 3 * len(pairs) <= width else 2
            for place, (label, value) in enumerate(pairs):
                line[place * step : place * step + 2] = [label + style.colon, value]
        elif style.meta == "spread":
            for place, text in enumerate(texts):
                line[place * (width // len(texts))] = text
        elif style.meta in ("pairs", "ends"):
            kept = 2 if style.meta == "pairs" else 1
            line[0] = "    ".join(texts[:kept])
            line[-1] = "  ".join(texts[kept:])
        else:
            line[0] = "\u3000\u3000".join(texts)
            self._merge(self._line + 1, 1, self._line + 1, width)
        self._append(line)

    def _write_headings(self) -> None:
        names = [None if slot is None else self._form.columns[slot][0] for slot in self._slots]
        if not self._has_groups:
            self._append([name and self._styled(spell_heading(name, self._style, self._rng)) for name in names])
            return
        groups = [next((g for g in GROUPS if name and name.startswith(g)), None) for name in names]
        top: Row = []
        below: Row = []
        for place, (name, group) in enumerate(zip(names, groups, strict=True)):
            text = name and self._styled(spell_heading(name.removeprefix(group or ""), self._style, self._rng))
            is_first = group and groups[place - 1] != group
            top.append((self._styled(group) if is_first and group else None) if group else text)
            below.append(text if group else None)
            if is_first:
                self._merge(self._line + 1, place + 1, self._line + 1, place + groups.count(group))
            elif name and not group:
                self._merge(self._line + 1, place + 1, self._line + 2, place + 1)
        self._append(top)
        self._append(below)

    def _write_total(self, rows: list[Row]) -> None:
        """Write 合计: exact sums of what the rows hold; blanks add nothing."""
        kinds = [kind for _, kind in self._form.columns]
        total: Row = [None] * len(kinds)
        for place, kind in enumerate(kinds):
            if kind in ("money", "amount"):
                fen = sum(value for row in rows if isinstance(value := row[place], int))
                total[place] = number(fen, self._style.unit)
        label = "合\u3000计" if self._style.heading == "breaks" else "合计"
        total[next(place for place, kind in enumerate(kinds) if kind in ("text", "area"))] = label
        self._append([None if slot is None else total[slot] for slot in self._slots])

    def _write_foot(self) -> None:
        style, day, width = self._style, self._style.reported_on, len(self._slots)
        lines = [
            "单位负责人：示例负责人",
            "统计负责人：示例统计员",
            f"填表人：示例填表人{self._rng.choice('甲乙丙丁')}",
            f"联系电话：0573-{self._rng.randrange(10_000):08d}",
            f"报出日期：{day.year}年{day.month}月{day.day}日",
        ]
        if style.blank_before_foot:
            self._append([None])
        if style.foot == "lines":
            for line in lines:
                self._append([line])
        elif style.foot == "row":
            step = max(1, min(3, width // len(lines)))
            self._append([lines[i // step] if i % step == 0 else None for i in range(step * len(lines))])
        else:
            self._append(["    ".join(lines)])
            self._merge(self._line, 1, self._line, width)
        for note in NOTES[: style.notes]:
            self._append([note])


def _write_helper(book: Workbook) -> None:
    """Write the hidden sheet that a clerk's drop-down lists come from."""
    sheet = book.create_sheet("Sheet9")
    sheet.sheet_state = "hidden"
    names = [*BUDGET_TYPES, *ITEMS, "其他"]
    for place, area in enumerate(AREAS):
        append_as_typed(
            sheet, [area.name, None, names[place] if place < len(names) else None, None, 0.5 if place == 0 else None]
        )
