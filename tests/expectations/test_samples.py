"""The sample workbooks through the reader and the judge, as a run takes them."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from expectations.judge import judge, judge_workbook, load_suite
from sources.manifest import Manifest
from sources.workbook import read_workbook

FAULTY = {
    "date-outside-period": ("拨付明细", "J9", "query"),
    "enterprise-code-twice": ("规上企业研发费用", "A28", "mandatory"),
    "external-exceeds-rd": ("规上企业研发费用", "J4", "mandatory"),
    "external-not-sum-of-parts": ("规上企业研发费用", "J8", "mandatory"),
    "gov-area-twice": ("政府科技创新投入", "A14", "mandatory"),
    "gov-items-exceed-total": ("政府科技创新投入", "B6", "mandatory"),
    "gov-negative-amount": ("政府科技创新投入", "K9", "mandatory"),
    "gov-total-not-sum-of-budgets": ("政府科技创新投入", "B7", "mandatory"),
    "handed-on-without-number": ("经费来源明细", "G5", "query"),
    "inflow-exceeds-source-column": ("经费来源明细", "J39", "mandatory"),
    "last-source-missing": ("经费来源明细", "L5", "query"),
    "ledger-exceeds-summary": ("拨付明细", "K4", "mandatory"),
    "memo-with-budget-type": ("拨付明细", "C28", "query"),
    "unit-code-twice": ("科技活动费用", "A11", "mandatory"),
    "unit-its-own-parent": ("科技活动费用", "D6", "mandatory"),
    "unit-total-not-sum-of-sources": ("科技活动费用", "F5", "mandatory"),
    "voucher-twice": ("拨付明细", "A13", "mandatory"),
}


def read(workbook: Path, folder: Path) -> tuple[dict[str, Path], dict[str, Manifest]]:
    tables = read_workbook(workbook).tables
    relations = {table_id: folder / f"{table_id}.parquet" for table_id in tables}
    for table_id, reading in tables.items():
        pq.write_table(reading.rows, relations[table_id])
    return relations, {table_id: reading.manifest for table_id, reading in tables.items()}


@pytest.mark.parametrize("name", FAULTY)
def test_each_faulty_sample_gives_exactly_its_fault_at_its_cell(samples: Path, tmp_path: Path, name: str) -> None:
    relations, manifests = read(samples / "faulty" / f"{name}.xlsx", tmp_path)
    sheet, cell, rule_class = FAULTY[name]
    table_id = next(t for t, manifest in manifests.items() if manifest.sheet == sheet)
    found = judge(load_suite(table_id), relations=relations, manifests=manifests).findings
    assert [(f.cell, f.rule_class) for f in found if f.rule_class != "note"] == [(cell, rule_class)]


def test_good_samples_have_no_mandatory_finding_and_a_handful_of_queries(samples: Path, tmp_path: Path) -> None:
    workbooks = [read(workbook, tmp_path) for workbook in sorted((samples / "2026H1").glob("*.xlsx"))]
    found = [f for workbook in workbooks for verdict in judge_workbook(*workbook) for f in verdict.findings]
    assert len(workbooks) == 5
    assert [f for f in found if f.rule_class == "mandatory"] == []
    queries = [f for f in found if f.rule_class == "query"]
    assert 0 < len(queries) < 10
    assert {f.rule_id for f in queries} <= {"INF-003", "CON-002"}
