"""Open unions: families of strategies that extensions may add to, told apart on the wire by `kind`."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from signals.wire import Wire


class Strategy(Wire):
    """A way of doing something: settings as fields, decisions as pure methods."""

    kind: str
    """Names it on the wire."""


S = TypeVar("S", bound=Strategy)


class Family(Generic[S]):
    """The strategies of one sort. A field that takes any of them is `Annotated[Base, FAMILY]`.

    Args:
        what: What it is a family of, for people.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._known: dict[str, type[S]] = {}
        self._described = False
        """Whether its JSON Schema is being made."""

    @property
    def known(self) -> tuple[type[S], ...]:
        """All strategies that were added."""
        return tuple(self._known.values())

    def add(self, *strategies: type[S]) -> None:
        """Add strategies.

        Raises:
            ValueError: One has no `kind` of its own, or another one has the same.
        """
        for strategy in strategies:
            kind = strategy.model_fields["kind"].default
            if not isinstance(kind, str) or not kind:
                raise ValueError(f"{strategy.__name__}: give it a kind: `kind: Literal['...'] = '...'`")
            other = self._known.setdefault(kind, strategy)
            # The sandbox imports an extension's module anew for a run; the first of its classes stays.
            if (other.__module__, other.__qualname__) != (strategy.__module__, strategy.__qualname__):
                raise ValueError(f"{strategy.__name__}: the kind {kind!r} of {self._what} is {other.__name__} already")

    @property
    def kinds(self) -> list[str]:
        """The kinds that there are."""
        return list(self._known)

    def parse(self, value: object) -> S:
        """Make a strategy of its settings.

        Raises:
            ValueError: There is none of this kind, or (pydantic's own, which it puts in place) a setting doesn't fit.
        """
        if isinstance(value, Strategy) and value.kind in self._known:
            return cast(S, value)  # perhaps of a class that the sandbox has imported anew
        kind = value.get("kind") if isinstance(value, Mapping) else None
        strategy = self._known.get(kind) if isinstance(kind, str) else None
        if strategy is None:
            raise ValueError(f"'kind' must be one of {', '.join(map(repr, self._known))}")
        return strategy.model_validate(value)

    # Any: pydantic's own signature of what a type is made from.
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda strategy, info: strategy.model_dump(mode=info.mode), info_arg=True
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        known = {kind: strategy.__pydantic_core_schema__ for kind, strategy in self._known.items()}
        if self._described:
            # A strategy that is made of others of its family: all of them are being described already.
            references: dict[str, CoreSchema] = {
                kind: core_schema.definition_reference_schema(_ref(schema)) for kind, schema in known.items()
            }
            return handler(core_schema.tagged_union_schema(references, "kind"))
        self._described = True
        try:
            return handler(core_schema.tagged_union_schema(known, "kind"))
        finally:
            self._described = False


def _ref(schema: CoreSchema) -> str:
    """What pydantic calls a model where a schema refers to it; a model with definitions comes wrapped in them."""
    while "ref" not in schema:
        schema = schema["schema"]
    return cast(str, schema["ref"])
