"""One's own account: what it may do, and its password."""

from fastapi import APIRouter
from starlette.responses import Response

from gamf.client import accounts
from gamf.client.accounts import Change
from gamf.client.console.page import OWN_ACCOUNT, Page, PageVisit, Sent
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.signing_in import LONGEST_PASSWORD, SHORTEST_PASSWORD, provider_only

router = APIRouter()


def _page(page: PageVisit, refusal: RefusedByRuleError | None = None, status: int = 200) -> Response:
    return page.render(
        "account/page.html",
        status,
        session=page.session,
        refusal=refusal.reason if refusal else None,
        shortest=SHORTEST_PASSWORD,
        longest=LONGEST_PASSWORD,
        passwords=page.console.options.passwords,
    )


@router.get(OWN_ACCOUNT)
async def show(page: Page) -> Response:
    """Show the account."""
    return _page(page)


@router.post(f"{OWN_ACCOUNT}/mot-de-passe")
async def change_password(page: Sent) -> Response:
    """Change the password, or say why not."""
    if not page.console.options.passwords:
        raise provider_only()
    fields = page.fields or {}
    before, after, again = (fields.get(name, "") for name in ("before", "after", "again"))
    try:
        if after != again:
            raise _not_the_same()
        await accounts.change_own_password(
            page.desk.pool, page.console.keeper, page.seat, page.secret, Change(before, after)
        )
    except RefusedByRuleError as refusal:
        return _page(page, refusal, 422)
    return page.go("/", "password_changed")


def _not_the_same() -> RefusedByRuleError:
    return RefusedByRuleError(
        "password",
        "Les deux nouveaux mots de passe ne sont pas les mêmes ; rien n’a changé.",
        "The two new passwords are not the same; nothing has changed.",
        "again",
    )
