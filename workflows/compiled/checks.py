"""The compiler's checks of a single step: names, annotations, and the functions that it is decided with.

Source of the rules: the seed's "Compile-Time Workflows"; parameter names are the data flow.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, get_type_hints

from signals.context import UniversalContext
from signals.run import RunSoFar
from signals.settings import Settings
from workflows.compiled.findings import Code, Finding, Severity
from workflows.compiled.source import (
    CONTEXT,
    ERROR,
    PREVIOUS,
    REQUEST,
    RUN,
    SETTINGS,
    StepSource,
    parameters_of,
    place_of,
)
from workflows.compiled.types import fits, shown
from workflows.compiled.wire import misfit
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import StepError

NAMES: Final = (REQUEST, RUN, CONTEXT, SETTINGS, ERROR, PREVIOUS)
"""What no step may be called."""

_OWN: Final = {CONTEXT: "context", SETTINGS: "settings"}
"""What of a run's own steps may ask for, beside its record."""


class Checker:
    """The findings about one class, as its steps are checked."""

    def __init__(self, cls: type, reserved: frozenset[str]) -> None:
        self.cls = cls
        self.reserved = reserved
        self.findings: list[Finding] = []
        self.steps: dict[str, StepSource] = {}

    def find(
        self,
        code: Code,
        step: str | None,
        parameter: str | None,
        message: str,
        remedy: str,
        severity: Severity = Severity.ERROR,
        at: Callable[..., object] | None = None,
    ) -> None:
        """Note a finding; it is about the step's line, or the class's, if it isn't said where it is `at`."""
        place = at or (self.steps[step].method if step in self.steps else self.cls)
        self.findings.append(
            Finding(code, severity, *place_of(place), self.cls.__name__, step, parameter, message, remedy)
        )

    def hints_of(self, function: Callable[..., object], step: str | None) -> dict[str, object]:
        """Read a function's annotations; those of one that can't be read, which is a finding, could be anything."""
        try:
            return get_type_hints(function, include_extras=True)
        except (NameError, TypeError) as error:
            message = f"an annotation can't be read: {error}"
            self.find(Code.BAD_ANNOTATION, step, None, message, "import what it names", at=function)
            return dict.fromkeys(getattr(function, "__annotations__", ()), Any)

    def check_members(self) -> None:
        """Check what the class has beside its steps: nothing may take the place of what Parley puts beside it."""
        for name in vars(self.cls):
            is_own = name == "__init__" or not name.startswith(("__", "_abc_"))
            if name in self.reserved and is_own and name not in self.steps:
                remedy = "do it in a step" if name == "__init__" else "call it something else"
                self.find(Code.RESERVED_NAME, None, None, f"the name '{name}' is taken by Parley", remedy)

    def check(self, step: StepSource) -> None:
        """Check a step; all steps of the class must be known by now."""
        if step.name in self.reserved or step.name in NAMES or step.name.startswith("_"):
            remedy = "call the step something else"
            self.find(Code.RESERVED_NAME, step.name, None, "the name is taken by Parley", remedy)
        if "return" not in step.hints:
            self.find(Code.MISSING_ANNOTATION, step.name, None, "the result has no annotation", "say what it returns")
        else:
            self._check_serialisable(step, None, step.returns)
        for parameter in step.parameters:
            self._check_parameter(step, parameter)
        for what, function in step.functions.items():
            self.check_function(step, what, function)
        self._check_compensation(step)

    # Parameters

    def _check_parameter(self, step: StepSource, parameter: str) -> None:
        if parameter not in step.hints:
            remedy = "annotate it with what it accepts"
            self.find(Code.MISSING_ANNOTATION, step.name, parameter, "it has no annotation", remedy)
            return
        hint = step.hints[parameter]
        given = self._given(step)
        if parameter == PREVIOUS and step.options.repeat:
            given[PREVIOUS] = step.returns
            self._check_default(step, parameter, "it is filled only from the second time on")
        if parameter in given:
            self._check_type(step, parameter, given[parameter], hint)
        elif parameter == REQUEST:
            self._check_serialisable(step, parameter, hint)
        elif parameter in step.fed:
            self._check_default(step, parameter, "it is filled only after the conversation")
            self._check_serialisable(step, parameter, hint)
        else:
            remedy = f"name it after one of: {', '.join([REQUEST, *given])}"
            self.find(Code.UNKNOWN_PARAMETER, step.name, parameter, "nothing has this name", remedy)

    def _given(self, step: StepSource | None, *, with_request: bool = False) -> dict[str, object]:
        """What a step can ask for by name, with the annotation of what it is given.

        Args:
            step: The step; none for the run as a whole.
            with_request: Also the workflow's input; it is the steps themselves that say what it is.
        """
        others = {name: other.gives for name, other in self.steps.items() if step is None or name != step.name}
        said = [other.hints[REQUEST] for other in self.steps.values() if REQUEST in other.hints]
        request = {REQUEST: said[0] if said else Any} if with_request else {}
        return {**request, RUN: RunSoFar, CONTEXT: UniversalContext, SETTINGS: Settings, **others}

    def _check_type(self, step: StepSource, parameter: str, promised: object, accepted: object) -> None:
        if not fits(promised, accepted):
            giver = f"step '{parameter}'" if parameter in self.steps else f"the run's {_OWN.get(parameter, 'record')}"
            message = f"it accepts {shown(accepted)}, but {giver} gives {shown(promised)}"
            self.find(Code.TYPE_MISMATCH, step.name, parameter, message, "change one of the two annotations")

    def _check_default(self, step: StepSource, parameter: str, why: str) -> None:
        if inspect.signature(step.method).parameters[parameter].default is inspect.Parameter.empty:
            remedy = f"give it the default None: {why}"
            self.find(Code.MISSING_DEFAULT, step.name, parameter, "it has no default", remedy)

    def _check_serialisable(self, step: StepSource, parameter: str | None, hint: object) -> None:
        if fault := misfit(hint):
            self.find(fault.code, step.name, parameter, fault.message, fault.remedy, fault.severity)

    # Functions that a step is decided with

    def check_function(self, step: StepSource | None, what: str, function: Callable[..., object]) -> None:
        """Check a function that a step, or the run as a whole, is decided with.

        Args:
            step: The step; none where it is the run as a whole.
            what: What it is for, such as `when` or `setup of point 'x'`.
            function: The function.
        """
        place = step.name if step else None
        hints = self.hints_of(function, place)
        given = self._given(step, with_request=True)
        wanted: object = ConversationSetup if what.startswith("setup") else bool
        if step and (what == "until" or what.startswith("condition")):
            given[step.name] = step.returns
        if wanted is ConversationSetup:
            given[ERROR] = StepError
        if not fits(hints.get("return", object), wanted):
            remedy = "annotate what it returns"
            self.find(Code.FUNCTION, place, None, f"{what}: it does not return {shown(wanted)}", remedy)
        if inspect.iscoroutinefunction(function):
            self.find(Code.FUNCTION, place, None, f"{what}: it is async", "make it a plain, pure function")
        self._check_arguments(place, what, parameters_of(function), hints, given)

    def _check_arguments(
        self,
        step: str | None,
        what: str,
        names: list[str],
        hints: Mapping[str, object],
        given: Mapping[str, object],
    ) -> None:
        for name in names:
            if name not in given:
                message = f"{what}: it asks for '{name}', which it isn't given"
                self.find(Code.FUNCTION, step, None, message, f"known are: {', '.join(given)}")
            elif not fits(given[name], hints.get(name, object)):
                message = f"{what}: it accepts {shown(hints[name])} for '{name}', but is given {shown(given[name])}"
                self.find(Code.FUNCTION, step, None, message, "change one of the two annotations")

    def _check_compensation(self, step: StepSource) -> None:
        function = step.options.compensation
        if function is None:
            return
        is_method = any(value is function for value in vars(self.cls).values())
        if not is_method or function.__name__ in self.steps:
            remedy = "name a method that stands above the step in the class and is no step itself"
            self.find(Code.FUNCTION, step.name, None, "compensation: it is no method of the class", remedy)
            return
        # It must be able to run whenever the step was done, so it is given what the step was given.
        could_be = self._given(step, with_request=True)
        given = {
            name: hint for name, hint in could_be.items() if name in (*step.parameters, REQUEST, RUN, CONTEXT, SETTINGS)
        }
        given[step.name] = step.returns
        hints = self.hints_of(function, step.name)
        self._check_arguments(step.name, "compensation", parameters_of(function)[1:], hints, given)
