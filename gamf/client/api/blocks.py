"""Blocks: requested, decided on, and how each is."""

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from gamf.client import deciding, looking
from gamf.client.api.call import Call, Called, Sent
from gamf.client.api.values import (
    PAGE_LIMIT,
    AfterBlock,
    AttributionReference,
    BlockInPath,
    Limit,
    SortBlocks,
)
from gamf.client.changes import MOST
from gamf.client.reading import BlockSummary, Page
from gamf.domain.block import BlockState
from gamf.domain.facts import Licence, Text
from gamf.domain.orders import Listing, order_of
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import UseCase
from gamf.storage.lists import BlockFilter

if TYPE_CHECKING:
    from gamf.client.asking import View

router = APIRouter(tags=["blocks"])
_ANSWERS: Final = frozenset({UseCase.LIST_ACCEPTED, UseCase.LIST_REFUSED})


class BlockAsked(BaseModel):
    """A request for a block (R3): for which physician, of how many patients (R4)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    physician: Annotated[Licence, Field(examples=["90002"])]
    size: Annotated[int, Field(ge=1, le=1_000_000, strict=True, examples=[20])]


class BlockDecision(BaseModel):
    """What is decided on a list: the same names as the signals of `Block`; a refusal and a withdrawal have a reason.

    An answer may except some of the list, who are answered the other way (A4).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Literal["approved", "withdrawn", "list_accepted", "list_refused"]
    reason: Text | None = None
    excepted: Annotated[
        tuple[AttributionReference, ...],
        Field(alias="except", max_length=MOST, description="attributions of the list, for an answer only"),
    ] = ()


@router.get("/blocks")
async def list_blocks(
    call: Called,
    physician: Licence | None = None,
    state: BlockState | None = None,
    sort: SortBlocks = None,
    after: AfterBlock = None,
    limit: Limit = PAGE_LIMIT,
) -> Page[BlockSummary]:
    """List the account's blocks, each with how many of its list are in each state, the latest first unless sorted."""
    async with call.desk.pool.acquire() as conn:
        only = BlockFilter(physician, state)
        return await looking.summarize_blocks(
            conn, call.seat, only, order=order_of(Listing.BLOCKS, sort), after=after, limit=limit
        )


@router.get("/blocks/{block_id}")
async def show_block(call: Called, block_id: BlockInPath) -> dict[str, Any]:
    """Give the block's view, with its list."""
    return await looking.show_block(call.desk, call.seat, block_id)


@router.post("/blocks", status_code=201, response_model=dict[str, Any])
async def request_block(call: Sent, asked: BlockAsked) -> Response:
    """Ask for a block and wait for the draw; give the block's view. Without a key, the same twice is two blocks."""
    return await call.answer(
        lambda: deciding.request_block(call.desk, call.seat, asked.physician, asked.size),
        201,
        repeatable=False,
    )


@router.post("/blocks/{block_id}/decisions", response_model=dict[str, Any])
async def decide(call: Sent, block_id: BlockInPath, decided: BlockDecision) -> Response:
    """Approve or withdraw a drawn list, or give the physician's answer to it; give the block's view."""
    return await call.answer(lambda: _decide(call, block_id, decided))


async def _decide(call: Call, block_id: str, decided: BlockDecision) -> "View":
    use_case = UseCase(decided.decision)
    if not decided.excepted:
        return await deciding.record_on_block(call.desk, call.seat, block_id, use_case, decided.reason)
    if use_case not in _ANSWERS:
        raise RefusedByRuleError(
            "form",
            "Seule une réponse du médecin excepte quelqu’un.",
            "Only the physician’s answer excepts anybody.",
            "except",
        )
    return await deciding.answer_block_except(
        call.desk, call.seat, block_id, use_case, decided.excepted, decided.reason or ""
    )
