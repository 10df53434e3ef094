import asyncio
import uuid

import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.errors import Fault
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.temporal import connect

STATE = SearchAttributeKey.for_keyword("SomeState")
DUE = SearchAttributeKey.for_datetime("SomeDate")
FLAG = SearchAttributeKey.for_bool("SomeFlag")


@pytest.fixture
async def client(temporal: EmbeddedTemporal) -> Client:
    return await connect(address=temporal.address)


async def test_they_may_be_used_as_soon_as_registered(client: Client) -> None:
    await asyncio.gather(*(register_search_attributes(client, [STATE, DUE, FLAG]) for _ in range(2)))
    attributes = TypedSearchAttributes(
        [SearchAttributePair(STATE, "waiting"), SearchAttributePair(FLAG, value=True)]
    )
    handle = await client.start_workflow(
        "Anything", id=f"anything-{uuid.uuid4()}", task_queue="nobody", search_attributes=attributes
    )
    try:
        described = await handle.describe()
        assert described.typed_search_attributes[STATE] == "waiting"
        assert (await client.count_workflows("SomeState = 'nothing' AND SomeDate IS NOT NULL")).count == 0
    finally:
        await handle.terminate()


async def test_registering_again_changes_nothing(client: Client) -> None:
    await register_search_attributes(client, [STATE])
    await register_search_attributes(client, [STATE])
    assert (await client.count_workflows("SomeState = 'never'")).count == 0


async def test_another_type_is_told(client: Client) -> None:
    await register_search_attributes(client, [STATE])
    with pytest.raises(Fault, match="SomeState"):
        await register_search_attributes(client, [SearchAttributeKey.for_int("SomeState")])
