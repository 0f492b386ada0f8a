"""Names that a remote side gives are not to be trusted: which of them may become a path here."""

import unicodedata

LONGEST_PART_BYTES = 200
LONGEST_PATH_BYTES = 1000
FORBIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Control, invisible and line-breaking characters: they forge lines in lists and turn ``xslx.exe`` round."""


def refusal(relative: str) -> str:
    """Return why a remote path, relative to its source's folder, is refused, as a Chinese phrase; empty when it may be used."""
    parts = relative.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "路径里有 ..、空的一段，或是绝对路径"
    if "\\" in relative:
        return "名称里有反斜杠"
    if any(unicodedata.category(character) in FORBIDDEN_CATEGORIES for character in relative):
        return "名称里有控制字符或看不见的字符"
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        return "名称不是合格的 UTF-8"
    if max(sizes) > LONGEST_PART_BYTES or sum(sizes) > LONGEST_PATH_BYTES:
        return f"名称太长（一段超过 {LONGEST_PART_BYTES} 字节，或全长超过 {LONGEST_PATH_BYTES} 字节）"
    return ""


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder is one that programs leave for themselves: ``.snapshot``, ``~$打开的表.xlsx``."""
    return name.startswith((".", "~$"))


def shown(text: str) -> str:
    """Return a name with what cannot be seen written out, so that a message is one line and says what is there; long ones cut."""
    plain = "".join(
        c if unicodedata.category(c) not in FORBIDDEN_CATEGORIES else c.encode("unicode_escape").decode() for c in text
    )
    return plain if len(plain) <= 120 else f"{plain[:100]}…（共 {len(plain)} 字）"
