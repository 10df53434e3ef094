"""What a worker can do: its workflows and its activities, each given what it needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporalio.client import Client

from gamf.activities.attributions import AttributionActivities
from gamf.activities.blocks import BlockActivities
from gamf.activities.letters import LetterActivities
from gamf.activities.messenger import TemporalMessenger
from gamf.letters.carriers import Carrier, OutboxCarrier, Security, SmtpCarrier, SmtpSettings
from gamf.letters.render import LetterRenderer
from gamf.runtime.settings import Settings
from gamf.workflows.attribution import AttributionWorkflow
from gamf.workflows.block import BlockWorkflow
from gamf.workflows.starting import AttributionStarter

if TYPE_CHECKING:
    from gamf.runtime.database import Pool


@dataclass(frozen=True)
class Registry:
    """The workflows and the activities that a worker registers."""

    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]]


def build(pool: "Pool", client: Client, settings: Settings, carrier: Carrier | None = None) -> Registry:
    """Give the activities what they need, and return everything the worker registers.

    Letters go by the carrier that the settings name, unless another is given.
    """
    messenger = TemporalMessenger(client)
    attributions = AttributionActivities(pool, messenger)
    blocks = BlockActivities(pool, messenger, AttributionStarter(client))
    letters = LetterActivities(pool, LetterRenderer(), carrier or _carrier(settings))
    return Registry(
        workflows=(AttributionWorkflow, BlockWorkflow),
        activities=(
            attributions.propose,
            attributions.confirm_acceptance,
            attributions.enrol_sv,
            attributions.enrol_mf,
            attributions.return_to_list,
            attributions.leave_list,
            attributions.open_task,
            attributions.reopen_window,
            attributions.note,
            attributions.keep_refused_facts,
            attributions.ask_about_letter,
            blocks.draw_list,
            blocks.attribute_list,
            blocks.answer_list,
            blocks.withdraw_list,
            blocks.close_block,
            letters.send_letter,
        ),
    )


def _carrier(settings: Settings) -> Carrier:
    """Return the carrier that the settings name."""
    if settings.carrier == "outbox":
        return OutboxCarrier(settings.outbox)
    return SmtpCarrier(
        SmtpSettings(
            host=settings.smtp_host or "",
            port=settings.smtp_port,
            sender=settings.smtp_from or "",
            mailbox=settings.smtp_mailbox or "",
            security=Security(settings.smtp_security),
            ca_file=settings.smtp_ca_file,
            username=settings.smtp_user,
            password=settings.smtp_password,
            timeout_seconds=settings.smtp_timeout_seconds,
        ),
        settings.outbox,
    )
