"""*RAMQ*: the files of confirmed names that went and whom each named, and the letters' outbox."""

from fastapi import APIRouter
from starlette.responses import Response

from gamf.client import access, deciding_ramq, looking, looking_ramq
from gamf.client.cli import labels
from gamf.client.console.page import Page, Sent
from gamf.client.console.sorting import sorting
from gamf.domain.orders import Listing
from gamf.domain.roles import UseCase, allowed

router = APIRouter()


@router.get("/ramq")
async def show(page: Page, tri: str = "", apres: str | None = None) -> Response:
    """Show a page of the files of confirmed names, the latest first unless sorted."""
    order = sorting(Listing.RAMQ_FILES, "/ramq", {}, tri)
    async with page.desk.pool.acquire() as conn:
        found = await looking.list_ramq_files(conn, page.seat, order=order.asked, after=apres)
    outbox = allowed(page.seat.actor, UseCase.OUTBOX_SHOW)
    return page.render("ramq/files.html", found=found, sorting=order, outbox=outbox)


@router.get("/ramq/blocs/{block_id}")
async def of_block(page: Page, block_id: str) -> Response:
    """Show what RAMQ was told of a block: its list and supplements, and whom each named."""
    async with page.desk.pool.acquire() as conn:
        found = await looking_ramq.show_files(conn, page.seat, block_id)
    lines = {
        file.number: [each for each in found.named if each.number == file.number] for file in found.files
    }
    async with page.desk.pool.acquire() as conn:
        known = await access.of_block(conn, block_id)
    may_send = known is not None and allowed(page.seat.actor, UseCase.RAMQ_LISTS_SEND, known.matter)
    return page.render("ramq/block.html", found=found, lines=lines, may_send=may_send)


@router.get("/ramq/blocs/{block_id}/fichiers/{number}")
async def download(page: Page, block_id: str, number: int) -> Response:
    """Give a file with the names in it, the same to the byte as what is handed over."""
    async with page.desk.pool.acquire() as conn:
        file = await looking_ramq.read_file(conn, page.seat, block_id, number)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/ramq/blocs/{block_id}/fichiers/{number}/remise")
async def send(page: Sent, block_id: str, number: int) -> Response:
    """Hand a file over to RAMQ's folder: one that waits, or once more one that was taken away."""
    await deciding_ramq.send(page.desk, page.seat, block_id, number)
    return page.go(f"/ramq/blocs/{block_id}", "handed_over")


@router.get("/ramq/lettres")
async def letters(page: Page, etat: str = "", tri: str = "", apres: str | None = None) -> Response:
    """Show a page of the letters, the latest first unless sorted, in one state or in all; not what they say."""
    order = sorting(Listing.LETTERS, "/ramq/lettres", {"etat": etat}, tri)
    async with page.desk.pool.acquire() as conn:
        found = await looking.list_outbox(conn, page.seat, etat or None, order=order.asked, after=apres)
        not_gone = await looking_ramq.count_not_gone(conn, page.seat)
    return page.render(
        "ramq/letters.html",
        found=found,
        not_gone=not_gone,
        wanted=etat,
        sorting=order,
        states=labels.LETTER_STATES,
    )
