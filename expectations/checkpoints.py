"""The checkpoint of each suite, as Great Expectations' users know it: validation definitions, and actions.

``UpdateDataDocsAction`` builds all pages anew for every result of a checkpoint; here the pages are built once, when the
last symbol-day is done (measured in `benchmarks/validation.py`). A user's own actions in the stored checkpoint
(a message to a channel, say) are kept, and run once after that with the results of the whole run.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import great_expectations as gx
from great_expectations.checkpoint import ActionContext, UpdateDataDocsAction
from great_expectations.checkpoint.checkpoint import Checkpoint, CheckpointResult
from great_expectations.core.run_identifier import RunIdentifier
from loguru import logger

from expectations import site


def current(context: Any, suite: str, definitions: Iterable[gx.ValidationDefinition]) -> Checkpoint:
    """Return the suite's checkpoint, with these validation definitions and those it has, stored."""
    wanted = {one.name: one for one in definitions}
    try:
        stored = context.checkpoints.get(suite)
    except gx.exceptions.DataContextError:
        pages = UpdateDataDocsAction(name="update_data_docs", site_names=[site.NAME])
        made = Checkpoint(name=suite, validation_definitions=list(wanted.values()), actions=[pages])
        return context.checkpoints.add(made)
    had = {one.name: one for one in stored.validation_definitions}
    if wanted.keys() <= had.keys():
        return stored
    stored.validation_definitions = list({**had, **wanted}.values())
    stored.save()
    return stored


def has_more_to_do(checkpoint: Checkpoint) -> bool:
    """Return whether a checkpoint has actions besides building pages, which need every result."""
    return any(not isinstance(action, UpdateDataDocsAction) for action in checkpoint.actions)


def act(checkpoint: Checkpoint, run: str, results: Mapping[Any, Any]) -> None:
    """Run the actions that a user has added; one that fails is logged: the validation itself is done."""
    if not results or not has_more_to_do(checkpoint):
        return
    done = CheckpointResult(run_id=RunIdentifier(run), run_results=dict(results), checkpoint_config=checkpoint)
    told = ActionContext()
    for action in checkpoint.actions:
        if isinstance(action, UpdateDataDocsAction):
            continue
        try:
            told.update(action=action, action_result=action.run(checkpoint_result=done, action_context=told))
        except Exception as error:
            logger.error(
                "checkpoint {}: action {} failed: {}: {}", checkpoint.name, action.name, type(error).__name__, error
            )
