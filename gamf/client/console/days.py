"""Days as a form has them."""

from datetime import date
from typing import Final

from pydantic import TypeAdapter, ValidationError

from gamf.domain.facts import Day
from gamf.domain.refusal import RefusedByRuleError

_DAY: Final = TypeAdapter[date](Day)


def day_of(written: str, field: str) -> date | None:
    """Return the day that was written in a field, or None when it was left empty.

    Raises:
        RefusedByRuleError: what was written is no day.
    """
    if not written:
        return None
    try:
        return _DAY.validate_python(written)
    except ValidationError:
        raise RefusedByRuleError(
            "form", "La date n’a pas la forme attendue.", "The date has not the expected form.", field
        ) from None
