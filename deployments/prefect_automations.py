"""Automations of Prefect's, made from the files in `deployments/automations`; made again, each is there once."""

from importlib.resources import files
from typing import Any

import yaml

from deployments.prefect_api import Api
from lake.errors import BadInputError

_BLOCK = "@@NOTIFY_BLOCK@@"


def put(api: Api, block: str | None) -> list[str]:
    """Make every automation, or bring it up to date; return their names.

    Args:
        api: The server.
        block: The block that is told of failures, such as ``slack-webhook/alerts`` (type and name as the UI has them),
            or None: then nobody is told.

    Raises:
        BadInputError: there is no such block, or it can send no message.
        LakeError: the server does not answer, or refuses one.
    """
    known, done = api.automations(), []
    for wanted in _all(api, block):
        api.put_automation(known.get(wanted["name"]), wanted)
        done.append(wanted["name"])
    return done


def _all(api: Api, block: str | None) -> list[dict[str, Any]]:
    texts = [
        path.read_text(encoding="utf-8")
        for path in sorted(files("deployments").joinpath("automations").iterdir(), key=lambda path: path.name)
        if path.name.endswith(".yaml")
    ]
    document = _document(api, block) if block else None
    wanted = [text.replace(_BLOCK, document or "") for text in texts if document or _BLOCK not in text]
    return [dict(yaml.safe_load(text)) for text in wanted]


def _document(api: Api, block: str) -> str:
    kind, _, name = block.partition("/")
    found = api.block_document(kind, name)
    if found is None:
        raise BadInputError(
            f"notify.block {block!r}: Prefect has no such block: make it in the UI (Blocks), and name it as TYPE/NAME, "
            "such as slack-webhook/alerts"
        )
    if "notify" not in found["block_schema"]["capabilities"]:
        raise BadInputError(
            f"notify.block {block!r}: a block of this type cannot send messages (custom-webhook can, webhook cannot): "
            "make one of another type in the UI (Blocks)"
        )
    return str(found["id"])
