#!/usr/bin/env python3
"""A provider as strict as there are: a refresh token is good for one use, and a second one ends all that came of the sign-in.

  strict_provider.py JOURNAL LIFE     LIFE: seconds of an access token; prints its address

  POST /token                       what OAuth 2 asks for to renew a token
  GET /api/me, /api/guests          what access tokens open
  POST /_twin/sign-in {"account"}   a person signs in: {"refresh_token"}
  POST /_twin/hold {"at"}           holds the next renewal there, of an account that is connected, and answers {"pid"} of
                                    who asked
  POST /_twin/release

JOURNAL has a line of JSON for all that it did, written before anybody is answered. A renewal is held `before` it is done, which
it then is not; `late`: before as well, but it is done LATE seconds after it is released, as what was on its way for long; `after`
it was done, before a byte of the answer leaves; `within` the answer; or it is `answered`, which is told and held no longer.
"""

import base64
import http.server
import itertools
import json
import os
import pathlib
import socket
import sys
import threading
import time
import urllib.parse

CLIENT, SECRET = "client", "its secret"
BASIC = "Basic " + base64.b64encode(f"{CLIENT}:{urllib.parse.quote(SECRET)}".encode()).decode()
LATE = 20  # seconds: longer than another daemon needs to take a connection over, within what the first one had waited
PATIENCE = 150  # seconds


class Journal:
    def __init__(self, path):
        self.file, self.lock = open(path, "a", buffering=1), threading.Lock()

    def write(self, what, **facts):
        with self.lock:
            self.file.write(json.dumps({"at": time.time(), "what": what, **facts}) + "\n")


class Holds:
    """One renewal at a time, at a place that was asked for."""

    def __init__(self):
        self.changed = threading.Condition()
        self.wanted = self.held = None

    def arm(self, at):
        with self.changed:
            self.wanted, self.held = at, None
            self.changed.wait_for(lambda: self.held, PATIENCE)
            self.wanted = None
            return self.held

    def stop(self, at, who):
        """Whether it was held here; returns when it is released."""
        with self.changed:
            if self.wanted != at:
                return False
            self.wanted, self.held = None, {"pid": who}
            self.changed.notify_all()
            if at != "answered":
                self.changed.wait_for(lambda: not self.held, PATIENCE)
            return True

    def release(self):
        with self.changed:
            self.held = None
            self.changed.notify_all()


class Book:
    """Sign-ins, each with all the tokens that came of it."""

    def __init__(self, journal, life):
        self.journal, self.life, self.lock = journal, life, threading.Lock()
        self.numbers = itertools.count(1)
        self.account, self.ended = {}, set()  # of sign-ins
        self.refresh, self.access, self.used = {}, {}, set()
        self.typed = set()  # tokens that a person types who connects an account: with them, it is only tried

    def sign_in(self, account):
        with self.lock:
            family = next(self.numbers)
            self.account[family] = account
            token = self.new_refresh(family)
            self.typed.add(token)
            self.journal.write("signed in", account=account, family=family, token=token)
            return {"refresh_token": token}

    def new_refresh(self, family):
        token = f"refresh-{next(self.numbers)}"
        self.refresh[token] = family
        return token

    def renew(self, token, number, who):
        """The body of the answer, or None."""
        with self.lock:
            family = self.refresh.get(token)
            facts = {"number": number, "pid": who, "account": self.account.get(family), "family": family, "used": token}
            if family is None or family in self.ended or token in self.used:
                twice = token in self.used and family not in self.ended
                self.ended |= {family} if twice else set()
                self.journal.write("refused", why="used twice" if twice else "not good any more", **facts)
                return None
            self.used.add(token)
            access = f"access-{next(self.numbers)}"
            self.access[access] = (family, time.monotonic() + self.life)
            given = {"access_token": access, "token_type": "Bearer", "refresh_token": self.new_refresh(family),
                     "expires_in": self.life}
            self.journal.write("gave", access=access, refresh=given["refresh_token"], **facts)
            return given

    def open(self, access, path):
        """Whose it is; None if it opens nothing."""
        with self.lock:
            family, until = self.access.get(access, (None, 0))
            if family is None or family in self.ended or time.monotonic() > until:
                return None
            self.journal.write("opened", access=access, account=self.account[family], path=path)
            return self.account[family]


def asker(address):
    """The process at the other end of a connection, 0 if it has ended."""
    place = "".join(f"{int(part):02X}" for part in reversed(address[0].split("."))) + f":{address[1]:04X}"
    rows = (line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:])
    socket_of = next((f"socket:[{row[9]}]" for row in rows if row[1] == place and row[9] != "0"), None)
    for process in pathlib.Path("/proc").glob("[0-9]*") if socket_of else ():
        try:
            if (process / "comm").read_text() == "garlandd\n" and socket_of in map(os.readlink, (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue  # it has ended
    return 0


class Handler(http.server.BaseHTTPRequestHandler):
    book = holds = journal = None
    numbers = itertools.count(1)

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.begin(status, data)
        self.wfile.write(data)

    def begin(self, status, data):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()

    def do_GET(self):
        account = self.book.open((self.headers.get("Authorization") or "").partition("Bearer ")[2], self.path)
        if account is None:
            return self.answer(401, {"error": "invalid_token"})
        if self.path == "/api/me":
            return self.answer(200, {"name": account})
        return self.answer(200, {"items": [{"id": "1", "kind": "person", "name": f"Guest of {account}"}]})

    def do_POST(self):
        body = self.body()
        if self.path == "/token":
            return self.token(dict(urllib.parse.parse_qsl(body)))
        asked = json.loads(body or "{}")
        if self.path == "/_twin/sign-in":
            return self.answer(200, self.book.sign_in(asked["account"]))
        if self.path == "/_twin/hold":
            return self.answer(200, self.holds.arm(asked["at"]))
        self.holds.release()
        return self.answer(200, None)

    def token(self, form):
        if self.headers.get("Authorization") != BASIC:
            return self.answer(401, {"error": "invalid_client"})
        if form.get("grant_type") != "refresh_token":
            return self.answer(400, {"error": "unsupported_grant_type"})
        token, number, who = form.get("refresh_token"), next(self.numbers), asker(self.client_address)
        self.journal.write("asked", number=number, pid=who, token=token)

        def held(at):
            return token not in self.book.typed and self.holds.stop(at, who)
        if held("before"):
            return None
        if held("late"):
            time.sleep(LATE)
        given = self.book.renew(token, number, who)
        if given is None:
            return self.answer(400, {"error": "invalid_grant"})
        if held("after") or self.is_gone():
            return None
        return self.hand_over(json.dumps(given).encode(), number, held)

    def hand_over(self, data, number, held):
        half = len(data) // 2
        self.journal.write("answered", number=number, sent="a part")
        self.begin(200, data)
        self.wfile.write(data[:half])
        if held("within"):
            return
        self.wfile.write(data[half:])
        self.journal.write("answered", number=number, sent="all")
        held("answered")

    def is_gone(self):
        """Whoever asked has ended, so nothing can reach him."""
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128

    def handle_error(self, *_):
        """Who asks is killed now and then."""


def main():
    Handler.journal, Handler.holds = Journal(sys.argv[1]), Holds()
    Handler.book = Book(Handler.journal, int(sys.argv[2]))
    server = Server(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
