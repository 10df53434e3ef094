from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.converter import PayloadCodec
from temporalio.exceptions import ApplicationError

from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.errors import ServiceUnreachable, SettingsFault
from gamf.runtime.temporal import check_namespace, connect, data_converter, set_retention

NAME = "Ozanne Thibaudeau-Fictif"


class Sample(BaseModel):
    at: datetime
    note: str


@pytest.fixture(autouse=True)
def _no_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE", "TEMPORAL_API_KEY"):
        monkeypatch.delenv(name, raising=False)


async def test_the_embedded_server_is_reached_by_its_address(temporal: EmbeddedTemporal) -> None:
    client = await connect(address=temporal.address)
    assert client.namespace == "default"
    assert await client.service_client.check_health()


async def test_temporals_own_variables_are_obeyed(
    temporal: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "elsewhere")
    client = await connect()
    assert (client.service_client.config.target_host, client.namespace) == (temporal.address, "elsewhere")


async def test_a_profile_is_obeyed(
    temporal: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "temporal.toml").write_text(
        f'[profile.ministry]\naddress = "{temporal.address}"\nnamespace = "gamf"\n'
    )
    monkeypatch.setenv("TEMPORAL_PROFILE", "ministry")
    assert (await connect()).namespace == "gamf"


async def test_the_embedded_server_is_not_asked_with_the_credentials_of_another(
    temporal: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_API_KEY", "hush")
    client = await connect(address=temporal.address)
    assert client.service_client.config.api_key is None


async def test_a_server_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    with pytest.raises(ServiceUnreachable, match=r"Temporal est injoignable.*127\.0\.0\.1:9") as caught:
        await connect()
    assert caught.value.exit_status == 5
    assert "TEMPORAL_ADDRESS" in caught.value.en


@pytest.mark.parametrize("address", ["127.0.0.1:99999", ":::", "[::1]:7233x", "ftp://127.0.0.1:7233"])
async def test_an_address_that_is_none_is_told_as_a_setting(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    with pytest.raises(SettingsFault, match=r"TEMPORAL_ADDRESS.*hôte:port") as caught:
        await connect()
    assert "host:port" in caught.value.en


async def test_a_namespace_that_the_server_does_not_have_is_told(
    temporal: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await check_namespace(await connect(address=temporal.address))
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "elsewhere")
    with pytest.raises(ServiceUnreachable, match=r"elsewhere.*TEMPORAL_NAMESPACE") as caught:
        await check_namespace(await connect())
    assert "TEMPORAL_NAMESPACE" in caught.value.en


async def test_a_configuration_that_cannot_be_read_is_told_without_its_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "temporal.toml").write_text('[profile.default]\napi_key = "hush')
    with pytest.raises(SettingsFault, match="TEMPORAL_") as caught:
        await connect()
    assert "hush" not in caught.value.fr + caught.value.en
    (tmp_path / "temporal.toml").unlink()
    monkeypatch.setenv("TEMPORAL_PROFILE", "nosuch")
    with pytest.raises(SettingsFault, match="TEMPORAL_"):
        await connect()


async def test_models_cross_whole() -> None:
    sample = Sample(at=datetime(2026, 3, 9, 17, tzinfo=UTC), note="é")
    payloads = await data_converter().encode([sample])
    assert await data_converter().decode(payloads, [Sample]) == [sample]


async def test_a_codec_has_its_place() -> None:
    class Backwards(PayloadCodec):
        async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
            return [Payload(metadata=each.metadata, data=each.data[::-1]) for each in payloads]

        async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
            return await self.encode(payloads)

    converter = data_converter(Backwards())
    payloads = await converter.encode(["abc"])
    assert payloads[0].data == b'"cba"'
    assert await converter.decode(payloads, [str]) == ["abc"]


async def failure_of(error: BaseException) -> Failure:
    failure = Failure()
    await data_converter().encode_failure(error, failure)
    return failure


async def test_an_unforeseen_exception_enters_history_without_its_words() -> None:
    with pytest.raises(ValidationError) as cause:
        Sample.model_validate({"at": NAME, "note": "x"})
    with pytest.raises(KeyError) as caught:
        raise KeyError(NAME) from cause.value
    failure = await failure_of(caught.value)
    assert NAME.encode() not in failure.SerializeToString()
    assert failure.message == failure.application_failure_info.type == "KeyError"
    assert "test_temporal.py" in failure.stack_trace
    assert failure.cause.message == "ValidationError"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ApplicationError("the carrier is closed", type="closed"), "the carrier is closed"),
        (RefusedByRuleError("A11", "Trop tard.", "Too late."), "[A11] Trop tard. / Too late."),
    ],
)
async def test_what_is_raised_on_purpose_keeps_its_words(error: Exception, words: str) -> None:
    assert (await failure_of(error)).message == words


async def test_the_retention_is_set_and_may_be_set_again(temporal: EmbeddedTemporal) -> None:
    client = await connect(address=temporal.address)
    for _ in range(2):
        await set_retention(client, timedelta(days=30))
    described = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace="default")
    )
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=30)
