"""What in the documents follows from the code: the flow table of the README and the data dictionary (`make docs`)."""

import re
from pathlib import Path

import yaml

from lake.schemas import ALL, Schema

ROOT = Path(__file__).resolve().parent.parent
_FLOWS = re.compile(r"(<!-- flows: .*? -->\n).*?(<!-- /flows -->)", re.DOTALL)


def flow_table() -> str:
    """Return `prefect.yaml` as a Markdown table: deployment, schedule, what it does."""
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    rows = ["| deployment | schedule (UTC) | what it does |", "|---|---|---|"]
    for deployment in deployments:
        flow = deployment["entrypoint"].partition(":")[2].replace("_", "-")
        crons = ", ".join(f"`{schedule['cron']}`" for schedule in deployment["schedules"])
        when = crons or ("always on" if deployment.get("triggers") else "on demand")
        rows.append(f"| `{flow}/{deployment['name']}` | {when} | {deployment['description']} |")
    return "\n".join(rows)


def readme() -> str:
    """Return the README with the flow table as it must be."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return _FLOWS.sub(lambda match: f"{match[1]}{flow_table()}\n{match[2]}", text)


def dictionary() -> str:
    """Return the data dictionary as Markdown."""
    head = "# Data dictionary\n\nGenerated from `lake/schemas.py` by `make docs`.\n"
    return head + "".join(_table(schema) for schema in ALL)


def _table(schema: Schema) -> str:
    rows = [f"\n## {schema.name}\n\n{schema.grain}\n", "| column | type | unit | meaning |", "|---|---|---|---|"]
    for column in schema.columns:
        null = ", may be null" if column.null else ""
        rows.append(f"| `{column.name}` | {column.type}{null} | {column.unit} | {column.meaning} |")
    return "\n".join(rows) + "\n"


def write() -> None:
    """Write both files."""
    (ROOT / "README.md").write_text(readme(), encoding="utf-8", newline="\n")
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs" / "dictionary.md").write_text(dictionary(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
