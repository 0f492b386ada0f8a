-- 留下的执行单位的经费来源明细，三个部门合一：空白写 ''，单位转拨行的出资单位按步骤 1a 读，金额未填计 0。
-- reference_no 为项目编号，空白则为合同编号；final_class 为最终来源渠道的类别（只对单位转拨行有意义）。
with

inflows as (
    {% for provider in ['education_bureau', 'science_bureau', 'health_commission'] %}
        select
            row_id,
            period,
            '{{ provider }}' as provider,
            unit_code,
            fund_channel,
            payer_code,
            project_no,
            contract_no,
            amount_wan,
            final_source_channel
        from {{ ref('stg_' ~ provider ~ '__inflow') }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

kept as (
    select * from {{ ref('int_keep_performer') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

channel_classes as (
    select * from {{ ref('channel_class') }}
),

aliases as (
    select * from {{ ref('int_read_as_parent') }}
),

-- 术语“资金类别”：当期每个资金渠道属于哪一类；未列出的渠道和空白归 other
classes as (
    select
        periods.period,
        channel_classes.fund_channel,
        channel_classes.money_class
    from periods
    inner join channel_classes on {{ is_valid_in('channel_classes', 'periods') }}
)

select
    inflows.row_id,
    inflows.period,
    inflows.unit_code,
    case
        when classes.money_class = 'hand_on' then coalesce(aliases.read_as_code, inflows.payer_code, '')
        else coalesce(inflows.payer_code, '')
    end as payer_code,
    coalesce(inflows.project_no, '') as project_no,
    coalesce(inflows.contract_no, '') as contract_no,
    coalesce(inflows.project_no, inflows.contract_no, '') as reference_no,
    coalesce(classes.money_class, 'other') as money_class,
    coalesce(final_classes.money_class, 'other') as final_class,
    cast(coalesce(inflows.amount_wan, 0) as decimal(20, 6)) as amount_wan
from inflows
inner join kept
    on
        inflows.period = kept.period
        and inflows.provider = kept.provider
        and inflows.unit_code = kept.unit_code
left join classes
    on
        inflows.period = classes.period
        and inflows.fund_channel = classes.fund_channel
left join classes as final_classes
    on
        inflows.period = final_classes.period
        and inflows.final_source_channel = final_classes.fund_channel
left join aliases
    on
        inflows.period = aliases.period
        and inflows.payer_code = aliases.unit_code
