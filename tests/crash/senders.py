"""Who changes something meanwhile. Everything is numbered; what was acknowledged is remembered, and nothing else counts."""

import hashlib
import hmac
import json
import threading
import time

from world import NotAnswered

PATIENCE = 0.05  # seconds before a request that was not answered is sent again
EVERY = 10  # as many webhooks, and one of them tells of a payment that nobody has heard of


class Sender(threading.Thread):
    """Sends until it is told to stop. `acknowledged` are numbers, in the order of their acknowledgements."""

    pause = 0.02  # seconds between two requests

    def __init__(self, world, chance):
        super().__init__(daemon=True)
        self.world, self.chance = world, chance
        self.acknowledged, self.refused, self.trouble = [], [], None
        self.unanswered, self.last_problem = 0, None
        self.stopping = threading.Event()

    def run(self):
        number = 0
        try:
            while not self.stopping.wait(self.pause):
                number += 1
                self.send(number)
        except Exception as problem:  # told at the end; the others go on
            self.trouble = f"{type(self).__name__}: {problem!r}"

    def stop(self):
        self.stopping.set()

    def once(self, method, path, body, headers=None, met=()):
        """(JSON, headers) of some daemon's acknowledgement, or None: then it may have taken effect or not. `met` are refusals
        that may well be."""
        try:
            status, answer, fields = self.world.any_daemon(self.chance).request(method, path, body, headers)
        except NotAnswered as problem:
            self.unanswered += 1
            self.last_problem = str(problem)[:300]
            self.stopping.wait(PATIENCE)
            return None
        if status < 300:
            return answer, fields
        if status not in met:
            self.refused.append(f"{method} {path}: {status} {answer}")
        self.stopping.wait(PATIENCE)
        return None

    def until_answered(self, method, path, body, headers=lambda: None):
        """For what may be sent again: by its id or key it counts once."""
        while not self.stopping.is_set():
            answer = self.once(method, path, body, headers())
            if answer:
                return answer
        return None


class Webhooks(Sender):
    """One endpoint: a delivery after another, each sent until it is acknowledged, as Stripe does."""

    pause = 0.005

    def __init__(self, world, chance, lane, path, secret):
        super().__init__(world, chance)
        self.lane, self.path, self.secret = lane, path, secret
        self.announced = []  # payments that came into being at the twin, of acknowledged webhooks
        self.payment = "pi_of_nobody"

    def id_of(self, number):
        return f"evt_lane{self.lane}_{number}"

    def send(self, number):
        new = number % EVERY == 1
        if new:
            self.payment = self.world.payments.ask("edit", {"authorize": 1000 + number, "currency": "eur"})["id"]
        event = {"id": self.id_of(number), "object": "event", "type": "payment_intent.succeeded",
                 "data": {"object": {"id": self.payment, "object": "payment_intent"}}}
        body = json.dumps(event).encode()
        if self.until_answered("POST", self.path, body, lambda: self.signed(body)):
            self.acknowledged.append(number)
            if new:
                self.announced.append(self.payment)

    def signed(self, body):
        now = str(int(time.time()))
        digest = hmac.new(self.secret.encode(), now.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {"Stripe-Signature": f"t={now},v1={digest}"}


class Payments(Sender):
    """Actions: each has a key, so it is asked for until it is taken."""

    pause = 0.2

    def __init__(self, world, chance, connection):
        super().__init__(world, chance)
        self.path = f"/api/integrations/connections/{connection}/actions"

    def send(self, number):
        wish = {"operation": "payments.authorize/1", "idempotency_key": f"payment-{number}", "input": {
            "amount": {"amount": 1000 + number, "currency": "EUR"}, "method": "pm_card_visa",
            "description": f"payment {number}"}}
        if self.until_answered("POST", self.path, wish):
            self.acknowledged.append(number)


class Additions(Sender):
    """New clients. One that was not acknowledged is not added again: it may be there."""

    pause = 0.15

    def __init__(self, world, chance, vendor, connection):
        super().__init__(world, chance)
        self.vendor, self.connection = vendor, connection

    def send(self, number):
        data = {"kind": "person", "name": f"Client {number}", "first_name": "Client", "last_name": str(number),
                "email": f"client-{number}@crash.example"}
        if self.once("POST", "/api/integrations/records", {"vendor_id": self.vendor, "kind": "crm.client",
                                                           "connection_id": self.connection, "data": data}):
            self.acknowledged.append(number)


class Edits(Sender):
    """One record, edited again and again, each time on what is there: a lane of its own."""

    pause = 0.25

    def __init__(self, world, chance, vendor, record, job):
        super().__init__(world, chance)
        self.vendor, self.job = vendor, job
        self.path = f"/api/integrations/records/{record}"

    def send(self, number):
        seen = self.until_answered("GET", f"{self.path}?vendor_id={self.vendor}", None)
        if not seen:
            return
        record, fields = seen
        record["data"]["notes"] = f"edit {number}"
        if self.once("PUT", self.path, {"vendor_id": self.vendor, "data": record["data"]}, {"If-Match": fields["ETag"]},
                     met=(409, 412)):
            self.acknowledged.append(number)


class Syncs(Sender):
    """What a person does who wants to see it now: asks for a sync. Nothing of it is counted."""

    pause = 1.0

    def __init__(self, world, chance, connection):
        super().__init__(world, chance)
        self.path = f"/api/integrations/sync/{connection}"

    def send(self, number):
        self.once("POST", self.path, None)
