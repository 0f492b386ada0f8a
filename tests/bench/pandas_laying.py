"""The laying of the pandas contenders: on whose figure each duplicate falls."""

from typing import Any

import numpy as np
import pandas as pd

from tests.bench.pandas_frames import as_money, before, fill, lookup, sums


def kept_money(pairs: pd.DataFrame, classed: pd.DataFrame) -> pd.DataFrame:
    """kept(u, p) with its parts."""
    own = pairs.assign(own=np.maximum(pairs.own, 0)).groupby(["reason", "r", "ref"], as_index=False, sort=False)
    own = own.agg({"own": "sum", "is_t1": "any"})
    numbered = classed[classed.tier == "T1"]
    parts = [
        own[own.is_t1].drop(columns="is_t1").rename(columns={"r": "unit"}),
        numbered[["reason", "v", "ref", "amount"]].set_axis(["reason", "unit", "ref", "received"], axis=1),
        numbered[["reason", "u", "ref", "amount"]].set_axis(["reason", "unit", "ref", "handed"], axis=1),
    ]
    amounts = ["own", "received", "handed"]
    united = pd.concat(parts, ignore_index=True)
    united[amounts] = united[amounts].apply(as_money)
    kept = sums(united, ["reason", "unit", "ref"], *amounts)
    return kept.assign(kept=np.maximum(kept.own + kept.received - kept.handed, 0))


def overlaps(demands: pd.DataFrame, places: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Lay amounts end to end into places end to end, per key; both have start and length."""
    both = demands.merge(places, on=keys)
    end = np.minimum(both.start_x + both.length_x, both.start_y + both.length_y)
    both["laid"] = end - np.maximum(both.start_x, both.start_y)
    return both[both.laid > 0]


def lay_matched(duplicates: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """T1: on the first recipient, and what is over on the units that were handed the money."""
    own = duplicates[duplicates.tier == "T1"].sort_values(["reason", "r", "ref", "e"], ignore_index=True)
    as_unit = kept.rename(columns={"unit": "r"})
    key = ["reason", "r", "ref"]
    own["laid"] = fill(own.amount, lookup(own, as_unit, key, "kept"), before(own, "amount", key))
    own["payers"] = own.groupby(key, sort=False).e.transform("count")
    demands = own.assign(length=own.amount - own.laid)[own.amount > own.laid].sort_values(["reason", "ref", "r", "e"])
    demands["start"] = before(demands, "length", ["reason", "ref"])
    laid = sums(own, key, "laid").rename(columns={"r": "unit"})
    receivers = kept[kept.received > 0].sort_values(["reason", "ref", "unit"], ignore_index=True)
    receivers["length"] = receivers.kept - lookup(receivers, laid, ["reason", "unit", "ref"], "laid")
    receivers["start"] = before(receivers, "length", ["reason", "ref"])
    over = overlaps(
        demands.drop(columns=["laid", "amount", "tier"]),
        receivers[["reason", "ref", "unit", "length", "start"]],
        ["reason", "ref"],
    )
    over["e"] = over.e.where(over.payers == 1, "")
    on_self = own[own.laid > 0].assign(unit=lambda one: one.r)
    columns = ["reason", "unit", "r", "e", "ref"]
    return sums(pd.concat([on_self[[*columns, "laid"]], over[[*columns, "laid"]]]), columns, "laid").assign(tier="T1")


def lay_unmatched(
    duplicates: pd.DataFrame, pairs: pd.DataFrame, classed: pd.DataFrame, kept: pd.DataFrame, laid_t1: pd.DataFrame
) -> pd.DataFrame:
    """T2 and T3: on the first recipient, and what is over one recipient after the other."""
    numberless = sums(classed[classed.tier == "T2"], ["reason", "u"], "amount").set_axis(
        ["reason", "r", "part"], axis=1
    )
    onward = kept[(kept.own == 0) & (kept.handed > kept.received)]
    onward = onward.assign(part=onward.handed - onward.received)[["reason", "unit", "ref", "part"]].rename(
        columns={"unit": "r"}
    )
    parts = pd.concat([numberless.assign(ref=""), onward], ignore_index=True)
    own = sums(pairs[~pairs.is_t1 & (pairs.own > 0)], ["reason", "r"], "own")
    rest = duplicates[duplicates.tier != "T1"].sort_values(["reason", "r", "tier", "e"], ignore_index=True)
    room = lookup(rest, own, ["reason", "r"], "own") - lookup(
        rest, sums(parts, ["reason", "r"], "part"), ["reason", "r"], "part"
    )
    rest["laid"] = fill(rest.amount, room, before(rest, "amount", ["reason", "r"]))
    demands = rest.assign(length=rest.amount - rest.laid)[rest.amount > rest.laid]
    demands = demands.assign(start=before(demands, "length", ["reason", "r"])).drop(columns=["laid", "ref", "amount"])

    overs = sums(demands, ["reason", "r"], "length").rename(columns={"length": "over"})
    open_parts = overs.merge(parts, on=["reason", "r"])
    to_payees = classed[classed.tier == "T2"].rename(columns={"u": "r", "v": "unit", "amount": "left"})
    payees = open_parts[open_parts.ref == ""].merge(to_payees[["reason", "r", "unit", "left"]], on=["reason", "r"])
    laid = sums(laid_t1, ["reason", "unit", "ref"], "laid")
    free = kept[kept.received > 0].assign(
        left=lambda one: one.kept - lookup(one, laid, ["reason", "unit", "ref"], "laid")
    )
    holders = open_parts.merge(free[free.left > 0][["reason", "ref", "unit", "left"]], on=["reason", "ref"])
    places = pd.concat([payees, holders[holders.unit != holders.r]]).sort_values(["reason", "r", "unit", "ref"])
    taken: dict[tuple[str, str, str], Any] = {}
    part_left: dict[tuple[str, str, str], Any] = {}
    over_left: dict[tuple[str, str], Any] = {}
    got = []
    # Who comes first takes first: this does not vectorise.
    for reason, r, over, ref, part, unit, left in zip(
        *(places[c] for c in ("reason", "r", "over", "ref", "part", "unit", "left")), strict=True
    ):
        here = (reason, ref, unit) if ref else (reason, r, unit)
        amount = min(left - (taken.get(here, 0) if ref else 0), part_left.setdefault((reason, r, ref), part))
        amount = max(min(amount, over_left.setdefault((reason, r), over)), 0)
        taken[here] = taken.get(here, 0) + amount
        part_left[reason, r, ref] -= amount
        over_left[reason, r] -= amount
        got.append(amount)
    places = places.assign(length=pd.Series(got, index=places.index, dtype=places.left.dtype))
    places["start"] = before(places, "length", ["reason", "r"])
    over = overlaps(demands, places[["reason", "r", "unit", "length", "start"]], ["reason", "r"])
    on_self = rest[rest.laid > 0].assign(unit=lambda one: one.r)
    columns = ["reason", "tier", "unit", "r", "e"]
    laid_rows = pd.concat([on_self[[*columns, "laid"]], over[[*columns, "laid"]]])
    return sums(laid_rows, columns, "laid").assign(ref="")
