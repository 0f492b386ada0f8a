-- By hand, part 2: on whose figure each duplicate falls, the caps, and the table ledger with its evidence.
create temp table kept as
select
    reason, unit_code, ref, sum(own_wan) as own_wan, sum(received_wan) as received_wan, sum(handed_wan) as handed_wan,
    greatest(sum(own_wan + received_wan - handed_wan), 0) as kept_wan
from (
    select reason, r as unit_code, ref, sum(greatest(own_wan, 0)) as own_wan, 0 as received_wan, 0 as handed_wan
    from pair group by reason, r, ref having bool_or(is_t1)
    union all
    select reason, v, ref, 0, amount_wan, 0 from classed where tier = 'T1'
    union all
    select reason, u, ref, 0, 0, amount_wan from classed where tier = 'T1'
)
group by reason, unit_code, ref;

create temp table laid_t1 as
with on_self as (
    select
        reason, e, r, ref, amount_wan,
        count(*) over (partition by reason, r, ref) as payers,
        least(amount_wan, greatest(kept_wan - (sum(amount_wan) over so_far - amount_wan), 0)) as laid_wan
    from duplicate
    join kept using (reason, ref)
    where tier = 'T1' and kept.unit_code = r
    window so_far as (partition by reason, r, ref order by e rows unbounded preceding)
),
demand as (
    select *, amount_wan - laid_wan as over_wan, sum(over_wan) over so_far - over_wan as start_wan
    from on_self where amount_wan > laid_wan
    window so_far as (partition by reason, ref order by r, e rows unbounded preceding)
),
receiver as (
    select
        kept.reason, kept.unit_code, kept.ref,
        kept_wan - coalesce(laid_wan, 0) as left_wan,
        sum(left_wan) over so_far - left_wan as start_wan
    from kept
    left join (select reason, r, ref, sum(laid_wan) as laid_wan from on_self group by all) as laid
        on kept.reason = laid.reason and kept.unit_code = laid.r and kept.ref = laid.ref
    where received_wan > 0
    window so_far as (partition by kept.reason, kept.ref order by kept.unit_code rows unbounded preceding)
)
select reason, 'T1' as tier, unit_code, r, e, ref, sum(laid_wan) as laid_wan
from (
    select reason, r as unit_code, r, e, ref, laid_wan from on_self where laid_wan > 0
    union all
    select
        reason, unit_code, r, case when payers = 1 then e else '' end, ref,
        least(d.start_wan + over_wan, v.start_wan + left_wan) - greatest(d.start_wan, v.start_wan)
    from demand as d
    join receiver as v using (reason, ref)
    where d.start_wan < v.start_wan + left_wan and v.start_wan < d.start_wan + over_wan
)
group by reason, unit_code, r, e, ref;

create temp table part as
select reason, u as unit_code, '' as ref, sum(amount_wan) as part_wan from classed where tier = 'T2' group by all
union all
select reason, unit_code, ref, handed_wan - received_wan from kept where own_wan = 0 and handed_wan > received_wan;

create temp table on_self_rest as
select
    d.reason, tier, e, d.r, amount_wan,
    least(amount_wan, greatest(
        coalesce(own_wan, 0) - coalesce(handed_wan, 0) - (sum(amount_wan) over so_far - amount_wan), 0
    )) as laid_wan
from duplicate as d
left join (select reason, r, sum(own_wan) as own_wan from pair where not is_t1 and own_wan > 0 group by all) as own
    on d.reason = own.reason and d.r = own.r
left join (select reason, unit_code, sum(part_wan) as handed_wan from part group by all) as handed
    on d.reason = handed.reason and d.r = handed.unit_code
where tier <> 'T1'
window so_far as (partition by d.reason, d.r order by tier, e rows unbounded preceding);

create temp table place as
with recursive open as (
    select reason, r, over_wan, ref, part_wan
    from (select reason, r, sum(amount_wan - laid_wan) as over_wan from on_self_rest where amount_wan > laid_wan group by all)
    join (select reason, unit_code as r, ref, part_wan from part) using (reason, r)
),
receiver as (
    select open.*, v as unit_code, amount_wan as left_wan
    from open join classed on open.reason = classed.reason and r = u
    where open.ref = '' and tier = 'T2'
    union all
    select open.*, kept.unit_code, kept_wan - coalesce(laid_wan, 0)
    from open
    join kept on open.reason = kept.reason and open.ref = kept.ref and open.r <> kept.unit_code
    left join (select reason, unit_code, ref, sum(laid_wan) as laid_wan from laid_t1 group by all) as laid
        on kept.reason = laid.reason and kept.unit_code = laid.unit_code and kept.ref = laid.ref
    where received_wan > 0 and kept_wan > coalesce(laid_wan, 0)
),
-- Who comes first takes first; the answer stands when a pass changes nothing.
pass as (
    select *, 0 as nth, 0::decimal(38, 6) as laid_wan from receiver
    union all
    select reason, r, over_wan, ref, part_wan, unit_code, left_wan, nth + 1, filled_wan
    from (
        select *, bool_or(filled_wan <> laid_wan) over (partition by reason) as has_changed
        from (
            select *, least(offered_wan, greatest(over_wan - coalesce(sum(offered_wan) over (
                partition by reason, r order by unit_code, ref rows between unbounded preceding and 1 preceding
            ), 0), 0))::decimal(38, 6) as filled_wan
            from (
                select *, least(free_wan, greatest(part_wan - coalesce(sum(free_wan) over (
                    partition by reason, r, ref order by unit_code rows between unbounded preceding and 1 preceding
                ), 0), 0)) as offered_wan
                from (
                    select *, case when ref = '' then left_wan else greatest(left_wan - coalesce(sum(laid_wan) over (
                        partition by reason, ref, unit_code order by r rows between unbounded preceding and 1 preceding
                    ), 0), 0) end as free_wan
                    from pass
                )
            )
        )
    )
    where has_changed
)
select
    reason, r, unit_code, laid_wan,
    sum(laid_wan) over (partition by reason, r order by unit_code, ref rows unbounded preceding) - laid_wan as start_wan
from (from pass qualify nth = max(nth) over (partition by reason))
where laid_wan > 0;

create temp table laid_rest as
with demand as (
    select *, amount_wan - laid_wan as over_wan, sum(over_wan) over so_far - over_wan as start_wan
    from on_self_rest where amount_wan > laid_wan
    window so_far as (partition by reason, r order by tier, e rows unbounded preceding)
)
select reason, tier, unit_code, r, e, '' as ref, sum(laid_wan) as laid_wan
from (
    select reason, tier, r as unit_code, r, e, laid_wan from on_self_rest where laid_wan > 0
    union all
    select
        reason, tier, unit_code, r, e,
        least(d.start_wan + over_wan, p.start_wan + p.laid_wan) - greatest(d.start_wan, p.start_wan)
    from demand as d
    join place as p using (reason, r)
    where d.start_wan < p.start_wan + p.laid_wan and p.start_wan < d.start_wan + over_wan
)
group by reason, tier, unit_code, r, e;

-- Step 5, and the ledger with its evidence.
create temp view unit_claim as
select 1 as nth, 'OO' as reason, tier, u as unit_code, '' as r, v as e, ref, amount_wan from hand_on
union all
select case reason when 'OG' then 2 else 3 end, reason, tier, unit_code, case when r <> unit_code then r else '' end, e, ref, laid_wan
from (from laid_t1 union all from laid_rest);

create table ledger as
with capped as (
    select
        unit_claim.* exclude (amount_wan), provider, area_key,
        least(amount_wan, greatest(activity_wan - (sum(amount_wan) over so_far - amount_wan), 0)) as removed_wan
    from unit_claim
    join kept_unit using (unit_code)
    window so_far as (partition by unit_code order by nth, tier, e, ref, r rows unbounded preceding)
),
t1 as (
    select
        reason, r, e, ref,
        array_to_string(list_sort(string_split(funder_ids, ',')), ',') || ','
        || array_to_string(list_sort(string_split(own_ids, ',')), ',') as row_ids
    from pair where is_t1
),
rest as (
    select
        reason, r, e,
        array_to_string(list_sort(string_split(string_agg(funder_ids, ','), ',')), ',') as funder_ids,
        array_to_string(list_sort(string_split(string_agg(own_ids, ','), ',')), ',') as own_ids
    from pair where not is_t1 group by reason, r, e having count(own_ids) > 0
),
evidence as (
    select reason, 'T1' as tier, r, e, ref, row_ids from t1
    union all
    select reason, 'T1', r, '', ref, string_agg(row_ids, ',' order by e)
    from t1 join duplicate using (reason, r, e, ref) where reason = 'OE' and tier = 'T1'
    group by reason, r, ref having count(*) > 1
    union all
    select reason, 'T2', r, e, '', funder_ids || ',' || own_ids from rest
    union all
    select reason, 'T3', r, e, '', own_ids from rest
    union all
    select 'OO', tier, u, v, ref, row_ids from hand_on
),
united as (
    select 'UNIT_DUP' as reason, tier, provider, unit_code, area_key, activity_wan as removed_wan, '' as r,
        case when tier = 'a' then parent_code else unit_code end as e, '' as ref, row_ids
    from performer where tier is not null
    union all
    select c.reason, c.tier, provider, unit_code, area_key, removed_wan, c.r, c.e, c.ref, row_ids
    from capped as c
    left join evidence as x
        on c.reason = x.reason and c.tier = x.tier and coalesce(nullif(c.r, ''), unit_code) = x.r and c.e = x.e and c.ref = x.ref
)
select
    '2026H1' as period,
    md5(concat_ws('|', '2026H1', reason, tier, provider, unit_code, area_key, r, e, ref)) as elimination_id,
    reason, tier, provider, unit_code, area_key as area, removed_wan::decimal(20, 6) as amount_wan, r as first_recipient,
    e as counterparty_code, ref as reference_no, '["' || replace(row_ids, ',', '","') || '"]' as evidence,
    tier = 'T3' as estimated, '2026.1' as rule_version
from united
where removed_wan > 0;
