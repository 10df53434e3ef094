"""An edit that moves two commands, as somebody might make it, and the same edit behind a patch."""

from temporalio import workflow
from temporalio.common import RawValue

from gamf.workflows.attribution import AttributionWorkflow

with workflow.unsafe.imports_passed_through():
    from gamf.activities.transitions import Outcome
    from gamf.domain.model import Attribution
    from gamf.workflows.carried import Result


class _LettersFirst(AttributionWorkflow):
    async def _letters_first(self, attribution: Attribution, outcome: Outcome) -> None:
        before, self._attribution = self._attribution, attribution
        for letter_id in outcome.letters:
            self._send(letter_id)
        # Letters are sent by tasks: let them ask for their activity first.
        await workflow.wait_condition(lambda: True)
        self._show(before)


@workflow.defn(name="Attribution")
class ReorderedAttribution(_LettersFirst):
    """Sends the letters before it brings the search attributes up to date."""

    @workflow.init
    def __init__(self, argument: RawValue) -> None:
        super().__init__(argument)

    @workflow.run
    async def run(self, argument: RawValue) -> Result:
        return await super().run(argument)

    async def _become(self, attribution: Attribution, outcome: Outcome) -> None:
        await self._letters_first(attribution, outcome)


@workflow.defn(name="Attribution")
class PatchedAttribution(_LettersFirst):
    """Does so only for what begins from now on."""

    @workflow.init
    def __init__(self, argument: RawValue) -> None:
        super().__init__(argument)

    @workflow.run
    async def run(self, argument: RawValue) -> Result:
        return await super().run(argument)

    async def _become(self, attribution: Attribution, outcome: Outcome) -> None:
        if workflow.patched("letters-first"):
            await self._letters_first(attribution, outcome)
        else:
            await super()._become(attribution, outcome)
