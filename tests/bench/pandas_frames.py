"""What the pandas contenders share: reading with one of two kinds of exact money, and the few steps that recur.

Money is Decimal objects, as pandas reads decimals from Parquet, or whole 10⁻⁶ 万元 in int64: exact too and much faster, but no way in
which an analyst would write it first. The steps are the same for both.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.bench.generated import PERIOD

MICRO = 1_000_000
LOCAL = ("市县财政", "上级转移支付")
KEY = ["reason", "e", "r", "ref"]
Read = Callable[..., pd.DataFrame]


def _table(table_id: str, columns: tuple[str, ...]) -> pa.Table:
    return pq.read_table(Path("accepted") / table_id / PERIOD / "rows.parquet", columns=["row_id", *columns])


def read_decimal(table_id: str, *columns: str) -> pd.DataFrame:
    """Read one accepted table; amounts as Decimal objects, a blank amount as None."""
    return _table(table_id, columns).to_pandas()


def read_integer(table_id: str, *columns: str) -> pd.DataFrame:
    """Read one accepted table; amounts as Int64 of 10⁻⁶ 万元, a blank amount as NA."""
    table = _table(table_id, columns)
    names = []
    for at, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            micro = pc.cast(pc.multiply(table[at], pa.scalar(MICRO, pa.decimal128(7, 0))), pa.int64())
            table = table.set_column(at, field.name, micro)
            names.append(field.name)
    frame = table.to_pandas()
    return frame.astype(dict.fromkeys(names, "Int64"))


READERS: dict[str, Read] = {"decimal": read_decimal, "integer": read_integer}


def as_money(amount: pd.Series) -> pd.Series:
    """Return amounts with blanks as 0, in the kind of money they are in."""
    if amount.dtype == object:
        return amount.where(amount.notna(), Decimal(0))
    return amount.fillna(0).astype("int64")


def to_decimal(amount: pd.Series) -> pa.Array:
    """Return amounts as decimal(20, 6) 万元."""
    if amount.dtype == object:
        return pa.array(amount, pa.decimal128(20, 6))
    exact = pc.divide(pc.cast(pa.array(amount), pa.decimal128(25, 6)), pa.scalar(MICRO, pa.decimal128(7, 0)))
    return pc.cast(exact, pa.decimal128(20, 6))


def before(frame: pd.DataFrame, amount: str, keys: list[str]) -> pd.Series:
    """Return what stands before each row in its group; the frame is in the order of its groups."""
    running = frame[amount].cumsum() - frame[amount]
    return running - running.groupby([frame[key] for key in keys], sort=False).transform("first")


def fill(amount: pd.Series, limit: pd.Series, taken: pd.Series | int = 0) -> pd.Series:
    """Return what of each amount finds room below the limit after what was taken."""
    return np.minimum(amount, np.maximum(limit - taken, 0))


def sums(frame: pd.DataFrame, keys: list[str], *amounts: str) -> pd.DataFrame:
    """Return the sums of some columns per key."""
    return frame.groupby(keys, as_index=False, sort=False)[list(amounts)].sum()


def lookup(frame: pd.DataFrame, other: pd.DataFrame, keys: list[str], column: str) -> pd.Series:
    """Return a column of another frame by key, 0 where it has no such key."""
    found = frame[keys].merge(other[[*keys, column]], on=keys, how="left")[column]
    return as_money(found).set_axis(frame.index)
