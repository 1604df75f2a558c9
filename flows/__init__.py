"""The sentences: one flow a file, named like its function. `python -m flows` is the crypto-lake command.

No file here may have the name of a top-level folder, a distribution or a module of Python's own: Prefect loads a
flow as a module named after its file. Flows never import flows.
"""
