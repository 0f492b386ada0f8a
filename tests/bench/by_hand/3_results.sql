-- By hand, part 3: what goes out beside the ledger (reconciliation, findings, figures per unit and area), and the checks without which
-- nobody would put their name to it. A check that fails stops the script.
create macro must_be_empty(name, found) as case when found > 0 then error(name || ': ' || found) end;

create table reconciliation as
select
    '2026H1' as period,
    case reason when 'OG' then '330400' else e end as funder_code,
    r as performer_code,
    sum(funder_wan)::decimal(20, 6) as funder_side_wan,
    sum(own_wan)::decimal(20, 6) as performer_side_wan,
    (sum(funder_wan) - sum(own_wan))::decimal(20, 6) as difference_wan,
    case when greatest(funder_side_wan, performer_side_wan) > 0
        then abs(difference_wan)::double / greatest(funder_side_wan, performer_side_wan)::double * 100 end as difference_pct,
    case
        when abs(difference_wan) * 100 <= greatest(funder_side_wan, performer_side_wan) * 3 then 'agree'
        when abs(difference_wan) * 100 <= greatest(funder_side_wan, performer_side_wan) * 10 then 'ask'
        else 'query'
    end as band
from pair
group by reason, e, r;

create table finding as
with over_cap as (
    select unit_code, activity_wan
    from unit_claim join kept_unit using (unit_code)
    group by unit_code, activity_wan having sum(amount_wan) > activity_wan
),
unit_cap as (
    select
        reason, tier, unit_code, r, e, ref, amount_wan as claimed_wan,
        least(amount_wan, greatest(activity_wan - (sum(amount_wan) over so_far - amount_wan), 0)) as allowed_wan
    from unit_claim join over_cap using (unit_code)
    window so_far as (partition by unit_code order by nth, tier, e, ref, r rows unbounded preceding)
),
lost as (
    select reason, tier, r, e, ref, sum(claimed_wan) as claimed_wan, sum(laid_wan) as laid_wan
    from (
        select reason, tier, r, case when tier = 'T1' then '' else e end as e, ref, amount_wan as claimed_wan, 0 as laid_wan
        from duplicate
        union all
        select reason, tier, r, case when tier = 'T1' then '' else e end, ref, 0, laid_wan from (from laid_t1 union all from laid_rest)
    )
    group by reason, tier, r, e, ref having sum(claimed_wan) > sum(laid_wan)
),
rest as (
    select reason, e, r, sum(funder_wan) as funder_wan, sum(own_wan) as own_wan from pair where not is_t1 group by reason, e, r
),
performer_code as (select distinct unit_code from performer),
found as (
    select
        'PARENT_MISSING' as finding_kind, 'UNIT_DUP' as reason, 'a' as tier, provider, unit_code, area_key as area, '' as r,
        coalesce(parent_code, '') as e, '' as ref, sti_activity_wan as claimed_wan, 0::decimal(20, 6) as allowed_wan
    from performer where is_in_parent and coalesce(parent_code, '') not in (from performer_code)
    union all
    select 'OWN_PARENT', 'UNIT_DUP', 'a', provider, unit_code, area_key, '', parent_code, '', sti_activity_wan, 0
    from performer where is_in_ring
    union all
    select distinct 'OE_NO_CAP', 'OE', '', 'statistics_bureau', '', '', '', e, '', null::decimal(20, 6), null::decimal(20, 6)
    from claim join firm on e = firm_code where reason = 'OE' and cap_wan is null
    union all
    select case reason when 'OG' then 'OG_T3_LIMIT' else 'OE_CAP' end, reason, tier, '', r, '', '', e, ref, claimed_wan, amount_wan
    from claim where amount_wan < claimed_wan
    union all
    select 'LAY_FAILED', reason, tier, '', r, '', '', e, ref, claimed_wan, laid_wan from lost
    union all
    select 'UNIT_CAP', reason, tier, '', unit_code, '', r, e, ref, claimed_wan, allowed_wan from unit_cap where allowed_wan < claimed_wan
    union all
    select
        case when tier = 'T1' then 'T1_DIFFERENCE' when out_wan > in_wan then 'FUNDER_UNMATCHED' else 'PERFORMER_UNMATCHED' end,
        'OO', tier, '', u, '', '', v, ref, out_wan, in_wan
    from hand_on_key where out_wan <> in_wan and (tier = 'T1' or greatest(out_wan, in_wan) > 0)
    union all
    select 'T1_DIFFERENCE', reason, 'T1', '', r, '', '', e, ref, funder_wan, own_wan from pair where is_t1 and funder_wan <> own_wan
    union all
    select 'FUNDER_UNMATCHED', reason, 'T2', '', r, '', '', e, '', funder_wan, own_wan from rest where funder_wan > greatest(own_wan, 0)
)
select
    '2026H1' as period,
    md5(concat_ws('|', '2026H1', finding_kind, reason, tier, coalesce(nullif(found.provider, ''), k.provider, ''), unit_code,
        coalesce(nullif(area, ''), area_key, ''), r, e, ref)) as elimination_finding_id,
    finding_kind, reason, tier,
    coalesce(nullif(found.provider, ''), k.provider, '') as provider,
    unit_code,
    coalesce(nullif(area, ''), area_key, '') as area,
    r as first_recipient, e as counterparty_code, ref as reference_no,
    claimed_wan::decimal(20, 6) as claimed_wan, allowed_wan::decimal(20, 6) as allowed_wan,
    abs(claimed_wan - allowed_wan)::decimal(20, 6) as amount_wan
from found
left join kept_unit as k using (unit_code);

create table input as
with removed as (
    select provider, unit_code, area, sum(amount_wan) as eliminated_wan from ledger group by all
)
select 'government' as subject, area_key, area_key as unit_key, 1 as unit_count, gov_total_wan as gross_wan, 0::decimal(20, 6) as eliminated_wan
from rows_of('finance_bureau__gov_input')
union all
select 'enterprise', area_key, area_key, count(*), sum(rd_expense_wan), 0
from rows_of('statistics_bureau__enterprise_rd') where frame_category = '工业' group by area_key
union all
select
    case p.provider when 'education_bureau' then 'university' when 'science_bureau' then 'institute' else 'hospital' end,
    area_key, p.provider || ':' || p.unit_code, 1, sti_activity_wan, coalesce(eliminated_wan, 0)
from performer as p
left join removed on p.provider = removed.provider and p.unit_code = removed.unit_code and p.area_key = removed.area;

create table total as
select
    area_key,
    sum(gross_wan) filter (subject = 'government') as government_wan,
    sum(gross_wan) filter (subject = 'enterprise') as enterprise_wan,
    sum(gross_wan) filter (subject not in ('government', 'enterprise')) as other_gross_wan,
    sum(eliminated_wan) as other_eliminated_wan,
    sum(gross_wan - eliminated_wan) as sti_total_wan
from input
group by rollup (area_key);

-- The checks: keys, evidence, and the identities at every level.
create temp view source_row as
select row_id, period from rows_of('finance_bureau__gov_payment')
union all select row_id, period from rows_of('finance_bureau__gov_input')
union all select row_id, period from rows_of('statistics_bureau__enterprise_rd')
union all select row_id, period from rows_of('statistics_bureau__enterprise_contract')
union all select row_id, period from rows_of('education_bureau__unit')
union all select row_id, period from rows_of('education_bureau__inflow')
union all select row_id, period from rows_of('education_bureau__outflow')
union all select row_id, period from rows_of('science_bureau__unit')
union all select row_id, period from rows_of('science_bureau__inflow')
union all select row_id, period from rows_of('science_bureau__outflow')
union all select row_id, period from rows_of('health_commission__unit')
union all select row_id, period from rows_of('health_commission__inflow')
union all select row_id, period from rows_of('health_commission__outflow');

select must_be_empty('source rows twice', count(*)) from (from source_row select row_id group by all having count(*) > 1 or row_id is null);
select must_be_empty('inflows twice', count(*)) from (from inflow select row_id group by all having count(*) > 1 or row_id is null);
select must_be_empty('units twice', count(*)) from (from kept_unit select unit_code group by all having count(*) > 1);
select must_be_empty('aliases twice', count(*)) from (from alias select unit_code group by all having count(*) > 1);
select must_be_empty('ledger rows twice', count(*)) from (from ledger select elimination_id group by all having count(*) > 1);
select must_be_empty('findings twice', count(*)) from (from finding select elimination_finding_id group by all having count(*) > 1);
select must_be_empty('pairs twice', count(*))
from (from reconciliation select funder_code, performer_code group by all having count(*) > 1);
select must_be_empty('ledger values', count(*)) from ledger
where amount_wan <= 0 or evidence is null or unit_code is null or first_recipient is null or counterparty_code is null
    or reference_no is null or reason not in ('UNIT_DUP', 'OO', 'OG', 'OE') or tier not in ('a', 'b', 'c', 'T1', 'T2', 'T3');

create temp table list as
select evidence, bool_or(tier <> 'T3') as is_two_sided, string_split(substr(evidence, 3, length(evidence) - 4), '","') as row_ids
from ledger group by evidence;
select must_be_empty('evidence of one row', count(*)) from list where is_two_sided and list_min(row_ids) = list_max(row_ids);
select must_be_empty('evidence without a row', count(*))
from (select unnest(row_ids) as row_id from list)
left join source_row using (row_id)
where period is distinct from '2026H1';

select must_be_empty('net below nothing', count(*)) from input where eliminated_wan < 0 or gross_wan < eliminated_wan;
select must_be_empty('ledger is not what was eliminated', count(*))
from (
    select sum(amount_wan) as ledger_wan, sum(eliminated_wan) as input_wan
    from (
        select provider || ':' || unit_code as unit_key, provider, area, amount_wan, 0 as eliminated_wan from ledger
        union all
        select unit_key, split_part(unit_key, ':', 1), area_key, 0, eliminated_wan from input where subject not in ('government', 'enterprise')
    )
    group by grouping sets ((unit_key, area), (provider), (area), ())
)
where ledger_wan <> input_wan;
select must_be_empty('rows lost', count(*))
from (
    select count(*) as unit_count, sum(sti_activity_wan) as gross_wan
    from (
        select sti_activity_wan from rows_of('education_bureau__unit')
        union all select sti_activity_wan from rows_of('science_bureau__unit')
        union all select sti_activity_wan from rows_of('health_commission__unit') where is_grade_3a and is_in_rd_statistics
    )
    except
    select count(*), sum(gross_wan) from input where subject not in ('government', 'enterprise')
);
select must_be_empty('total is not what the ledger leaves', count(*))
from total
left join (select area, sum(amount_wan) as removed_wan from ledger group by rollup (area)) as removed on area_key is not distinct from area
where sti_total_wan <> coalesce(government_wan, 0) + coalesce(enterprise_wan, 0) + other_gross_wan - coalesce(removed_wan, 0)
    or other_gross_wan < other_eliminated_wan;
