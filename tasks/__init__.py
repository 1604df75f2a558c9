"""The verbs: each task is a decorator with its retry policy, a docstring, and one call into `lake` or `expectations`.

What does not belong here: arithmetic, SQL, paths. If a test must start Prefect to check it, it is in the wrong file.
"""
