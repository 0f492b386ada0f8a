"""What goes out beside the ledger in pandas (reconciliation, findings, figures per unit and area), and the checks.

The same tables and the same checks as ``by_hand/3_results.sql``; a check that fails stops the program.
"""

import sys

import numpy as np
import pandas as pd

from tests.bench.generated import PERIOD
from tests.bench.pandas_frames import (
    BUREAUS,
    Read,
    Steps,
    as_float,
    as_money,
    blankable,
    identify,
    lookup,
    read_units,
    sums,
)

SUBJECTS = {"education_bureau": "university", "science_bureau": "institute", "health_commission": "hospital"}
SHEETS = [
    "finance_bureau__gov_payment",
    "finance_bureau__gov_input",
    "statistics_bureau__enterprise_rd",
    "statistics_bureau__enterprise_contract",
    *(f"{bureau}__{table}" for bureau in BUREAUS for table in ("unit", "inflow", "outflow")),
]
REASONS, TIERS = ["UNIT_DUP", "OO", "OG", "OE"], ["a", "b", "c", "T1", "T2", "T3"]


def reconciliation_of(pairs: pd.DataFrame) -> pd.DataFrame:
    """What the payer says beside what the performer says, per couple."""
    found = sums(pairs, ["reason", "e", "r"], "funder", "own")
    difference, larger = found.funder - found.own, np.maximum(found.funder, found.own)
    share = as_float(difference.abs()) / as_float(larger).where(larger > 0) * 100
    is_agreed, is_asked = (difference.abs() * 100 <= larger * pct for pct in (3, 10))
    return pd.DataFrame(
        {
            "period": PERIOD,
            "funder_code": found.e.where(found.reason != "OG", "330400"),
            "performer_code": found.r,
            "funder_side_wan": found.funder,
            "performer_side_wan": found.own,
            "difference_wan": difference,
            "difference_pct": share,
            "band": np.select([is_agreed, is_asked], ["agree", "ask"], default="query"),
        }
    )


def frame_faults(units: pd.DataFrame) -> list[pd.DataFrame]:
    """Parents that nobody reports, and units that are above themselves."""
    rows = units.assign(claimed=units.sti_activity_wan, allowed=units.activity * 0, area=units.area_key)
    rows = rows.assign(reason="UNIT_DUP", tier="a", e=rows.parent_code.fillna(""))
    is_missing = rows.is_in_parent & ~rows.parent_code.isin(rows.unit_code)
    return [
        rows[is_missing].assign(finding_kind="PARENT_MISSING"),
        rows[rows.is_in_ring].assign(finding_kind="OWN_PARENT"),
    ]


def cuts(steps: Steps) -> list[pd.DataFrame]:
    """What the caps cut off, what could not be laid, and what is over a unit's own figure."""
    claimed = steps.claimed
    uncapped = claimed[(claimed.reason == "OE") & claimed.e.isin(steps.firms[steps.firms.cap.isna()].e)]
    no_cap = uncapped[["e"]].drop_duplicates().assign(reason="OE", tier="", provider="statistics_bureau")
    cut = claimed[claimed.amount < claimed.claimed].drop(columns=["claimed", "amount"])
    cut = cut.assign(
        claimed=claimed.claimed,
        allowed=claimed.amount,
        unit_code=cut.r,
        r="",
        finding_kind=np.where(cut.reason == "OG", "OG_T3_LIMIT", "OE_CAP"),
    )
    key = ["reason", "tier", "r", "e", "ref"]
    to_lay, laid = (one.assign(e=one.e.where(one.tier != "T1", "")) for one in (claimed, steps.laid))
    to_lay = sums(to_lay, key, "amount")
    to_lay["allowed"] = lookup(to_lay, sums(laid, key, "laid"), key, "laid")
    lost = to_lay[to_lay.amount > to_lay.allowed].rename(columns={"amount": "claimed", "r": "unit_code"})
    over = steps.unit_claims[steps.unit_claims.amount < steps.unit_claims.laid]
    over = over.drop(columns=["r", "provider", "area_key"])
    over = over.rename(columns={"unit": "unit_code", "first": "r", "laid": "claimed", "amount": "allowed"})
    return [
        no_cap.assign(finding_kind="OE_NO_CAP"),
        cut,
        lost.assign(finding_kind="LAY_FAILED"),
        over.assign(finding_kind="UNIT_CAP"),
    ]


def differences_of(keys: pd.DataFrame, pairs: pd.DataFrame) -> list[pd.DataFrame]:
    """Both sides of one key that differ, and sides that are alone."""
    is_t1 = keys.tier == "T1"
    handed = keys[(keys.out_wan != keys.in_wan) & (is_t1 | (keys.out_wan > 0) | (keys.in_wan > 0))]
    more = np.where(handed.out_wan > handed.in_wan, "FUNDER_UNMATCHED", "PERFORMER_UNMATCHED")
    handed = handed.assign(reason="OO", finding_kind=np.where(handed.tier == "T1", "T1_DIFFERENCE", more))
    matched = pairs[pairs.is_t1 & (pairs.funder != pairs.own)].assign(tier="T1", finding_kind="T1_DIFFERENCE")
    rest = sums(pairs[~pairs.is_t1], ["reason", "e", "r"], "funder", "own")
    rest = rest[rest.funder > np.maximum(rest.own, 0)].assign(tier="T2", finding_kind="FUNDER_UNMATCHED")
    return [
        handed.rename(columns={"u": "unit_code", "v": "e", "out_wan": "claimed", "in_wan": "allowed"}),
        *(one.rename(columns={"r": "unit_code", "funder": "claimed", "own": "allowed"}) for one in (matched, rest)),
    ]


def findings_of(steps: Steps) -> pd.DataFrame:
    """All findings, one row each."""
    names = ["finding_kind", "reason", "tier", "provider", "unit_code", "area", "r", "e", "ref", "claimed", "allowed"]
    parts = []
    for part in (*frame_faults(steps.units), *cuts(steps), *differences_of(steps.hand_on_keys, steps.pairs)):
        amounts = part.columns.intersection(["claimed", "allowed"])
        parts.append(part.assign(**{name: blankable(part[name]) for name in amounts}).filter(names))
    found = pd.concat(parts, ignore_index=True).reindex(columns=names)
    texts = [name for name in names if name not in ("claimed", "allowed")]
    found[texts] = found[texts].fillna("")
    kept = found[["unit_code"]].merge(steps.kept_units, on="unit_code", how="left")
    for name, of_unit in (("provider", kept.provider), ("area", kept.area_key)):
        found[name] = found[name].where(found[name] != "", of_unit.fillna(""))
    is_known = found.claimed.notna()
    found["amount"] = (found.claimed[is_known] - found.allowed[is_known]).abs()
    found["elimination_finding_id"] = identify(found, texts)
    names = {"r": "first_recipient", "e": "counterparty_code", "ref": "reference_no"}
    amounts = {name: f"{name}_wan" for name in ("claimed", "allowed", "amount")}
    return found.assign(period=PERIOD).rename(columns=names | amounts)


def input_of(read: Read, units: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """What each subject put in before and what was removed: per area, and per unit of the three bureaus."""
    government = read("finance_bureau__gov_input", "area_key", "gov_total_wan")
    government = government.rename(columns={"gov_total_wan": "gross_wan"}).assign(subject="government", unit_count=1)
    firms = read("statistics_bureau__enterprise_rd", "area_key", "frame_category", "rd_expense_wan")
    firms = firms[firms.frame_category == "工业"].assign(rd_expense_wan=lambda one: as_money(one.rd_expense_wan))
    firms = firms.groupby("area_key", as_index=False).agg(
        gross_wan=("rd_expense_wan", "sum"), unit_count=("rd_expense_wan", "size")
    )
    others = units.rename(columns={"sti_activity_wan": "gross_wan"}).assign(unit_count=1)
    others["subject"] = others.provider.map(SUBJECTS)
    key = ["provider", "unit_code", "area_key"]
    removed = sums(ledger.rename(columns={"area": "area_key"}), key, "amount_wan")
    others["eliminated_wan"] = lookup(others, removed, key, "amount_wan")
    others["unit_key"] = others.provider + ":" + others.unit_code
    names = ["subject", "area_key", "unit_key", "unit_count", "gross_wan", "eliminated_wan"]
    of_areas = (one.assign(unit_key=one.area_key) for one in (government, firms.assign(subject="enterprise")))
    found = pd.concat([*of_areas, others], ignore_index=True)[names]
    return found.assign(eliminated_wan=as_money(found.eliminated_wan))


def totals_of(inputs: pd.DataFrame) -> pd.DataFrame:
    """The figures per area and, as ``''``, of the city."""
    kind = inputs.subject.where(inputs.subject.isin(["government", "enterprise"]), "other_gross") + "_wan"
    by_area = inputs.assign(kind=kind, gross_wan=as_money(inputs.gross_wan))
    gross = by_area.groupby(["area_key", "kind"]).gross_wan.sum().unstack().apply(as_money)
    totals = gross.assign(other_eliminated_wan=by_area.groupby("area_key").eliminated_wan.sum())
    totals.loc[""] = totals.sum()
    before = totals.government_wan + totals.enterprise_wan + totals.other_gross_wan
    return totals.assign(sti_total_wan=before - totals.other_eliminated_wan).reset_index()


def must_be_empty(name: str, is_wrong: pd.Series) -> None:
    """Stop when a row is wrong."""
    if count := int(is_wrong.sum()):
        sys.exit(f"{name}: {count}")


def check_keys(source_rows: pd.DataFrame, steps: Steps, findings: pd.DataFrame, reconciliation: pd.DataFrame) -> None:
    """Every key is there once, and the ledger's values are among those it may have."""
    couple = ["funder_code", "performer_code"]
    keys = {
        "source rows": source_rows.row_id,
        "inflows": steps.inflow_ids,
        "units": steps.kept_units.unit_code,
        "ledger rows": steps.ledger.elimination_id,
        "findings": findings.elimination_finding_id,
    }
    for name, key in keys.items():
        must_be_empty(f"{name} twice", key.duplicated() | key.isna())
    must_be_empty("pairs twice", reconciliation.duplicated(couple))
    ledger = steps.ledger
    filled = ["evidence", "unit_code", "first_recipient", "counterparty_code", "reference_no"]
    is_listed = ledger.reason.isin(REASONS) & ledger.tier.isin(TIERS)
    must_be_empty("ledger values", (ledger.amount_wan <= 0) | ledger[filled].isna().any(axis=1) | ~is_listed)


def check_evidence(source_rows: pd.DataFrame, ledger: pd.DataFrame) -> None:
    """Every row that the ledger names is one of this half-year's, and two sides are two rows."""
    lists = ledger[["evidence"]].assign(is_two_sided=ledger.tier != "T3").groupby("evidence").is_two_sided.any()
    lists = lists.reset_index()
    rows = lists.evidence.str.slice(2, -2).str.split('","').explode().astype("str").rename("row_id")
    must_be_empty("evidence of one row", lists.is_two_sided & (rows.groupby(level=0).nunique() == 1))
    found = rows.to_frame().merge(source_rows, on="row_id", how="left")
    must_be_empty("evidence without a row", found.period.isna() | (found.period != PERIOD))


def check_identities(read: Read, ledger: pd.DataFrame, inputs: pd.DataFrame, totals: pd.DataFrame) -> None:
    """What the ledger removes is what is missing between gross and net: per unit, bureau, area and in the city."""
    gross = as_money(inputs.gross_wan)
    must_be_empty("net below nothing", (inputs.eliminated_wan < 0) | (gross < inputs.eliminated_wan))
    others = inputs[~inputs.subject.isin(["government", "enterprise"])]
    both = pd.concat(
        [
            pd.DataFrame(
                {
                    "unit_key": ledger.provider + ":" + ledger.unit_code,
                    "area_key": ledger.area,
                    "provider": ledger.provider,
                    "ledger": ledger.amount_wan,
                }
            ),
            pd.DataFrame(
                {
                    "unit_key": others.unit_key,
                    "area_key": others.area_key,
                    "provider": others.unit_key.str.split(":").str[0],
                    "input": others.eliminated_wan,
                }
            ),
        ]
    )
    both = both.assign(ledger=as_money(both.ledger), input=as_money(both.input), city="")
    for keys in (["unit_key", "area_key"], ["provider"], ["area_key"], ["city"]):
        levels = sums(both, keys, "ledger", "input")
        must_be_empty("ledger is not what was eliminated", levels.ledger != levels.input)
    reported = read_units(read, "sti_activity_wan")
    is_lost = (len(reported) != len(others)) | (as_money(reported.sti_activity_wan).sum() != gross[others.index].sum())
    must_be_empty("rows lost", pd.Series([is_lost]))
    removed = ledger.groupby("area").amount_wan.sum().rename("removed")
    removed.loc[""] = removed.sum()
    removed = lookup(totals, removed.rename_axis("area_key").reset_index(), ["area_key"], "removed")
    left = totals.government_wan + totals.enterprise_wan + totals.other_gross_wan - removed
    is_wrong = (totals.sti_total_wan != left) | (totals.other_gross_wan < totals.other_eliminated_wan)
    must_be_empty("total is not what the ledger leaves", is_wrong)


def results(read: Read, steps: Steps) -> dict[str, pd.DataFrame]:
    """Return the tables beside the ledger after all checks."""
    reconciliation, findings = reconciliation_of(steps.pairs), findings_of(steps)
    inputs = input_of(read, steps.units, steps.ledger)
    totals = totals_of(inputs)
    source_rows = pd.concat([read(sheet, "period") for sheet in SHEETS], ignore_index=True)
    check_keys(source_rows, steps, findings, reconciliation)
    check_evidence(source_rows, steps.ledger)
    check_identities(read, steps.ledger, inputs, totals)
    return {
        "fct_reconciliation": reconciliation,
        "fct_elimination_finding": findings,
        "fct_input": inputs,
        "total": totals,
    }
