"""The rules: the rulepack as data, Great Expectations suites made from it, Data Docs, the Markdown report, the verdict.

`expectations.validate.validate` is the way in. What does not belong here: Prefect (`tasks`, `flows`), writing bars.
Great Expectations takes seconds to import, so only the modules that `validate` imports when it is called import it.
"""
