-- The ledger of one half-year as one would write it by hand in DuckDB: one script, one city with unit records, no checks, no findings.
-- It runs in the home (reads accepted/) and leaves the table ledger. The rules are those of the models; parameters are written out.
create macro rows_of(name) as table from read_parquet('accepted/' || name || '/**/*.parquet');

-- Step 1: who counts.
create temp table firm as
select
    enterprise_code as firm_code,
    case
        when count(external_rd_institute_wan) + count(external_rd_university_wan) > 0
            then greatest(
                coalesce(sum(external_rd_institute_wan), 0) + coalesce(sum(external_rd_university_wan), 0), 0
            )
    end as cap_wan,
    string_agg(row_id, ',' order by row_id) as row_ids
from rows_of('statistics_bureau__enterprise_rd')
where frame_category = '工业'
group by enterprise_code;

create temp table performer as
with frame as (
    select 1 as rank, 'education_bureau' as provider, row_id, unit_code, area_key, parent_code, is_in_parent, sti_activity_wan
    from rows_of('education_bureau__unit')
    union all
    select 2, 'health_commission', row_id, unit_code, area_key, parent_code, is_in_parent, sti_activity_wan
    from rows_of('health_commission__unit') where is_grade_3a and is_in_rd_statistics
    union all
    select 3, 'science_bureau', row_id, unit_code, area_key, parent_code, is_in_parent, sti_activity_wan
    from rows_of('science_bureau__unit')
),
parent as (select unit_code, string_agg(row_id, ',' order by row_id) as row_ids from frame group by unit_code),
edge as (select distinct unit_code, parent_code from frame where parent_code in (select unit_code from parent)),
above as (
    with recursive walk as (
        select unit_code, parent_code from edge
        union
        select walk.unit_code, edge.parent_code from walk join edge on walk.parent_code = edge.unit_code
    )
    select distinct unit_code from walk where unit_code = parent_code
)
select
    frame.*,
    coalesce(sti_activity_wan, 0) as activity_wan,
    row_number() over same_code as nth,
    case
        when is_in_parent and parent.unit_code is not null and above.unit_code is null then 'a'
        when row_number() over same_code > 1 then 'b'
        when firm.firm_code is not null then 'c'
    end as tier,
    frame.row_id || ',' || case tier
        when 'a' then parent.row_ids when 'b' then first_value(frame.row_id) over same_code else firm.row_ids
    end as row_ids
from frame
left join parent on frame.parent_code = parent.unit_code
left join above on frame.unit_code = above.unit_code
left join firm on frame.unit_code = firm.firm_code
window same_code as (partition by frame.unit_code order by rank);

create temp table kept_unit as
select provider, unit_code, area_key, greatest(activity_wan, 0) as activity_wan from performer where tier is null;

create temp table alias as
with recursive step as (
    select unit_code, arg_min(parent_code, nth) as parent_code
    from performer
    where tier = 'a' and unit_code not in (select unit_code from kept_unit)
    group by unit_code
),
walk as (
    select unit_code, parent_code from step
    union all
    select walk.unit_code, step.parent_code from walk join step on walk.parent_code = step.unit_code
)
select unit_code, parent_code as read_as from walk where parent_code not in (select unit_code from step);

create temp view inflow as
with reported as (
    select 'education_bureau' as provider, * from rows_of('education_bureau__inflow')
    union all select 'science_bureau', * from rows_of('science_bureau__inflow')
    union all select 'health_commission', * from rows_of('health_commission__inflow')
)
select
    row_id, unit_code, fund_channel, payer_code, final_source_channel,
    coalesce(project_no, '') as project_no,
    coalesce(contract_no, '') as contract_no,
    coalesce(amount_wan, 0) as amount_wan
from reported
join kept_unit using (provider, unit_code);

create temp view payment as
select
    row_id,
    coalesce(read_as, payee_code, '') as payee_code,
    coalesce(project_no, '') as project_no,
    memo_category is not null as is_memo,
    coalesce(amount_wan, 0) as amount_wan
from rows_of('finance_bureau__gov_payment')
left join alias on payee_code = unit_code
where fund_channel is distinct from '对下转移支付';

-- Step 2: money handed on.
create temp table hand_on as
with outflow as (
    select 'education_bureau' as provider, * from rows_of('education_bureau__outflow')
    union all select 'science_bureau', * from rows_of('science_bureau__outflow')
    union all select 'health_commission', * from rows_of('health_commission__outflow')
),
side as (
    select
        outflow.unit_code as u, coalesce(read_as, payee_code, '') as v, coalesce(project_no, contract_no, '') as ref,
        row_id, coalesce(amount_wan, 0) as out_wan, 0 as in_wan, null as channel, null as contract_no
    from outflow
    join kept_unit using (provider, unit_code)
    left join alias on payee_code = alias.unit_code
    union all
    select
        coalesce(read_as, payer_code, ''), inflow.unit_code, coalesce(nullif(project_no, ''), contract_no),
        row_id, 0, amount_wan, final_source_channel, contract_no
    from inflow
    left join alias on payer_code = alias.unit_code
    where fund_channel = '单位转拨'
),
key as (
    select
        u, v, ref,
        sum(out_wan) as out_wan,
        sum(in_wan) as in_wan,
        coalesce(sum(in_wan) filter (channel in ('市县财政', '上级转移支付')), 0) as local_wan,
        coalesce(sum(in_wan) filter (channel = '企业合同'), 0) as contract_wan,
        case when min(contract_no) = max(contract_no) then nullif(min(contract_no), '') end as contract_no,
        string_agg(row_id, ',') as row_ids,
        ref <> '' and sum(out_wan) > 0 and sum(in_wan) > 0 as is_t1
    from side
    where u <> v and u in (select unit_code from kept_unit) and v in (select unit_code from kept_unit)
    group by u, v, ref
),
matched as (
    select 'T1' as tier, u, v, ref, coalesce(contract_no, ref) as contract_no, out_wan, in_wan, local_wan, contract_wan,
        array_to_string(list_sort(string_split(row_ids, ',')), ',') as row_ids
    from key where is_t1
    union all
    select 'T2', u, v, '', '', sum(out_wan), sum(in_wan), sum(local_wan), sum(contract_wan),
        string_agg(array_to_string(list_sort(string_split(row_ids, ',')), ','), ',' order by ref)
    from key where not is_t1 group by u, v
)
select
    tier, u, v, ref, contract_no, row_ids,
    least(out_wan, in_wan) as amount_wan,
    least(amount_wan, greatest(local_wan, 0)) as local_wan,
    least(greatest(contract_wan, 0), amount_wan - least(amount_wan, greatest(local_wan, 0))) as contract_wan
from matched
where amount_wan > 0;

create temp table classed as
select reason, tier, u, v, ref, sum(amount_wan) as amount_wan
from (
    select 'OG' as reason, tier, u, v, ref, local_wan as amount_wan from hand_on
    union all
    select 'OE', tier, u, v, contract_no, contract_wan from hand_on
)
where amount_wan > 0
group by all;

-- Steps 3 and 4: both sides of every key.
create temp table pair as
with declared as (
    select unit_code, project_no, sum(amount_wan) as amount_wan, string_agg(row_id, ',') as row_ids
    from inflow where fund_channel in ('市县财政', '上级转移支付') group by all
),
memo as (select payee_code as unit_code, project_no, sum(amount_wan) as memo_wan from payment where is_memo group by all),
taken as (
    select
        declared.*,
        case when project_no <> '' then greatest(least(amount_wan, coalesce(memo_wan, 0)), 0) else 0 end as taken_wan
    from declared left join memo using (unit_code, project_no)
),
memo_left as (
    select unit_code, coalesce(memo_wan, 0) - taken_wan as left_wan
    from (select unit_code, sum(taken_wan) as taken_wan from taken group by all)
    left join (select unit_code, sum(memo_wan) as memo_wan from memo group by all) using (unit_code)
),
local as (
    select
        unit_code, project_no, amount_wan, row_ids,
        case when project_no <> '' then taken_wan else greatest(least(amount_wan, left_wan), 0) end as aside_wan
    from taken join memo_left using (unit_code)
),
side as (
    select 'OG' as reason, '' as e, payee_code as r, project_no as ref, amount_wan as funder_wan, 0::decimal(20, 6) as own_wan,
        row_id as funder_ids, null::varchar as own_ids
    from payment where not is_memo and payee_code in (select unit_code from kept_unit)
    union all
    select 'OG', '', unit_code, project_no, 0, amount_wan - aside_wan, null, row_ids
    from local where aside_wan = 0 or amount_wan > aside_wan
    union all
    select 'OE', payer_code, coalesce(read_as, payee_code), coalesce(contract_no, ''), coalesce(amount_wan, 0), 0, row_id, null
    from rows_of('statistics_bureau__enterprise_contract')
    left join alias on payee_code = unit_code
    where payer_code in (select firm_code from firm) and coalesce(read_as, payee_code) in (select unit_code from kept_unit)
    union all
    select 'OE', payer_code, unit_code, contract_no, 0, amount_wan, null, row_id
    from inflow where fund_channel = '企业合同' and payer_code in (select firm_code from firm)
)
select
    reason, e, r, ref,
    sum(funder_wan) as funder_wan,
    sum(own_wan) as own_wan,
    ref <> '' and sum(funder_wan) > 0 and sum(own_wan) > 0 as is_t1,
    string_agg(funder_ids, ',') as funder_ids,
    string_agg(own_ids, ',') as own_ids
from side
group by reason, e, r, ref;

create temp table duplicate as
with rest as (
    select reason, e, r, sum(funder_wan) as funder_wan, sum(own_wan) as own_wan
    from pair where not is_t1 group by reason, e, r having sum(own_wan) > 0
),
claim as (
    select reason, 'T1' as tier, e, r, ref, least(funder_wan, own_wan) as claimed_wan from pair where is_t1
    union all
    select reason, 'T2', e, r, '', least(funder_wan, own_wan) from rest where funder_wan > 0
    union all
    select reason, 'T3', e, r, '', own_wan - greatest(least(funder_wan, own_wan), 0) from rest where own_wan > funder_wan
),
limited as (
    select
        claim.*,
        case when reason = 'OE' then cap_wan when tier = 'T3' then t3_limit end as limit_wan
    from claim
    left join firm on e = firm_code
    cross join (
        select (select coalesce(sum(gov_total_wan), 0) from rows_of('finance_bureau__gov_input'))
            - (select coalesce(sum(amount_wan), 0) from payment where not is_memo) as t3_limit
    )
),
cut as (
    select reason, tier, e, r, ref, claimed_wan as amount_wan from limited where limit_wan is null
    union all
    select
        reason, tier, e, r, ref,
        least(claimed_wan, greatest(limit_wan - (sum(claimed_wan) over so_far - claimed_wan), 0)) as amount_wan
    from limited where limit_wan is not null
    window so_far as (partition by reason, e order by tier, r, ref rows unbounded preceding)
)
from cut where amount_wan > 0;

-- Laying.
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
create table ledger as
with claim as (
    select 1 as nth, 'OO' as reason, tier, u as unit_code, '' as r, v as e, ref, amount_wan from hand_on
    union all
    select case reason when 'OG' then 2 else 3 end, reason, tier, unit_code, case when r <> unit_code then r else '' end, e, ref, laid_wan
    from (from laid_t1 union all from laid_rest)
),
capped as (
    select
        claim.* exclude (amount_wan), provider, area_key,
        least(amount_wan, greatest(activity_wan - (sum(amount_wan) over so_far - amount_wan), 0)) as removed_wan
    from claim
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
        string_agg(array_to_string(list_sort(string_split(funder_ids, ',')), ','), ',' order by ref) as funder_ids,
        string_agg(array_to_string(list_sort(string_split(own_ids, ',')), ','), ',' order by ref) as own_ids
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
