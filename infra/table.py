from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A table of the settings' file; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
