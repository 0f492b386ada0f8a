-- By hand, part 1: who counts, and both sides of every key of one half-year (one city with unit records). The rules are those of the
-- models; parameters are written out. Runs in the home (reads accepted/).
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
    above.unit_code is not null as is_in_ring,
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
create temp table hand_on_key as
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
        array_to_string(list_sort(string_split(string_agg(row_ids, ','), ',')), ',')
    from key where not is_t1 group by u, v
)
select
    tier, u, v, ref, contract_no, row_ids, out_wan, in_wan,
    least(out_wan, in_wan) as amount_wan,
    least(amount_wan, greatest(local_wan, 0)) as local_wan,
    least(greatest(contract_wan, 0), amount_wan - least(amount_wan, greatest(local_wan, 0))) as contract_wan
from matched;

create temp view hand_on as from hand_on_key where amount_wan > 0;

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

create temp table claim as
with rest as (
    select reason, e, r, sum(funder_wan) as funder_wan, sum(own_wan) as own_wan
    from pair where not is_t1 group by reason, e, r having sum(own_wan) > 0
),
claimed as (
    select reason, 'T1' as tier, e, r, ref, least(funder_wan, own_wan) as claimed_wan from pair where is_t1
    union all
    select reason, 'T2', e, r, '', least(funder_wan, own_wan) from rest where funder_wan > 0
    union all
    select reason, 'T3', e, r, '', own_wan - greatest(least(funder_wan, own_wan), 0) from rest where own_wan > funder_wan
),
limited as (
    select
        claimed.*,
        case when reason = 'OE' then cap_wan when tier = 'T3' then t3_limit end as limit_wan
    from claimed
    left join firm on e = firm_code
    cross join (
        select (select coalesce(sum(gov_total_wan), 0) from rows_of('finance_bureau__gov_input'))
            - (select coalesce(sum(amount_wan), 0) from payment where not is_memo) as t3_limit
    )
),
cut as (
    select reason, tier, e, r, ref, claimed_wan, claimed_wan as amount_wan from limited where limit_wan is null
    union all
    select
        reason, tier, e, r, ref, claimed_wan,
        least(claimed_wan, greatest(limit_wan - (sum(claimed_wan) over so_far - claimed_wan), 0)) as amount_wan
    from limited where limit_wan is not null
    window so_far as (partition by reason, e order by tier, r, ref rows unbounded preceding)
)
from cut;

create temp view duplicate as from claim where amount_wan > 0;
