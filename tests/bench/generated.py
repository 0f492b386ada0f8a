"""A large made-up half-year: its ledgers as the gate would accept them, a given number of rows, the same for the same number.

Ten times the rows is a city ten times as large: units, enterprises, projects and contracts grow with the ledgers.
What does not belong here: the coincidences that try every rule (`tests.elimination.cities`).
"""

from pathlib import Path

import duckdb

from sources import contracts
from sources.contracts import STATUS_SUFFIX, Table
from sources.reference import area_names
from warehouse import layers
from warehouse.paths import Home

PERIOD, DAY = "2026H1", "2026-03-15"
BUREAUS = ("education_bureau", "science_bureau", "health_commission")
ROWS_PER_UNIT, ROWS_PER_ENTERPRISE = 500, 250
FILLERS = {"date": f"date '{DAY}'", "boolean": "false", "area": "'JX-CITY'", "money": "0", "code": "'3990'"}
"""What a required column holds where the city does not say; a word otherwise."""
SHARES = {"payment": 34, "contract": 15, "local": 30, "contract_money": 13, "hand_on": 5, "other": 3}
"""Rows of each kind, % of all; the last four are 经费来源明细. 转拨明细 comes on top, a row per 单位转拨."""

PARAMETERS = """
create macro any_of(n, salt, j) as (hash(j, salt) % n::ubigint)::bigint;
-- In any 100, the first so many: how often something happens.
create macro happens(pct, salt, j) as any_of(100, salt, j) < pct;
create macro money(salt, j) as (1000 + any_of(900000, salt, j))::decimal(20, 6) / 1000::decimal(20, 6);
-- Rows come in no order of their keys, as in workbooks.
create macro shuffled(i, n) as (i * 7919 + 13) % n;
create macro unit_no(n) as '12330400U' || lpad(n::varchar, 9, '0');
create macro firm_no(n) as '91330400E' || lpad(n::varchar, 9, '0');
create macro area_of(n) as areas_of_city()[1 + n % 10];
"""

UNITS = """
create table unit as
select
    u,
    unit_no(u) as unit_code,
    u % 3 as bureau,
    area_of(u // 3) as area_key,
    u % 50 = 49 as is_in_parent,
    -- A few parents are themselves in another unit; some outside the frame.
    case when u % 50 = 49 then unit_no(case when u % 500 = 499 then u - 50 else u - 1 end) end as parent_code,
    u % 40 <> 38 as is_counted
from range({units}) t(u)
"""

PAYMENTS = """
create table payment as
select
    j,
    case
        when happens(12, 1, k) then 'OUTSIDE' || (k % 1000)
        else unit_no(any_of({units}, 2, k))
    end as payee_code,
    case when not happens(8, 3, k) then 'P' || k end as project_no,
    case when happens(3, 4, j) then -money(5, j) / 20 else money(5, j) end::decimal(20, 6) as amount_wan,
    case when happens(2, 6, k) then '产业基金' end as memo_category,
    case when happens(3, 7, k) then '对下转移支付' else '本级安排' end as fund_channel
from (select shuffled(i, {payment}) as j, j // 2 as k from range({payment}) t(i))
"""

CONTRACTS = """
create table contract as
select
    j,
    firm_no(any_of({firms}, 10, k)) as payer_code,
    unit_no(any_of({units}, 11, k)) as payee_code,
    case when not happens(6, 12, k) then 'C' || k end as contract_no,
    case when happens(2, 13, j) then -money(14, j) / 20 else money(14, j) end::decimal(20, 6) as amount_wan
from (select shuffled(i, {contract}) as j, j // 2 as k from range({contract}) t(i))
"""

INFLOWS = """
create table inflow as
with local_money as (
    -- The other side of payment k: most to the same unit under the same number, some late, cut or without a number.
    select
        j,
        unit_no(case when happens(3, 20, k) then any_of({units}, 21, k) else any_of({units}, 2, k) end) as unit_code,
        case when happens(30, 22, k) then '上级转移支付' else '市县财政' end as fund_channel,
        null as payer_code,
        case when happens(8, 3, k) or happens(4, 23, k) then null when happens(3, 24, k) then 'X' || k else 'P' || k end as project_no,
        null as contract_no,
        (money(5, j) * case when happens(10, 25, k) then 0.9 when happens(5, 26, k) then 1.2 else 1 end)::decimal(20, 6) as amount_wan,
        null as final_source_channel
    from (select shuffled(i, {local}) as j, j // 2 as k from range({local}) t(i))
),
contract_money as (
    select
        j,
        unit_no(case when happens(3, 30, k) then any_of({units}, 31, k) else any_of({units}, 11, k) end) as unit_code,
        '企业合同' as fund_channel,
        -- Some customers are outside the frame.
        case when happens(15, 32, k) then '91310000S' || (k % 5000) else firm_no(any_of({firms}, 10, k)) end as payer_code,
        null as project_no,
        case when happens(6, 12, k) or happens(4, 33, k) then null else 'C' || k end as contract_no,
        (money(14, j) * case when happens(10, 34, k) then 0.9 when happens(5, 35, k) then 1.2 else 1 end)::decimal(20, 6) as amount_wan,
        null as final_source_channel
    from (select shuffled(i, {contract_money}) as j, j // 2 as k from range({contract_money}) t(i))
),
hand_on as (
    -- Of what came under project or contract k, a part goes on to another unit, and sometimes from there once more.
    select
        j,
        unit_no(any_of({units}, 40, j)) as unit_code,
        '单位转拨' as fund_channel,
        unit_no(case
            when happens(10, 41, j) then any_of({units}, 40, j - 1)
            when is_contract then any_of({units}, 11, k)
            else any_of({units}, 2, k)
        end) as payer_code,
        case when not is_contract and not happens(15, 42, j) then 'P' || k end as project_no,
        case when is_contract and not happens(15, 42, j) then 'C' || k end as contract_no,
        ((money(43, j) * 0.4)::decimal(20, 6)) as amount_wan,
        case when happens(10, 44, j) then '其他' when is_contract then '企业合同' else '市县财政' end as final_source_channel
    from (
        select shuffled(i, {hand_on}) as j, happens(30, 45, j) as is_contract,
            any_of(case when is_contract then {contract} else {payment} end // 2, 46, j) as k
        from range({hand_on}) t(i)
    )
),
other as (
    select
        j,
        unit_no(any_of({units}, 50, j)) as unit_code,
        case when happens(50, 51, j) then '中央直拨' else '省级直拨' end as fund_channel,
        null as payer_code,
        'N' || j as project_no,
        null as contract_no,
        money(52, j)::decimal(20, 6) as amount_wan,
        null as final_source_channel
    from (select shuffled(i, {other}) as j from range({other}) t(i))
)
from local_money union all from contract_money union all from hand_on union all from other
"""

OUTFLOWS = """
create table outflow as
select
    payer_code as unit_code,
    unit_code as payee_code,
    case when not happens(5, 60, j) then project_no end as project_no,
    contract_no,
    (amount_wan * case when happens(10, 61, j) then 0.8 else 1 end)::decimal(20, 6) as amount_wan
from inflow
where fund_channel = '单位转拨' and payer_code <> unit_code and not happens(4, 62, j)
"""

TOTALS = """
create table activity as
select unit_code, sum(amount_wan) as inflow_wan
from inflow
group by unit_code;

create table commissioned as
select payer_code, sum(amount_wan) as contract_wan
from contract
group by payer_code;

create table paid as
select sum(amount_wan) as paid_wan
from payment
where memo_category is null and fund_channel <> '对下转移支付';
"""

SHEETS = {
    "finance_bureau__gov_payment": """
        select 'V' || j as voucher_no, * exclude (j) from payment
    """,
    "statistics_bureau__enterprise_contract": "select * exclude (j) from contract",
    # The ledger need not list every payment: declarations (T3) have room of 4 %, and some are cut.
    "finance_bureau__gov_input": """
        select area_key, cast(paid_wan * 0.104 as decimal(20, 6)) as gov_total_wan
        from paid, unnest(areas_of_city()) t(area_key)
    """,
    "statistics_bureau__enterprise_rd": """
        select
            enterprise_code,
            area_of(e) as area_key,
            case when e % 10 = 9 then '服务业' else '工业' end as frame_category,
            cast(coalesce(contract_wan, 0) * 5 as decimal(20, 6)) as rd_expense_wan,
            -- Most enterprises book what their contracts say and more; some less, a few leave both cells blank.
            case when e % 97 <> 0 then cast(contract_wan * case when e % 20 = 7 then 0.3 else 0.9 end as decimal(20, 6)) end
                as external_rd_university_wan,
            case when e % 97 <> 0 then cast(contract_wan * 0.3 as decimal(20, 6)) end as external_rd_institute_wan,
            cast(coalesce(contract_wan, 0) / 10 as decimal(20, 6)) as from_government_wan
        from (
            select e, firm_no(e) as enterprise_code from range({firms}) t(e)
            union all
            -- Some performers are enterprises too (UNIT_DUP c).
            select u, unit_code from unit where u % 200 = 100
        )
        left join commissioned on enterprise_code = payer_code
    """,
}
UNIT_SHEET = """
    select
        unit_code,
        area_key,
        parent_code,
        is_in_parent,
        {in_frame}
        cast(coalesce(inflow_wan, 0) * case when u % 30 = 3 then 0.5 else 1.1 end as decimal(20, 6)) as sti_activity_wan
    from unit
    left join activity using (unit_code)
    -- Some units are reported by a second bureau too (UNIT_DUP b).
    where bureau = {number} or (u % 100 = 55 and (bureau + 1) % 3 = {number})
"""


def write_city(home: Path, rows: int) -> None:
    """Write ``home/accepted/…`` for `PERIOD`: ``rows`` rows of 拨付明细, 委托研发明细 and 经费来源明细 together."""
    sizes = {kind: rows * share // 100 for kind, share in SHARES.items()}
    sizes |= {"units": max(rows // ROWS_PER_UNIT, 60), "firms": max(rows // ROWS_PER_ENTERPRISE, 120)}
    (home / "spill").mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(home / "spill" / "city.duckdb")) as connection:
        areas = [key for key in area_names() if key != "330400"]
        connection.execute(f"create macro areas_of_city() as {areas}")
        for statement in (PARAMETERS, UNITS, PAYMENTS, CONTRACTS, INFLOWS, OUTFLOWS, TOTALS):
            connection.execute(statement.format(**sizes))
        sheets = dict(SHEETS)
        for number, bureau in enumerate(BUREAUS):
            in_frame = (
                "is_counted as is_grade_3a, true as is_in_rd_statistics," if bureau == "health_commission" else ""
            )
            sheets[f"{bureau}__unit"] = UNIT_SHEET.format(number=number, in_frame=in_frame)
            for ledger in ("inflow", "outflow"):
                without = " exclude (j)" if ledger == "inflow" else ""
                sheets[f"{bureau}__{ledger}"] = (
                    f"select row_number() over ()::varchar as row_no, *{without} from {ledger} "
                    f"where right(unit_code, 9)::bigint % 3 = {number}"
                )
        layers.ensure_schemas(Home.at(home))
        for table_id, table in contracts.tables("half_year").items():
            folder = home / "accepted" / table_id
            if table_id in sheets:
                (folder / PERIOD).mkdir(exist_ok=True)
                _write_sheet(connection, table, sheets[table_id].format(**sizes), folder / PERIOD / "rows.parquet")
    for path in (home / "spill").iterdir():
        path.unlink()


def _write_sheet(connection: duckdb.DuckDBPyConnection, table: Table, query: str, path: Path) -> None:
    """Write a query's rows complete for the contract's schema, numbered as the reader numbers them."""
    given = {name for name, *_ in connection.sql(query).description}
    sheet_index = list(contracts.providers()[table.provider].tables).index(table.table_id)
    of_row = {
        "row_id": f"left(md5('{table.provider}'), 16) || ':{sheet_index}:' || row_number() over ()",
        "period": f"'{PERIOD}'",
        "file_sha256": f"md5('{table.provider}') || md5('{table.provider}')",
        "sheet_name": f"'{table.sheet}'",
        "row_number": "row_number() over () + 4",
    }
    required = {c.name: c.type for c in table.columns if c.required}
    zero = connection.from_arrow(table.schema.empty_table())
    columns = []
    for name, kind in zip(zero.columns, zero.types, strict=True):
        number = name.removesuffix(STATUS_SUFFIX)
        if name in of_row:
            value = of_row[name]
        elif name in given:
            value = name
        elif number in given:
            value = f"case when {number} is null then 'not_reported' else 'reported' end"
        elif name in required:
            value = FILLERS.get(required[name], "'样本'")
        elif number != name:
            value = "'not_reported'"
        else:
            value = "null"
        columns.append(f"cast({value} as {kind}) as {name}")
    connection.execute(
        f"copy (select {', '.join(columns)} from ({query})) to '{path}' (format parquet, compression zstd)"
    )
