from threading import BoundedSemaphore, Event

from servers import PATIENCE

from shop import logs
from shop.services import later

FAILED = "Something that was to be done later failed."
DROPPED = "More than 1000 things are waiting to be done later; this one was dropped."


def finished():
    later._thread.submit(int).result(PATIENCE)


def test_what_fails_is_logged_and_stops_nothing(really_later, caplog, rf):
    done = []
    logs.begin(rf.get("/"))
    really_later(lambda: done.append(1 / 0))
    really_later(lambda: done.append(logs.request_id()))
    finished()
    assert done == [logs.request_id()] != [""]
    assert [(line.message, line.exc_info[0]) for line in caplog.records] == [(FAILED, ZeroDivisionError)]


def test_a_flood_is_dropped_and_leaves_room_when_it_is_over(really_later, caplog, monkeypatch):
    monkeypatch.setattr(later, "_room", BoundedSemaphore(2))
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
