"""The bridge to Great Expectations: one pandas frame of measures in, one plain JSON result out.

The import costs seconds, so it happens inside the function, once per process. Decimals never come here: the measures
were computed exactly before, and arrive as doubles or text.
"""

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from expectations.measures import JudgeError
from expectations.rules import Rule

if TYPE_CHECKING:
    import pandas as pd

SEVERITIES = {"mandatory": "critical", "query": "warning", "note": "info"}
KEPT_FAILING_ROWS = 200
"""Row ids kept per rule in the stored result; findings are never cut."""


class ExpectationRunError(JudgeError):
    """Great Expectations could not evaluate a rule: nothing may pass."""


@lru_cache(maxsize=1)
def batches() -> Any:
    """Return the batch definition that takes any frame, in one ephemeral context per process; analytics are off."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("judge").add_dataframe_asset("measures")
    return asset.add_batch_definition_whole_dataframe("all")


def validate(suite_name: str, rules: Sequence[Rule], frame: "pd.DataFrame") -> dict[str, dict[str, Any]]:
    """Validate a frame with ``row_id`` and one column per rule (its ``check_id``); return one JSON result per rule.

    ``failing`` in each result lists the row ids, complete. A rule on the table as a whole has none. The row ids cost a
    third of the time, so only the rules that failed are run again for them.

    Raises:
        ExpectationRunError: a rule could not be evaluated.
    """
    results = _run(suite_name, rules, frame, {"result_format": "BASIC"})
    failed = [rule for rule in rules if not rule.expect.is_of_table and not results[rule.check_id]["success"]]
    if failed:
        complete = {"result_format": "COMPLETE", "unexpected_index_column_names": ["row_id"]}
        results |= _run(suite_name, failed, frame, complete)
    unnamed = [rule.check_id for rule in failed if not results[rule.check_id]["failing"]]
    if unnamed:
        raise ExpectationRunError(f"{suite_name}：规则 {'、'.join(unnamed)} 未通过，却没有指出是哪些行")
    return results


def _run(
    suite_name: str, rules: Sequence[Rule], frame: "pd.DataFrame", result_format: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    definition = batches()
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    suite = ExpectationSuite(name=suite_name)
    for rule in rules:
        column = {} if rule.expect.is_of_table else {"column": rule.check_id}
        configuration = ExpectationConfiguration(
            type=rule.expect.type,
            kwargs=column | rule.expect.arguments(rule.tolerance),
            meta={"check_id": rule.check_id},
            severity=SEVERITIES[rule.rule_class],
            notes=rule.why,
        )
        suite.add_expectation_configuration(configuration)
    batch = definition.get_batch(batch_parameters={"dataframe": frame})
    outcome = batch.validate(suite, result_format=result_format).to_json_dict()
    results = {}
    for result in outcome["results"]:
        check_id = result["expectation_config"]["meta"]["check_id"]
        if result["exception_info"].get("raised_exception", True):
            raise ExpectationRunError(f"{suite_name}：规则 {check_id} 无法核对：{result['exception_info']}")
        results[check_id] = _plain(result)
    missing = [rule.check_id for rule in rules if rule.check_id not in results]
    if missing:
        raise ExpectationRunError(f"{suite_name}：规则 {'、'.join(missing)} 没有结果")
    return results


def _plain(result: dict[str, Any]) -> dict[str, Any]:
    """Return what is worth keeping of one result: no times or batch names, so that like data give like bytes."""
    configuration, details = result["expectation_config"], result["result"]
    kept = ("element_count", "missing_count", "unexpected_count", "unexpected_percent", "observed_value")
    return {
        "success": result["success"],
        "expectation": configuration["type"],
        "kwargs": {k: v for k, v in configuration["kwargs"].items() if k != "batch_id"},
        "severity": configuration["severity"],
        "statistics": {name: details[name] for name in kept if name in details},
        "failing": [entry["row_id"] for entry in details.get("unexpected_index_list") or []],
    }


def failing_count(result: dict[str, Any]) -> int:
    """Return how many rows fail; of a large table only the first are listed."""
    return int(result.get("failing_count", len(result["failing"])))


def to_keep(result: dict[str, Any]) -> dict[str, Any]:
    """Return the result with its failing row ids cut to `KEPT_FAILING_ROWS`; the count stays."""
    return result | {"failing": result["failing"][:KEPT_FAILING_ROWS], "failing_count": failing_count(result)}
