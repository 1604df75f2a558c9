"""How a long piece of work tells how far it has come. Who looks, and how, is not the lake's business."""

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Told how much of the work is done (0 to 1) and what is being done."""


def quiet(done: float, what: str) -> None:
    """Show nothing."""
