from threading import BoundedSemaphore, Event

from django.db import connections
from support.servers import TIMEOUT_SECONDS

from shop import json_logging
from shop.services import background


def wait_for_the_queue():
    background.LANES[False].thread.submit(connections.close_all).result(TIMEOUT_SECONDS)


def test_a_failure_is_logged_and_does_not_stop_the_next_call(real_enqueue, caplog, rf):
    done = []
    json_logging.start_request(rf.get("/"))
    real_enqueue(lambda: done.append(1 / 0))
    real_enqueue(lambda: done.append(json_logging.request_id()))
    wait_for_the_queue()
    assert done == [json_logging.request_id()] != [""]
    assert [(line.levelname, line.exc_info[0]) for line in caplog.records] == [
        ("ERROR", ZeroDivisionError)
    ]


def test_calls_beyond_the_queue_limit_are_dropped_and_logged(real_enqueue, caplog, monkeypatch):
    monkeypatch.setattr(background.LANES[False], "slots", BoundedSemaphore(2))
    may_run, done = Event(), []
    real_enqueue(lambda: may_run.wait(TIMEOUT_SECONDS))
    for number in (1, 2):
        real_enqueue(lambda number=number: done.append(number))
    assert [line.levelname for line in caplog.records] == ["ERROR"]
    assert "dropped" in caplog.text
    may_run.set()
    wait_for_the_queue()
    real_enqueue(lambda: done.append(3))
    wait_for_the_queue()
    assert done == [1, 3]


def test_slow_work_does_not_keep_other_work_waiting(real_enqueue):
    may_end, done, was_slow = Event(), Event(), []
    real_enqueue(lambda: was_slow.append(may_end.wait(TIMEOUT_SECONDS)), is_slow=True)
    real_enqueue(done.set)
    assert done.wait(TIMEOUT_SECONDS)
    may_end.set()
    background.LANES[True].thread.submit(connections.close_all).result(TIMEOUT_SECONDS)
    assert was_slow == [True]  # False if it had to end by itself


def test_work_is_dropped_while_the_process_exits(real_enqueue, caplog, monkeypatch):
    lane = background.Lane("test")
    lane.thread.shutdown()
    monkeypatch.setitem(background.LANES, False, lane)
    slots = lane.slots._value
    real_enqueue(int)
    assert ([line.levelname for line in caplog.records], lane.slots._value) == (["WARNING"], slots)
