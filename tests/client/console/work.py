"""Something to decide, for a console's tests."""

from datetime import datetime

from gamf.storage import tasks
from gamf.storage.connection import Pool
from tests.client.seats import NOON
from tests.system import add_patients


async def a_task(pool: Pool, rls: str, *, due: datetime = NOON, owner: str = "gaco") -> int:
    """Open a task about somebody of that RLS, which is closed by hand; return its number."""
    async with pool.acquire() as conn:
        (patient,) = await add_patients(conn, rls)
        await tasks.open_about_patient(conn, patient, "discriminatory_ground", owner, 1, NOON, due)
        number: int = await conn.fetchval("SELECT max(task_id) FROM tasks")
    return number
