"""What the names in a function refer to: the very objects that it would meet, found without running it.

A name of the function's own is followed to its class where an annotation or its only assignments say which;
otherwise nothing is said of it. Functions within the function share its names: telling them apart would find
little more.
"""

import ast
import builtins
import importlib.util
import inspect
import random
import sys
from collections import Counter, abc, defaultdict
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Final

from workflows.compiled.determinism.things import (
    UNKNOWN,
    Thing,
    attribute_classes,
    classes,
    hints,
    known,
    member,
    plain_function,
)

_SET_OPERATORS: Final = (ast.BitOr, ast.BitAnd, ast.BitXor, ast.Sub)
_SET_METHODS: Final = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})
_VIEWS: Final = frozenset({"keys", "items"})


class Scope:
    """The names that a function can see.

    Args:
        function: The function.
        node: Its syntax tree.
        owner: The class that its first parameter is, or is an instance of, if it is a method.
    """

    def __init__(self, function: FunctionType, node: ast.AST, owner: type | None) -> None:
        self._function = function
        self._closure = dict(_closure(function))
        self._stores: Counter[str] = Counter()
        self._values: defaultdict[str, list[ast.expr]] = defaultdict(list)
        self._annotations: dict[str, ast.expr] = {}
        self._things: dict[str, Thing] = {}
        self._classes: dict[str, tuple[type, ...]] = {}
        # Without these, a chain of calls would be gone through twice as often with each call more.
        self._things_of: dict[ast.expr, tuple[Thing, ...]] = {}
        self._classes_of: dict[ast.expr, tuple[type, ...]] = {}
        self.loaded: set[str] = set()
        """The names that are read."""

        for child in ast.iter_child_nodes(node):
            for inner in ast.walk(child):
                self._note(inner)
        if owner is not None and function.__code__.co_argcount:
            self._note_first(function.__code__.co_varnames[0], owner)

    # What the function itself names

    def _note(self, node: ast.AST) -> None:
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                self.loaded.add(name)
            case ast.Name(id=name):
                self._stores[name] += 1
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.NamedExpr(ast.Name(id=name), value):
                self._values[name].append(value)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                self._annotations[name] = annotation
            case ast.arg(arg=name, annotation=annotation):
                self._stores[name] += 1
                if annotation is not None:
                    self._annotations[name] = annotation
            case _:
                self._note_name(node)

    def _note_name(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    path = alias.name if alias.asname else alias.name.partition(".")[0]
                    self._things[alias.asname or path] = _module(path)
            case ast.ImportFrom(names=aliases):
                module = _module(self._absolute(node))
                self._things |= {alias.asname or alias.name: member(module, alias.name) for alias in aliases}
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.ExceptHandler():
                self._stores[node.name or ""] += 1
            case ast.MatchAs() | ast.MatchStar():
                self._stores[node.name or ""] += 1

    def _note_first(self, name: str, owner: type) -> None:
        match inspect.getattr_static(owner, self._function.__name__, None):
            case classmethod():
                self._things[name] = known(owner)
            case staticmethod():
                pass
            case _:
                self._classes[name] = (owner,)

    def _absolute(self, node: ast.ImportFrom) -> str:
        package = str(self._function.__globals__.get("__package__") or "")
        name = "." * node.level + (node.module or "")
        return importlib.util.resolve_name(name, package) if node.level and package else name

    # What expressions refer to

    def things(self, node: ast.expr) -> tuple[Thing, ...]:
        """What an expression may refer to; nothing where that can't be told."""
        if node not in self._things_of:
            self._things_of[node] = self._find_things(node)
        return self._things_of[node]

    def _find_things(self, node: ast.expr) -> tuple[Thing, ...]:
        match node:
            case ast.Name(id=name):
                if found := self._named(name):
                    return (found,)
            case ast.Attribute(value=value, attr=name):
                if bases := self.things(value):
                    return tuple(member(base, name) for base in bases)
                # What is drawn from a generator with a seed is the same on a replay.
                made = [cls for cls in self.classes(value) if not issubclass(cls, random.Random)]
                return tuple(member(Thing((), cls, shared=False), name) for cls in made)
            case ast.Subscript(value=ast.Name() | ast.Attribute() as value):
                # `list[int]`, not `things[0]`
                return tuple(thing for thing in self.things(value) if inspect.isclass(thing.value))
        return ()

    def _named(self, name: str) -> Thing | None:
        if name in self._things:
            return self._things[name]
        if name in self._stores:
            return None
        for space in (self._closure, self._function.__globals__):
            if name in space:
                return known(space[name])
        value = getattr(builtins, name, UNKNOWN)
        return Thing((f"builtins.{name}",), value, shared=True) if value is not UNKNOWN else None

    # Of which classes they are instances

    def classes(self, node: ast.expr) -> tuple[type, ...]:
        """The classes that the value of an expression may be an instance of; none where that can't be told."""
        if node not in self._classes_of:
            self._classes_of[node] = self._find_classes(node)
        return self._classes_of[node]

    def _find_classes(self, node: ast.expr) -> tuple[type, ...]:
        match node:
            case ast.Set() | ast.SetComp():
                return (set,)
            case ast.NamedExpr(value=value):
                return self.classes(value)
            case ast.IfExp(body=body, orelse=orelse):
                return _together([self.classes(body), self.classes(orelse)])
            case ast.BinOp():
                return self._of_operation(node)
            case (ast.Call() as call) | ast.Await(value=ast.Call() as call):
                return self._of_call(call)
            case ast.Name(id=name) if name in self._stores:
                return self._of_own(name)
            case ast.Attribute(value=value, attr=name) if found := self.classes(value):
                return tuple(inner for cls in found for inner in attribute_classes(cls, name))
            case ast.Name() | ast.Attribute():
                values = [thing.value for thing in self.things(node) if thing.value is not UNKNOWN]
                return tuple(type(value) for value in values if not isinstance(value, ModuleType | type | FunctionType))
        return ()

    def _of_own(self, name: str) -> tuple[type, ...]:
        if name not in self._classes:
            self._classes[name] = ()  # for what is assigned from itself
            self._classes[name] = self._look_up(name)
        return self._classes[name]

    def _look_up(self, name: str) -> tuple[type, ...]:
        if (hint := hints(self._function).get(name)) is not None:
            return classes(hint)
        if name in self._annotations:
            return self._annotated(self._annotations[name])
        values = self._values[name]
        if self._stores[name] != len(values):
            return ()  # it is a loop's, or unpacked
        return _together([self.classes(value) for value in values])

    def _annotated(self, node: ast.expr) -> tuple[type, ...]:
        """The classes that an annotation within the function stands for; none if it isn't a plain one."""
        match node:
            case ast.Subscript(value=value):
                return self._annotated(value)
            case ast.BinOp(left=left, right=ast.Constant(value=None)):
                return self._annotated(left)
        return tuple(cls for thing in self.things(node) for cls in classes(thing.value))

    def _of_operation(self, node: ast.BinOp) -> tuple[type, ...]:
        if not isinstance(node.op, _SET_OPERATORS):
            return self.classes(node.left) if isinstance(node.op, ast.Div) else ()  # `Path("a") / "b"`
        sides = (node.left, node.right)
        return (set,) if any(self.is_set(side) or _is_view(side) for side in sides) else ()

    def _of_call(self, node: ast.Call) -> tuple[type, ...]:
        match node.func:
            case ast.Attribute(value=value, attr=name) if name in _SET_METHODS and self.is_set(value):
                return (set,)
        found: list[tuple[type, ...]] = []
        for thing in self.things(node.func):
            if inspect.isclass(thing.value):
                found.append((thing.value,))
            elif function := plain_function(thing.value):
                found.append(classes(hints(function).get("return")))
            else:
                found.append(())
        return _together(found)

    def is_set(self, node: ast.expr) -> bool:
        """Tell whether the value of an expression is surely a set, whose order isn't fixed."""
        found = self.classes(node)
        return bool(found) and all(
            issubclass(cls, set | frozenset) or cls in (abc.Set, abc.MutableSet) for cls in found
        )


def _together(found: list[tuple[type, ...]]) -> tuple[type, ...]:
    return tuple(cls for one in found for cls in one) if all(found) else ()


def _module(name: str) -> Thing:
    return Thing((name,), sys.modules.get(name, UNKNOWN), shared=True)


def _closure(function: FunctionType) -> Iterator[tuple[str, object]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue  # it is assigned later on


def _is_view(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _VIEWS
    return False
