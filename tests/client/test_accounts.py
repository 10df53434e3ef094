"""Accounts on a real PostgreSQL: made, granted, closed; signing in and out, and what an attacker may not."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from gamf.client import accounts, passwords
from gamf.client.accounts import Change, Signed, Typed
from gamf.client.errors import NotFoundError
from gamf.client.passwords import Passwords
from gamf.domain import signing_in
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Actor, Role, grant
from gamf.domain.signing_in import ATTEMPTS_BY_ADDRESS, ATTEMPTS_BY_NAME, IDLE, LONGEST, TRY_AGAIN_AFTER
from gamf.storage import sessions
from gamf.storage.connection import Connection, Pool
from tests.client.seats import NOON, a_seat, the_operator
from tests.system import add_network, add_physician

SECOND = timedelta(seconds=1)
ADDRESS = "192.0.2.1"
PASSWORD = "trois petits chats"
ANOTHER = "quatre gros chiens"
AUDITOR = (grant(Role.AUDITOR),)


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encode with less memory and time than in earnest: there are hundreds of attempts here."""
    light = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", light)
    monkeypatch.setattr(passwords, "_nobodys", lambda: light.hash("personne"))


@pytest.fixture
def keeper() -> Passwords:
    return Passwords()


@pytest.fixture
async def account(connection: Connection) -> str:
    await accounts.add(connection, the_operator(), "mtremblay", AUDITOR, PASSWORD)
    return "mtremblay"


async def signed(pool: Pool, account: str, password: str = PASSWORD, now: datetime = NOON) -> Signed:
    return await accounts.sign_in(pool, Passwords(), Typed(account, password), address=ADDRESS, now=now)


async def refused(
    pool: Pool, account: str, password: str, now: datetime = NOON, address: str = ADDRESS
) -> str:
    with pytest.raises(RefusedByRuleError) as error:
        await accounts.sign_in(pool, Passwords(), Typed(account, password), address=address, now=now)
    assert error.value.reason.rule == "sign-in"
    return error.value.reason.fr


async def events(conn: Connection, account: str) -> list[tuple[str, str]]:
    rows = await conn.fetch(
        "SELECT event, by FROM account_records WHERE account = $1 ORDER BY record_id", account
    )
    return [(row["event"], row["by"]) for row in rows]


async def test_a_one_time_password_signs_in_once_it_is_made(pool: Pool, connection: Connection) -> None:
    password = await accounts.add(connection, the_operator(), "mtremblay", AUDITOR)
    came = await signed(pool, "mtremblay", password)
    assert (came.account, came.must_change) == ("mtremblay", True)
    assert await events(connection, "mtremblay") == [("added", "exploitante"), ("signed_in", "mtremblay")]


async def test_a_password_that_is_made_up_may_hold_the_accounts_name_by_chance(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "one_time", lambda: "ada000-c0ffee-000ada-beef00")
    assert await accounts.add(connection, the_operator(), "ada", AUDITOR) == "ada000-c0ffee-000ada-beef00"
    with pytest.raises(RefusedByRuleError):
        await accounts.set_password(connection, the_operator(), "ada", "ada000-c0ffee-000ada-beef00")


async def test_neither_password_nor_token_is_kept(pool: Pool, connection: Connection, account: str) -> None:
    came = await signed(pool, account)
    kept = ""
    for table in ("accounts", "account_records", "sessions", "sign_in_attempts"):
        kept += str(await connection.fetch(f"SELECT t::text FROM {table} t"))  # noqa: S608 - a name above
    assert "$argon2id$" in kept
    assert PASSWORD not in kept
    assert came.token not in kept


async def test_an_account_is_made_once(connection: Connection, account: str) -> None:
    with pytest.raises(RefusedByRuleError) as error:
        await accounts.add(connection, the_operator(), account, AUDITOR)
    assert error.value.reason.field == "account"
    assert await events(connection, account) == [("added", "exploitante")]


async def test_a_role_is_of_an_rls_and_of_physicians_that_are_known(connection: Connection) -> None:
    for grants in ((), (grant(Role.COORDINATOR, ["nulle part"]),), (grant(Role.CLINIC, ["99999"]),)):
        with pytest.raises((RefusedByRuleError, NotFoundError)):
            await accounts.add(connection, the_operator(), "mtremblay", grants)
    assert await connection.fetchval("SELECT count(*) FROM accounts") == 0


async def test_roles_hold_from_the_next_page_on(pool: Pool, connection: Connection, account: str) -> None:
    rls = await add_network(connection)
    licence = await add_physician(connection, rls)
    token = (await signed(pool, account)).token
    given = (grant(Role.CLINIC, [licence]), grant(Role.COORDINATOR, [rls]))
    await accounts.set_roles(connection, the_operator(), account, given)
    session = await accounts.session(connection, token, now=NOON)
    assert session is not None
    assert session.actor == Actor(account=account, grants=given)
    page = await accounts.list_accounts(connection, the_operator())
    assert [(each.account, each.grants) for each in page.items] == [(account, given)]
    assert page.after is None


async def test_nobody_but_the_operator_manages_accounts(connection: Connection, account: str) -> None:
    seat = a_seat(Role.AUDITOR)
    for use_case in (
        accounts.add(connection, seat, "autre", AUDITOR),
        accounts.disable(connection, seat, account),
        accounts.enable(connection, seat, account),
        accounts.set_password(connection, seat, account),
        accounts.set_roles(connection, seat, account, AUDITOR),
        accounts.list_accounts(connection, seat),
    ):
        with pytest.raises(RefusedByRuleError) as error:
            await use_case
        assert error.value.reason.rule == "access"


async def test_of_nobody_there_is_nothing_to_manage(connection: Connection) -> None:
    for use_case in (
        accounts.disable(connection, the_operator(), "personne"),
        accounts.set_password(connection, the_operator(), "personne"),
        accounts.set_roles(connection, the_operator(), "personne", AUDITOR),
    ):
        with pytest.raises(NotFoundError):
            await use_case


async def test_a_closed_account_is_out_at_once_and_stays_out(
    pool: Pool, connection: Connection, account: str
) -> None:
    token = (await signed(pool, account)).token
    assert await accounts.disable(connection, the_operator(), account)
    assert not await accounts.disable(connection, the_operator(), account)
    assert await accounts.session(connection, token, now=NOON) is None
    closed = await refused(pool, account, PASSWORD)
    assert closed == await refused(pool, account, "un autre mot de passe")
    assert await accounts.enable(connection, the_operator(), account)
    assert await accounts.session(connection, token, now=NOON) is None
    await signed(pool, account)


async def test_what_is_said_of_a_wrong_password_and_of_nobody_is_the_same(pool: Pool, account: str) -> None:
    assert await refused(pool, account, ANOTHER) == await refused(pool, "personne", ANOTHER)


async def test_what_is_said_of_nobody_takes_as_long(
    pool: Pool, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def verify(_hasher: PasswordHasher, encoded: str, _password: str) -> bool:
        compared.append(encoded)
        raise VerifyMismatchError

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    await refused(pool, account, ANOTHER)
    await refused(pool, "personne", ANOTHER)
    # The same work for both: argon2 with the same parameters.
    known, unknown = map(extract_parameters, compared)
    assert known == unknown


@pytest.mark.parametrize("name", ["mtremblay", "personne"])
async def test_after_so_many_attempts_a_name_waits_whether_it_exists_or_not(
    pool: Pool, account: str, name: str
) -> None:
    assert account
    for _ in range(ATTEMPTS_BY_NAME):
        assert await refused(pool, name, ANOTHER) == signing_in.wrong_credentials().reason.fr
    waits = signing_in.too_many_attempts().reason.fr
    assert await refused(pool, name, PASSWORD) == waits
    assert await refused(pool, name, PASSWORD, NOON + TRY_AGAIN_AFTER) == waits
    later = NOON + TRY_AGAIN_AFTER + SECOND
    if name == "mtremblay":
        await signed(pool, name, now=later)
    else:
        assert await refused(pool, name, PASSWORD, later) == signing_in.wrong_credentials().reason.fr


async def test_a_success_wipes_the_slate(pool: Pool, account: str) -> None:
    for _ in range(3):
        for _ in range(ATTEMPTS_BY_NAME - 1):
            await refused(pool, account, ANOTHER)
        await signed(pool, account)


async def test_an_address_that_tries_many_names_waits(
    pool: Pool, connection: Connection, account: str
) -> None:
    await connection.execute(
        """
        INSERT INTO sign_in_attempts (name, address, at)
        SELECT sha256(n::text::bytea), $1, $2 FROM generate_series(1, $3::int) n
        """,
        ADDRESS,
        NOON,
        ATTEMPTS_BY_ADDRESS - 1,
    )
    assert await refused(pool, "personne", ANOTHER) == signing_in.wrong_credentials().reason.fr
    assert await refused(pool, account, PASSWORD) == signing_in.too_many_attempts().reason.fr
    await accounts.sign_in(pool, Passwords(), Typed(account, PASSWORD), address="192.0.2.2", now=NOON)


async def test_many_attempts_at_once_are_no_more_than_one_after_another(
    pool: Pool, connection: Connection, account: str
) -> None:
    async def attempt() -> str:
        return await refused(pool, account, ANOTHER)

    said = await asyncio.gather(*(attempt() for _ in range(ATTEMPTS_BY_NAME * 2)))
    assert said.count(signing_in.wrong_credentials().reason.fr) == ATTEMPTS_BY_NAME
    assert await connection.fetchval("SELECT count(*) FROM sign_in_attempts") == ATTEMPTS_BY_NAME


async def test_a_session_unused_is_over_after_the_idle_time(
    pool: Pool, connection: Connection, account: str
) -> None:
    token = (await signed(pool, account)).token
    assert await accounts.session(connection, token, now=NOON + IDLE - SECOND) is not None
    # Seen just before: it goes on from there.
    assert await accounts.session(connection, token, now=NOON + IDLE - SECOND + IDLE - SECOND) is not None
    last = NOON + (IDLE - SECOND) * 2
    assert await accounts.session(connection, token, now=last + IDLE) is None
    assert await accounts.session(connection, token, now=last + IDLE + SECOND) is None


async def test_a_session_is_over_in_the_end_however_much_it_is_used(
    pool: Pool, connection: Connection, account: str
) -> None:
    token = (await signed(pool, account)).token
    now = NOON
    while now + IDLE / 2 < NOON + LONGEST:
        now += IDLE / 2
        assert await accounts.session(connection, token, now=now) is not None
    assert await accounts.session(connection, token, now=NOON + LONGEST - SECOND) is not None
    assert await accounts.session(connection, token, now=NOON + LONGEST) is None


async def test_a_page_within_the_minute_writes_nothing(
    pool: Pool, connection: Connection, account: str
) -> None:
    token = (await signed(pool, account)).token
    before = await connection.fetchval("SELECT xmin::text FROM sessions")
    await accounts.session(connection, token, now=NOON + timedelta(seconds=59))
    assert await connection.fetchval("SELECT xmin::text FROM sessions") == before
    await accounts.session(connection, token, now=NOON + timedelta(seconds=60))
    assert await connection.fetchval("SELECT xmin::text FROM sessions") != before


async def test_signing_out_ends_that_session_and_no_other(
    pool: Pool, connection: Connection, account: str
) -> None:
    first, second = (await signed(pool, account)).token, (await signed(pool, account)).token
    for _ in range(2):
        await accounts.sign_out(connection, first, address=ADDRESS, now=NOON)
    assert await accounts.session(connection, first, now=NOON) is None
    assert await accounts.session(connection, second, now=NOON) is not None
    assert (await events(connection, account)).count(("signed_out", account)) == 1


async def test_a_token_made_up_is_nobodys(connection: Connection, account: str) -> None:
    assert account
    assert await accounts.session(connection, "inventé", now=NOON) is None


async def test_ones_own_password_is_changed_by_whoever_knows_it(
    pool: Pool, connection: Connection, account: str, keeper: Passwords
) -> None:
    here, elsewhere = (await signed(pool, account)).token, (await signed(pool, account)).token
    seat = a_seat(Role.AUDITOR, account=account)
    for change in (Change(ANOTHER, ANOTHER + "s"), Change(PASSWORD, PASSWORD), Change(PASSWORD, "court")):
        with pytest.raises(RefusedByRuleError) as error:
            await accounts.change_own_password(pool, keeper, seat, here, change)
        assert error.value.reason.rule == "password"
    assert await accounts.session(connection, elsewhere, now=NOON) is not None
    await accounts.change_own_password(pool, keeper, seat, here, Change(PASSWORD, ANOTHER))
    assert await accounts.session(connection, elsewhere, now=NOON) is None
    session = await accounts.session(connection, here, now=NOON)
    assert session is not None
    assert not session.must_change
    await refused(pool, account, PASSWORD)
    await signed(pool, account, ANOTHER)


async def test_a_new_password_of_the_operators_opens_what_attempts_had_closed(
    pool: Pool, connection: Connection, account: str
) -> None:
    token = (await signed(pool, account)).token
    for _ in range(ATTEMPTS_BY_NAME):
        await refused(pool, account, ANOTHER)
    password = await accounts.set_password(connection, the_operator(), account)
    assert await accounts.session(connection, token, now=NOON) is None
    assert (await signed(pool, account, password)).must_change


async def test_a_password_encoded_with_less_is_encoded_anew(
    pool: Pool, connection: Connection, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await connection.fetchval("SELECT password FROM accounts")
    heavier = PasswordHasher(time_cost=2, memory_cost=1024, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", heavier)
    await signed(pool, account)
    after = await connection.fetchval("SELECT password FROM accounts")
    assert (extract_parameters(before).time_cost, extract_parameters(after).time_cost) == (1, 2)
    await signed(pool, account)


@pytest.mark.usefixtures("account")
async def test_postgresql_itself_keeps_the_record_and_the_form_of_a_grant(connection: Connection) -> None:
    for statement in (
        "UPDATE account_records SET by = 'another'",
        "DELETE FROM account_records",
        "TRUNCATE account_records",
        "UPDATE account_grants SET rls = '{RLS}'",
        "INSERT INTO account_grants VALUES ('mtremblay', 'gaco', '{}', '{}')",
        "INSERT INTO account_grants VALUES ('mtremblay', 'queen', '{}', '{}')",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(statement)


async def test_a_form_is_used_once_unless_what_it_asked_was_not_done(connection: Connection) -> None:
    form = b"f" * 32
    old = NOON - LONGEST
    assert await sessions.use_form(connection, form, NOON, old)
    assert not await sessions.use_form(connection, form, NOON, old)
    await sessions.release_form(connection, form)
    assert await sessions.use_form(connection, form, NOON, old)
    assert await sessions.use_form(connection, form, NOON + LONGEST, NOON + SECOND)
