"""What must hold for the reading of any city: identities, limits, and the text's metamorphic properties.

Each property runs on some 200 random cities and says what it needs to hold exactly.
"""

import random
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import given, settings

from tests.elimination.cities import random_city
from tests.elimination.drawn import (
    SEEDS,
    below_caps,
    cities,
    drawn,
    half_year,
    lines,
    plus,
    with_activity,
    with_government,
)
from tests.elimination.matching import NIL
from tests.elimination.result import Removal, Result
from tests.elimination.rows import Tables

LEDGERS = ("gov_payment", "enterprise_contract", "inflow", "outflow")
NEW_PROJECT = "P-NEW"


# ---- identities and limits


def check_levels(city: Tables) -> None:
    result = half_year(city)
    removed: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for removal in result.ledger:
        assert removal.amount_wan > 0
        assert removal.evidence
        for level in ((removal.provider, removal.unit_code), (removal.provider, "area", removal.area), ("city",)):
            removed[level] += removal.amount_wan
    assert len({removal.key for removal in result.ledger}) == len(result.ledger)
    for key, net in result.net.items():
        assert net >= 0
        assert result.gross[key] == net + removed[key]
    for (provider, area), figures in result.by_sector.items():
        assert figures["O_net"] >= 0
        assert figures["O_gross"] == figures["O_net"] + removed[provider, "area", area]
    assert result.city("O_gross") == result.city("O_net") + removed["city",] == sum(result.gross.values())
    assert result.city("total") == result.city("G") + result.city("E") + result.city("O_net")
    assert sum(result.by_tier().values()) == removed["city",]


def test_every_level_adds_up() -> None:
    for seed in SEEDS:
        check_levels(drawn(seed)[0])


@settings(max_examples=40, deadline=None)
@given(cities())
def test_every_level_of_any_city_adds_up(city: Tables) -> None:
    check_levels(city)


def test_no_enterprise_and_no_declared_tier_passes_its_limit() -> None:
    for seed in SEEDS:
        city, result = drawn(seed)
        for one in city.get("statistics_bureau__enterprise_rd", []):
            columns = (one["external_rd_institute_wan"], one["external_rd_university_wan"])
            if columns != (None, None):
                of_e = [r for r in result.ledger if (r.reason, r.counterparty_code) == ("OE", one["enterprise_code"])]
                assert sum(r.amount_wan for r in of_e) <= sum(filter(None, columns)), seed
        paid = [
            p["amount_wan"]
            for p in city.get("finance_bureau__gov_payment", [])
            if not p["memo_category"] and p["fund_channel"] != "对下转移支付"
        ]
        declared = result.by_tier().get(("OG", "T3"), NIL)
        assert declared <= max(NIL, result.city("G") - sum(paid, NIL)), seed


def test_what_was_found_can_always_be_laid() -> None:
    """Money handed on is somewhere: kept and h are taken from the same step-2 amounts, so nothing is ever left over."""
    for seed in SEEDS:
        assert "LAY_FAILED" not in drawn(seed)[1].findings_by_kind(), seed


# ---- the text's metamorphic properties


def test_permuting_rows_changes_nothing() -> None:
    for seed in SEEDS:
        city, result = drawn(seed)
        rng = random.Random(seed)
        shuffled = {table_id: rng.sample(rows, len(rows)) for table_id, rows in city.items()}
        again = half_year(shuffled)
        assert set(again.ledger) == set(result.ledger), seed
        assert Counter(again.findings) == Counter(result.findings), seed
        assert again.by_area == result.by_area, seed


def test_splitting_a_row_of_a_ledger_in_two_changes_nothing() -> None:
    for seed in SEEDS:
        city, result = drawn(seed)
        rng = random.Random(seed)
        split: Tables = {}
        for table_id, rows in city.items():
            is_ledger = table_id.split("__")[1] in LEDGERS
            for one in rows:
                # The part may be more than the whole; the other part is negative then.
                part = Decimal(rng.randint(-3, 30)) / 2 if is_ledger and rng.random() < 0.5 else None
                whole = (
                    [one]
                    if part is None
                    else [
                        one | {"amount_wan": part},
                        one | {"amount_wan": one["amount_wan"] - part, "row_id": one["row_id"] + "b"},
                    ]
                )
                split.setdefault(table_id, []).extend(whole)
        again = half_year(split)
        assert lines(again) == lines(result), seed
        assert Counter(again.findings) == Counter(result.findings), seed
        assert again.by_area == result.by_area, seed


def test_thousands_and_ten_thousands_of_yuan_give_the_same() -> None:
    for seed in SEEDS:
        city, result = drawn(seed)
        in_thousands = {
            table_id: [{k: v * 10 if isinstance(v, Decimal) else v for k, v in one.items()} for one in rows]
            for table_id, rows in city.items()
        }
        again = half_year(in_thousands)
        assert lines(again) == lines(result, scale=10), seed
        assert again.findings_by_kind() == result.findings_by_kind(), seed


def test_a_new_matched_payment_with_a_new_project_raises_the_total_by_it() -> None:
    """Needs a remaining performer and a project number that no ledger bears; caps may bind: the unit's own grows along."""
    tried = 0
    for seed in SEEDS:
        city, result = drawn(seed)
        for code, (bureau, _) in result.remaining.items():
            x = Decimal(random.Random(seed).randint(1, 40))
            grown = with_government(with_activity(city, code, bureau, x), x)
            paid = {"payee_code": code, "project_no": NEW_PROJECT, "amount_wan": x, "fund_channel": "本级安排"}
            booked = {"unit_code": code, "project_no": NEW_PROJECT, "amount_wan": x, "fund_channel": "市县财政"}
            again = half_year(plus(grown, finance_bureau__gov_payment=paid, **{f"{bureau}__inflow": booked}))
            assert again.city("total") - result.city("total") == x, (seed, code)
            tried += 1
    assert tried >= 200


def test_a_new_shanghai_contract_raises_the_total_by_it() -> None:
    """Needs a remaining unit whose cap cuts nothing (and no cut of its sector by the bureau's sums); any contract number."""
    tried = 0
    for seed in SEEDS:
        city, result = drawn(seed)
        cut = {remark.subject[0] for remark in result.findings if remark.kind in ("UNIT_CAP", "BUREAU_CAP")}
        for code, (bureau, _) in result.remaining.items():
            if code not in cut and bureau not in cut:
                x = Decimal(random.Random(seed).randint(1, 40))
                booked = {
                    "unit_code": code,
                    "contract_no": random.Random(seed).choice(["C1-0", "C-NEW"]),
                    "payer_code": "91310000MYSHANGHAI",
                    "amount_wan": x,
                    "fund_channel": "企业合同",
                }
                again = half_year(plus(with_activity(city, code, bureau, x), **{f"{bureau}__inflow": booked}))
                assert again.city("total") - result.city("total") == x, (seed, code)
                tried += 1
    assert tried >= 200


def test_a_new_hand_on_of_matched_money_does_not_change_the_total() -> None:
    """Needs units below their caps, money that T1 laid on its first recipient, and a pair without rows of its own yet."""
    tried = 0
    for seed in SEEDS:
        city = below_caps(random_city(random.Random(seed)))
        result = half_year(city)
        rng = random.Random(seed)
        for removal in result.ledger:
            u = removal.unit_code
            others = [v for v in result.remaining if v != u and (u, v) not in result.hand_on_pairs]
            if removal.reason in ("OG", "OE") and removal.tier == "T1" and not removal.first_recipient and others:
                after = half_year(_with_hand_on(city, result, removal, rng.choice(others), rng))
                assert after.city("total") == result.city("total"), (seed, removal)
                tried += 1
    assert tried >= 200


def _with_hand_on(city: Tables, result: Result, removal: Removal, v: str, rng: random.Random) -> Tables:
    (payer_bureau, u), (payee_bureau, _) = result.remaining[removal.unit_code], result.remaining[v]
    x = min(removal.amount_wan, Decimal(rng.randint(1, 30)))
    column, channel = ("project_no", "市县财政") if removal.reason == "OG" else ("contract_no", "企业合同")
    flow = {column: removal.reference_no, "amount_wan": x}
    into = {"unit_code": v, "payer_code": u, "fund_channel": "单位转拨", "final_source_channel": channel}
    out_of = {"unit_code": u, "payee_code": v}
    rows = {f"{payer_bureau}__outflow": out_of | flow, f"{payee_bureau}__inflow": into | flow}
    return plus(with_activity(city, v, payee_bureau, x), **rows)


def test_moving_a_matched_payment_into_the_memo_items_does_not_change_the_total() -> None:
    """Needs units below their caps and a payment that is all of its key on both sides; part of it may have been handed on."""
    tried = 0
    for seed in SEEDS:
        city = below_caps(random_city(random.Random(seed)))
        rng = random.Random(seed)
        units = list(half_year(city).remaining.items())
        for code, (bureau, _) in rng.sample(units, min(2, len(units))):
            x = Decimal(rng.randint(1, 40))
            v, (to_bureau, _) = rng.choice(units)
            on = {"project_no": NEW_PROJECT, "amount_wan": Decimal(rng.randint(1, 40))}
            rows: dict[str, list[dict[str, Any]]] = {}
            for table_id, values in (
                (f"{bureau}__inflow", {"unit_code": code, "fund_channel": "市县财政", "amount_wan": x}),
                (f"{bureau}__outflow", {"unit_code": code, "payee_code": v, **on}),
                (
                    f"{to_bureau}__inflow",
                    {"unit_code": v, "payer_code": code, "fund_channel": "单位转拨"}
                    | {"final_source_channel": "市县财政", **on},
                ),
            ):
                rows.setdefault(table_id, []).append({"project_no": NEW_PROJECT} | values)
            paid = {"payee_code": code, "project_no": NEW_PROJECT, "amount_wan": x, "fund_channel": "本级安排"}
            in_g = half_year(plus(with_government(city, x), finance_bureau__gov_payment=paid, **rows))
            memo = paid | {"memo_category": "产业基金"}
            beside = half_year(plus(city, finance_bureau__gov_payment=memo, **rows))
            assert in_g.city("G") - beside.city("G") == x
            assert in_g.city("total") == beside.city("total"), (seed, code)
            tried += 1
    assert tried >= 200
