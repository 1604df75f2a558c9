"""`crypto-lake` as at a shell, without the seconds that the imports of other people's packages take each time.

A process of its own each, with the words, environment and folder that are given, forked from one that has done
nothing but import `tests.preloaded`. Where there is no fork, and for what a terminal or a signal does, Python itself is
started.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from deployments.docs import ROOT


def crypto_lake(*words, env=None, cwd=ROOT, timeout=120):
    """Run a command with nothing to read; return what `subprocess.run` would."""
    env = dict(os.environ if env is None else env)
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return subprocess.run(
            [sys.executable, "-m", "flows", *words], env=env, cwd=cwd, timeout=timeout, stdin=subprocess.DEVNULL,
            capture_output=True, encoding="utf-8",
        )  # fmt: skip
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=_become, args=(words, env, str(cwd), folder))
        process.start()
        process.join(timeout)
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
        said = [(Path(folder) / name).read_text(encoding="utf-8") for name in ("out", "err")]
    if code is None:
        raise subprocess.TimeoutExpired(words, timeout, *said)
    return subprocess.CompletedProcess(words, code, *said)


def _become(words, env, cwd, folder):
    """In the new process: stand at the shell that was asked for, and run the command."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = ["crypto-lake", *words]
    from flows.__main__ import main

    main()
