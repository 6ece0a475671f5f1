"""Customers and staff who use the API at the same time while a test breaks something repeatedly.

Afterwards each order that a response has confirmed must exist exactly once, and the stock must
agree.
"""

import os
import random
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

import httpx
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from settings import env
from shop.api import tokens
from shop.models import Order, OutboxMessage, User
from shop.services import outbox
from shop.services.sessions import open_session
from support.invariants import assert_invariants
from support.servers import TIMEOUT_SECONDS
from support.smtp_server import MailServer

CUSTOMERS, STAFF = 8, 2
ADDRESS = {"shipping_address": "1 Elm Street"}
#: The statuses of a call that succeeded or that violated a rule of the shop.
EXPECTED_STATUSES = {200, 201, 404, 409, 422}


@dataclass
class CrashTest:
    """The server under test, and what its clients have seen."""

    url: str
    process_group: int
    products: list[int]
    mail_server: MailServer
    #: Processes that a strike may keep from noting that an email was sent.
    processes_per_strike: int = 4
    stopped: Event = field(default_factory=Event)
    #: Ids of the server's processes that have answered.
    processes: set[int] = field(default_factory=set)
    #: Idempotency key -> number of the order that a response has confirmed.
    confirmed: dict[str, str] = field(default_factory=dict)
    #: Status -> number of responses.
    statuses: Counter = field(default_factory=Counter)
    events: Counter = field(default_factory=Counter)
    #: Seconds of the longest checkout, with all its retries.
    slowest: float = 0


class Client:
    """A user's app. It repeats a checkout until it gets a response."""

    def __init__(self, crash_test, user, number):
        self.crash_test, self.user, self.number, self.orders = crash_test, user, number, []
        self.random = random.Random(number)
        self.http = httpx.Client(
            base_url=f"{crash_test.url}/api",
            limits=httpx.Limits(max_keepalive_connections=0),
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )
        self.sign_in()

    def sign_in(self):
        """Open a session and send its token from now on."""
        access = tokens.sign_token(open_session(self.user, "test"), "access")
        self.http.headers["Authorization"] = f"Bearer {access}"

    def send(self, method, path, body=None, **headers):
        """Return the response; None if the server's process died before it sent one.

        After a 401, the next request is sent with a new session.
        """
        try:
            response = self.http.request(method, path, json=body, headers=headers)
        except httpx.TransportError:
            self.crash_test.events["cut off"] += 1
            return None
        self.crash_test.processes.add(int(response.headers["X-Process"]))
        self.crash_test.statuses[response.status_code] += 1
        assert response.status_code != 503 or response.headers["Retry-After"] == "1"
        if response.status_code == 401:
            self.sign_in()
            connection.close()
        return response

    def send_until_answered(self, method, path, body=None, *, die=False, **headers):
        """Repeat the request until the status is not 503; `die` kills the first process."""
        first_headers = headers | ({"X-Die": "now"} if die else {})
        response = self.send(method, path, body, **first_headers)
        while response is None or response.status_code == 503:
            self.crash_test.stopped.wait(0.05)
            response = self.send(method, path, body, **headers)
        return response

    def check_out(self):
        """Put two products into the cart and order them."""
        for product in self.random.sample(self.crash_test.products, 2):
            item = {"product_id": product, "quantity": self.random.randint(1, 3)}
            self.send("POST", "/cart/", item)

        events = self.crash_test.events
        key = f"{self.number}-{events['checkouts']}-{self.random.random()}"
        die = self.random.random() < 0.15
        start = time.monotonic()
        response = self.send_until_answered(
            "POST", "/orders/create/", ADDRESS | {"note": key}, die=die, **{"Idempotency-Key": key}
        )
        seconds = time.monotonic() - start
        self.crash_test.slowest = max(self.crash_test.slowest, seconds)
        events["checkouts"] += 1
        events["died between commit and response"] += die
        events["replayed"] += "Idempotent-Replayed" in response.headers

        if response.status_code == 201:
            order = response.json()
            self.crash_test.confirmed[key] = order["order_number"]
            self.orders.append(order["id"])
        else:
            self.send("DELETE", "/cart/clear/")

    def maybe_cancel(self):
        """Cancel one of the customer's orders, sometimes."""
        if self.orders and self.random.random() < 0.3:
            path = f"/orders/{self.random.choice(self.orders)}/cancel/"
            self.send_until_answered("POST", path, {})

    def process_orders(self):
        """Correct a product's stock and change the status of some orders, as staff do."""
        product = self.random.choice(self.crash_test.products)
        delta = self.random.randint(-2, 5)
        change = {"delta": delta, "kind": "correction", "reason": "Found"}
        self.send("POST", f"/products/{product}/stock/", change)

        response = self.send("GET", "/orders/?page_size=20")
        for order in response.json()["items"] if response and response.is_success else []:
            chance = self.random.random()
            if chance < 0.2:
                status = self.random.choice(["confirmed", "shipped", "delivered", "cancelled"])
                path = f"/orders/{order['id']}/status/"
                self.send_until_answered("POST", path, {"status": status})
            elif chance < 0.4:
                self.put_right(order)

    def put_right(self, order):
        """Edit or return an order, or take or pay back its money; its status may forbid it."""
        units = {"product_id": self.random.choice(order["items"])["product_id"]}
        edited = [units | {"quantity": self.random.randint(1, 4)}]
        returned = [units | {"put_back": 1, "write_off": self.random.randint(0, 1)}]
        method, call, body = self.random.choice(
            [
                ("PATCH", "", {"items": edited}),
                ("POST", "payments/", {}),
                ("POST", "refunds/", {}),
                ("POST", "refunds/", {"amount": "0.50"}),
                ("POST", "returns/", {"items": returned}),
            ]
        )
        key = {"Idempotency-Key": str(self.random.random())}
        path = f"/orders/{order['id']}/{call}"
        response = self.send_until_answered(method, path, body, **key)
        self.crash_test.events[f"{method} {call}"] += response.is_success


def create_clients(crash_test, ada):
    """Return the apps of new customers, followed by those of Ada, who is staff."""
    fields = {"password": "!", "first_name": "Buyer", "last_name": "B"}
    users = [User.objects.create(email=f"b{n}@example.com", **fields) for n in range(CUSTOMERS)]
    users += [ada] * STAFF
    return [Client(crash_test, user, number) for number, user in enumerate(users)]


def repeat(crash_test, *actions):
    while not crash_test.stopped.is_set():
        for action in actions:
            action()


@contextmanager
def running(crash_test, clients):
    """Run the clients until the block ends and each has its last response."""
    crash_test.stopped.clear()
    with ThreadPoolExecutor(len(clients)) as pool:
        futures = [
            pool.submit(repeat, crash_test, client.check_out, client.maybe_cancel)
            if client.number < CUSTOMERS
            else pool.submit(repeat, crash_test, client.process_orders)
            for client in clients
        ]
        try:
            yield
        finally:
            crash_test.stopped.set()
        for future in futures:
            future.result()


def run_crash_test(crash_test, ada, strike, *, seconds, every):
    """Run the clients, call `strike` periodically, and check that confirmed orders exist once.

    `strike` returns how often it has broken something. `seconds` is the duration, `every` the
    interval.
    """
    end = time.monotonic() + seconds
    with running(crash_test, create_clients(crash_test, ada)):
        while time.monotonic() < end or not (crash_test.confirmed and crash_test.events["strikes"]):
            crash_test.stopped.wait(every)
            crash_test.events["strikes"] += strike()
    connection.close()  # the strike may have broken it too

    by_status = Counter(Order.objects.values_list("status", flat=True))
    print(
        f"\n{seconds:.0f} s, {CUSTOMERS} customers, {STAFF} staff, {dict(crash_test.events)};"
        f"\n  {len(crash_test.confirmed)} orders confirmed, by status {dict(by_status)};"
        f"\n  responses {dict(crash_test.statuses)}, slowest checkout {crash_test.slowest:.1f} s"
    )
    assert dict(Order.objects.values_list("note", "order_number")) == crash_test.confirmed
    assert Order.objects.count() == len(crash_test.confirmed)
    assert_invariants()
    check_emails(crash_test)


def check_emails(crash_test):
    """Kill the server and send what is left: each email was sent once, or again after a kill."""
    os.killpg(crash_test.process_group, signal.SIGKILL)
    crash_test.mail_server.answer = lambda recipient, text: "250 Taken"
    messages = OutboxMessage.objects.select_related("order")
    by_status = Counter(messages.values_list("status", flat=True))
    OutboxMessage.objects.filter(status="pending").update(due_at=timezone.now())
    with override_settings(MAILERS={"default": env.parse_email_url(crash_test.mail_server.url)}):
        outbox.deliver_due()

    taken = crash_test.mail_server.taken
    doubles = taken.total() - messages.count()
    print(f"  emails at the end {dict(by_status)}; then {taken.total()} taken, {doubles} twice")
    assert messages.filter(kind="order_placed").count() == len(crash_test.confirmed)
    assert set(messages.values_list("status", flat=True)) == {"sent"}
    for number in crash_test.confirmed.values():
        assert taken[f"Thank you for your order {number}"] in {1, 2}
    strikes = crash_test.events["strikes"] * crash_test.processes_per_strike + 4
    assert 0 <= doubles <= strikes + crash_test.events["died between commit and response"]
