"""A refusal: which rule, and why, in French with the English beside it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Reason(BaseModel):
    """Why something was refused, in words a coordinator understands; `rule` is a row of rules.md or `form`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    fr: str
    en: str
    field: Annotated[str | None, Field(description="the field at fault, when there is one")] = None

    def __str__(self) -> str:
        """Return both languages, as a person without a client of ours sees them."""
        return f"[{self.rule}] {self.fr} / {self.en}"


class RefusedByRuleError(ValueError):
    """What was asked is against a rule; nothing has changed and nothing is lost."""

    def __init__(self, rule: str, fr: str, en: str, field: str | None = None) -> None:
        """Keep the reason as data, so that a caller can show it in the language of its user."""
        self.reason = Reason(rule=rule, fr=fr, en=en, field=field)
        super().__init__(str(self.reason))

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a copy between processes."""
        return type(self), (self.reason.rule, self.reason.fr, self.reason.en, self.reason.field)
