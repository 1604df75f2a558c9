"""The sentences: one flow a file, named like its function.

`flow_commands` has each as a command, `__main__` all of crypto-lake's commands, for ``python -m flows``.

No file here may have the name of a top-level folder, a distribution or a module of Python's own: Prefect loads a
flow as a module named after its file. Flows never import flows.
"""

import os
import sys

os.environ.setdefault("DO_NOT_TRACK", "1")  # on a terminal, importing Prefect 3.8 tells Amplitude of a new user

if sys.version_info < (3, 11):  # noqa: UP036  one line, where importing anything else would end in a traceback
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(f"crypto-lake: Python {found} is too old, expected 3.11 to 3.13: install one, remove .venv, make install")

import tasks  # noqa: F401  before Prefect: it keeps the files of the current folder out of its settings
