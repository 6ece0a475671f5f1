from threading import BoundedSemaphore, Event

from support.servers import PATIENCE

from shop import json_logging
from shop.services import background

FAILED = "Something that was to be done later failed."
DROPPED = "More than 1000 things are waiting to be done later; this one was dropped."


def finished():
    background._thread.submit(int).result(PATIENCE)


def test_what_fails_is_logged_and_stops_nothing(really_later, caplog, rf):
    done = []
    json_logging.start_request(rf.get("/"))
    really_later(lambda: done.append(1 / 0))
    really_later(lambda: done.append(json_logging.request_id()))
    finished()
    assert done == [json_logging.request_id()] != [""]
    assert [(line.message, line.exc_info[0]) for line in caplog.records] == [
        (FAILED, ZeroDivisionError)
    ]


def test_a_flood_is_dropped_and_leaves_room_when_it_is_over(really_later, caplog, monkeypatch):
    monkeypatch.setattr(background, "_room", BoundedSemaphore(2))
    go, done = Event(), []
    really_later(lambda: go.wait(PATIENCE))
    for number in (1, 2):
        really_later(lambda number=number: done.append(number))
    assert [line.message for line in caplog.records] == [DROPPED]
    go.set()
    finished()
    really_later(lambda: done.append(3))
    finished()
    assert done == [1, 3]
