"""The names that workflows, clients and other software share (contract.md)."""

from typing import Final

TASK_QUEUE: Final = "gamf"


def attribution_workflow_id(attribution_id: str) -> str:
    """Return the workflow id of an attribution."""
    return f"attribution-{attribution_id}"


def block_workflow_id(block_id: str) -> str:
    """Return the workflow id of a block."""
    return f"block-{block_id}"


def departure_workflow_id(departure_id: str) -> str:
    """Return the workflow id of a physician's departure: the licence, which is public, and a number."""
    return f"departure-{departure_id}"
