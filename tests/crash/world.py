"""What a crash test runs on: daemons, what they share, and the twins, which nobody kills."""

import http.client
import json
import random
import shutil
import urllib.error
import urllib.parse
import urllib.request

import apart
import first_sync
import patience
import servers
import served

QUICK = 20  # seconds until a sender tries another daemon
SQLITE_DISK, POSTGRES_DISK = 64, 160  # MiB


class NotAnswered(Exception):
    """A request of which nobody knows more than that it was not acknowledged."""


class Daemon(first_sync.Garland):
    """A garlandd that may be killed and started again, with the keys of the one that was there first."""

    def __init__(self, state, database, settings="", first=None, set_clock=False, programs=None):
        state.mkdir(mode=0o700)
        self.programs = programs or first_sync.BIN
        self.keys_of = first
        self.clock = servers.SetClock(state) if set_clock else None
        self.variables = self.clock.variables if self.clock else {}
        super().__init__(state, database, served.QUIET + settings)
        self.key = (self.data / "api.key").read_text().strip()

    def launch(self):
        if self.keys_of and not (self.data / "api.key").exists():
            for name in ("api.key", "master.key"):
                shutil.copy2(self.keys_of.data / name, self.data / name)
        super().launch()

    def wait_until_listening(self):
        patience.until("garlandd listening", lambda: self.alive() and self.ready.exists() and self.ready.read_text().strip(),
                       self.worked)
        super().wait_until_listening()

    def worked(self):
        return patience.worked(self.process)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def last_words(self, lines=1):
        said = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(line[:500] for line in said) or "nothing in its log"

    def request(self, method, path, body=None, headers=None, seconds=QUICK):
        """(status, JSON, headers) of an answer; NotAnswered if there is none, or one that says "not now"."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={
            "Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return answer.status, json.loads(answer.read() or b"null"), answer.headers
        except urllib.error.HTTPError as refusal:
            text = refusal.read().decode(errors="replace")
            if refusal.code >= 500 or refusal.code == 408:  # 408: this program was too slow in sending it
                raise NotAnswered(f"{refusal.code}: {text}") from refusal
            return refusal.code, text, refusal.headers
        except (OSError, ValueError, http.client.HTTPException) as problem:
            raise NotAnswered(str(problem)) from problem

    def get(self, path, **query):
        """Asks until it is answered, as long as the daemon is at work."""
        def answer():
            try:
                return self.request("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""), seconds=patience.STILL)
            except NotAnswered as problem:
                nonlocal last
                last = str(problem)
                return None
        last = ""
        status, body, _ = patience.until(f"an answer to GET {path}", answer, lambda: (self.worked(), last))
        if status != 200:
            raise first_sync.Failed(f"GET {path} answered {status}: {body}")
        return body

    def all(self, path, **query):
        """Every item of a list, page by page."""
        items, after = [], ""
        while True:
            page = self.get(path, limit=1000, **query, **({"after": after} if after else {}))["items"]
            items += page
            if len(page) < 1000:
                return items
            after = page[-1]["id"]


class World:
    """`daemons` of them on one database, a twin of Stripe and one of VSCO Workspace, and what the scenario takes. `older`:
    the programs of another build, of which the first daemon is one."""

    def __init__(self, state, database, daemons, scenario, older=None):
        self.state, self.daemons, self.older = state, [], older
        self.postgres = self.disk = self.nats = self.network = None
        self.doors = []  # an address for each connection that may be cut: of the database
        self.stop_servers()  # of a run that was killed itself
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir(parents=True, mode=0o700)
        try:
            self.begin(database, daemons, scenario)
        except BaseException:
            self.stop()
            raise

    def begin(self, database, daemons, scenario):
        cut, full = scenario == "connection-cut", scenario == "disk-full"
        self.network = apart.Network() if cut else None
        self.doors = [f"127.0.0.{11 + number}" for number in range(daemons)] if cut else []
        settings = ""
        if database == "postgresql":
            self.postgres = servers.Postgres(self.state, POSTGRES_DISK if full else None, self.doors)
            self.disk = self.postgres.disk
        elif full:
            self.disk = servers.SmallDisk(self.state / "disk", SQLITE_DISK)
            settings = f'[database]\nurl = "sqlite:{self.disk.folder}/garland.db"\nmin_free_mib = 0\n'
        if scenario == "nats-gone":
            self.nats = servers.Nats(self.state)
            settings += self.nats.settings
        self.payments = servers.Twin(self.state, "garland.payments.stripe", 20, "127.0.0.81" if cut else "127.0.0.1")
        self.studio = servers.Twin(self.state, "garland.tave", 8, "127.0.0.82" if cut else "127.0.0.1")
        for number in range(daemons):
            self.add_daemon(number, settings, scenario == "clock-set-back")

    def add_daemon(self, number, settings, set_clock):
        database = self.postgres.url if self.postgres else ""
        if self.postgres and self.doors:
            database = self.postgres.url_at(self.doors[number])
        try:
            first = self.daemons[0] if self.daemons else None
            self.daemons.append(Daemon(self.state / f"daemon-{number + 1}", database, settings, first, set_clock,
                                       None if first else self.older))
        except first_sync.Failed as problem:
            raise first_sync.Failed(f"daemon {number + 1} of this database does not start: {problem}") from problem

    def any_daemon(self, chance=random):
        return chance.choice(self.daemons)

    def stop_servers(self):
        for folder in (*self.state.glob("daemon-*"), self.state):
            first_sync.stop_servers(folder)

    def stop(self):
        self.stop_servers()
        for part in (self.nats, self.postgres, None if self.postgres else self.disk):
            if part:
                part.stop()
