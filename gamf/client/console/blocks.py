"""*Blocks*: a request, the list drawn beside the profile it follows, its approval, the answers, the SV in bulk."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from gamf.client import deciding, looking
from gamf.client import tasks as zones
from gamf.client.console import live
from gamf.client.console.page import Page, PageVisit, Sent, SentVisit
from gamf.client.console.sorting import Sorting, sorting
from gamf.domain.block import TAKEN_IN, BlockState, answer_due
from gamf.domain.orders import Listing
from gamf.domain.policy import CURRENT
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Matter, UseCase, allowed, scope_of
from gamf.domain.states import UNANSWERED, State
from gamf.storage.lists import BlockFilter, TaskFilter

if TYPE_CHECKING:
    from gamf.client.asking import View

router = APIRouter()
_REFUSED: Final = 422
_CHOSEN: Final = "a-"
"""Before the reference of an attribution, in the name of its box."""
_SAID: Final = {UseCase.APPROVED: "approved", UseCase.WITHDRAWN: "withdrawn"}
_WIDTH: Final = 200
"""Units of the longest bar of the profile's picture."""


class Bar(NamedTuple):
    """A group of the profile in the picture: its seats wanted and drawn, as lengths."""

    vulnerable: bool
    ages: str
    wanted: int
    drawn: int
    wanted_width: int
    drawn_width: int


@router.get("/blocs")
async def list_(
    page: Page, medecin: str = "", etat: str = "", tri: str = "", apres: str | None = None
) -> Response:
    """Show a page of the blocks, the latest first unless sorted, and the form of a request for whoever may make one."""
    wanted = {"medecin": medecin, "etat": etat}
    return await _list(page, sorting(Listing.BLOCKS, "/blocs", wanted, tri), apres)


async def _list(
    page: PageVisit,
    order: Sorting,
    apres: str | None = None,
    refusal: RefusedByRuleError | None = None,
) -> Response:
    only = BlockFilter(order.wanted["medecin"].strip() or None, order.wanted["etat"] or None)
    async with page.desk.pool.acquire() as conn:
        kept = await live.of(page, conn, "blocs")
        found = await looking.summarize_blocks(conn, page.seat, only, order=order.asked, after=apres)
    return page.render(
        "blocks/list.html",
        _REFUSED if refusal else 200,
        live=kept,
        found=found,
        wanted=order.wanted,
        sorting=order,
        states=[each for each in BlockState if each is not BlockState.REQUESTED],
        physicians=sorted(scope_of(page.seat.actor, UseCase.BLOCK_REQUEST).physicians),
        refusal=refusal.reason if refusal else None,
        written=page.fields or {} if isinstance(page, SentVisit) else {},
    )


@router.post("/blocs")
async def request(page: Sent) -> Response:
    """Ask for a block; once drawn, its list is shown."""
    size = page.field("nombre")
    try:
        view = await deciding.request_block(
            page.desk, page.seat, page.field("permis"), int(size) if size.isdecimal() else 0
        )
    except RefusedByRuleError as refusal:
        if refusal.reason.rule == "access":
            raise
        every = sorting(Listing.BLOCKS, "/blocs", {"medecin": "", "etat": ""}, "")
        return await _list(page, every, refusal=refusal)
    return page.go(f"/blocs/{view['block_id']}", "requested")


@router.get("/blocs/{block_id}")
async def show(page: Page, block_id: str) -> Response:
    """Show a block, its list, and what can be decided about it now."""
    return await _page(page, block_id)


async def _page(
    page: PageVisit,
    block_id: str,
    refusal: RefusedByRuleError | None = None,
    refused: dict[str, RefusedByRuleError] | None = None,
) -> Response:
    async with page.desk.pool.acquire() as conn:
        kept = await live.of(page, conn, f"bloc:{block_id}")
    view = await looking.show_block(page.desk, page.seat, block_id)
    matter = Matter.of(view["rls"], view["physician"])
    async with page.desk.pool.acquire() as conn:
        zone = await zones.zone_of(conn, TaskFilter(rls=view["rls"]))
    open_to = {use_case.value for use_case in UseCase if _possible(page, view, use_case, matter)}
    return page.render(
        "blocks/show.html",
        _REFUSED if refusal or refused else 200,
        live=kept,
        block=view,
        zone=zone,
        due=_due(view),
        bars=_bars(view),
        may=open_to,
        unanswered=[each for each in view["list"] if each["state"] in UNANSWERED],
        confirmed=[each for each in view["list"] if each["state"] == State.CONFIRMED],
        refusal=refusal.reason if refusal else None,
        refused={each: error.reason for each, error in (refused or {}).items()},
        written=page.fields or {} if isinstance(page, SentVisit) else {},
    )


def _possible(page: PageVisit, view: "View", use_case: UseCase, matter: Matter) -> bool:
    """Tell whether the actor may do that about the block, and whether its state takes it."""
    state = TAKEN_IN.get(use_case.value)
    return allowed(page.seat.actor, use_case, matter) and (state is None or state == view["state"])


def _due(view: "View") -> datetime | None:
    """Return what the block waits for: the end of the time to approve it, or of the physician's 72 hours."""
    if view["state"] == BlockState.ATTRIBUTED:
        return answer_due(datetime.fromisoformat(view["attributed_at"]), CURRENT)
    return datetime.fromisoformat(view["deadline"]) if view.get("deadline") else None


def _bars(view: "View") -> list[Bar]:
    groups: list[View] = view["profile"]["groups"] if view.get("profile") else []
    most = max((max(each["wanted"], each["drawn"]) for each in groups), default=0) or 1
    return [
        Bar(
            each["vulnerable"],
            each["ages"],
            each["wanted"],
            each["drawn"],
            each["wanted"] * _WIDTH // most,
            each["drawn"] * _WIDTH // most,
        )
        for each in groups
    ]


@router.post("/blocs/{block_id}/approuver")
async def approve(page: Sent, block_id: str) -> Response:
    """Approve the drawn list: the 72 hours start (A21)."""
    return await _decide(page, block_id, UseCase.APPROVED)


@router.post("/blocs/{block_id}/retirer")
async def withdraw(page: Sent, block_id: str) -> Response:
    """Withdraw the drawn list: everybody waits again (A21)."""
    return await _decide(page, block_id, UseCase.WITHDRAWN)


async def _decide(page: SentVisit, block_id: str, use_case: UseCase) -> Response:
    try:
        await deciding.record_on_block(page.desk, page.seat, block_id, use_case, page.field("reason"))
    except RefusedByRuleError as refusal:
        return await _refused(page, block_id, refusal)
    return page.go(f"/blocs/{block_id}", _SAID[use_case])


async def _refused(page: SentVisit, block_id: str, refusal: RefusedByRuleError) -> Response:
    if refusal.reason.rule == "access":
        raise refusal
    return await _page(page, block_id, refusal)


@router.post("/blocs/{block_id}/reponse")
async def answer(page: Sent, block_id: str) -> Response:
    """Report the physician's answer to the list: to all who have none yet, or to all but those who are ticked."""
    use_case = UseCase.LIST_ACCEPTED if page.field("reponse") == "accepte" else UseCase.LIST_REFUSED
    excepted, reason = _chosen(page), page.field("reason")
    try:
        if excepted:
            await deciding.answer_block_except(page.desk, page.seat, block_id, use_case, excepted, reason)
        else:
            await deciding.record_on_block(page.desk, page.seat, block_id, use_case, reason)
    except RefusedByRuleError as refusal:
        return await _refused(page, block_id, refusal)
    return page.go(f"/blocs/{block_id}", "answered")


def _chosen(page: SentVisit) -> Sequence[str]:
    return sorted(name.removeprefix(_CHOSEN) for name in page.fields or {} if name.startswith(_CHOSEN))


@router.post("/blocs/{block_id}/inscrire")
async def enter_sv(page: Sent, block_id: str) -> Response:
    """Enter the SV of those who are ticked; those that a rule refuses are named with the rule."""
    chosen = _chosen(page)
    if not chosen:
        return page.go(f"/blocs/{block_id}", "nobody_chosen")
    refused = await deciding.enter_sv_of(page.desk, page.seat, chosen, page.field("on") or None)
    if refused:
        return await _page(page, block_id, refused=refused)
    return page.go(f"/blocs/{block_id}", "sv_entered")
