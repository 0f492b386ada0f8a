"""Amounts of the demo city: whole fen (分) as plain integers, and how a sum is broken into rows.

Integers make every identity exact; a sheet's unit is applied only when a cell is written.
"""

from collections.abc import Mapping
from random import Random

YUAN = 100
WAN = 10_000 * YUAN
YI = 10_000 * WAN
STEP = 100 * YUAN
"""Most amounts are whole hundreds of yuan (0.01 万元), as clerks who think in 万元 with two places write them."""


def whole(fen: float) -> int:
    """Return the nearest multiple of :data:`STEP`."""
    return round(fen / STEP) * STEP


def split(rng: Random, total: int, count: int) -> list[int]:
    """Break ``total``, a multiple of ``STEP``, into at most ``count`` positive multiples of ``STEP``."""
    if total < STEP:
        return []
    count = max(1, min(count, total // (2 * STEP)))
    weights = [rng.lognormvariate(0, 0.6) for _ in range(count)]
    scale = (total - count * STEP) / sum(weights)
    parts = [STEP + int(weight * scale) // STEP * STEP for weight in weights]
    parts[-1] += total - sum(parts)
    return parts


def split_by_mean(rng: Random, total: int, mean: int) -> list[int]:
    """Break ``total`` into rows of about ``mean`` each."""
    return split(rng, total, max(1, round(total / mean)))


def deal(rng: Random, count: int, shares: Mapping[str, float], usual: str) -> list[str]:
    """Return ``count`` cases in random order: each unusual one at its share and at least once, the rest ``usual``."""
    cases = [case for case, share in shares.items() for _ in range(max(1, round(count * share)))][:count]
    cases += [usual] * (count - len(cases))
    rng.shuffle(cases)
    return cases
