"""Accounts at a strict provider whose access tokens live for seconds, and the daemons that renew them, killed meanwhile."""

import json
import random
import subprocess
import sys
import threading
import time
import urllib.request

import apart
import first_sync
import patience
import reuses
import servers
import strict_provider
import world as worlds
from world import NotAnswered

PLUGIN = "test.guests"
DAEMONS = {"sqlite": 1, "postgresql": 3}
ACCOUNTS = 16  # one whose daemon was killed waits for 45 seconds, so others have to be there
LIFE = 3  # seconds of an access token
POINTS = ("before", "late", "after", "within", "answered", "any")
STILL = 110  # seconds: an attempt that may be under way, then a sync that has waited for it
SETTLES = 300


class Provider:
    """strict_provider.py as a process of its own, which nobody kills."""

    def __init__(self, state):
        self.journal = state / "journal"
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", sys.executable, strict_provider.__file__,
                                    str(self.journal), str(LIFE)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        first_sync.remember(state, "strict provider", process)
        self.url = process.stdout.readline().strip()

    def ask(self, what, **facts):
        with urllib.request.urlopen(f"{self.url}/_twin/{what}", json.dumps(facts).encode(), timeout=2 * STILL) as answer:
            return json.load(answer)

    def entries(self):
        return [json.loads(line) for line in self.journal.read_text().splitlines()]


class World(worlds.World):
    def begin(self, database, daemons, scenario):
        plugins = first_sync.BIN.resolve().parent / "tests/sign-ins"
        if not (plugins / PLUGIN).exists():
            raise apart.Unusable(f"{plugins / PLUGIN} is not there; build the preset first: tools/build release")
        if database == "postgresql":
            self.postgres = servers.Postgres(self.state)
        self.provider = Provider(self.state)
        for number in range(daemons):
            self.add_daemon(number, f'[plugins]\ndirs = ["{plugins}"]\n', False)


class Helper(threading.Thread):
    """Does something again and again until it is told to stop; a daemon that is away is one that was killed."""

    def __init__(self, world, chance, pause):
        super().__init__(daemon=True)
        self.world, self.chance, self.pause = world, chance, pause
        self.stopping, self.trouble = threading.Event(), None

    def run(self):
        try:
            while not self.stopping.wait(self.pause):
                try:
                    self.do()
                except NotAnswered:
                    pass
        except Exception as problem:  # told at the end
            self.trouble = f"{type(self).__name__}: {problem!r}"


class Syncs(Helper):
    """Asks for a sync of one account after another."""

    def __init__(self, world, chance, connections):
        super().__init__(world, chance, 0.1)
        self.connections, self.next = connections, 0

    def do(self):
        self.next = (self.next + 1) % len(self.connections)
        self.world.any_daemon(self.chance).request("POST", f"/api/integrations/sync/{self.connections[self.next]}")


class People(Helper):
    """Whoever is asked to connect an account again does. `seen`: each time that somebody was asked."""

    def __init__(self, world, chance, vendor):
        super().__init__(world, chance, 0.5)
        self.vendor, self.seen = vendor, {}

    def do(self):
        for account, sign_in in self.asked():
            told = {"account": account, "by": sign_in["by"], "cause": sign_in["cause"]}
            self.seen.setdefault((account, sign_in["since"]), told)
            try:
                connect(self.world, self.world.any_daemon(self.chance), self.vendor, account)
            except first_sync.Failed:
                pass  # its daemon was killed: perhaps it is connected, else it is asked for again

    def asked(self):
        """(account, its sign-in) of each that is to be connected again."""
        for one in self.get(f"?vendor_id={self.vendor}")["items"]:
            sign_in = self.get(f"/{one['id']}")["sign_ins"][0] if one["state"] != "connected" else {"state": "connected"}
            if sign_in["state"] == "reconnect needed":
                yield one["account"], sign_in

    def get(self, path):
        status, body, _ = self.world.any_daemon(self.chance).request("GET", "/api/integrations/connections" + path)
        if status != 200:
            raise first_sync.Failed(f"GET connections{path} answered {status}: {body}")
        return body


def connect(world, daemon, vendor, account):
    url = world.provider.url
    token = world.provider.ask("sign-in", account=account)["refresh_token"]
    places = {"url": "/api/", "token_url": "/token", "authorize_url": "/none", "device_url": "/none", "revoke_url": "/none"}
    settings = [word for name, path in places.items() for word in ("--set", f"{name}={url}{path}")]
    typed = "\n".join((strict_provider.CLIENT, strict_provider.SECRET, token)) + "\n"
    return daemon.json("connections", "connect", PLUGIN, "--vendor", vendor, *settings, "--password-stdin",
                       "--allow-private-network", stdin=typed, shown=False)["id"]


class Run:
    def __init__(self, world, seed):
        self.world, self.chance, self.killed = world, random.Random(seed), []
        daemon = world.daemons[0]
        vendor = daemon.json("vendors", "add", "Vendor", shown=False)["id"]
        daemon.command("plugins", "enable", PLUGIN, "--vendor", vendor, shown=False)
        connections = [connect(world, daemon, vendor, f"account-{number}") for number in range(ACCOUNTS)]
        self.people = People(world, random.Random(self.chance.random()), vendor)
        self.helpers = [Syncs(world, random.Random(self.chance.random()), connections), self.people]

    def storm(self, times):
        for one in self.helpers:
            one.start()
        try:
            points = []
            while len(self.killed) < times:
                points = points or self.chance.sample(POINTS, len(POINTS))
                self.kill(points.pop())
            self.settle()
        finally:
            for one in self.helpers:
                one.stopping.set()
            for one in self.helpers:
                one.join()

    def kill(self, at):
        time.sleep(self.chance.uniform(0, 1))
        victim = self.world.any_daemon(self.chance)
        if at != "any":
            held = self.world.provider.ask("hold", at=at)
            if not held:
                raise first_sync.Failed("nobody asks for a token any more")
            victim = next((one for one in self.world.daemons if one.process.pid == held["pid"]), victim)
        self.killed.append(victim.process.pid)
        victim.kill()
        self.world.provider.ask("release")
        time.sleep(self.chance.uniform(0, 0.4))
        victim.start()

    def settle(self):
        """Until every account was reached with a token that was asked for after the last kill, and after the latest request."""
        since = time.time() + strict_provider.LATE + LIFE
        patience.until("every account being reached again", lambda: not self.unreached(since), lambda: self.unreached(since),
                       STILL, SETTLES, 0.5)

    def unreached(self, since):
        if self.problems():
            raise first_sync.Failed("; ".join(self.problems()))
        reached = {one["account"] for one in self.world.provider.entries() if one["what"] == "opened" and one["at"] > since}
        return sorted({f"account-{number}" for number in range(ACCOUNTS)} - reached)

    def problems(self):
        return [one.trouble for one in self.helpers if one.trouble]


def carry_out(database, kills, seed, state):
    """Prints the figures; whether all held."""
    daemons = DAEMONS[database]
    began = time.monotonic()
    world = World(state, database, daemons, "sign-ins")
    print(f"  daemons on {database}: {daemons}; what the provider did is in {world.provider.journal}", flush=True)
    try:
        run = Run(world, seed)
        run.storm(kills)
        verdict = reuses.judge(world.provider.entries(), {*run.killed}, list(run.people.seen.values()))
    finally:
        world.stop()
    problems = verdict.problems + verdict.shown(len(run.killed)) + run.problems()
    for problem in problems:
        print(f"  told: {problem}")
    print(f"{database}: {verdict.line(len(run.killed))}; {time.monotonic() - began:.0f} s", flush=True)
    return not problems
