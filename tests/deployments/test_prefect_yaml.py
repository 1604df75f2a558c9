"""`prefect.yaml` as Prefect reads it: every entrypoint loads, and no schedule changes unseen."""

import inspect
from pathlib import Path

import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIG = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS = CONFIG["deployments"]
FLOWS = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__", "__main__", "flow_commands"}

SCHEDULES = {
    "collect-live/local": [],
    "transform-hour/local": ["*/5 * * * *"],
    "compact-day/local": ["30 1 * * *"],
    "backfill-binance/local": ["10 2 * * *"],
    "derivatives-hour/local": ["5 * * * *"],
    "macro-minute/local": ["*/15 * * * *"],
    "validate-rules/local": ["0 3 * * *"],
    "slice-export/local": [],
}
PARAMETERS = {
    "collect-live": ["symbols", "duration", "force"],
    "transform-hour": ["symbols", "start", "end"],
    "compact-day": ["symbols", "date"],
    "backfill-binance": ["symbols", "lookback_days", "interval", "start", "end", "source", "dry_run"],
    "derivatives-hour": ["symbols", "lookback_days", "start", "end"],
    "macro-minute": ["tickers", "lookback_days"],
    "validate-rules": ["symbols", "start", "end", "tf", "source", "report", "fetch_klines"],
    "slice-export": [
        "symbols",
        "start",
        "end",
        "out",
        "tf",
        "source",
        "format",
        "compression",
        "overwrite",
        "require_complete",
    ],
}


@pytest.fixture(scope="module")
def flows():
    """Every deployment's flow, loaded the way a worker loads it, by its name."""
    loaded = [load_flow_from_entrypoint(str(ROOT / deployment["entrypoint"])) for deployment in DEPLOYMENTS]
    return {flow.name: flow for flow in loaded}


def test_every_entrypoint_loads_and_its_schedule_is_the_contracts(flows):
    crons = {
        f"{flow}/{deployment['name']}": [schedule["cron"] for schedule in deployment["schedules"]]
        for flow, deployment in zip(flows, DEPLOYMENTS, strict=True)
    }
    assert crons == SCHEDULES


def test_every_flow_has_a_deployment_and_is_named_like_its_file(flows):
    assert {name.replace("-", "_") for name in flows} == FLOWS
    for deployment in DEPLOYMENTS:
        file, _, function = deployment["entrypoint"].partition(":")
        assert Path(file).stem == function


def test_every_schedule_is_in_utc():
    zones = {schedule["timezone"] for deployment in DEPLOYMENTS for schedule in deployment["schedules"]}
    assert zones == {"UTC"}


def test_all_are_on_the_one_pool_with_their_parameters_checked():
    for deployment in DEPLOYMENTS:
        assert deployment["work_pool"]["name"] == "crypto-lake"
        assert deployment["enforce_parameter_schema"] is True


def test_periodic_flows_wait_for_each_other_and_the_collector_depends_on_no_lease():
    limits = {d["entrypoint"].split(":")[1]: d.get("concurrency_limit") for d in DEPLOYMENTS}
    assert limits.pop("collect_live") is None
    assert all(limit == {"limit": 1, "collision_strategy": "ENQUEUE"} for limit in limits.values())


def test_no_clones_folder_is_written_down():
    """Without `pull`, `prefect deploy` notes the folder it stands in, so each clone deploys to itself."""
    assert "pull" not in CONFIG
    assert all("pull" not in deployment for deployment in DEPLOYMENTS)


def test_parameters_are_the_contracts_each_described_for_the_form(flows):
    from prefect.utilities.callables import parameter_schema

    assert {name: list(inspect.signature(flow.fn).parameters) for name, flow in flows.items()} == PARAMETERS
    for name, flow in flows.items():
        for parameter, said in parameter_schema(flow.fn).properties.items():
            assert len(said.get("description", "")) > 10, f"{name}: {parameter} is not described"


def test_the_collector_is_started_again_when_it_gives_no_sign_of_life():
    collector = next(d for d in DEPLOYMENTS if d["entrypoint"].startswith("flows/collect_live.py"))
    (trigger,) = collector["triggers"]
    every = int(collector["work_pool"]["job_variables"]["env"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
    assert trigger["posture"] == "Proactive"
    assert "prefect.flow-run.heartbeat" in trigger["expect"]
    assert trigger["within"] >= 3 * every
