"""The selector: which paradigm suits a task, and why. Pure.

From the seed's "Decision Criteria": well-defined and repeatable is a workflow; unknown participants or wishes are a
conversation; structured phases that need flexibility are hybrid; everything else adapts.
"""

from collections.abc import Iterable
from typing import Final

from signals.adaptive import Basis, Considered, Selection, SelectionRequest
from signals.errors import ErrorType, Refusal
from signals.modes import Mode, Paradigm

_START: Final = {
    Paradigm.WORKFLOW: Mode.WORKFLOW,
    Paradigm.HYBRID: Mode.WORKFLOW,  # people come in where they are needed
    Paradigm.CONVERSATION: Mode.CONVERSATION,
}


def select_paradigm(asked: SelectionRequest) -> Selection | Refusal:
    """Choose a paradigm.

    Args:
        asked: What the task is like, what there is for it, and the settings.

    Returns:
        The choice with its reasons and what else was considered; or why there is none.
    """
    if not asked.workflow and not asked.people:
        reason = "task: neither a workflow nor participants can serve the goal; name one or the other"
        return Refusal(ErrorType.MISSING_CONTEXT, reason)
    considered = tuple(_consider(asked))
    if asked.wanted is not None:
        return _as_wanted(asked, asked.wanted, considered)
    if asked.confidence < asked.settings.hybrid.conversation_threshold and asked.people:
        threshold = asked.settings.hybrid.conversation_threshold
        reason = f"what it is like is sure to {asked.confidence:.2f} only, less than {threshold:g}: people say first"
        return _chosen(asked, Paradigm.CONVERSATION, [reason], considered, Basis.UNSURE)
    suiting = [one for one in considered if one.suits]
    if suiting:
        best = suiting[0]
        return _chosen(asked, best.paradigm, [best.reason], considered, Basis.TRAITS)
    return _undecided(asked, considered)


def _consider(asked: SelectionRequest) -> Iterable[Considered]:
    """Each paradigm with what speaks for or against it; the preferred one of workflow and conversation first."""
    first, second = _workflow(asked), _conversation(asked)
    yield from (first, second) if asked.settings.hybrid.prefer_workflow else (second, first)
    yield _hybrid(asked)


def _workflow(asked: SelectionRequest) -> Considered:
    traits = asked.traits
    said = {
        "it always asks for the same": traits.deterministic,
        "its steps are clear": traits.clear_steps,
        "there is a workflow for it": asked.workflow,
    }
    return _judged(Paradigm.WORKFLOW, said)


def _conversation(asked: SelectionRequest) -> Considered:
    if not asked.people:
        return Considered(paradigm=Paradigm.CONVERSATION, suits=False, reason="there is nobody to talk to")
    traits = asked.traits
    said = {"who takes part isn't known": traits.dynamic_participants, "what is wanted must emerge": traits.emergent}
    holding = [what for what, holds in said.items() if holds]
    reason = " and ".join(holding) or "neither who takes part nor what is wanted is open"
    return Considered(paradigm=Paradigm.CONVERSATION, suits=bool(holding), reason=reason)


def _hybrid(asked: SelectionRequest) -> Considered:
    traits = asked.traits
    said = {
        "it has structured phases": traits.structured_phases,
        "it needs flexibility": traits.flexible,
        "there is a workflow for it": asked.workflow,
        "there is somebody to talk to": asked.people,
    }
    return _judged(Paradigm.HYBRID, said)


def _judged(paradigm: Paradigm, said: dict[str, bool | None]) -> Considered:
    lacking = [what for what, holds in said.items() if not holds]
    if lacking:
        return Considered(paradigm=paradigm, suits=False, reason=f"it isn't so that {' and that '.join(lacking)}")
    return Considered(paradigm=paradigm, suits=True, reason=" and ".join(said))


def _as_wanted(asked: SelectionRequest, wanted: Paradigm, considered: tuple[Considered, ...]) -> Selection | Refusal:
    lacks = {
        Paradigm.WORKFLOW: not asked.workflow and "there is no workflow for it",
        Paradigm.HYBRID: not asked.workflow and "there is no workflow for it",
        Paradigm.CONVERSATION: not asked.people and "there is nobody to talk to",
        Paradigm.ADAPTIVE: False,
    }[wanted]
    if lacks:
        return Refusal(ErrorType.MISSING_CONTEXT, f"paradigm: it can't be '{wanted}': {lacks}")
    if wanted is Paradigm.ADAPTIVE:
        return _undecided(asked, considered)
    return _chosen(asked, wanted, ["it was asked for"], considered, Basis.ASKED)


def _undecided(asked: SelectionRequest, considered: tuple[Considered, ...]) -> Selection:
    """What the settings say where nothing speaks for one paradigm."""
    default = asked.settings.default_mode
    open_question = "nothing speaks for one paradigm alone"
    possible = {
        Paradigm.WORKFLOW: asked.workflow,
        Paradigm.CONVERSATION: asked.people,
        Paradigm.HYBRID: asked.workflow and asked.people,
    }
    if default is not Paradigm.ADAPTIVE and possible[default]:
        reasons = [open_question, f"'{default}' is the configured default"]
        return _chosen(asked, default, reasons, considered, Basis.DEFAULT)
    guess, why = _guess(asked)
    if not asked.settings.hybrid.auto_switch:
        reasons = [open_question, why, "runs may not switch by themselves"]
        return _chosen(asked, guess, reasons, considered, Basis.PREFERENCE)
    return Selection(
        paradigm=Paradigm.ADAPTIVE,
        start=_START[guess],
        reasons=(open_question, f"it begins as {guess}: {why}", "and switches when that no longer suits"),
        confidence=asked.confidence,
        considered=considered,
        traits=asked.traits,
        basis=Basis.ASKED if asked.wanted is Paradigm.ADAPTIVE else Basis.PREFERENCE,
    )


def _guess(asked: SelectionRequest) -> tuple[Paradigm, str]:
    if not asked.people:
        return Paradigm.WORKFLOW, "there is nobody to talk to"
    if not asked.workflow:
        return Paradigm.CONVERSATION, "there is no workflow for it"
    if asked.settings.hybrid.prefer_workflow:
        return Paradigm.WORKFLOW, "workflows are preferred"
    return Paradigm.CONVERSATION, "conversations are preferred"


def _chosen(
    asked: SelectionRequest,
    paradigm: Paradigm,
    reasons: list[str],
    considered: tuple[Considered, ...],
    basis: Basis,
) -> Selection:
    return Selection(
        paradigm=paradigm,
        start=_START[paradigm],
        reasons=tuple(reasons),
        confidence=asked.confidence,
        considered=tuple(one for one in considered if one.paradigm is not paradigm),
        traits=asked.traits,
        basis=basis,
    )
