"""How a workflow has a transition written: at once, inside its workflow task; by an activity when that does not go."""

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from gamf.activities.transitions import Outcome
    from gamf.domain.attribution import Transition
    from gamf.workflows import options, visibility


async def carry_out(t: Transition) -> Outcome:
    """Have a transition written, once, however often it is tried; return when it is.

    The local activity spares the server a task, and the caller of an update most of the wait. Whether it was done is
    known when it answers, not when it fails: the activity that follows is the same transition under the same number.
    """
    summary = visibility.STEP_SUMMARIES[t.step]
    try:
        outcome: Outcome = await workflow.execute_local_activity(
            t.step,
            t,
            result_type=Outcome,
            start_to_close_timeout=options.AT_ONCE_TIMEOUT,
            retry_policy=options.AT_ONCE,
            summary=summary,
        )
    except FailureError:  # a local activity's failure comes as it is, in no `ActivityError`
        outcome = await workflow.execute_activity(
            t.step,
            t,
            result_type=Outcome,
            start_to_close_timeout=options.TRANSITION_TIMEOUT,
            retry_policy=options.FOREVER,
            summary=summary,
        )
    return outcome
