"""The argument of a workflow, read from raw JSON: one that does not decode must not be tried for ever."""

from typing import TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


def read_argument(raw: RawValue, model: type[Model]) -> Model:
    """Return the argument as that model; raise a failure of the workflow, which names the faulty fields, otherwise."""
    try:
        given = workflow.payload_converter().from_payload(raw.payload, model)
    except ValidationError as error:
        faults = sorted({".".join(map(str, fault["loc"])) or "argument" for fault in error.errors()})
        raise _bad(", ".join(faults)) from None
    except Exception:  # noqa: BLE001 - whatever a converter makes of a stranger's bytes, it is not an argument
        raise _bad("argument") from None
    if not isinstance(given, model):
        raise _bad("argument")
    return given


def _bad(faults: str) -> ApplicationError:
    text = f"L'argument n'est pas lisible / The argument cannot be read: {faults}"
    return ApplicationError(text, type="BadArgument", non_retryable=True)
