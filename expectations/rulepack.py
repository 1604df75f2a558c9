"""The rules, in one place: what holds, why it matters, how severe it is, what to do when it does not.

Everything that names a rule (suites, Data Docs, the report, the JSON) takes its words from here. A rule is one or more
checks; the function that a check names is in `expectations.checks`. A source here is a table (`expectations.tables`).
"""

from expectations import contracted_rules, further_rules
from expectations.rule import Check, Rule

RULES: tuple[Rule, ...] = (*contracted_rules.RULES, *further_rules.RULES)


def rules(source: str) -> tuple[Rule, ...]:
    """Return the rules that apply to a source (a table, such as ``bars``), in order."""
    return tuple(rule for rule in RULES if source in rule.sources)


def checks(source: str) -> tuple[Check, ...]:
    """Return the checks of every rule that applies to a source, in order."""
    return tuple(
        check for rule in rules(source) for check in rule.checks if not check.sources or source in check.sources
    )


def rule(rule_id: str) -> Rule:
    """Return the rule with this id."""
    return next(rule for rule in RULES if rule.id == rule_id)


def check(key: str) -> Check:
    """Return the check with this key."""
    return next(check for rule in RULES for check in rule.checks if check.key == key)
