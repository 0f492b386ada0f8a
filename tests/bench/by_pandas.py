"""The same work in pandas, in one process, as an analyst would write it: merge, groupby, cumsum, one loop where order matters.

Here the ledger; what goes out beside it, and the checks, are in `pandas_results`.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from tests.bench.generated import PERIOD
from tests.bench.pandas_frames import (
    BUREAUS,
    KEY,
    LOCAL,
    READERS,
    Read,
    Steps,
    as_money,
    before,
    fill,
    identify,
    lookup,
    read_units,
    sums,
    write,
)
from tests.bench.pandas_laying import kept_money, lay_matched, lay_unmatched
from tests.bench.pandas_results import results


def step_1(read: Read) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Return the enterprises, all rows of units with their tier and evidence, the units that stay, and how codes are read."""
    external = ["external_rd_institute_wan", "external_rd_university_wan"]
    firms = read("statistics_bureau__enterprise_rd", "enterprise_code", "frame_category", *external)
    firms = firms[firms.frame_category == "工业"].sort_values("row_id")
    said = firms[external].notna().any(axis=1)
    caps = np.maximum(sum(as_money(firms[column]) for column in external), 0).where(said)
    firms = pd.DataFrame({"e": firms.enterprise_code, "cap": caps, "row_ids": firms.row_id})
    units = read_units(read, "unit_code", "area_key", "parent_code", "is_in_parent", "sti_activity_wan")
    units = units.sort_values(["unit_code", "rank"], ignore_index=True).assign(
        activity=lambda one: as_money(one.sti_activity_wan)
    )
    rows_of = units.sort_values("row_id").groupby("unit_code").row_id.agg(",".join)
    parents_of = units.groupby("unit_code").parent_code.agg(set).to_dict()

    def is_above_itself(code: str) -> bool:
        above: set[str] = set()
        new = parents_of[code]
        while new:
            above |= new
            new = set().union(*(parents_of.get(parent, set()) for parent in new)) - above
        return code in above

    is_known = units.parent_code.isin(rows_of.index)
    rings = [code for code in units[is_known].unit_code.unique() if is_above_itself(code)]
    units["is_in_ring"] = units.unit_code.isin(rings)
    is_a = units.is_in_parent & is_known & ~units.is_in_ring
    is_b = units.duplicated("unit_code")
    is_c = units.unit_code.isin(firms.e)
    units["tier"] = np.select([is_a, is_b, is_c], ["a", "b", "c"], default="")
    first = units.groupby("unit_code").row_id.first()
    partner = np.select(
        [is_a, is_b, is_c],
        [units.parent_code.map(rows_of), units.unit_code.map(first), units.unit_code.map(firms.set_index("e").row_ids)],
        default="",
    )
    units["e"] = np.where(is_a, units.parent_code, units.unit_code)
    units["row_ids"] = units.row_id + "," + pd.Series(partner).astype(str)
    kept = units[units.tier == ""].assign(cap=lambda one: np.maximum(one.activity, 0))
    inside = units[is_a & ~units.unit_code.isin(kept.unit_code)].drop_duplicates("unit_code")
    parent = dict(zip(inside.unit_code, inside.parent_code, strict=True))
    read_as = {}
    for code in parent:
        above = parent[code]
        while above in parent:
            above = parent[above]
        read_as[code] = above
    return firms, units, kept[["provider", "unit_code", "area_key", "cap"]], read_as


def flows(read: Read, kept: pd.DataFrame, read_as: dict[str, str]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the rows of 经费来源明细, 转拨明细 and 拨付明细 that count, blanks as ''."""

    def of_kept(table: str, *columns: str) -> pd.DataFrame:
        parts = [read(f"{bureau}__{table}", "unit_code", *columns).assign(provider=bureau) for bureau in BUREAUS]
        return pd.concat(parts, ignore_index=True).merge(kept[["provider", "unit_code"]], on=["provider", "unit_code"])

    references = ["project_no", "contract_no"]
    inflows = of_kept("inflow", "fund_channel", "payer_code", *references, "amount_wan", "final_source_channel")
    outflows = of_kept("outflow", "payee_code", *references, "amount_wan")
    payments = read(
        "finance_bureau__gov_payment", "payee_code", "project_no", "amount_wan", "fund_channel", "memo_category"
    )
    payments = payments[payments.fund_channel != "对下转移支付"].drop(columns="fund_channel")
    for frame, party in ((inflows, None), (outflows, "payee_code"), (payments, "payee_code")):
        for column in {*references, "payer_code", "payee_code"} & set(frame.columns):
            frame[column] = frame[column].fillna("")
        frame["amount_wan"] = as_money(frame.amount_wan)
        if party:
            frame[party] = frame[party].replace(read_as)
    return inflows, outflows, payments


def hand_ons(
    inflows: pd.DataFrame, outflows: pd.DataFrame, kept: pd.DataFrame, read_as: dict[str, str]
) -> pd.DataFrame:
    """Step 2: both sides per (tier, u, v, ref), what was matched, its classes and its rows."""
    handed = inflows[inflows.fund_channel == "单位转拨"]
    received = pd.DataFrame(
        {
            "u": handed.payer_code.replace(read_as),
            "v": handed.unit_code,
            "ref": handed.project_no.where(handed.project_no != "", handed.contract_no),
            "row_ids": handed.row_id,
            "in_wan": handed.amount_wan,
            "local": handed.amount_wan.where(handed.final_source_channel.isin(LOCAL), 0),
            "contract": handed.amount_wan.where(handed.final_source_channel == "企业合同", 0),
            "contract_no": handed.contract_no,
        }
    )
    sent = pd.DataFrame(
        {
            "u": outflows.unit_code,
            "v": outflows.payee_code,
            "ref": outflows.project_no.where(outflows.project_no != "", outflows.contract_no),
            "row_ids": outflows.row_id,
            "out_wan": outflows.amount_wan,
        }
    )
    both = pd.concat([received, sent], ignore_index=True)
    both = both[(both.u != both.v) & both.u.isin(kept.unit_code) & both.v.isin(kept.unit_code)].sort_values("row_ids")
    amounts = ["out_wan", "in_wan", "local", "contract"]
    both[amounts] = both[amounts].apply(as_money)
    grouped = both.groupby(["u", "v", "ref"])
    keys = grouped[amounts].sum()
    keys["row_ids"] = grouped.row_ids.agg(",".join)
    numbers = received.groupby(["u", "v", "ref"]).contract_no.agg(["min", "max"]).reindex(keys.index)
    keys["contract_no"] = numbers["min"].where((numbers["min"] == numbers["max"]) & (numbers["min"] != ""))
    keys = keys.reset_index()
    keys["contract_no"] = keys.contract_no.fillna(keys.ref)
    is_t1 = (keys.ref != "") & (keys.out_wan > 0) & (keys.in_wan > 0)
    rest = keys[~is_t1].sort_values(["u", "v", "ref"]).groupby(["u", "v"])
    t2 = rest[amounts].sum().assign(row_ids=rest.row_ids.agg(",".join)).reset_index()
    matched = pd.concat(
        [keys[is_t1].assign(tier="T1"), t2.assign(tier="T2", ref="", contract_no="")], ignore_index=True
    )
    matched["amount"] = np.minimum(matched.out_wan, matched.in_wan)
    local = np.maximum(matched.local, 0)
    contract = fill(np.maximum(matched.contract, 0), matched.amount, local)
    return matched.assign(local=np.minimum(local, matched.amount), contract=contract)


def classed_hand_ons(handed: pd.DataFrame) -> pd.DataFrame:
    """What step 2 matched, per class of money (as reason) and its number."""
    parts = []
    for reason, amount, number in (("OG", "local", "ref"), ("OE", "contract", "contract_no")):
        columns = {"tier": handed.tier, "u": handed.u, "v": handed.v, "ref": handed[number], "amount": handed[amount]}
        part = pd.DataFrame(columns).assign(reason=reason)
        parts.append(sums(part[part.amount > 0], ["reason", "tier", "u", "v", "ref"], "amount"))
    return pd.concat(parts, ignore_index=True)


def both_sides(
    read: Read,
    inflows: pd.DataFrame,
    payments: pd.DataFrame,
    kept: pd.DataFrame,
    firms: pd.DataFrame,
    read_as: dict[str, str],
) -> pd.DataFrame:
    """Steps 3 and 4: funder's and performer's sum per (reason, payer, first recipient, number), and their rows."""
    local = inflows[inflows.fund_channel.isin(LOCAL)]
    local = pd.DataFrame(
        {"r": local.unit_code, "ref": local.project_no, "own": local.amount_wan, "row_ids": local.row_id}
    )
    is_memo = payments.memo_category.notna()
    paid = payments.rename(columns={"payee_code": "r", "project_no": "ref"})
    memo = sums(paid[is_memo], ["r", "ref"], "amount_wan")
    declared = sums(local, ["r", "ref"], "own")
    aside = np.maximum(fill(declared.own, lookup(declared, memo, ["r", "ref"], "amount_wan")), 0)
    declared["aside"] = aside.where(declared.ref != "", 0)
    left = sums(memo, ["r"], "amount_wan").merge(sums(declared, ["r"], "aside"), on="r")
    left["left"] = left.amount_wan - left.aside
    blank = np.maximum(fill(declared.own, lookup(declared, left, ["r"], "left")), 0)
    declared["aside"] = declared.aside.where(declared.ref != "", blank)
    gone = declared[(declared.aside > 0) & (declared.own <= declared.aside)]
    local = local[~pd.MultiIndex.from_frame(local[["r", "ref"]]).isin(pd.MultiIndex.from_frame(gone[["r", "ref"]]))]

    contracts = read("statistics_bureau__enterprise_contract", "payer_code", "payee_code", "contract_no", "amount_wan")
    contracts = pd.DataFrame(
        {
            "e": contracts.payer_code,
            "r": contracts.payee_code.replace(read_as),
            "ref": contracts.contract_no.fillna(""),
            "funder": as_money(contracts.amount_wan),
            "row_ids": contracts.row_id,
        }
    )
    booked = inflows[inflows.fund_channel == "企业合同"]
    booked = pd.DataFrame(
        {
            "e": booked.payer_code,
            "r": booked.unit_code,
            "ref": booked.contract_no,
            "own": booked.amount_wan,
            "row_ids": booked.row_id,
        }
    )
    paid = paid[~is_memo].rename(columns={"amount_wan": "funder", "row_id": "row_ids"})
    funders = pd.concat(
        [
            paid[["r", "ref", "funder", "row_ids"]].assign(reason="OG", e=""),
            contracts[contracts.e.isin(firms.e)].assign(reason="OE"),
        ]
    )
    owns = pd.concat([local.assign(reason="OG", e=""), booked[booked.e.isin(firms.e)].assign(reason="OE")])
    sides = []
    for side, amount in ((funders[funders.r.isin(kept.unit_code)], "funder"), (owns, "own")):
        grouped = side.sort_values("row_ids").groupby(KEY, sort=False)
        sides.append(grouped[[amount]].sum().assign(**{f"{amount}_ids": grouped.row_ids.agg(",".join)}))
    pairs = sides[0].join(sides[1], how="outer").reset_index()
    amounts = ["funder", "own"]
    pairs[amounts] = pairs[amounts].apply(as_money)
    taken = declared.assign(reason="OG", e="")
    taken = taken[(taken.aside == 0) | (taken.own > taken.aside)]
    pairs["own"] -= lookup(pairs, taken, KEY, "aside")
    return pairs.assign(is_t1=(pairs.ref != "") & (pairs.funder > 0) & (pairs.own > 0))


def duplicates_of(read: Read, pairs: pd.DataFrame, firms: pd.DataFrame, payments: pd.DataFrame) -> pd.DataFrame:
    """The three tiers: what is claimed, and what of it the caps leave."""
    rest = sums(pairs[~pairs.is_t1], ["reason", "e", "r"], "funder", "own").assign(ref="")
    t1 = pairs[pairs.is_t1].assign(tier="T1", amount=lambda one: np.minimum(one.funder, one.own))
    t2 = rest.assign(tier="T2", amount=np.maximum(np.minimum(rest.funder, rest.own), 0))
    t3 = rest.assign(tier="T3", amount=np.maximum(rest.own, 0) - t2.amount)
    columns = [*KEY, "tier", "amount"]
    claims = pd.concat([t1[columns], t2[columns], t3[columns]], ignore_index=True)
    claims = claims[claims.amount > 0].sort_values(["reason", "e", "tier", "r", "ref"], ignore_index=True)
    claims["claimed"] = claims.amount
    government = as_money(read("finance_bureau__gov_input", "gov_total_wan").gov_total_wan).sum()
    room = government - payments[payments.memo_category.isna()].amount_wan.sum()
    limits = claims.merge(firms[["e", "cap"]], on="e", how="left").cap
    limits[(claims.reason == "OG") & (claims.tier == "T3")] = room
    limited = claims[limits.notna()]
    cut = fill(limited.amount, as_money(limits[limits.notna()]), before(limited, "amount", ["reason", "e"]))
    claims.loc[limited.index, "amount"] = cut
    return claims


def evidence_of(pairs: pd.DataFrame, duplicates: pd.DataFrame, handed: pd.DataFrame) -> pd.DataFrame:
    """The rows of each key, in the order in which the ledger lists them."""
    t1 = pairs[pairs.is_t1]
    t1 = t1.assign(tier="T1", row_ids=t1.funder_ids + "," + t1.own_ids)
    many = t1[t1.reason == "OE"].merge(duplicates[duplicates.tier == "T1"][KEY], on=KEY)
    many = many[many.duplicated(["reason", "r", "ref"], keep=False)].sort_values("e")
    shared = many.groupby(["reason", "r", "ref"], as_index=False).row_ids.agg(",".join).assign(tier="T1", e="")
    rest = pairs[~pairs.is_t1].sort_values("ref")
    joined = [
        rest[rest[ids].notna()].groupby(["reason", "e", "r"])[ids].agg(",".join) for ids in ("funder_ids", "own_ids")
    ]
    rest = joined[1].to_frame().join(joined[0]).reset_index().assign(ref="")
    t2 = rest[rest.funder_ids.notna()]
    parts = [
        t1,
        shared,
        t2.assign(tier="T2", row_ids=t2.funder_ids + "," + t2.own_ids),
        rest.assign(tier="T3", row_ids=rest.own_ids),
        handed.rename(columns={"u": "r", "v": "e"}).assign(reason="OO"),
    ]
    return pd.concat([part[[*KEY, "tier", "row_ids"]] for part in parts], ignore_index=True)


def ledger(read: Read) -> Steps:
    """The whole ledger, in the kind of money that is read, and what the results beside it need of the way there."""
    firms, units, kept_units, read_as = step_1(read)
    inflows, outflows, payments = flows(read, kept_units, read_as)
    keys = hand_ons(inflows, outflows, kept_units, read_as)
    handed = keys[keys.amount > 0]
    classed = classed_hand_ons(handed)
    pairs = both_sides(read, inflows, payments, kept_units, firms, read_as)
    inflow_ids = inflows.row_id
    del inflows, outflows
    claimed = duplicates_of(read, pairs, firms, payments)
    duplicates = claimed[claimed.amount > 0]
    kept = kept_money(pairs, classed)
    laid_t1 = lay_matched(duplicates, kept)
    laid = pd.concat([laid_t1, lay_unmatched(duplicates, pairs, classed, kept, laid_t1)], ignore_index=True)
    oo = pd.DataFrame(
        {
            "reason": "OO",
            "tier": handed.tier,
            "unit": handed.u,
            "r": handed.u,
            "e": handed.v,
            "ref": handed.ref,
            "laid": handed.amount,
        }
    )
    claims = pd.concat([oo, laid], ignore_index=True)
    claims["order"] = claims.reason.map({"OO": 1, "OG": 2, "OE": 3})
    claims["first"] = claims.r.where(claims.r != claims.unit, "")
    claims = claims.sort_values(["unit", "order", "tier", "e", "ref", "first"], ignore_index=True)
    claims = claims.merge(kept_units.rename(columns={"unit_code": "unit"}), on="unit", how="left")
    claims["amount"] = fill(claims.laid, claims.cap, before(claims, "laid", ["unit"]))
    proven = claims[claims.amount > 0].merge(evidence_of(pairs, duplicates, handed), on=[*KEY, "tier"], how="left")
    removed = units.assign(reason="UNIT_DUP", unit=units.unit_code, first="", ref="", amount=units.activity)
    removed = removed[(removed.tier != "") & (removed.amount > 0)]
    columns = ["reason", "tier", "provider", "unit", "area_key", "amount", "first", "e", "ref", "row_ids"]
    united = pd.concat([removed[columns], proven[columns]], ignore_index=True)
    names = ["reason", "tier", "provider", "unit_code", "area", "amount_wan", "first_recipient", "counterparty_code"]
    united.columns = pd.Index([*names, "reference_no", "evidence"])
    united["evidence"] = '["' + united.evidence.str.replace(",", '","', regex=False) + '"]'
    key = ["reason", "tier", "provider", "unit_code", "area", "first_recipient", "counterparty_code", "reference_no"]
    united["elimination_id"] = identify(united, key)
    united = united.assign(period=PERIOD, estimated=united.tier == "T3", rule_version="2026.1")
    return Steps(firms, units, kept_units, inflow_ids, keys, pairs, claimed, laid, claims, united)


def main() -> None:
    """Write what the home in the current directory gives to the folder named, by the kind of money and the scope named."""
    folder, kind, scope = sys.argv[1:]
    read = READERS[kind]
    steps = ledger(read)
    tables = {"fct_elimination": steps.ledger}
    if scope == "whole":
        tables |= results(read, steps)
    Path(folder).mkdir(exist_ok=True)
    for name, frame in tables.items():
        write(frame, Path(folder) / f"{name}.parquet")


if __name__ == "__main__":
    main()
