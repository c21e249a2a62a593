"""Where a commit stands follows from what people decided: what was said of a commit counts for no other."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from signals.pipeline import Approve, RequestChanges
from tests.unit.pipeline.records import (
    ACCEPT,
    APPROVE,
    CHANGES,
    COMMIT,
    GIVE_UP,
    PATCH,
    REJECT,
    REPLACED,
    record,
)
from workflows.pipeline.standing import DEBUGGING, REVIEW, REWORK, Standing, standing


def test_a_run_that_held_no_conversation_is_at_its_first_commit() -> None:
    assert standing([]) == Standing()


def test_changes_come_one_after_the_other_each_by_who_decided_it() -> None:
    now = standing(
        [record(DEBUGGING, PATCH, "ann"), record(REWORK, COMMIT, "ben", "cat"), record(REVIEW, REPLACED, "dan")]
    )
    assert [(change.by, change.fix.action) for change in now.changes] == [
        ("ann", "patch"),
        ("ben", "commit"),
        ("dan", "commit"),
    ]
    assert now.is_new


def test_a_conversation_without_an_outcome_changes_nothing() -> None:
    assert standing([record(DEBUGGING, None), record("other", PATCH, "ann")]) == Standing()


def test_an_approval_lapses_with_the_next_change() -> None:
    approved = [record(REVIEW, APPROVE, "dana", "ed")]
    assert isinstance(standing(approved).review, Approve)
    assert standing(approved).reviewed_by == ("dana", "ed")
    changed = standing([*approved, record(DEBUGGING, PATCH, "ann")])
    assert (changed.review, changed.reviewed_by) == (None, ())


def test_an_accepted_failure_is_accepted_for_that_commit_alone() -> None:
    accepted = [record(DEBUGGING, ACCEPT, "dana")]
    assert (standing(accepted).accepted, standing(accepted).is_new) == ("flaky", False)
    assert standing([*accepted, record(REVIEW, REPLACED, "ann")]).accepted is None


def test_requested_changes_stand_until_a_commit_comes_or_they_are_waived() -> None:
    asked = [record(REVIEW, CHANGES, "dana")]
    assert isinstance(standing(asked).review, RequestChanges)
    assert standing([*asked, record(REWORK, COMMIT, "ann")]).review is None
    assert standing([*asked, record(REWORK, ACCEPT, "ann")]).review is None


OUTCOMES = st.one_of(
    st.tuples(st.sampled_from([DEBUGGING, REWORK]), st.sampled_from([PATCH, COMMIT, ACCEPT, GIVE_UP, None])),
    st.tuples(st.just(REVIEW), st.sampled_from([APPROVE, CHANGES, REPLACED, REJECT, None])),
)


@given(talks=st.lists(OUTCOMES, max_size=12))
def test_whatever_people_decide_changes_are_kept_and_nothing_said_before_the_last_one_counts(
    talks: list[tuple[str, JsonValue]],
) -> None:
    records = [record(point, outcome, "ann") for point, outcome in talks]
    changes = [index for index, (_, outcome) in enumerate(talks) if outcome in (PATCH, COMMIT, REPLACED)]
    now = standing(records)
    assert len(now.changes) == len(changes)
    since = records[changes[-1] + 1 :] if changes else records
    alone = standing(since)
    assert (now.accepted, now.review, now.reviewed_by) == (alone.accepted, alone.review, alone.reviewed_by)
