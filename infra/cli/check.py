"""`check`: finds mistakes in workflows without running them, and shows how their steps wait for each other."""

import argparse
import json
from dataclasses import asdict
from typing import Final

from pydantic import JsonValue
from rich.console import Console
from rich.text import Text

from infra.cli.commands import Commands
from infra.cli.excerpt import excerpt
from infra.cli.loading import Loaded, load
from workflows.compiled.findings import Severity
from workflows.compiled.paths import critical_path, waves
from workflows.compiled.plan import Plan, StepPlan

OK: Final = 0
WARNINGS: Final = 1
ERRORS: Final = 2

_EPILOG: Final = "Exit status: 0 without errors, 2 with errors; with --strict 1 where there are warnings only."


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    parser = commands.add_parser("check", help="find mistakes without running anything", epilog=_EPILOG)
    parser.add_argument(
        "modules",
        nargs="*",
        metavar="MODULE",
        help="a module, a package or a file with workflows (default: the project's, and all extensions of parley.toml)",
    )
    parser.add_argument("--plan", action="store_true", help="show how the steps wait for each other")
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where there are warnings")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Import the modules and print what is found.

    Returns:
        The exit status.
    """
    loaded = load(options.modules)
    if options.json:
        print(json.dumps(_as_json(loaded), indent=2, ensure_ascii=False))
    else:
        _show(loaded, Console(highlight=False, soft_wrap=True), with_plans=options.plan)
    severities = {finding.severity for finding in loaded.findings}
    if loaded.failures or Severity.ERROR in severities:
        return ERRORS
    return WARNINGS if severities and options.strict else OK


def _as_json(loaded: Loaded) -> dict[str, JsonValue]:
    return {
        "findings": [asdict(finding) for finding in loaded.findings],
        "failures": list(loaded.failures),
        "workflows": [
            {
                "workflow": plan.name,
                "about": plan.about,
                "steps": [{"step": step.name, "about": step.about, "needs": list(step.needs)} for step in plan.steps],
                "waves": [[step.name for step in wave] for wave in waves(plan)],
                "on_demand": [step.name for step in plan.steps if step.on_demand],
                "critical_path": list(critical_path(plan)),
            }
            for plan in loaded.plans
        ],
    }


def _show(loaded: Loaded, console: Console, *, with_plans: bool) -> None:
    for finding in loaded.findings:
        console.print(excerpt(finding))
    for failure in loaded.failures:
        console.print(Text.assemble(("error", "bold red"), f" {failure}\n"))
    if with_plans:
        for plan in loaded.plans:
            _show_plan(plan, console)
    console.print(_summary(loaded))


def _show_plan(plan: Plan, console: Console) -> None:
    console.print(Text.assemble((plan.name, "bold"), f": {plan.about}" if plan.about else ""))
    path = critical_path(plan)
    width = max(len(step.name) for step in plan.steps)
    for number, wave in enumerate(waves(plan), 1):
        for position, step in enumerate(wave):
            name = (step.name.ljust(width), "bold" if step.name in path else "")
            console.print(Text.assemble(f"{'' if position else number:>4}  ", name, f"  {_waits(step)}"))
    for step in plan.steps:
        if step.on_demand:
            console.print(f"   -  {step.name.ljust(width)}  only if a conversation asks for it")
    console.print(f"   critical path: {' -> '.join(path)} ({len(path)} of {len(plan.steps)} steps)\n")


def _waits(step: StepPlan) -> str:
    waits = f"after {', '.join(step.needs)}" if step.needs else "at once"
    talks = f"; may talk: {', '.join(point.name for point in step.points)}" if step.points else ""
    return waits + talks


def _summary(loaded: Loaded) -> str:
    errors = sum(finding.severity is Severity.ERROR for finding in loaded.findings) + len(loaded.failures)
    found = [_counted(errors, "error"), _counted(len(loaded.findings) + len(loaded.failures) - errors, "warning")]
    told = ", ".join(one for one in found if not one.startswith("0 ")) or "nothing wrong"
    checked = {cls.__name__ for cls in loaded.workflows} | {finding.workflow for finding in loaded.findings}
    return f"{_counted(len(checked), 'workflow')} checked: {told}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
