"""What goes to RAMQ (R6): the files of confirmed names, whom each named, the files themselves; the letters' outbox."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from gamf.client import deciding_ramq, looking, looking_ramq
from gamf.client.api.call import Called, Sent
from gamf.client.api.values import PAGE_LIMIT, BlockInPath, Limit
from gamf.client.ramq import RamqFileView, RamqView
from gamf.client.reading import LetterView, Page

router = APIRouter(tags=["ramq"])
NumberInPath = Annotated[int, Path(ge=1, le=1_000_000)]
AfterFile = Annotated[str | None, Query(pattern=r"^[0-9A-Za-z.-]{1,64}(~[0-9A-Za-z_:.+-]{0,40})?$")]
AfterLetter = Annotated[str | None, Query(pattern=r"^[0-9A-Za-z-]{1,64}(~[0-9A-Za-z_:.+-]{0,40})?$")]
LetterState = Literal["queued", "sending", "sent", "withheld"]


@router.get("/ramq/files")
async def list_files(call: Called, after: AfterFile = None, limit: Limit = PAGE_LIMIT) -> Page[RamqFileView]:
    """List the files of confirmed names, the latest first, those before the one of that name."""
    async with call.desk.pool.acquire() as conn:
        return await looking.list_ramq_files(conn, call.seat, after=after, limit=limit)


@router.get("/ramq/blocks/{block_id}")
async def show_files(call: Called, block_id: BlockInPath) -> RamqView:
    """Give the files of a block, and whom each named, under their references."""
    async with call.desk.pool.acquire() as conn:
        return await looking_ramq.show_files(conn, call.seat, block_id)


@router.get(
    "/ramq/blocks/{block_id}/files/{number}.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "The file, as it is handed over"}},
)
async def read_file(call: Called, block_id: BlockInPath, number: NumberInPath) -> Response:
    """Give a file with the names in it (docs/ramq.md), the same to the byte as what is handed over."""
    async with call.desk.pool.acquire() as conn:
        file = await looking_ramq.read_file(conn, call.seat, block_id, number)
    return Response(file.content, media_type="text/csv; charset=utf-8")


@router.post("/ramq/blocks/{block_id}/files/{number}/sent", response_model=RamqView)
async def send(call: Sent, block_id: BlockInPath, number: NumberInPath) -> Response:
    """Hand a file over to RAMQ's folder: one that waits, or once more one that was taken away; give the block's."""

    async def work() -> RamqView:
        await deciding_ramq.send(call.desk, call.seat, block_id, number)
        async with call.desk.pool.acquire() as conn:
            return await looking_ramq.show_files(conn, call.seat, block_id)

    return await call.answer(work, repeatable=False)


@router.get("/letters")
async def list_letters(
    call: Called, state: LetterState | None = None, after: AfterLetter = None, limit: Limit = PAGE_LIMIT
) -> Page[LetterView]:
    """List the letters, the latest first, those before that one: what is known of them, not what they say."""
    async with call.desk.pool.acquire() as conn:
        return await looking.list_outbox(conn, call.seat, state, after=after, limit=limit)
