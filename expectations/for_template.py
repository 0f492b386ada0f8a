"""The gate's rules as a template checks them: what ``sources.template`` is handed, since that room does not import this one."""

from collections.abc import Iterable
from datetime import date

from expectations.rules import NoSuiteError, load_suite
from sources.template.checks import Check


def template_checks(table_ids: Iterable[str], on: date) -> list[Check]:
    """Return the checks of the rules that hold on a day, for every table that has a suite.

    A rule without a formula is among them with an empty ``breach``: it is explained in 填报说明 all the same.
    """
    checks = []
    for table_id in table_ids:
        try:
            suite = load_suite(table_id)
        except NoSuiteError:
            continue
        for rule in suite.rules:
            if rule.is_valid_on(on) and rule.template is not None:
                checks.append(
                    Check(
                        rule_id=rule.id,
                        rule_class=rule.rule_class,
                        label=rule.label,
                        why=rule.why,
                        action=rule.action,
                        rule_table_id=table_id,
                        table_id=rule.template.at or table_id,
                        columns=rule.columns,
                        breach=rule.template.breach.replace("{tolerance}", f"{rule.tolerance:g}"),
                    )
                )
    return checks
