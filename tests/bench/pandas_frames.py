"""What the pandas contenders share: reading with one of two kinds of exact money, and the few steps that recur.

Money is Decimal objects, as pandas reads decimals from Parquet, or whole 10⁻⁶ 万元 in int64: exact too and much faster, but no way in
which an analyst would write it first. The steps are the same for both.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.bench.generated import PERIOD

MICRO = 1_000_000
BUREAUS = ("education_bureau", "health_commission", "science_bureau")
"""In the order in which a unit that several report is kept."""
LOCAL = ("市县财政", "上级转移支付")
KEY = ["reason", "e", "r", "ref"]
Read = Callable[..., pd.DataFrame]


@dataclass(frozen=True)
class Steps:
    """The frames on the way to the ledger that the results beside it are made of."""

    firms: pd.DataFrame
    units: pd.DataFrame
    kept_units: pd.DataFrame
    inflow_ids: pd.Series
    hand_on_keys: pd.DataFrame
    pairs: pd.DataFrame
    claimed: pd.DataFrame
    laid: pd.DataFrame
    unit_claims: pd.DataFrame
    ledger: pd.DataFrame


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


def read_units(read: Read, *columns: str) -> pd.DataFrame:
    """Return the rows of units in the frame, of the three bureaus, with provider and rank."""
    parts = []
    for rank, bureau in enumerate(BUREAUS):
        only = ["is_grade_3a", "is_in_rd_statistics"] if bureau == "health_commission" else []
        one = read(f"{bureau}__unit", *columns, *only)
        if only:
            one = one[one[only].all(axis=1)].drop(columns=only)
        parts.append(one.assign(provider=bureau, rank=rank))
    return pd.concat(parts, ignore_index=True)


def as_money(amount: pd.Series) -> pd.Series:
    """Return amounts with blanks as 0, in the kind of money they are in."""
    if amount.dtype == object:
        return amount.where(amount.notna(), Decimal(0))
    return amount.fillna(0).astype("int64")


def blankable(amount: pd.Series) -> pd.Series:
    """Return amounts in a kind that holds blanks exactly."""
    return amount if amount.dtype == object else amount.astype("Int64")


def as_float(amount: pd.Series) -> pd.Series:
    """Return amounts in 万元 as floating-point numbers, for a percentage."""
    return amount.astype(float) if amount.dtype == object else amount / MICRO


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


def identify(frame: pd.DataFrame, keys: list[str]) -> list[str]:
    """Return the identifier of each row: the hash of its period and key."""
    joined = zip(*(frame[key] for key in keys), strict=True)
    return [hashlib.md5("|".join((PERIOD, *one)).encode()).hexdigest() for one in joined]


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame, amounts (``…_wan``) as decimals."""
    amounts = [name for name in frame.columns if name.endswith("_wan")]
    table = pa.Table.from_pandas(frame.drop(columns=amounts), preserve_index=False)
    for name in amounts:
        table = table.append_column(name, to_decimal(frame[name]))
    pq.write_table(table, path)
