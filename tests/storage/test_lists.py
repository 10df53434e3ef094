"""Every list in every order, filtered in every way, a page at a time: each row once, in order, in both directions."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import pytest

from gamf.domain.effects import Owner
from gamf.domain.orders import ORDERS, USUAL, Listing, Order
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Scope, TaskScope
from gamf.storage import lists, ramq
from gamf.storage.connection import Connection
from gamf.storage.lists import (
    EVERYTHING,
    Asked,
    AttributionFilter,
    BlockFilter,
    PhysicianFilter,
    RegisterFilter,
    Rows,
    TaskFilter,
)

NOW: Final = datetime(2026, 5, 8, 16, tzinfo=UTC)
TABLES: Final = ("patients", "blocks", "attributions", "letters", "tasks", "ramq_files")
RLS: Final = ("R1", "R2", "R3")
LICENCES: Final = ("10001", "10002", "10003", "10004")
SOME: Final = (
    EVERYTHING,
    Scope(rls=frozenset({"R1"})),
    Scope(rls=frozenset({"R1", "R3"})),
    Scope(physicians=frozenset({"10002"})),
    Scope(physicians=frozenset({"10002", "10004"})),
    Scope(rls=frozenset({"R2"}), physicians=frozenset({"10002", "10003"})),
    Scope(rls=frozenset({"R9"})),
)
MANY: Final = 1_000

# Of each kind twenty-four: several equal in each order, and some without a value.
PEOPLE: Final = """
    INSERT INTO networks
    SELECT 'R' || n, 'RLS inventé', 'Région inventée', 'America/Toronto', 'GACO inventé', '418 555-0101', 'c'
    FROM generate_series(1, 3) AS n;
    INSERT INTO physicians (licence, last_name, first_name, rls, status, place, address, city, postal_code)
    SELECT (10000 + n)::text, (ARRAY['inventé', 'Invente', 'Autre', 'autre'])[n], 'Médecin', 'R' || 1 + n % 3,
           CASE WHEN n < 3 THEN 'participating' ELSE 'disengaged' END, 'Lieu', 'Rue', 'Ville', 'G1A 1A1'
    FROM generate_series(1, 4) AS n;
    INSERT INTO patients (patient_id, nam, last_name, first_name, birth_date, sex, address, city, postal_code, language,
                          english_attested, rls, registered_on, priority, vulnerable, place, left_on, left_cause)
    SELECT 'p' || lpad(n::text, 2, '0'), 'NAM' || n, 'Inventé', 'Patient', '1980-01-02', 'X', 'Rue', 'Ville', 'G1A 1A1',
           'fr', false, 'R' || 1 + n % 3, date '2024-01-01' + n * 7 % 5, substr('ABC', 1 + n * 5 % 3, 1), true,
           CASE WHEN n % 4 = 0 THEN 'left' ELSE 'waiting' END, CASE WHEN n % 4 = 0 THEN date '2026-01-01' END,
           CASE WHEN n % 4 = 0 THEN 'deceased' END
    FROM generate_series(1, 24) AS n
"""
WORK: Final = """
    INSERT INTO blocks (block_id, physician, rls, size, requested_by, requested_at, policy, state, attributed_at)
    SELECT '2026-' || lpad(n::text, 4, '0'), (10001 + n % 4)::text, 'R' || 1 + n % 3, 1, 'c',
           {now} + n * 7 % 5 * interval '1 hour', 'p',
           CASE n WHEN 24 THEN 'drawn' WHEN 23 THEN 'withdrawn'
                  ELSE CASE WHEN n % 3 = 0 THEN 'closed' ELSE 'attributed' END END,
           {now}
    FROM generate_series(1, 24) AS n;
    INSERT INTO attributions (attribution_id, block_id, patient_id, physician, rls, time_zone, priority, vulnerable,
                              attributed_at, policy, state, under_way, deadline, waiting_for, ended_on, transition)
    SELECT '2026-' || lpad(n::text, 6, '0'), '2026-' || lpad((1 + n % 6)::text, 4, '0'), 'p' || lpad(n::text, 2, '0'),
           (10001 + n % 4)::text, 'R' || 1 + n % 3, 'America/Toronto', 'A', true, {now}, 'p',
           (ARRAY['proposed', 'overdue', 'refused'])[1 + n % 3], n % 3 < 2,
           CASE WHEN n % 3 < 2 THEN {now} + n * 7 % 5 * interval '1 day' END, NULL,
           CASE WHEN n % 3 = 2 THEN date '2026-05-01' END, 1
    FROM generate_series(1, 24) AS n;
    INSERT INTO letters (letter_id, attribution_id, patient_id, kind, dated, state, queued_at)
    SELECT attribution_id || '-1', attribution_id, patient_id, 'attribution', '2026-05-08',
           CASE WHEN patient_id < 'p08' THEN 'withheld' ELSE 'queued' END,
           {now} + right(attribution_id, 2)::int * 7 % 5 * interval '1 hour'
    FROM attributions;
    INSERT INTO tasks (attribution_id, kind, owner, due, transition, opened_at, closed_at, rls, physician)
    SELECT attribution_id, CASE WHEN patient_id < 'p10' THEN 'sv_overdue' ELSE 'letter_not_sent' END,
           CASE WHEN patient_id < 'p13' THEN 'coordinator' ELSE 'clinic' END,
           {now} + right(attribution_id, 2)::int * 7 % 5 * interval '1 hour', 1, {now},
           CASE WHEN right(attribution_id, 2) = '11' THEN {now} END, rls, physician
    FROM attributions;
    INSERT INTO block_patients (block_id, position, patient_id, attribution_id)
    SELECT block_id, right(patient_id, 2)::int, patient_id, attribution_id FROM attributions
    UNION ALL
    SELECT b.block_id, right(p.patient_id, 2)::int, p.patient_id, NULL FROM patients p, blocks b
    WHERE p.patient_id < 'p06' AND b.block_id IN ('2026-0005', '2026-0023', '2026-0024') AND p.place = 'waiting';
    INSERT INTO ramq_files (block_id, number, name, names, sha256, made_at, handed_at, content)
    SELECT block_id, 1, block_id || '.csv', 1 + right(block_id, 2)::int % 3, 'a', requested_at,
           CASE WHEN state = 'closed' THEN requested_at + interval '1 hour' END,
           CASE WHEN state <> 'closed' THEN 'x'::bytea END
    FROM blocks
"""

Row = dict[str, Any]


class Kept(NamedTuple):
    """What a filter leaves: the rows with these values, of that scope, due before then; or all of any of several."""

    values: Mapping[str, object] = {}
    scope: Scope = EVERYTHING
    due: tuple[str, datetime] | None = None
    physician: str = "physician"

    def has(self, row: Row) -> bool:
        """Tell whether a row is left."""
        mine = (
            self.scope.everything
            or row["rls"] in self.scope.rls
            or row[self.physician] in self.scope.physicians
        )
        soon = self.due is None or (row[self.due[0]] is not None and row[self.due[0]] < self.due[1])
        return mine and soon and all(row[name] == value for name, value in self.values.items())


class Case(NamedTuple):
    """A list: its reference, the columns of each order, its filters and what each leaves; the first leaves all."""

    reference: str
    orders: Mapping[str, tuple[str, ...]]
    filters: Sequence[tuple[Any, Sequence[Kept]]]


def of_owner(owner: Owner | None, scope: Scope) -> tuple[tuple[TaskScope, ...], list[Kept]]:
    owners = None if owner is None else frozenset({owner})
    return (TaskScope(owners, scope),), [Kept({"owner": owner.value} if owner else {}, scope)]


COORDINATOR: Final = TaskScope(frozenset({Owner.COORDINATOR}), SOME[1])
CLINIC: Final = TaskScope(frozenset({Owner.CLINIC}), SOME[4])
SOON: Final = NOW + timedelta(days=3)
LATER_TODAY: Final = NOW + timedelta(hours=3)
CASES: Final[Mapping[Listing, Case]] = {
    Listing.ATTRIBUTIONS: Case(
        "attribution_id",
        {"reference": (), "deadline": ("deadline",), "state": ("state",)},
        [
            *((AttributionFilter(scope=scope), [Kept(scope=scope)]) for scope in SOME),
            (AttributionFilter("overdue"), [Kept({"state": "overdue"})]),
            (AttributionFilter("refused", scope=SOME[2]), [Kept({"state": "refused"}, SOME[2])]),
            (AttributionFilter(physician="10003"), [Kept({"physician": "10003"})]),
            (AttributionFilter(block_id="2026-0003"), [Kept({"block_id": "2026-0003"})]),
            (AttributionFilter(due_before=SOON), [Kept(due=("deadline", SOON))]),
            (
                AttributionFilter("overdue", due_before=SOON, scope=SOME[5]),
                [Kept({"state": "overdue"}, SOME[5], ("deadline", SOON))],
            ),
        ],
    ),
    Listing.BLOCKS: Case(
        "block_id",
        {
            "requested": ("requested_at",),
            "reference": (),
            "state": ("state",),
            "physician": ("physician",),
            "rls": ("rls",),
        },
        [
            *((BlockFilter(scope=scope), [Kept(scope=scope)]) for scope in SOME),
            (BlockFilter(state="closed", scope=SOME[5]), [Kept({"state": "closed"}, SOME[5])]),
            (BlockFilter("10003"), [Kept({"physician": "10003"})]),
        ],
    ),
    Listing.TASKS: Case(
        "task_id",
        {"due": ("due",), "kind": ("kind", "due"), "rls": ("rls", "due")},
        [
            of_owner(None, EVERYTHING),
            *(of_owner(Owner.CLINIC, scope) for scope in SOME),
            (
                (COORDINATOR, CLINIC),
                [Kept({"owner": "coordinator"}, SOME[1]), Kept({"owner": "clinic"}, SOME[4])],
            ),
            (TaskFilter("coordinator", "R2"), [Kept({"owner": "coordinator", "rls": "R2"})]),
            (TaskFilter(due_before=LATER_TODAY), [Kept(due=("due", LATER_TODAY))]),
        ],
    ),
    Listing.REGISTER: Case(
        "number",
        {"line": ("priority", "registered_on"), "registered": ("registered_on",)},
        [
            (RegisterFilter(), [Kept()]),
            (RegisterFilter("R2"), [Kept({"rls": "R2"})]),
            (RegisterFilter(place="left"), [Kept({"place": "left"})]),
            (
                RegisterFilter("R1", "waiting", "B"),
                [Kept({"rls": "R1", "place": "waiting", "priority": "B"})],
            ),
        ],
    ),
    Listing.PHYSICIANS: Case(
        "licence",
        {"licence": (), "name": ("last_name", "first_name"), "rls": ("rls",), "status": ("status",)},
        [
            *((PhysicianFilter(scope=scope), [Kept(scope=scope, physician="licence")]) for scope in SOME),
            (PhysicianFilter(name="AUT"), [Kept({"last_name": "Autre"}), Kept({"last_name": "autre"})]),
            (PhysicianFilter(status="disengaged"), [Kept({"status": "disengaged"})]),
            (PhysicianFilter("10002"), [Kept({"licence": "10002"})]),
        ],
    ),
    Listing.LETTERS: Case(
        "letter_id",
        {"queued": ("queued_at",)},
        [(None, [Kept()]), ("withheld", [Kept({"state": "withheld"})])],
    ),
    Listing.RAMQ_FILES: Case(
        "name",
        {
            "made": ("made_at",),
            "name": (),
            "rls": ("rls", "made_at"),
            "physician": ("physician", "made_at"),
            "names": ("names",),
            "handed": ("handed_at",),
        },
        [(scope, [Kept(scope=scope)]) for scope in SOME],
    ),
}


async def tasks(conn: Connection, only: TaskFilter | Sequence[TaskScope], asked: Asked) -> Rows:
    if isinstance(only, TaskFilter):
        return await lists.open_tasks(conn, only, asked)
    return await lists.tasks_within(conn, only, asked)


async def files(conn: Connection, scope: Scope, asked: Asked) -> Rows:
    return await ramq.files(conn, asked, scope)


READS: Final[Mapping[Listing, Callable[..., Awaitable[Rows]]]] = {
    Listing.ATTRIBUTIONS: lists.attributions,
    Listing.BLOCKS: lists.blocks,
    Listing.TASKS: tasks,
    Listing.REGISTER: lists.register,
    Listing.PHYSICIANS: lists.physicians,
    Listing.LETTERS: lists.outbox,
    Listing.RAMQ_FILES: files,
}


@pytest.fixture
async def filled(connection: Connection) -> Connection:
    """A database with a few of everything, written without asking of each row whether the others agree."""
    await connection.execute(PEOPLE)
    for table in TABLES:
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    await connection.execute(WORK.format(now=f"timestamptz '{NOW.isoformat()}'"))
    return connection


async def pages(
    conn: Connection,
    listing: Listing,
    only: Any,  # noqa: ANN401 - each list has its own filter
    order: Order,
    size: int,
) -> Rows:
    """Read a list to its end, that many a page."""
    found: Rows = []
    after: str | None = None
    while True:
        page = await READS[listing](conn, only, Asked(order, after, size))
        found += page
        if len(page) < size:
            return found
        after = page[-1]["cursor"]


def in_order(rows: Sequence[Row], case: Case, order: Order) -> list[object]:
    """Return the references as a person would sort them: what is equal by the reference, what has no value last."""

    def key(row: Row) -> tuple[Any, ...]:
        values = (row[column] for column in case.orders[order.by])
        return (*(each.lower() if isinstance(each, str) else each for each in values), row[case.reference])

    valued = [row for row in rows if None not in key(row)]
    others = [row for row in rows if None in key(row)]
    return [
        *(row[case.reference] for row in sorted(valued, key=key, reverse=order.backwards)),
        *sorted((row[case.reference] for row in others), reverse=order.backwards),
    ]


def orders(listing: Listing) -> list[Order]:
    return [Order(by, way) for by in ORDERS[listing] for way in (False, True)]


def test_every_order_of_every_list_is_tried_and_the_usual_one_is_one_of_them() -> None:
    assert {listing: set(case.orders) for listing, case in CASES.items()} == {
        listing: set(names) for listing, names in ORDERS.items()
    }
    assert all(USUAL[listing].by in names for listing, names in ORDERS.items())


@pytest.mark.parametrize("listing", Listing)
async def test_each_page_goes_on_where_the_one_before_ended(filled: Connection, listing: Listing) -> None:
    case = CASES[listing]
    every = await pages(filled, listing, case.filters[0][0], USUAL[listing], MANY)
    assert len(every) >= len(LICENCES)
    for only, kept in case.filters:
        left = [row for row in every if any(each.has(row) for each in kept)]
        for order in orders(listing):
            expected = in_order(left, case, order)
            for size in (1, 4, 5, MANY):
                found = await pages(filled, listing, only, order, size)
                assert [row[case.reference] for row in found] == expected, (only, str(order), size)


async def test_what_moves_between_two_pages_is_no_reason_to_miss_another(filled: Connection) -> None:
    for by, change in (
        (
            "state",
            "UPDATE attributions SET state = 'refused', under_way = false, deadline = NULL WHERE attribution_id = $1",
        ),
        ("deadline", "UPDATE attributions SET deadline = NULL WHERE attribution_id = $1"),
    ):
        only, order = AttributionFilter(), Order(by)
        every = [
            row["attribution_id"] for row in await lists.attributions(filled, only, Asked(order, None, MANY))
        ]
        first = await lists.attributions(filled, only, Asked(order, None, 3))
        last = first[-1]
        await filled.execute(change, last["attribution_id"])
        rest = await lists.attributions(filled, only, Asked(order, last["cursor"], MANY))
        found = {row["attribution_id"] for row in rest} - {last["attribution_id"]}
        assert found == set(every[3:])


async def test_a_list_goes_on_after_a_reference_alone(filled: Connection) -> None:
    for order in orders(Listing.ATTRIBUTIONS):
        every = await lists.attributions(filled, AttributionFilter(), Asked(order, None, MANY))
        ids = [row["attribution_id"] for row in every]
        for number in (0, 9, 18):
            rest = await lists.attributions(filled, AttributionFilter(), Asked(order, ids[number], MANY))
            assert [row["attribution_id"] for row in rest] == ids[number + 1 :], (str(order), number)


@pytest.mark.parametrize(
    ("listing", "after"),
    [
        (Listing.TASKS, "tâche"),
        (Listing.TASKS, "9" * 30),
        (Listing.ATTRIBUTIONS, "2026-000001~hier"),
        (Listing.ATTRIBUTIONS, "2026-000001~2026-05-08"),
        (Listing.ATTRIBUTIONS, "2026-000001~0001-01-01T00:00:00+14:00"),
        (Listing.ATTRIBUTIONS, "2026-000001\x00"),
    ],
)
async def test_a_page_that_begins_after_no_such_thing_is_refused(
    connection: Connection, listing: Listing, after: str
) -> None:
    order = Order("due" if listing is Listing.TASKS else "deadline")
    with pytest.raises(RefusedByRuleError) as error:
        await READS[listing](connection, CASES[listing].filters[0][0], Asked(order, after, 1))
    assert (error.value.reason.rule, error.value.reason.field) == ("form", "after")


async def test_a_block_counts_those_of_its_list(filled: Connection) -> None:
    every = [
        row["block_id"]
        for row in await lists.blocks(filled, BlockFilter(), Asked(Order("reference"), None, MANY))
    ]
    counted = {(row["block_id"], row["state"]): row["number"] for row in await lists.counted(filled, every)}
    members = await lists.members(filled, every)
    assert counted == Counter((row["block_id"], row["state"]) for row in members)
    assert {"2026-0001", "2026-0023", "2026-0024"} <= {block_id for block_id, _ in counted}


async def test_nobody_sees_anything_within_an_empty_scope(filled: Connection) -> None:
    asked = Asked(Order("reference"), None, MANY)
    assert await lists.attributions(filled, AttributionFilter(scope=Scope()), asked) == []
    assert await lists.tasks_within(filled, (), Asked(Order("due"), None, MANY)) == []
