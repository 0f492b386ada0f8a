"""Text as people type it, made comparable: white space, full-width forms, symbols.

No Unicode normal form is used on values: NFKC would turn ``10²`` into ``102`` and ``…`` into ``...``. Only the full-width ASCII
block is folded to half width.
"""

import os
import re
import unicodedata
from functools import lru_cache

FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
FILLERS = "\u115f\u1160\u3164\uffa0"
_BRACKETED = re.compile(r"[(\[【〔{<《][^)\]】〕}>》]*[)\]】〕}>》]?")
WHITE_SPACE = re.compile(r"[\s\u200b\u200c\u200d\ufeff\u00ad]+")


def fold_width(text: str) -> str:
    """Return the text with full-width ASCII forms as half-width ones (``（１）`` → ``(1)``)."""
    return text.translate(FULL_WIDTH)


def squeeze(text: str) -> str:
    """Return the text without any white space, zero-width characters included."""
    return WHITE_SPACE.sub("", text)


def label_of(value: object) -> str:
    """Return a cell as a label that compares: text, white space out, full-width forms folded; empty for no text."""
    return _label(value) if isinstance(value, str) else "" if value is None else squeeze(str(value))


@lru_cache(maxsize=65536)
def _label(text: str) -> str:
    # The same few areas, categories and codes fill a ledger's columns.
    return squeeze(fold_width(text))


def code_of(text: str) -> str:
    """Return a code or reference number as it compares: white space out, half-width, upper case."""
    return label_of(text).upper()


def person_of(name: str) -> str:
    """Return a person's name as it compares: letters and digits alone, of one width and case, without what stands in brackets behind it.

    One person may be typed 张三, 张　三, 张三（预算处）or with signs that nobody sees; whoever explains a figure and whoever accepts it must be
    two, so that what may be one person counts as one. Empty where no name is left.
    """
    kept = _letters(unicodedata.normalize("NFKC", name))
    return _letters(_BRACKETED.sub("", unicodedata.normalize("NFKC", name))) or kept


def _letters(text: str) -> str:
    # Fillers are letters to Unicode, and seen by nobody.
    return "".join(c for c in text if c.isalnum() and c not in FILLERS).casefold()


def clean(text: str) -> str:
    """Return free text trimmed, with control characters out."""
    return CONTROL.sub("", text).strip("\u3000\u200b\ufeff \t\r\n")


def shown_name(name: str) -> str:
    """Return a file's name fit to be shown and stored; see `visible`. Names that old Windows tools wrote in GB18030 come out as they were meant."""
    try:
        name.encode()
    except UnicodeEncodeError:
        name = os.fsencode(name).decode("gb18030", errors="replace")
    return visible(name)


def visible(text: str, kept: str = "\u3000") -> str:
    """Return a text in which what cannot be seen, moves a terminal's cursor or reorders text is its visible code: a line break ``<000a>``.

    ``kept`` are characters to leave as they are.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else f"<{ord(c):04x}>" for c in text)
