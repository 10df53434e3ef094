"""What is read out: patients, attributions, blocks, tasks, letters; a module a subject.

Lists come from here and not from Temporal's visibility, which must not know whom they are about.
"""

from gamf.storage.lists._attributions import (
    AttributionFilter,
    attribution,
    attributions,
    attributions_named,
    attributions_of_patient,
    history,
)
from gamf.storage.lists._blocks import BlockFilter, block, blocks, counted, members
from gamf.storage.lists._letters import letters_of_attribution, letters_of_patient, outbox
from gamf.storage.lists._physicians import PhysicianFilter, networks, physician, physicians
from gamf.storage.lists._register import (
    RegisterFilter,
    enrolments_of,
    export,
    patient,
    patient_of_nam,
    register,
    waiting_before,
)
from gamf.storage.lists._tasks import TaskFilter, open_tasks, task, tasks_within
from gamf.storage.pages import EVERYTHING, Asked, Rows

__all__ = [
    "EVERYTHING",
    "Asked",
    "AttributionFilter",
    "BlockFilter",
    "PhysicianFilter",
    "RegisterFilter",
    "Rows",
    "TaskFilter",
    "attribution",
    "attributions",
    "attributions_named",
    "attributions_of_patient",
    "block",
    "blocks",
    "counted",
    "enrolments_of",
    "export",
    "history",
    "letters_of_attribution",
    "letters_of_patient",
    "members",
    "networks",
    "open_tasks",
    "outbox",
    "patient",
    "patient_of_nam",
    "physician",
    "physicians",
    "register",
    "task",
    "tasks_within",
    "waiting_before",
]
