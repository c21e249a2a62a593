"""Importing a module of workflows anew, which the sandbox does for every run, leaves nothing of the copies before."""

import sys
from importlib import import_module
from weakref import ref

TIMES = 80


def test_copies_of_runs_that_are_over_are_not_held_on_to() -> None:
    name = "tests.flows.points"
    before = import_module(name)
    try:
        copies = []
        for _ in range(TIMES):
            del sys.modules[name]
            copies.append(ref(import_module(name).Consult))
    finally:
        sys.modules[name] = before
    # Garbage is collected by itself meanwhile, as it is in a worker: only of the last ones something may be left.
    assert sum(copy() is not None for copy in copies) < TIMES / 2
