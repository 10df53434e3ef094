"""Search attributes are made on the server once, and waited for until a workflow may use them."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeIndexedValueType, SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from gamf.runtime.errors import Fault
from gamf.runtime.polling import until

Keys: TypeAlias = Sequence[SearchAttributeKey[Any]]

_TYPES = {
    SearchAttributeIndexedValueType.TEXT: IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    SearchAttributeIndexedValueType.KEYWORD: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    SearchAttributeIndexedValueType.INT: IndexedValueType.INDEXED_VALUE_TYPE_INT,
    SearchAttributeIndexedValueType.DOUBLE: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    SearchAttributeIndexedValueType.BOOL: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    SearchAttributeIndexedValueType.DATETIME: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    SearchAttributeIndexedValueType.KEYWORD_LIST: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}


async def register_search_attributes(client: Client, keys: Keys, *, within_seconds: float = 90) -> None:
    """Make the attributes that are missing, and return once queries may name them all; safe to repeat.

    Raises:
        Fault: one exists with another type, or they are not usable in time.
    """
    await _add(client, await _missing(client, keys))
    try:
        await until(lambda: _usable(client, keys), within_seconds=within_seconds)
    except TimeoutError:
        raise Fault(
            fr="Attributs de recherche pas encore utilisables; relancez «\u00a0gamf setup\u00a0».",
            en="Temporal's search attributes cannot be used yet; run “gamf setup” again.",
        ) from None


async def _missing(client: Client, keys: Keys) -> Keys:
    request = ListSearchAttributesRequest(namespace=client.namespace)
    listed = await client.operator_service.list_search_attributes(request)
    there = {**listed.system_attributes, **listed.custom_attributes}
    missing = [key for key in keys if key.name not in there]
    clash = [key.name for key in keys if key not in missing and there[key.name] != _type(key)]
    if clash:
        raise Fault(
            fr=f"Attributs de recherche déjà présents avec un autre type\u00a0: {', '.join(clash)}.",
            en=f"Search attributes already there with another type: {', '.join(clash)}.",
        )
    return missing


def _type(key: SearchAttributeKey[Any]) -> IndexedValueType.ValueType:
    return _TYPES[key.indexed_value_type]


async def _add(client: Client, keys: Keys) -> None:
    if not keys:
        return
    request = AddSearchAttributesRequest(
        namespace=client.namespace,
        search_attributes={key.name: _type(key) for key in keys},
    )
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise


async def _usable(client: Client, keys: Keys) -> bool:
    """Ask the visibility store itself: it learns of an attribute a moment after it is listed."""
    query = " AND ".join(f"{key.name} IS NULL" for key in keys)
    try:
        await client.count_workflows(query)
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        return False
    return True
