"""Attributions: how each is, its letters, and the facts reported about them, one by one or in bulk."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from gamf.client import bulk, deciding, looking
from gamf.client.api.call import Called, Sent
from gamf.client.api.values import (
    PAGE_LIMIT,
    AfterAttribution,
    AttributionInPath,
    BlockReference,
    FactSent,
    FactsSent,
    Limit,
    NameInPath,
    SortAttributions,
)
from gamf.client.bulk import ItemOutcome, Reported
from gamf.client.reading import AttributionView, LetterView, Page
from gamf.domain.facts import Instant, Licence
from gamf.domain.orders import Listing, order_of
from gamf.domain.states import State
from gamf.storage.lists import AttributionFilter

router = APIRouter(tags=["attributions"])


@router.get("/attributions")
async def list_attributions(
    call: Called,
    state: State | None = None,
    physician: Licence | None = None,
    block: BlockReference | None = None,
    due_before: Annotated[Instant | None, Query(description="RFC 3339, with an offset")] = None,
    sort: SortAttributions = None,
    after: AfterAttribution = None,
    limit: Limit = PAGE_LIMIT,
) -> Page[AttributionView]:
    """List the account's attributions, by deadline with `due_before`, else by reference, unless sorted."""
    only = AttributionFilter(state, physician, block, due_before=due_before)
    async with call.desk.pool.acquire() as conn:
        return await looking.list_attributions(
            conn, call.seat, only, order=order_of(Listing.ATTRIBUTIONS, sort), after=after, limit=limit
        )


@router.get("/attributions/{attribution_id}")
async def show_attribution(call: Called, attribution_id: AttributionInPath) -> dict[str, Any]:
    """Give the attribution's view, as its workflow has it, with its patient, block, priority and vulnerability."""
    return await looking.show_attribution(call.desk, call.seat, attribution_id)


@router.post("/attributions/{attribution_id}/facts", response_model=dict[str, Any])
async def record_fact(call: Sent, attribution_id: AttributionInPath, sent: FactSent) -> Response:
    """Report a fact; give the attribution's new view, or the same one for a fact taken before."""
    return await call.answer(
        lambda: deciding.record_fact(call.desk, call.seat, attribution_id, sent.fact, sent.argument())
    )


@router.post("/facts", response_model=tuple[ItemOutcome, ...])
async def record_facts(call: Sent, sent: FactsSent) -> Response:
    """Report facts in bulk, such as the SV of a block or the MF of a week; give what became of each."""
    items = [Reported(each.attribution_id, each.fact, each.argument()) for each in sent.facts]
    return await call.answer(lambda: bulk.record_facts(call.desk, call.seat, items))


@router.get("/attributions/{attribution_id}/letters")
async def list_letters(call: Called, attribution_id: AttributionInPath) -> tuple[LetterView, ...]:
    """List what is known of an attribution's letters, not what they say."""
    async with call.desk.pool.acquire() as conn:
        return await looking.list_letters(conn, call.seat, attribution_id)


@router.get(
    "/attributions/{attribution_id}/letters/{letter_id}.pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "The letter"}},
)
async def letter_pdf(call: Called, attribution_id: AttributionInPath, letter_id: NameInPath) -> Response:
    """Give a letter as PDF."""
    async with call.desk.pool.acquire() as conn:
        pdf = await looking.letter_pdf(conn, call.seat, attribution_id, letter_id)
    return Response(pdf, media_type="application/pdf")
