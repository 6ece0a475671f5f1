"""Customers and staff at work, each insisting on an answer, while something goes wrong again and again."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

import httpx
from django.db import connection

from shop.api import tokens
from shop.models import Order, User
from shop.services.accounts import _open_session
from support.invariants import assert_invariants
from support.servers import PATIENCE

CUSTOMERS, STAFF = 8, 2
ADDRESS = {"shipping_address": "1 Elm Street"}
FINE = {200, 201, 404, 409}  # done, or refused by a rule of the shop


@dataclass
class Fire:
    """What happened, as those who were in it saw it."""

    address: str
    group: int  # the server's process group
    products: list[int]
    over: Event = field(default_factory=Event)
    processes: set[int] = field(default_factory=set)
    told: dict[str, str] = field(default_factory=dict)  # key -> order number
    answers: Counter = field(default_factory=Counter)
    seen: Counter = field(default_factory=Counter)
    slowest: float = 0


class Person:
    """Someone's app: an unanswered call is made again, and again."""

    def __init__(self, fire, user, number):
        self.fire, self.number, self.orders = fire, number, []
        self.chance = random.Random(number)
        bearer = {
            "Authorization": f"Bearer {tokens.sign_token(_open_session(user, 'test'), 'access')}"
        }
        self.http = httpx.Client(
            base_url=f"{fire.address}/api",
            headers=bearer,
            limits=httpx.Limits(max_keepalive_connections=0),
            timeout=PATIENCE,
            trust_env=False,
        )

    def call(self, method, path, body=None, **headers):
        """The answer; None when the process died over it."""
        try:
            answer = self.http.request(method, path, json=body, headers=headers)
        except httpx.TransportError:
            self.fire.seen["cut off"] += 1
            return None
        self.fire.processes.add(int(answer.headers["X-Process"]))
        self.fire.answers[answer.status_code] += 1
        assert answer.status_code != 503 or answer.headers["Retry-After"] == "1"
        return answer

    def insist(self, method, path, body=None, *, die=False, **headers):
        answer = self.call(method, path, body, **headers, **({"X-Die": "now"} if die else {}))
        while answer is None or answer.status_code == 503:
            self.fire.over.wait(0.05)
            answer = self.call(method, path, body, **headers)
        return answer

    def buys(self):
        for product in self.chance.sample(self.fire.products, 2):
            self.call(
                "POST", "/cart/", {"product_id": product, "quantity": self.chance.randint(1, 3)}
            )
        key = f"{self.number}-{self.fire.seen['checkouts']}-{self.chance.random()}"
        die = self.chance.random() < 0.15
        began = time.monotonic()
        body = ADDRESS | {"note": key}
        answer = self.insist("POST", "/orders/create/", body, die=die, **{"Idempotency-Key": key})
        self.fire.slowest = max(self.fire.slowest, time.monotonic() - began)
        self.fire.seen["checkouts"] += 1
        self.fire.seen["died between commit and reply"] += die
        self.fire.seen["told again"] += "Idempotent-Replayed" in answer.headers
        if answer.status_code == 201:
            order = answer.json()
            self.fire.told[key] = order["order_number"]
            self.orders.append(order["id"])
        else:
            self.call("DELETE", "/cart/clear/")

    def changes_their_mind(self):
        if self.orders and self.chance.random() < 0.3:
            self.insist("POST", f"/orders/{self.chance.choice(self.orders)}/cancel/", {})

    def works(self):
        product = self.chance.choice(self.fire.products)
        delta = {"delta": self.chance.randint(-2, 5), "kind": "correction", "reason": "Found"}
        self.call("POST", f"/products/{product}/stock/", delta)
        listed = self.call("GET", "/orders/?page_size=20")
        for order in listed.json()["items"] if listed and listed.is_success else []:
            to = self.chance.choice(["confirmed", "shipped", "cancelled"])
            if self.chance.random() < 0.2:
                self.insist("POST", f"/orders/{order['id']}/status/", {"status": to})


def busy(fire, *doings):
    while not fire.over.is_set():
        for do in doings:
            do()


def crowd(fire, ada):
    blank = {"password": "!", "first_name": "Buyer", "last_name": "B"}
    users = [User.objects.create(email=f"b{n}@example.com", **blank) for n in range(CUSTOMERS)]
    return [Person(fire, user, number) for number, user in enumerate([*users, *[ada] * STAFF])]


@contextmanager
def at_work(fire, persons):
    """They work until the block ends and every order is answered."""
    fire.over.clear()
    with ThreadPoolExecutor(len(persons)) as pool:
        doings = [
            (p.buys, p.changes_their_mind) if p.number < CUSTOMERS else (p.works,) for p in persons
        ]
        started = [pool.submit(busy, fire, *do) for do in doings]
        try:
            yield
        finally:
            fire.over.set()
        for one in started:
            one.result()


def burn(fire, ada, strike, *, seconds, every):
    """Let them work for so long, striking now and then; then look whether just what was told is so."""
    end = time.monotonic() + seconds
    with at_work(fire, crowd(fire, ada)):
        while time.monotonic() < end or not (fire.told and fire.seen["strikes"]):
            fire.over.wait(every)
            fire.seen["strikes"] += strike()
    connection.close()  # which may have been struck too
    by_status = Counter(Order.objects.values_list("status", flat=True))
    print(
        f"\n{seconds:.0f} s, {CUSTOMERS} customers, {STAFF} staff, {dict(fire.seen)};"
        f"\n  {len(fire.told)} orders told, which are {dict(by_status)}; answers {dict(fire.answers)},"
        f" the longest wait for an order {fire.slowest:.1f} s"
    )
    assert dict(Order.objects.values_list("note", "order_number")) == fire.told
    assert Order.objects.count() == len(fire.told)
    assert_invariants()
