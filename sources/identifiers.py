"""统一社会信用代码 (GB 32100-2015): the 18 characters that name a unit everywhere in this warehouse."""

from stdnum.cn import uscc

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100: no I, O, S, V, Z."""


def code_fault(code: str) -> str:
    """Return what is wrong with a normalised credit code, as a Chinese phrase; empty when it is valid.

    The check character is python-stdnum's; its validity test is not used, for it refuses the valid registries A, N and Y.
    """
    if len(code) != 18:
        return f"长度为{len(code)}位，应为18位"
    foreign = sorted({c for c in code if c not in ALPHABET})
    if foreign:
        return f"含有不允许的字符“{'、'.join(foreign)}”"
    if uscc.calc_check_digit(code[:-1]) != code[-1]:
        return f"校验码不符（第18位应为{uscc.calc_check_digit(code[:-1])}）"
    return ""
