"""统一社会信用代码 (GB 32100-2015): the 18 characters that name a unit everywhere in this warehouse."""

import re

from stdnum.cn import uscc

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100: no I, O, S, V, Z."""

SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]{1,2}")
"""What a spreadsheet shows of an 18-digit number, saved as text: ``9.13304E+17``."""

ORGANISATION_CODE = re.compile(r"[0-9A-Z]{8}-?[0-9X]")
"""The older 组织机构代码 (GB 11714), 8 characters and a check character; it stands inside the credit code."""

MISTAKEN = str.maketrans("OISZV", "0152U")
"""Letters that GB 32100 leaves out because they are taken for digits; the one they stand for is suggested, never put in."""


def code_fault(code: str) -> str:
    """Return what is wrong with a normalised credit code, as a Chinese phrase; empty when it is valid.

    The check character is python-stdnum's; its validity test is not used, for it refuses the valid registries A, N and Y.
    """
    if SCIENTIFIC.fullmatch(code):
        return "是科学计数法，18位代码的后几位已经丢失"
    if len(code) != 18 and ORGANISATION_CODE.fullmatch(code):
        return "是9位的组织机构代码，应填18位统一社会信用代码"
    if len(code) != 18:
        return f"长度为{len(code)}位，应为18位"
    foreign = sorted({c for c in code if c not in ALPHABET})
    if foreign:
        meant = code.translate(MISTAKEN)
        hint = f"，是不是 {meant}" if set(meant) <= set(ALPHABET) and not code_fault(meant) else ""
        return f"含有不允许的字符“{'、'.join(foreign)}”{hint}"
    if uscc.calc_check_digit(code[:-1]) == code[-1]:
        return ""
    if code.isdigit() and code.endswith("000"):
        return "校验码不符，末三位是000：多半按数值存过，后几位已经丢失"
    return f"校验码不符（第18位应为{uscc.calc_check_digit(code[:-1])}）"
