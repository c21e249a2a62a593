"""Writes happen once, however often and from wherever they are tried."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy import Engine, event, func, select
from temporalio.exceptions import ApplicationError

from activities.support.books import ShopBooks
from activities.support.engine import books_engine, reading
from activities.support.ledger import idempotency_key
from activities.support.tables import LedgerRow, LetterRow, OrderRow, ResetRow, Table
from signals.support import AddressChangeRequest, Notice, PasswordResetRequest, Receipt, RefundApproval
from tests.unit.support.calling import call, refusal

TRIES = 8
R = TypeVar("R")


def approval(amount: str) -> RefundApproval:
    return RefundApproval(order_id="A-1002", amount=Decimal(amount), approved_by="bob")


def refunded(engine: Engine) -> Decimal:
    with reading(engine) as session:
        return session.get_one(OrderRow, "A-1002").refunded


def count(engine: Engine, table: type[Table]) -> int:
    with reading(engine) as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def at_once(tries: Sequence[Callable[[], R]]) -> list[R]:
    barrier = Barrier(len(tries), timeout=30)

    def start(attempt: Callable[[], R]) -> R:
        barrier.wait()
        return attempt()

    with ThreadPoolExecutor(len(tries)) as pool:
        return list(pool.map(start, tries))


def test_the_key_is_the_same_for_the_same_request_in_any_order() -> None:
    assert idempotency_key("r", "book_refund", {"a": 1, "b": 2}) == idempotency_key(
        "r", "book_refund", {"b": 2, "a": 1}
    )


@pytest.mark.parametrize(
    "other", [("s", "pay", {"a": 1}), ("r", "send", {"a": 1}), ("r", "pay", {"a": 2}), ("r", "pay", None)]
)
def test_another_run_activity_or_request_has_another_key(other: tuple[str, str, dict[str, int] | None]) -> None:
    run, kind, request = other
    assert idempotency_key("r", "pay", {"a": 1}) != idempotency_key(run, kind, dict(request) if request else None)


def test_a_second_try_answers_what_the_first_one_did_and_pays_nothing(engine: Engine, books: ShopBooks) -> None:
    first = call("r", books.book_refund, approval("100.00"))
    assert call("r", books.book_refund, approval("100.00")) == first
    assert refunded(engine) == Decimal("100.00")


def test_a_second_try_of_a_full_refund_is_answered_and_not_refused(books: ShopBooks) -> None:
    first = call("r", books.book_refund, approval("180.00"))
    assert call("r", books.book_refund, approval("180.00")) == first


def test_a_second_try_sends_no_second_letter(engine: Engine, books: ShopBooks) -> None:
    notice = Notice(customer_id="C-1", subject="Hello", text="It is paid.")
    assert call("r", books.send_notice, notice) == call("r", books.send_notice, notice)
    assert count(engine, LetterRow) == 1


def test_a_second_try_makes_no_second_reset_link(engine: Engine, books: ShopBooks) -> None:
    request = PasswordResetRequest(customer_id="C-1", email="alice@example.com")
    assert call("r", books.start_password_reset, request) == call("r", books.start_password_reset, request)
    assert (count(engine, ResetRow), count(engine, LetterRow)) == (1, 1)


def test_a_late_second_try_does_not_undo_a_later_change(engine: Engine, books: ShopBooks) -> None:
    early = AddressChangeRequest(order_id="A-1003", customer_id="C-2", address="1 Early Street")
    call("r-1", books.change_address, early)
    call("r-2", books.change_address, early.model_copy(update={"address": "2 Later Street"}))
    call("r-1", books.change_address, early)
    with reading(engine) as session:
        assert session.get_one(OrderRow, "A-1003").address == "2 Later Street"


def test_a_write_that_is_refused_leaves_no_entry_and_can_be_tried_again(engine: Engine, books: ShopBooks) -> None:
    call("other", books.book_refund, approval("100.00"))
    refusal("r", books.book_refund, approval("100.00"))
    assert count(engine, LedgerRow) == 1


def test_a_write_that_fails_before_its_end_leaves_nothing(engine: Engine, books: ShopBooks) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the power went out")

    event.listen(engine, "commit", fail)
    with pytest.raises(RuntimeError):
        call("r", books.book_refund, approval("100.00"))
    event.remove(engine, "commit", fail)
    assert (refunded(engine), count(engine, LedgerRow)) == (Decimal("0.00"), 0)


def test_of_many_tries_at_once_one_pays_and_all_answer_the_same(engine: Engine, books: ShopBooks) -> None:
    answers = at_once([lambda: call("r", books.book_refund, approval("100.00"))] * TRIES)
    assert len(set(answers)) == 1
    assert (refunded(engine), count(engine, LedgerRow)) == (Decimal("100.00"), 1)


def test_refunds_at_once_never_pay_more_than_the_order(engine: Engine, books: ShopBooks) -> None:
    def attempt(run: str) -> Callable[[], Receipt | ApplicationError]:
        def pay() -> Receipt | ApplicationError:
            try:
                return call(run, books.book_refund, approval("50.00"))
            except ApplicationError as error:
                return error

        return pay

    answers = at_once([attempt(f"r-{number}") for number in range(TRIES)])
    assert sum(isinstance(answer, Receipt) for answer in answers) == 3
    assert refunded(engine) == Decimal("150.00")


def test_runs_at_once_get_agents_in_turn(books: ShopBooks) -> None:
    def attempt(run: str) -> Callable[[], str]:
        return lambda: call(run, books.agent_on_duty).id

    chosen = at_once([attempt(f"r-{number}") for number in range(6)])
    assert sorted(chosen) == ["bob", "bob", "maria", "maria", "tom", "tom"]


def _write_letters(url: str, process: int) -> int:
    """Write as one of several worker processes."""
    engine = books_engine(url)
    books = ShopBooks(engine)
    for number in range(20):
        call("shared", books.send_notice, Notice(customer_id="C-1", subject=f"{number}", text="the same for all"))
        call(f"own-{process}", books.send_notice, Notice(customer_id="C-2", subject=f"{number}", text="its own"))
    engine.dispose()
    return process


def test_several_worker_processes_share_the_books(engine: Engine, url: str) -> None:
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(_write_letters, [url] * 3, range(3), timeout=60)) == [0, 1, 2]
    assert count(engine, LetterRow) == 20 + 3 * 20
