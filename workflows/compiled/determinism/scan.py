"""One function's syntax tree, read for what isn't deterministic in it and for what it calls."""

import ast
import functools
import inspect
import random
from collections import abc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Final

from workflows.compiled.determinism import names
from workflows.compiled.determinism.flaws import Flaw, flaw_at
from workflows.compiled.determinism.scope import Scope
from workflows.compiled.determinism.sources import Located, locate
from workflows.compiled.determinism.things import CONTAINERS, UNKNOWN, Thing, handed_over, known, plain_function
from workflows.compiled.findings import Code

_ORDER: Final = "sort it: sorted(...)"
_STATE: Final = "keep it in the step's results, or in an activity"
_AWAIT: Final = "await it"

_IN_ORDER: Final = frozenset({"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "reversed"})
"""Built-in functions whose result is in the order of what they are given."""

_IN_NO_ORDER: Final = frozenset({"sorted", "len", "any", "all", "min", "max", "sum", "set", "frozenset"})
"""Built-in functions whose result doesn't depend on the order of what they are given."""

_CHANGES: Final = frozenset(
    {
        *("append", "appendleft", "extend", "extendleft", "insert", "remove", "sort", "reverse", "rotate", "pop"),
        *("popleft", "popitem", "clear", "add", "discard", "update", "setdefault", "subtract", "move_to_end"),
        *("difference_update", "intersection_update", "symmetric_difference_update"),
    }
)
"""Methods that change a container in place."""

_RUN_BY_OTHERS: Final = ("temporalio.workflow.execute_", "temporalio.workflow.start_")
"""A function that is handed to these is an activity, or a workflow: it isn't run here."""

_HANDED_ON: Final = ("builtins.", "functools.", "itertools.", "asyncio.", "temporalio.workflow.wait_condition")
"""A function that is handed to these is run here."""


@dataclass(frozen=True)
class Called:
    """A function that is run by the one that was read."""

    function: FunctionType
    owner: type | None
    """The class that its first parameter is, or is an instance of, if it is a method."""


@dataclass
class Scan:
    """What was read in a function."""

    located: Located
    flaws: list[Flaw] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)


@functools.lru_cache(maxsize=4096)
def scan(function: FunctionType, owner: type | None) -> Scan | None:
    """Read a function, once per process; nothing if its source isn't there, or is nested too deep to be read.

    Args:
        function: The function.
        owner: The class that it is a method of, if it is one.
    """
    located = locate(function)
    if located is None:
        return None
    result = Scan(located)
    try:
        _Reader(result, Scope(function, located.node, owner)).read()
    except RecursionError:
        return None  # an expression of hundreds of terms, for example, is no reason not to import the module
    return result


class _Reader(ast.NodeVisitor):
    """Walks through one function, with the functions that are written in it."""

    def __init__(self, result: Scan, scope: Scope) -> None:
        self.result = result
        self.scope = scope
        self.statement: ast.stmt | None = None
        self.unordered: set[ast.expr] = set()
        """Expressions whose order doesn't matter to what takes them."""

        self.elsewhere: set[str] = set()
        """Functions within the function that are run as activities."""

    def read(self) -> None:
        node = self.result.located.node
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        self.elsewhere = {name for statement in body for name in self.handed_to_workers(statement)}
        for statement in body:
            self.visit(statement)

    def handed_to_workers(self, tree: ast.AST) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and self.is_one_of(node.func, _RUN_BY_OTHERS):
                yield from (argument.id for argument in node.args if isinstance(argument, ast.Name))

    def is_one_of(self, node: ast.expr, prefixes: tuple[str, ...]) -> bool:
        return any(name.startswith(prefixes) for thing in self.scope.things(node) for name in thing.names[:1])

    def flaw(self, node: ast.expr | ast.stmt, code: Code, message: str, remedy: str) -> None:
        lines = self.result.located.source.lines
        self.result.flaws.append(flaw_at(lines, node, self.statement or node, code, message, remedy))

    # Statements

    def visit(self, node: ast.AST) -> None:
        if not isinstance(node, ast.stmt):
            super().visit(node)
            return
        outer, self.statement = self.statement, node
        super().visit(node)
        self.statement = outer

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = [inner.func if isinstance(inner, ast.Call) else inner for inner in node.decorator_list]
        is_activity = any(self.is_one_of(inner, ("temporalio.activity.defn",)) for inner in decorators)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        if not is_activity and node.name not in self.elsewhere:
            for statement in node.body:
                self.visit(statement)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  # named as ast wants it

    def visit_If(self, node: ast.If) -> None:
        match node.test:
            case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
                for statement in node.orelse:
                    self.visit(statement)
            case _:
                self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.check_change(node.target)
        if node.value is not None:
            self.visit(node.value)

    def visit_Global(self, node: ast.Global) -> None:
        changed = ", ".join(node.names)
        self.flaw(
            node,
            Code.NONDETERMINISTIC_GLOBAL_STATE,
            f"'{changed}' of the module is shared by all runs in the process",
            _STATE,
        )

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.check_awaited(node.value)
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.check_change(target)
            if isinstance(target, ast.Tuple | ast.List) and len(target.elts) > 1:  # of one member the order is known
                self.check_order(node.value, "is unpacked")
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if name not in self.scope.loaded:
                self.check_awaited(call)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.check_change(node.target)
        if isinstance(node.op, ast.Add):
            self.check_order(node.value, "is added to a list")
        self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.check_change(target)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self.check_order(node.iter, "is gone through")
        self.generic_visit(node)

    # Expressions

    def visit_Name(self, node: ast.Name) -> None:
        self.check_use(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if self.check_use(node):
            return
        for thing in self.scope.things(node):
            if isinstance(thing.value, property):
                self.call(thing.value.fget, thing.owner)
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        things = self.scope.things(node.func)
        if not self.check_call(node, things) and isinstance(node.func, ast.Attribute):
            self.visit(node.func.value)
        elif not isinstance(node.func, ast.Name | ast.Attribute):
            self.visit(node.func)
        self.mark_unordered(node, things)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if not (isinstance(argument, ast.Lambda) and self.is_one_of(node.func, _RUN_BY_OTHERS)):
                self.visit(argument)

    def visit_Starred(self, node: ast.Starred) -> None:
        self.check_order(node.value, "is unpacked")
        self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn):
                self.unordered.add(right)
        self.generic_visit(node)

    def visit_ListComp(self, node: ast.ListComp | ast.GeneratorExp | ast.DictComp) -> None:
        for generator in node.generators:
            if node not in self.unordered:
                self.check_order(generator.iter, "is gone through")
        self.generic_visit(node)

    visit_GeneratorExp = visit_DictComp = visit_ListComp  # noqa: N815  # named as ast wants it

    # What is looked for

    def check_use(self, node: ast.Name | ast.Attribute) -> bool:
        """Find a name that is given away or read, not called."""
        for thing in self.scope.things(node):
            found = names.match(thing.names)
            # Modules and classes are harmless until something of them is called, and so are most constants.
            if found is None or found.rule.enough is not None or not _is_plain(thing.value):
                continue
            if found.exact or callable(thing.value):
                self.flaw(node, found.rule.code, f"{found.name} {found.rule.does}", found.rule.remedy)
                return True
        return False

    def check_call(self, node: ast.Call, things: Iterable[Thing]) -> bool:
        """Find a call that isn't deterministic; follow it if it can be."""
        if isinstance(node.func, ast.Attribute) and self.check_method(node, node.func):
            return True
        for thing in things:
            found = names.match(thing.names)
            if found is not None and not _is_enough(node, found) and not _is_error(thing.value):
                self.flaw(node.func, found.rule.code, f"{found.name}() {found.rule.does}", found.rule.remedy)
                return True
            self.check_function(node, thing)
            self.follow(node, thing)
        return False

    def check_method(self, node: ast.Call, func: ast.Attribute) -> bool:
        receiver = func.value
        if func.attr == "run_in_executor":
            rule = names.THREAD
            self.flaw(func, rule.code, f"run_in_executor() {rule.does}", rule.remedy)
            return True
        for thing in self.scope.things(receiver):
            changes = isinstance(thing.value, CONTAINERS) and func.attr in _CHANGES
            if changes or isinstance(thing.value, random.Random):
                self.shared(func, ast.unparse(receiver))
                return True
        if func.attr in ("join", "extend", "extendleft", "fromkeys") and node.args:
            self.check_order(node.args[0], f"is given to {func.attr}()")
        elif func.attr == "pop" and not node.args and self.scope.is_set(receiver):
            self.disorder(receiver, "gives up a member by pop()")
        return False

    def check_function(self, node: ast.Call, thing: Thing) -> None:
        name = thing.names[0].removeprefix("builtins.") if thing.names else ""
        if name in _IN_ORDER and node not in self.unordered:
            for argument in node.args:
                self.check_order(argument, f"is given to {name}()")
        elif name == "next" and node.args:
            for given in self.scope.things(node.args[0]):
                if given.shared and isinstance(given.value, abc.Iterator):
                    self.shared(node, ast.unparse(node.args[0]))

    def mark_unordered(self, node: ast.Call, things: Iterable[Thing]) -> None:
        """Remember the arguments whose order doesn't matter."""
        matters_not = any(name == f"builtins.{one}" for thing in things for name in thing.names for one in _IN_NO_ORDER)
        passes_on = node in self.unordered
        of_a_set = isinstance(node.func, ast.Attribute) and self.scope.is_set(node.func.value)
        if matters_not or passes_on or of_a_set:
            self.unordered.update(node.args)

    def check_order(self, node: ast.expr, what: str) -> None:
        if self.scope.is_set(node):
            self.disorder(node, what)

    def disorder(self, node: ast.expr, what: str) -> None:
        message = f"the set {_short(node)} {what}, and its order differs from one process to the next"
        self.flaw(node, Code.NONDETERMINISTIC_SET_ORDER, message, _ORDER)

    def check_change(self, target: ast.expr) -> None:
        """Find an assignment into something that all runs share."""
        if isinstance(target, ast.Tuple | ast.List):
            for inner in target.elts:
                self.check_change(inner)
        elif isinstance(target, ast.Subscript | ast.Attribute):
            # What comes after the first name is reached through it: `CACHE["a"].b = c` changes CACHE.
            root = target.value
            while isinstance(root, ast.Subscript):
                root = root.value
            if any(thing.shared for thing in self.scope.things(root)):
                self.shared(target, ast.unparse(root))

    def shared(self, node: ast.expr, name: str) -> None:
        message = f"'{name}' is shared by all runs in the process, and is changed"
        self.flaw(node, Code.NONDETERMINISTIC_GLOBAL_STATE, message, _STATE)

    def check_awaited(self, node: ast.Call) -> None:
        """Find a coroutine that nobody waits for."""
        for thing in self.scope.things(node.func):
            function = thing.value.__func__ if isinstance(thing.value, staticmethod | classmethod) else thing.value
            if inspect.iscoroutinefunction(function):
                self.flaw(
                    node, Code.UNAWAITED_COROUTINE, f"{_short(node.func)}() is never awaited, so it is not run", _AWAIT
                )
                return

    # What is called

    def follow(self, node: ast.Call, thing: Thing) -> None:
        if inspect.isclass(thing.value):
            for name in ("__init__", "__post_init__", "model_post_init"):
                self.call(inspect.getattr_static(thing.value, name, None), thing.value)
            self.check_factories(node, thing.value)
        else:
            self.call(thing.value, thing.owner)
        if any(name.startswith(_HANDED_ON) for name in thing.names):
            for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                for given in self.scope.things(argument):
                    self.call(given.value, given.owner)

    def call(self, value: object, owner: type | None) -> None:
        function = plain_function(value)
        if function is not None:
            self.result.calls.append(Called(function, owner))

    def check_factories(self, node: ast.Call, cls: type) -> None:
        """Find fields that are filled by what isn't deterministic: `id: UUID = Field(default_factory=uuid4)`."""
        given = {keyword.arg for keyword in node.keywords}
        if None in given or node.args:
            return
        for name, factory in handed_over(cls):
            if name in given:
                continue
            found = names.match(known(factory).names)
            if found is not None:
                message = f"{cls.__name__}() fills '{name}' by {found.name}(), which {found.rule.does}"
                self.flaw(node.func, found.rule.code, message, f"give '{name}' a value: {found.rule.remedy}")
            else:
                self.call(factory, None)


def _is_enough(node: ast.Call, found: names.Match) -> bool:
    given = len(node.args) + len(node.keywords)
    return found.exact and found.rule.enough is not None and given >= found.rule.enough


def _is_plain(value: object) -> bool:
    return value is not UNKNOWN and not isinstance(value, ModuleType | type)


def _is_error(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, BaseException)


def _short(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 40 else f"{text[:37]}..."
