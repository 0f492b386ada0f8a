"""Credit codes (统一社会信用代码) that nobody holds: right check characters, but a prefix (``MY``) never issued."""

from random import Random

from stdnum.cn.uscc import calc_check_digit

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def _organisation_check(body: str) -> str:
    """Return the ninth character of an organisation code (GB 11714), the check character inside a credit code."""
    values = (int(char, 36) for char in body)
    rest = 11 - sum(weight * value for weight, value in zip(ORGANISATION_WEIGHTS, values, strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


class CodeBook:
    """Draws codes from one random stream and never gives the same one twice."""

    def __init__(self, rng: Random) -> None:
        """Draw from ``rng``."""
        self._rng = rng
        self._given: set[str] = set()

    def draw(self, kind: str, region: str) -> str:
        """Return a new code of ``kind`` (``91`` firm, ``12`` institution, ``52`` private non-profit) in ``region``."""
        while True:
            body = "MY" + "".join(self._rng.choices(ALPHABET, k=6))
            head = kind + region + body + _organisation_check(body)
            code = head + calc_check_digit(head)
            if code not in self._given:
                self._given.add(code)
                return code
