"""From checks to Excel formulas that Excel, WPS and LibreOffice work out alike.

In a check's formula, names in braces become cells of the row, with what is wanted of them after a colon:

=================== ===========================================================================================
``{amount_wan}``     the cell as it is
``{amount_wan:fen}`` its amount in whole fen; 0 for anything that is no number
``:value``           its number in the warehouse's unit (万元 for money)
``:known``           whether the gate would read a value in it
``:blank``           whether it is blank, or white space only; for a reference number also what stands for none
``:no_reference``    whether it holds a sign or word that stands for no number
``:day``             its date as a day number, 0 where it is none
``:all``             the column's cells on all rows; ``{other_table.column:all}`` on another sheet
``{key:repeated}``   whether the row's key stands in a row above as well
``{unit:fen}``       fen per 计量单位; ``{period:starts}``, ``{period:ends}`` the period's first and last day
=================== ===========================================================================================

18-digit codes are never compared with COUNTIF or SUMIF: those take them for numbers and look at 15 digits.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from sources.contracts import Column
from sources.finding import CLASS_LABELS, RuleClass
from sources.identifiers import ALPHABET
from sources.reference import Period
from sources.template.checks import Check, steps_of
from sources.template.form import CROSS_HEADING, OWN_HEADING, Form, SheetForm, areas_of
from sources.values import BELOW_UNIT, FEN_IN_WAN, NIL, NO_REFERENCE, WAN_PER_UNIT

TOKEN = re.compile(r"\{([a-z_0-9]+\.)?([a-z][a-z_0-9]*)(?::([a-z_]+))?\}")
ROW = "\x00"
"""Stands for the row's number in a compiled formula."""
LONGEST = 8192
"""Characters that Excel takes in one formula."""
WEIGHTS = "{1,3,9,27,19,26,16,17,20,29,25,13,8,24,10,30,28,1}"
PLACES = "{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18}"
IDEOGRAPHIC_SPACE = "\u3000"
ERROR_IN_ROW = "RD-101"
MARKS: dict[RuleClass, str] = {rule_class: label.removesuffix("性") for rule_class, label in CLASS_LABELS.items()}


class FormulaError(ValueError):
    """A check's formula names something that the form does not have, or is longer than Excel takes."""


def fen_per_unit(form: Form, column: Column | None = None) -> int:
    """Return how many fen one of the form's 计量单位 holds; a plain number is kept as finely as an amount in 万元."""
    wan = Decimal(1) if column is not None and column.type == "number" else WAN_PER_UNIT[form.unit]
    return int(wan / FEN_IN_WAN)


def _fen(form: Form, column: Column | None = None) -> str:
    """Return `fen_per_unit` as a formula writes it, in few characters (``1E10``): it stands in one some seventy times."""
    fen = fen_per_unit(form, column)
    return f"1E{len(str(fen)) - 1}" if fen >= 1000 else str(fen)


def listed(values: Sequence[str]) -> str:
    """Return the values as one text to find ``|value|`` in."""
    return '"|' + "|".join(values) + '|"'


def choices(column: Column, period: Period) -> list[str]:
    """Return what a drop-down column offers; empty for every other column."""
    if column.type == "area":
        return areas_of(period)
    return ["是", "否"] if column.type == "boolean" else list(column.values)


def own_formula(form: Form, sheet: SheetForm, checks: Sequence[Check]) -> str:
    """Return the formula of 本表校验: everything that is wrong with a row, cell by cell and then rule by rule."""
    parts = [_cell_part(form, sheet, column) for column in sheet.columns]
    parts += [_rule_part(form, sheet, check) for check in checks if not is_cross(check)]
    row = f"{sheet.first_letter}{ROW}:{sheet.last_letter}{ROW}"
    told = f'"【强制】{ERROR_IN_ROW} 本行有错误值；"'
    body = f'IF(SUMPRODUCT(--ISERROR({row}))>0,{told},IFERROR({"&".join(parts)},"【强制】别的行有错误值，无法校验；"))'
    return _measured(f'=IF(COUNTA({row})=0,"",{body})', sheet)


def cross_formula(form: Form, sheet: SheetForm, checks: Sequence[Check]) -> str:
    """Return the formula of 跨表校验, empty where no rule compares this sheet with another."""
    parts = [_rule_part(form, sheet, check) for check in checks if is_cross(check)]
    if not parts:
        return ""
    row = f"{sheet.first_letter}{ROW}:{sheet.last_letter}{ROW}"
    body = f'IFERROR({"&".join(parts)},"【强制】有错误值，无法校验；")'
    return _measured(f'=IF(COUNTA({row})=0,"",{body})', sheet)


def is_cross(check: Check) -> bool:
    """Whether the check looks at another sheet."""
    return any(table for table, _, _ in TOKEN.findall(check.breach))


def tables_named(check: Check) -> set[str]:
    """Return the tables that the check needs: its own, and those it looks at."""
    return {check.table_id, *(table.rstrip(".") for table, _, _ in TOKEN.findall(check.breach) if table)}


def _measured(formula: str, sheet: SheetForm) -> str:
    length = len(formula.replace(ROW, str(sheet.last_row)))
    if length > LONGEST:
        raise FormulaError(f"{sheet.table.table_id}：校验公式有 {length} 个字符，Excel 最多 {LONGEST} 个")
    return formula


def _said(rule_class: RuleClass, rule_id: str, text: str) -> str:
    return '"【' + MARKS[rule_class] + f"】{rule_id} " + text.replace('"', '""') + '；"'


def _rule_part(form: Form, sheet: SheetForm, check: Check) -> str:
    breach = compiled(check.breach, form, sheet)
    return f'IF({breach},{_said(check.rule_class, check.rule_id, check.label)},"")'


def _cell_part(form: Form, sheet: SheetForm, column: Column) -> str:
    """Return the nested IFs that judge one cell: the first step that is true tells."""
    formula, closing = "", ""
    for step in steps_of(column):
        text = _said(step.rule_class, step.rule, f"{column.heading}{step.says}") if step.rule else '""'
        formula += f"IF({compiled(step.breach, form, sheet, column)},{text},"
        closing += ")"
    return f'{formula}""{closing}' if formula else '""'


def compiled(breach: str, form: Form, sheet: SheetForm, this: Column | None = None) -> str:
    """Return a check's formula with cells for the names in braces, and `ROW` for the row's number.

    ``{c}`` is the cell of the column ``this``.

    Raises:
        FormulaError: a name, or what is wanted of it, is not known.
    """

    def cell(match: re.Match[str]) -> str:
        table, name, wanted = (match.group(1) or "").rstrip("."), match.group(2), match.group(3) or ""
        if (name, wanted) in (("key", "repeated"), ("unit", "fen"), ("period", "starts"), ("period", "ends")):
            return _constant(name, wanted, form, sheet, this)
        try:
            if table:
                return form.sheets[table].range_of(name, with_sheet=True)
            column = this if name == "c" and this else sheet.table.column(name)
            if wanted == "all":
                return sheet.range_of(column.name, with_sheet=False)
            return _wanted(wanted, f"{sheet.letter(column.name)}{ROW}", column, form)
        except (KeyError, StopIteration) as error:
            raise FormulaError(f"{sheet.table.table_id}：校验公式里的 {match.group(0)} 认不出") from error

    return TOKEN.sub(cell, breach)


def _constant(name: str, wanted: str, form: Form, sheet: SheetForm, this: Column | None) -> str:
    if name == "key":
        return _repeated(sheet)
    if name == "unit":
        return _fen(form, this)
    day = form.period.starts_on if wanted == "starts" else form.period.ends_on
    return f"DATE({day.year},{day.month},{day.day})"


def _repeated(sheet: SheetForm) -> str:
    """Return whether the row's key stands above as well; texts are compared as the gate does, letter by letter."""
    keys = [sheet.table.column(name) for name in sheet.table.key]
    if [column.type for column in keys] == ["uscc"]:
        letter = sheet.letter(keys[0].name)
        return f"IFERROR(MATCH({letter}{ROW},{sheet.range_of(keys[0].name, with_sheet=False)},0)<ROW()-{sheet.first_row - 1},FALSE)"
    same = []
    for column in keys:
        letter = sheet.letter(column.name)
        above = f"${letter}${sheet.first_row}:${letter}{ROW}"
        same.append(f'--EXACT(TRIM({above}&""),TRIM({letter}{ROW}&""))')
    return f"SUMPRODUCT({','.join(same)})>1"


def _wanted(wanted: str, cell: str, column: Column, form: Form) -> str:
    blank = f'TRIM(SUBSTITUTE({cell},"{IDEOGRAPHIC_SPACE}",""))=""'
    no_reference = f'ISNUMBER(FIND("|"&UPPER(TRIM({cell}))&"|",{listed(sorted(NO_REFERENCE))}))'
    if column.type == "reference" and not column.required:
        blank = f"OR({blank},{no_reference})"
    fen = f"ROUND(N({cell})*{_fen(form, column)},0)"
    # A text such as 2026/3/15 or 2026年3月15日 is a date to the gate too.
    iso = f'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(TRIM({cell}),"年","-"),"月","-"),"日",""),"/","-")'
    year = f'(1*SUBSTITUTE({cell},"年",""))'
    found = {
        "": cell,
        "blank": blank,
        "no_reference": no_reference,
        "fen": fen,
        "value": f"{fen}/1000000" if column.type in ("money", "number") else f"MAX(0,N({cell}))",
        "nil": f'ISNUMBER(FIND("|"&TRIM({cell})&"|",{listed(sorted(NIL | BELOW_UNIT))}))',
        "unlisted": f'ISERROR(FIND("|"&{cell}&"|",{listed(choices(column, form.period))}))',
        "bad_code": f'IFERROR(OR(LEN({cell})<>18,MOD(SUMPRODUCT((FIND(MID(UPPER({cell}),{PLACES},1),"{ALPHABET}")-1)'
        f"*{WEIGHTS}),31)<>0),TRUE)",
        "day": f'IF(ISNUMBER({cell}),INT({cell}),IF(MID({iso},5,1)="-",IFERROR(DATEVALUE({iso}),0),0))',
        "bad_year": f"IFERROR(OR({year}<1900,{year}>2099,{year}<>INT({year})),TRUE)",
    }
    if wanted == "known":
        return _known(cell, column, found)
    return found[wanted]


def _known(cell: str, column: Column, found: dict[str, str]) -> str:
    if column.is_number:
        return f"ISNUMBER({cell})" if column.numbers_only else f"OR(ISNUMBER({cell}),{found['nil']})"
    if column.type in ("area", "enum", "boolean"):
        return f'AND({cell}<>"",NOT({found["unlisted"]}))'
    if column.type == "date":
        return f"{found['day']}>0"
    return f"NOT({found['blank']})"


def status_formula(sheet: SheetForm, has_cross: bool) -> str:
    """Return the formula of 校验: √, ？ for 核实性, × for 强制性, nothing on an empty row."""
    told = f"{sheet.extra_letter(OWN_HEADING)}{ROW}"
    if has_cross:
        told += f"&{sheet.extra_letter(CROSS_HEADING)}{ROW}"
    row = f"{sheet.first_letter}{ROW}:{sheet.last_letter}{ROW}"
    return f'=IF(COUNTA({row})=0,"",IF(ISNUMBER(FIND("【强制】",{told})),"×",IF(ISNUMBER(FIND("【核实】",{told})),"？","√")))'


def tally_formula(sheet: SheetForm, mark: str) -> str:
    """Return the number of rows that bear a mark, as an expression without ``=``."""
    return f"SUMPRODUCT(--('{sheet.table.sheet}'!$A${sheet.first_row}:$A${sheet.last_row}=\"{mark}\"))"
