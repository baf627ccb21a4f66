"""The webhook benchmark: how many signed webhooks a second a real garlandd acknowledges, each verified, new and
durable before its 200, and how long that takes at the seeds' rate; against nginx, which answers 200 and keeps nothing,
against a loop that inserts one row a commit into SQLite, and against Node-RED, which verifies and appends. And how many
of them a second the sandboxed connector reads. And, as a leg of its own, whether a rate is kept up for a minute.
"""

import math
import pathlib
import shutil
import subprocess
import time

import databases
import first_sync
import node_red
import served

RATE = 50_000 // 60  # a second: what the seeds ask for
RATE_SECONDS = 5
BURST = 40_000  # webhooks of a leg that goes as fast as it goes
NGINX_TIMES = 4  # nginx takes the same ones again: it would be done too soon
NODE_RED_BURST = 10_000
DRAIN_SECONDS = 120  # at most, until all of a burst are read
ROWS = 5_000  # of the insert loop
BYTES = 600  # of a body
CONNECTIONS = 64
MANY = 192  # connections, of legs that show what more of them in one commit are worth
OVER_MANY = f", over {MANY} connections"
ACCOUNTS = 4  # that they are spread over: of one connection no more than 100,000 may wait to be read
SUSTAINED_SECONDS = 60
SUSTAINED_ACCOUNTS = 30  # at least, ...
SUSTAINED_OPEN = 90_000  # ... and with no more of one account's than so many, since nobody reads them
SECRET = "whsec_of_this_bench"
# (figure, sense, what is wanted); see README.md
TARGETS = (
    ("garland / nginx, webhooks a second", "at least", 0.25),
    ("garland / nginx, webhooks a second", "at least", 0.45),
    ("garland / Node-RED, webhooks a second", "at least", 7.0),
    ("garland, at the seeds' rate, p99 ms", "at most", 2.0),
    ("garland, at the seeds' rate and read beside, p99 ms", "at most", 2.0),
)


class Accounts:
    """Connections to the twin of Stripe, each with an endpoint that takes what is signed with SECRET."""

    def __init__(self, daemon, reads, accounts=ACCOUNTS):
        self.paths = []
        url = served.serve_twin(daemon.state, "garland.payments.stripe") + "/v1"
        for number in range(accounts):
            vendor = daemon.json("vendors", "add", f"Webhooks {number}", shown=False)["id"]
            daemon.command("plugins", "enable", "stripe", "--vendor", vendor, shown=False)
            connection = daemon.json("connections", "connect", "stripe", "--vendor", vendor, "--set", f"url={url}",
                                     "--password-stdin", "--allow-private-network", stdin="sk_test_twin\n",
                                     shown=False)["id"]
            endpoint = daemon.json("connections", "webhook", connection, "--secret-stdin", stdin=SECRET + "\n",
                                   shown=False)
            self.paths.append(endpoint["url"].partition(str(daemon.port))[2])
            if not reads:  # they are taken in and wait
                daemon.command("plugins", "disable", "stripe", "--vendor", vendor, shown=False)


class Nginx:
    """Answers 200 to whatever is posted, by as many processes as there are processors."""

    def __init__(self, state, program):
        folder = state / "nginx"
        folder.mkdir()
        self.port = first_sync.free_port()
        paths = "".join(f"{name}_temp_path {folder}/{name};\n"
                        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"daemon off;\npid {folder}/pid;\nworker_processes auto;\nevents {{ worker_connections 1024; }}\n"
            f"http {{\naccess_log off;\nkeepalive_requests 1000000000;\n{paths}"
            f"server {{ listen 127.0.0.1:{self.port}; default_type application/json;\n"
            f"location / {{ return 200 '{{\"status\":\"received\"}}'; }} }}\n}}\n")
        process = subprocess.Popen([program, "-p", str(folder), "-e", str(folder / "error.log"), "-c",
                                    str(folder / "nginx.conf")], stdin=subprocess.DEVNULL)
        first_sync.remember(state, "nginx", process)
        first_sync.wait_until("nginx listening", lambda: served.listens(self.port))

    @staticmethod
    def program():
        return shutil.which("nginx") or next((path for path in ("/usr/sbin/nginx", "/usr/local/sbin/nginx")
                                              if pathlib.Path(path).exists()), None)


class Sender:
    """The load program, and a name for every round: what came before would only be known."""

    def __init__(self, load, memory_of):
        self.load, self.memory_of, self.rounds = load, memory_of, 0

    def leg(self, port, paths, webhooks, per_second=0, times=1, connections=CONNECTIONS, **more):
        self.rounds += 1
        self.load.tell({"port": port, "targets": paths, "secret": SECRET, "connections": connections, "bytes": BYTES,
                        "webhooks": webhooks, "times": times, "per_second": per_second,
                        "name": f"{time.time_ns()}_{self.rounds}", **more})
        return self.load.hear()

    def to(self, server, paths, webhooks, per_second=0, **more):
        """The same, with what it costs a server of one process."""
        pid = server.process.pid
        before, threads = served.processor_seconds(pid), served.seconds_of_threads(pid)
        figures = self.leg(server.port, paths, webhooks, per_second, **more)
        took = {"cpu_us": served.processor_seconds(pid) - before}
        took |= {f"cpu_us of {name}": ran - threads.get(name, 0.0)
                 for name, ran in served.seconds_of_threads(pid).items()}
        each = 1e6 / max(1, figures["accepted"])
        return figures | {name: ran * each for name, ran in took.items()} | {"rss_mib": self.memory_of(pid)["rss"]}


def read_beside(sender, state, database):
    """What was acknowledged is read by the sandboxed connector at the same time: legs, and the jobs that this is."""
    daemon = served.Daemon(state, database)
    try:
        paths = Accounts(daemon, reads=True).paths
        steady = sender.to(daemon, paths, RATE * RATE_SECONDS, RATE)
        all_read(daemon)
        flat_out = sender.to(daemon, paths, BURST)
        return {"garland, at the seeds' rate and read beside": steady,
                "garland, flat out and read beside": flat_out}, jobs(daemon, flat_out)
    finally:
        daemon.stop()


def all_read(daemon):
    """How many are left when nothing is, or the time is over; and after how long."""
    began = time.monotonic()
    while (left := daemon.waiting_webhooks()) and time.monotonic() - began < DRAIN_SECONDS:
        time.sleep(0.1)
    return left, time.monotonic() - began


def jobs(daemon, flat_out):
    """A job is one delivery on its lane: a call into the connector's sandbox and a durable mark. Counted from the first
    webhook of the leg that has just ended until the last one is read."""
    waiting = daemon.waiting_webhooks()
    left, drained = all_read(daemon)
    seconds = flat_out["seconds"] + drained
    read = flat_out["accepted"] - left
    return {"read": read, "left": left, "waiting when all were acknowledged": waiting, "seconds": seconds,
            "per_second": read / seconds}


def side_by_side(sender, programs, state, rounds, node_program, database):
    """{leg: answers of each round}: garlandd, nginx, Node-RED and the loop take turns."""
    found = {}
    daemon = served.Daemon(state, database)

    def put(name, figures):
        found.setdefault(name, []).append(figures)

    try:
        paths = Accounts(daemon, reads=False).paths
        program = Nginx.program()
        nginx = Nginx(state, program) if program else None
        if nginx is None:
            print("  nginx is not installed (tools/setup installs it): its legs and ratios are left out")
        red = node_red.NodeRed(state, node_program, SECRET) if node_program else None
        for _ in range(rounds):
            put("garland, at the seeds' rate", sender.to(daemon, paths, RATE * RATE_SECONDS, RATE))
            if nginx:
                put("nginx, at the seeds' rate", sender.leg(nginx.port, paths, RATE * RATE_SECONDS, RATE))
            put("garland, flat out", sender.to(daemon, paths, BURST))
            if nginx:
                put("nginx, flat out", sender.leg(nginx.port, paths, BURST, times=NGINX_TIMES))
            put("garland, flat out" + OVER_MANY, sender.to(daemon, paths, BURST, connections=MANY))
            if nginx:
                put("nginx, flat out" + OVER_MANY,
                    sender.leg(nginx.port, paths, BURST, times=NGINX_TIMES, connections=MANY))
            if red:
                put("Node-RED, at the seeds' rate", sender.to(red, red.paths, RATE * RATE_SECONDS, RATE))
                put("Node-RED, flat out", sender.to(red, red.paths, NODE_RED_BURST))
                put("Node-RED, flat out" + OVER_MANY, sender.to(red, red.paths, NODE_RED_BURST, connections=MANY))
            with served.Program(programs / "garland_insert_loop", state / "loop.db", ROWS, BYTES) as loop:
                put("insert loop", loop.hear())
    finally:
        daemon.stop()
    return found


def ratios(cells):
    out = {}

    def put(name, above, below, key):
        if above in cells and below in cells and cells[below][key]:
            out[name] = cells[above][key] / cells[below][key]

    for over in ("", OVER_MANY):
        for peer in ("nginx", "Node-RED"):
            put(f"garland / {peer}, webhooks a second{over}", "garland, flat out" + over, f"{peer}, flat out{over}",
                "per_second")
    put("Node-RED / garland, cpu us a webhook", "Node-RED, flat out", "garland, flat out", "cpu_us")
    put("garland / insert loop, webhooks a second", "garland, flat out", "insert loop", "per_second")
    put("garland, read beside / not read, webhooks a second", "garland, flat out and read beside", "garland, flat out",
        "per_second")
    for key in ("p50_ms", "p99_ms"):
        ours = "garland, at the seeds' rate"
        for peer in ("nginx", "Node-RED"):
            put(f"garland / {peer}, {key} at the seeds' rate", ours, f"{peer}, at the seeds' rate", key)
        put(f"garland / insert loop, {key} at the seeds' rate", ours, "insert loop", key)
    return out


def verdicts(cells, compared):
    known = compared | {f"{name}, p99 ms": figures["p99_ms"] for name, figures in cells.items()}
    return [served.verdict(name, sense, wanted, known[name]) for name, sense, wanted in TARGETS if name in known]


def table(cells, compared, targets, done):
    print(f"\n{'':44} {'a second':>10} {'p50 ms':>8} {'p99 ms':>8} {'cpu us':>7} {'not taken':>10}")
    for name, figures in cells.items():
        cpu = f"{figures['cpu_us']:7.1f}" if "cpu_us" in figures else f"{'-':>7}"
        print(f"{name:44} {figures['per_second']:10,.0f} {figures['p50_ms']:8.3f} {figures['p99_ms']:8.3f} {cpu} "
              f"{figures.get('not_taken', 0):10,.0f}")
    for name, figures in cells.items():
        shares = [f"{part.removeprefix('cpu_us of ')} {value:.1f}" for part, value in figures.items()
                  if part.startswith("cpu_us of ") and value >= 1]
        if name.startswith("garland") and shares:
            print(f"  cpu us, {name}: {', '.join(shares)}")
    print(f"\n  {done['per_second']:,.0f} jobs a second: {done['read']:,} deliveries read in {done['seconds']:.1f} s"
          + (f"; {done['left']:,} were left" if done["left"] else ""))
    for name, value in compared.items():
        print(f"  {name:60} {value:8.3f}")
    served.show(targets)


def kept_up(sender, state, database, rate):
    """A minute at this rate, of deliveries that nobody reads meanwhile; and how many are there afterwards."""
    webhooks = rate * SUSTAINED_SECONDS
    daemon = served.Daemon(state, database)
    try:
        paths = Accounts(daemon, False, max(SUSTAINED_ACCOUNTS, math.ceil(webhooks / SUSTAINED_OPEN))).paths
        figures = sender.to(daemon, paths, webhooks, rate, signs_beside=True, longest=4 * SUSTAINED_SECONDS)
        return figures | {"accounts": len(paths), "kept": daemon.waiting_webhooks()}
    finally:
        daemon.stop()


def sustain(programs, state, rate, database, memory_of):
    """As run() does: by figures that are no ratios, since nothing else has to bear this rate."""
    began = time.monotonic()
    with served.Program(programs / "garland_webhook_load") as load, databases.Database(database, state) as found:
        figures = kept_up(Sender(load, memory_of), state, found.url, rate)
    name = f"{rate:,} a second for {SUSTAINED_SECONDS} s"
    targets = [served.verdict(f"{name}, acknowledged a second", "at least", 0.99 * rate, figures["per_second"]),
               served.verdict(f"{name}, p99 ms", "at most", 100.0, figures["p99_ms"]),
               served.verdict(f"{name}, not taken", "at most", 0, figures["not_taken"]),
               served.verdict(f"{name}, acknowledged and not there", "at most", 0,
                              max(0, figures["accepted"] - figures["kept"]))]
    print(f"\n  {figures['accepted']:,} acknowledged in {figures['seconds']:.1f} s at {figures['accounts']} accounts, "
          f"{figures['not_taken']:,} not taken; p50 {figures['p50_ms']:.3f} ms, {figures['cpu_us']:.1f} us of the daemon "
          f"each ({database})")
    served.show(targets)
    return served.circumstances(began, time.monotonic()) | {
        "database": database, "rate": rate, "bytes of a body": BYTES, "connections": CONNECTIONS, "targets": targets,
        "figures": figures}


def run(programs, state, rounds, database, memory_of):
    """Measures and prints; gives what belongs into the JSON. `programs` is where the load programs lie."""
    node_program = node_red.installed()
    began = time.monotonic()
    with served.Program(programs / "garland_webhook_load") as load:
        sender = Sender(load, memory_of)
        with databases.Database(database, state) as found:
            beside, done = read_beside(sender, state, found.url)
        with databases.Database(database, state) as found:
            legs = side_by_side(sender, programs, state, rounds, node_program, found.url)
    cells = {name: served.median_of(answers) for name, answers in legs.items()} | beside
    compared = ratios(cells)
    compared["garland, jobs / webhooks acknowledged beside them, a second"] = (
        done["per_second"] / beside["garland, flat out and read beside"]["per_second"])
    targets = verdicts(cells, compared)
    table(cells, compared, targets, done)
    return served.circumstances(began, time.monotonic()) | {
        "database": database, "rounds": rounds, "bytes of a body": BYTES, "connections": CONNECTIONS,
        "webhooks a second at the seeds' rate": RATE, "targets": targets, "ratios": compared, "jobs": done,
        "cells": [{"leg": name, **figures} for name, figures in cells.items()]}
