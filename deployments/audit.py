"""Known vulnerabilities of what `requirements.lock` names: ``python -m deployments.audit``, or ``make audit``.

pip-audit is none of the lake's dependencies: it comes into an environment of its own beneath this one. Without
``--strict`` it passes what it could not look up, and with it stops at the first: so its JSON is read here.

Exit codes: 0 none is known, 1 some are, 3 the service, or pip-audit itself, could not be had: nothing is known.
"""

import json
import subprocess
import sys
import venv
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
TOOL = "pip-audit==2.10.1"
CLEAN, FOUND, UNKNOWN = 0, 1, 3


def verdict(told: str) -> tuple[int, list[str]]:
    """Return the exit code and what to say, of pip-audit's JSON."""
    try:
        found = json.loads(told)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return UNKNOWN, ["not audited: the service of known vulnerabilities gave no answer"]
    known = [(one, flaw) for one in found for flaw in one.get("vulns", ())]
    lines = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one, flaw in known
    ]
    skipped = [one for one in found if "skip_reason" in one]
    if skipped or not found:
        first = skipped[0]["skip_reason"] if skipped else "the lock is empty"
        lines.append(f"not audited: {len(skipped)} of {len(found)} distributions could not be looked up ({first})")
    return (FOUND if known else UNKNOWN if lines else CLEAN), lines or [f"{len(found)} distributions: none is known"]


def main() -> int:
    """Get pip-audit, ask it, say what it found; return the exit code."""
    folder = Path(sys.prefix) / "audit"
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    if not any(scripts.glob("pip-audit*")):
        venv.create(folder, with_pip=True)
        install = [str(scripts / "python"), "-m", "pip", "install", "--quiet", TOOL]
        if subprocess.run(install, capture_output=True, check=False).returncode:  # noqa: S603
            return _say(UNKNOWN, [f"not audited: {TOOL} could not be installed"])
    ask = ["--disable-pip", "--require-hashes", "-r", str(LOCK), "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run([str(scripts / "pip-audit"), *ask], capture_output=True, text=True, check=False)  # noqa: S603
    return _say(*verdict(done.stdout))


def _say(code: int, lines: list[str]) -> int:
    for line in lines:
        sys.stdout.write(f"audit: {line}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
