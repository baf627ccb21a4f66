"""The connections benchmark: what 10 to 10,000 connected accounts cost a real garlandd while nothing is due, and how it
goes through their rounds once they are. All of them are calendar feeds of one publisher on loopback (feeds.py), which
are connected by the HTTP API; the same daemon grows from row to row.

An account is made due by the API, too: it is paused, and it is due the moment that it is resumed. So nothing waits for
the 15 minutes that its connector lets pass between two rounds, and nothing else is due while this runs.
"""

import http.client
import json
import pathlib
import sys
import threading
import time

import first_sync
import served

ROWS = (10, 100, 1_000, 10_000)
OF_A_VENDOR = 10
ASKERS = 8  # requests to the API at once
CONNECT_SECONDS = 240  # beyond this a row goes without the accounts that are still to be connected
SETTLE_SECONDS = 2
IDLE_SECONDS = 10  # two looks of the schedule
POLL_SECONDS = 900  # of garland.ical-feed
PACED_SECONDS = 12
PATIENCE = 15  # seconds for the last round that is due at its pace: three looks of the schedule
BACKLOG_SECONDS = 90
SLOW_SECONDS = 0.25  # until a slow publisher answers
SLOW_ROUNDS = 500
SLOW_ENOUGH = 40  # seconds for all of them
COUNTED = 20  # rounds that a figure for each of them needs
PUBLISHER = pathlib.Path(__file__).resolve().parent / "feeds.py"
# What of a row is set against the first row.
CURVE = ("kib_of_the_daemon_each", "ms_to_connect", "cpu_us_a_round", "late_p50_ms", "late_p99_ms")
# ... and against the daemon before anything was connected.
AGAINST_NONE = ("rss_mib", "idle_cpu_us_a_second", "idle_wake_ups_a_second", "looks_a_second")


class Accounts:
    """Connections to feeds that nobody else has: by the path of each, the connection's id."""

    def __init__(self, daemon, port):
        self.daemon, self.port, self.vendors, self.ids = daemon, port, [], {}

    def request(self, line, method, path, body=None):
        line.request(method, "/api/integrations" + path, None if body is None else json.dumps(body),
                     {"Authorization": f"Bearer {self.daemon.key}", "Content-Type": "application/json"})
        answer = line.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise first_sync.Failed(f"{method} {path} was answered with {answer.status}: {text[:300]}")
        return json.loads(text) if text else {}

    def each(self, items, act, until=None):
        """act(line, item) for every one, some at once; a mistake of one of them ends all."""
        waiting, lock, mistakes = iter(items), threading.Lock(), []

        def work():
            line = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=120)
            try:
                while not mistakes and (until is None or time.monotonic() < until):
                    with lock:
                        item = next(waiting, None)
                    if item is None:
                        break
                    act(line, item)
            except Exception as mistake:
                mistakes.append(mistake)
            line.close()

        workers = [threading.Thread(target=work) for _ in range(ASKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if mistakes:
            raise mistakes[0]

    def grow(self, count):
        """Until there are so many, or it takes too long; the milliseconds for each."""
        def add_vendor(line, number):
            vendor = self.request(line, "POST", "/vendors", {"name": f"Studio {number}"})["id"]
            self.request(line, "PUT", f"/vendors/{vendor}/plugins/garland.ical-feed")
            self.vendors.append(vendor)

        def connect(line, number):
            path = f"/{number}.ics"
            self.ids[path] = self.request(line, "POST", "/vendor/connect", {
                "vendor_id": self.vendors[number // OF_A_VENDOR], "plugin": "garland.ical-feed",
                "settings": {"name": f"Feed {number}"}, "allow_private_network": True,
                "credentials": {"feed": {"address": f"http://127.0.0.1:{self.port}{path}"}}})["id"]

        there = len(self.ids)
        self.each(range(len(self.vendors), -(-count // OF_A_VENDOR)), add_vendor)
        began = time.monotonic()
        self.each(range(there, count), connect, began + CONNECT_SECONDS)
        return (time.monotonic() - began) * 1000 / max(1, len(self.ids) - there)

    def pause(self, paths):
        self.each(paths, lambda line, path: self.request(line, "POST", f"/connections/{self.ids[path]}/pause"))

    def resume(self, paths, per_second=None):
        """When each was due, as it was asked for: all of them at once, or so many a second."""
        due, began = {}, time.monotonic()

        def let_go(line, item):
            place, path = item
            if per_second:
                time.sleep(max(0.0, began + place / per_second - time.monotonic()))
            due[path] = time.monotonic()
            self.request(line, "POST", f"/connections/{self.ids[path]}/resume")

        self.each(enumerate(paths), let_go)
        return due


class Publisher(served.Program):
    def __init__(self):
        super().__init__(sys.executable, PUBLISHER)
        self.port = self.hear()["port"]
        self.asked = {}

    def forget(self, delay=0.0):
        self.tell({"delay": delay})
        self.hear()
        self.asked = {}

    def look(self):
        """{path: when it was asked for the first time since forget()}"""
        self.tell({})
        self.asked = self.hear() | self.asked
        return self.asked

    def wait_for(self, count, until):
        while len(self.look()) < count and time.monotonic() < until:
            time.sleep(0.1)
        return self.asked


def spent(pid):
    """What the threads of a process have run, in microseconds, and how often one of them went to sleep."""
    ran, slept = 0.0, 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            ran += int((task / "schedstat").read_text().split()[0]) / 1000
            status = (task / "status").read_text()
        except OSError:  # it has just ended
            continue
        slept += int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return ran, slept


def idle(daemon):
    pid = daemon.process.pid
    looks, (ran, slept), began = daemon.metric("garland_schedule_wake_ups_total"), spent(pid), time.monotonic()
    time.sleep(IDLE_SECONDS)
    (ran_then, slept_then), took = spent(pid), time.monotonic() - began
    return {"idle_cpu_us_a_second": (ran_then - ran) / took, "idle_wake_ups_a_second": (slept_then - slept) / took,
            "looks_a_second": (daemon.metric("garland_schedule_wake_ups_total") - looks) / took}


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def lateness(due, asked, name):
    late = [(asked[path] - due[path]) * 1000 for path in due if path in asked]
    return {f"{name}_p50_ms": quantile(late, 0.5), f"{name}_p99_ms": quantile(late, 0.99),
            f"{name}_max_ms": max(late, default=0.0)}


def paced(accounts, publisher):
    """Some are due one after the other, as often as all of them would be by the connector's interval."""
    per_second = max(1.0, len(accounts.ids) / POLL_SECONDS)
    some = list(accounts.ids)[-int(per_second * PACED_SECONDS):]
    accounts.pause(some)
    publisher.forget()
    due = accounts.resume(some, per_second)
    asked = publisher.wait_for(len(some), time.monotonic() + PATIENCE)
    return {"due_a_second": per_second, "paced": len(due), "paced_missing": len(due) - len(asked)} | lateness(
        due, asked, "late")


def rate(asked, resumed):
    """Rounds a second, and in how long: since all were resumed, if most began after that; else since the first."""
    times = sorted(asked.values())
    since = max(resumed, times[0]) if times and times[len(times) // 2] > resumed else min(times, default=0.0)
    counted = [moment for moment in times if moment >= since]
    seconds = (counted[-1] - since) if counted else 0.0
    return len(counted) / max(seconds, 1e-3), seconds


def backlog(accounts, publisher, daemon):
    """All are due at once, as after an outage. What resuming them takes is not in the processor time."""
    accounts.pause(accounts.ids)
    publisher.forget()
    began = time.monotonic()
    due = accounts.resume(accounts.ids)
    resumed, before, ran = time.monotonic(), len(publisher.look()), spent(daemon.process.pid)[0]
    asked = publisher.wait_for(len(due), began + BACKLOG_SECONDS)
    if len(asked) == len(due):
        first_sync.wait_until("the end of all rounds", lambda: daemon.metric("garland_sync_runs") == 0)
    ran = spent(daemon.process.pid)[0] - ran
    per_second, seconds = rate(asked, resumed)
    measured = len(asked) - before
    return {"rounds": len(asked), "rounds_missing": len(due) - len(asked), "rounds_seconds": seconds,
            "rounds_a_second": per_second,
            "cpu_us_a_round": ran / measured if measured >= COUNTED else None} | lateness(due, asked, "backlog")


def slow(accounts, publisher, daemon):
    """Some are due at once, and their publisher takes its time: what the places of syncs are for."""
    some = list(accounts.ids)[:SLOW_ROUNDS]
    accounts.pause(some)
    publisher.forget(SLOW_SECONDS)
    accounts.resume(some)
    asked = publisher.wait_for(len(some), time.monotonic() + SLOW_ENOUGH)
    publisher.forget()
    first_sync.wait_until("the end of all slow rounds", lambda: daemon.metric("garland_sync_runs") == 0)
    if len(asked) < COUNTED:
        return {"slow_rounds": len(asked), "slow_rounds_a_second": None}
    times = asked.values()
    return {"slow_rounds": len(asked), "slow_rounds_a_second": len(asked) / (max(times) - min(times))}


def row(daemon, accounts, publisher, count, none, memory_of):
    pid = daemon.process.pid
    took = accounts.grow(count)
    time.sleep(SETTLE_SECONDS)
    memory = memory_of(pid)
    there = len(accounts.ids)
    figures = {"connections": there, "ms_to_connect": took, "rss_mib": memory["rss"], "private_mib": memory["private"],
               "kib_of_the_daemon_each": memory["rss"] * 1024 / there,
               "kib_grown_each": (memory["private"] - none["private_mib"]) * 1024 / there}
    figures |= idle(daemon)
    figures |= paced(accounts, publisher)
    figures |= backlog(accounts, publisher, daemon)
    figures |= slow(accounts, publisher, daemon) if not figures["rounds_missing"] else {"slow_rounds_a_second": None}
    return figures | {"rss_mib_after_rounds": memory_of(pid)["rss"]}


def warm_up(daemon, accounts, publisher):
    """One connection and its round load what all of them share: the worker, schemas, the sign-in."""
    accounts.grow(1)
    accounts.pause(accounts.ids)
    publisher.forget()
    accounts.resume(accounts.ids)
    publisher.wait_for(1, time.monotonic() + PATIENCE)
    first_sync.wait_until("the end of the first round", lambda: daemon.metric("garland_sync_runs") == 0)


def measure(state, counts, memory_of):
    """The figures of a daemon without any connection, of one that is warm, and of each row."""
    daemon = served.Daemon(state)
    try:
        with Publisher() as publisher:
            accounts = Accounts(daemon, publisher.port)
            time.sleep(SETTLE_SECONDS)
            none = {"rss_mib": memory_of(daemon.process.pid)["rss"]} | idle(daemon)
            warm_up(daemon, accounts, publisher)
            none["private_mib"] = memory_of(daemon.process.pid)["private"]
            rows = []
            for count in counts:
                rows.append(row(daemon, accounts, publisher, count, none, memory_of))
                if rows[-1]["rounds_missing"] or rows[-1]["connections"] < count:
                    break
    finally:
        daemon.stop()
    return none, rows


def ratios(none, rows):
    out = {}
    for figures in rows:
        name = f"{figures['connections']:,} connections"
        for key in AGAINST_NONE:
            out[f"{name} / none, {key}"] = figures[key] / none[key] if none[key] else None
        for key in CURVE:
            first = next((row for row in rows if row[key]), None)
            if first and figures[key] is not None:
                out[f"{name} / {first['connections']:,}, {key}"] = figures[key] / first[key]
        if figures["slow_rounds_a_second"]:
            out[f"{name}, rounds a second, answered after {SLOW_SECONDS} s / at once"] = (
                figures["slow_rounds_a_second"] / figures["rounds_a_second"])
    return out


def shown(figure, width, digits):
    return f"{'-':>{width}}" if figure is None else f"{figure:{width}.{digits}f}"


def over(figure, first):
    return figure / first if figure is not None and first else None


def table(none, rows):
    first = next((one["cpu_us_a_round"] for one in rows if one["cpu_us_a_round"]), None)
    print(f"\n{'':11} |{'memory':^24} |{'nothing is due, a second':^27} |{'at its pace, late ms':^22} |"
          f"{'all at once: rounds':^40}")
    print(f"{'connections':>11} |{'MiB':>6} {'/ none':>7} {'KiB more':>9} |{'cpu us':>8} {'/ none':>7} "
          f"{'wake-ups':>10} |"
          f"{'p50':>8} {'p99':>8} {'/s':>4} |{'begun':>7} {'left':>6} {'/s':>7} {'cpu us':>8} {'/ first':>8}")
    print(f"{'none':>11} |{none['rss_mib']:6.0f} {'':>7} {'':>9} |{none['idle_cpu_us_a_second']:8.0f} {'':>7} "
          f"{none['idle_wake_ups_a_second']:10.1f} |{'':22} |")
    for one in rows:
        print(f"{one['connections']:>11,} |{one['rss_mib']:6.0f} {one['rss_mib'] / none['rss_mib']:7.2f} "
              f"{one['kib_grown_each']:9.1f} |{one['idle_cpu_us_a_second']:8.0f} "
              f"{one['idle_cpu_us_a_second'] / max(none['idle_cpu_us_a_second'], 1e-9):7.2f} "
              f"{one['idle_wake_ups_a_second']:10.1f} |{one['late_p50_ms']:8.0f} {one['late_p99_ms']:8.0f} "
              f"{one['due_a_second']:4.0f} |{one['rounds']:>7,} {one['rounds_missing']:>6,} "
              f"{one['rounds_a_second']:7.1f} {shown(one['cpu_us_a_round'], 8, 0)} "
              f"{shown(over(one['cpu_us_a_round'], first), 8, 2)}")
        if one["slow_rounds_a_second"]:
            print(f"  {one['slow_rounds_a_second']:,.1f} rounds a second where the publisher answers after "
                  f"{SLOW_SECONDS} seconds")
        if one["paced_missing"]:
            print(f"  {one['paced_missing']:,} of {one['paced']:,} that were due at their pace had not begun after "
                  f"{PATIENCE} seconds")


def run(state, counts, memory_of):
    """Measures and prints; gives what belongs into the JSON."""
    began = time.monotonic()
    none, rows = measure(state, counts, memory_of)
    table(none, rows)
    wanted, there = counts[len(rows) - 1], rows[-1]["connections"]
    if there < wanted:
        print(f"  {there:,} of {wanted:,} were connected in {CONNECT_SECONDS} seconds, and the row is theirs")
    if rows[-1]["rounds_missing"]:
        print(f"  of {there:,} rounds {rows[-1]['rounds_missing']:,} had not begun after {BACKLOG_SECONDS} seconds")
    for count in counts[len(rows):]:
        print(f"  {count:,} connections are left out: the row before did not end in time")
    return served.circumstances(began, time.monotonic()) | {
        "connections of a vendor": OF_A_VENDOR, "connector's interval, s": POLL_SECONDS, "none": none,
        "ratios": ratios(none, rows), "cells": rows}
