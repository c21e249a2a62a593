"""OpenTelemetry's own variables, as far as they say whether something is sent by OTLP, and how."""

from typing import Literal, Self

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.errors import SetupError
from signals.wire import one_line

Protocol = Literal["grpc", "http/protobuf"]


class OtlpSettings(BaseSettings):
    """What is said for all signals: `OTEL_EXPORTER_OTLP_ENDPOINT`, ..."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="OTEL_", env_ignore_empty=True)

    sdk_disabled: bool = False
    exporter_otlp_endpoint: str | None = None
    exporter_otlp_protocol: Protocol = "http/protobuf"

    @classmethod
    def read(cls) -> Self:
        """Read the variables.

        Raises:
            SetupError: One can't be used.
        """
        try:
            return cls()
        except ValidationError as error:
            raise SetupError(f"OTEL_...: {one_line(error)}") from None
