"""A workflow that calls the activity it is told to; apart, because the sandbox imports its module anew."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy


@workflow.defn
class Sample:
    @workflow.run
    async def run(self, name: str) -> str:
        answer: str = await workflow.execute_activity(
            name,
            start_to_close_timeout=timedelta(seconds=60),
            retry_policy=RetryPolicy(maximum_attempts=1),
            result_type=str,
        )
        return answer
