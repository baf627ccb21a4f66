"""The fan-out benchmark: how long a change takes to reach each of many subscribers of a real garlandd, against a plain
Boost.Beast broadcaster that sends the same message to as many clients of the same load program.

A change at the daemon is an edit of a record by its HTTP API: checked, committed, numbered in the feed, sent. At the
broadcaster it is the same text, posted and sent. Time runs from before the request until a subscriber has its event. And the same from one daemon to the subscribers of
another, with which it shares a PostgreSQL database.
"""

import re
import time

import databases
import first_sync
import served

KINDS = ("websocket", "events")
DELIVERIES = 100_000  # a second: 100 changes to 1,000 subscribers, 10 to 10,000
SECONDS = 4  # of changes in one leg
CELL_SECONDS = 25  # beyond this a cell gets no further round
SPARE = 500  # descriptors besides those of the subscribers
# (figure, the most that is wanted); see README.md
TARGETS = {1_000: {"p99 ms": 50.0}, 10_000: {"ratio of p99": 1.2, "KiB a subscriber": 10.0}}
ACROSS = 1_000  # subscribers of the other daemon
STUDIO = "Full Name,Email\nBench client 0,bench@example.com\n"


class Studio:
    """A vendor with one client, who came in by the connector and whose name is edited here."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.vendor = daemon.json("vendors", "add", "Fan-out", shown=False)["id"]
        daemon.command("plugins", "enable", "dubsado", "--vendor", self.vendor, shown=False)
        connection = daemon.json("connections", "connect", "dubsado", "--vendor", self.vendor, shown=False)["id"]
        table = daemon.state / "clients.csv"
        table.write_text(STUDIO)
        daemon.json("import", "csv", connection, str(table), shown=False)

    def plan(self):
        record = self.daemon.records(self.vendor)[0]
        data = dict(record["data"], name="Bench client @@")
        return {"port": self.daemon.port, "key": self.daemon.key, "first": record["version"] + 1,
                "target": f"/api/integrations/stream?vendor_id={self.vendor}",
                "change": {"method": "PUT", "target": f"/api/integrations/records/{record['id']}",
                           "body": served.json.dumps({"vendor_id": self.vendor, "data": data})}}


def leg(load, plan, kind, subscribers, between):
    """One server, one round. `between` is called while all are connected and nothing has happened yet."""
    per_second = max(1, DELIVERIES // subscribers)
    with served.Program(load) as program:
        program.tell(plan | {"kind": kind, "subscribers": subscribers, "per_second": per_second,
                             "changes": per_second * SECONDS})
        figures = program.hear()
        between(figures)
        program.tell({})
        figures |= program.hear()
    return figures


def cell(programs, state, kind, subscribers, rounds, memory_of):
    """{server: medians} of one kind and number; the servers take turns."""
    found = {"garland": [], "beast": []}
    began = time.monotonic()
    daemon = served.Daemon(state)
    try:
        studio = Studio(daemon)
        with served.Program(programs / "garland_fanout_peer") as peer:
            port = peer.hear()["port"]
            pids = {"garland": daemon.process.pid, "beast": peer.process.pid}
            empty = {name: memory_of(pid)["private"] for name, pid in pids.items()}
            for number in range(rounds):
                if number and time.monotonic() - began > CELL_SECONDS:
                    break
                plan = studio.plan()
                for name in found:
                    def weigh(figures, name=name):
                        grown = memory_of(pids[name])["private"] - empty[name]
                        figures["kib_per_subscriber"] = grown * 1024 / subscribers

                    figures = leg(programs / "garland_fanout_load", plan, kind, subscribers, weigh)
                    sample = figures.pop("sample")
                    found[name].append(figures)
                    if name == "garland":
                        first_sync.wait_until("the subscribers being gone",
                                              lambda: daemon.metric("garland_stream_subscribers") == 0)
                        text = re.sub(r'("record_version":)\d+', r"\1@@", sample)
                        plan = {"port": port, "first": plan["first"], "target": "/",
                                "change": {"method": "POST", "target": "/",
                                           "body": text + ("\n\n" if kind == "events" else "")}}
    finally:
        daemon.stop()
    medians = {name: served.median_of(answers) for name, answers in found.items()}
    for name, answers in found.items():  # later rounds find the memory of those before
        medians[name]["kib_per_subscriber"] = answers[0]["kib_per_subscriber"]
        medians[name]["rounds"] = len(answers)
    return medians


def across(programs, state):
    """{kind: figures}: changes at one daemon, subscribers at another."""
    with databases.Database("postgresql", state) as database:
        there, here = served.Daemon(state / "there", database.url), None
        try:
            here = served.Daemon(state / "here", database.url, there)
            studio, found = Studio(there), {}
            for kind in KINDS:
                plan = studio.plan()
                plan["change"]["port"], plan["port"] = plan["port"], here.port
                found[kind] = leg(programs / "garland_fanout_load", plan, kind, ACROSS, lambda _: None)
                del found[kind]["sample"]
            return found
        finally:
            for daemon in (here, there):
                if daemon:
                    daemon.stop()


def table(cells):
    print(f"\n{'':21} |{'ms from change to subscriber, p50 / p99':^49} |{'until the last':^17} |{'KiB each':^15}")
    print(f"{'':10} {'listeners':>10} |{'garland':>15} {'Beast':>15} {'ratios':>17} |{'garland':>8} {'Beast':>8} |"
          f"{'garland':>8}{'Beast':>7}")
    for (kind, subscribers), servers in cells.items():
        ours, theirs = servers["garland"], servers["beast"]
        print(f"{kind:10} {subscribers:>10,} |{ours['p50_ms']:7.2f} {ours['p99_ms']:7.2f} {theirs['p50_ms']:7.2f} "
              f"{theirs['p99_ms']:7.2f} {ours['p50_ms'] / theirs['p50_ms']:8.2f} "
              f"{ours['p99_ms'] / theirs['p99_ms']:8.2f} |{ours['last_p50_ms']:8.2f} {theirs['last_p50_ms']:8.2f} |"
              f"{ours['kib_per_subscriber']:8.1f}{theirs['kib_per_subscriber']:7.1f}")
        for name, figures in servers.items():
            if figures["missing"] or figures["doubled"]:
                print(f"  {name}: {figures['missing']:,.0f} deliveries missing after ten seconds, "
                      f"{figures['doubled']:,.0f} doubled")


def verdicts(cells):
    out = []
    for (kind, count), servers in cells.items():
        figures = {"p99 ms": servers["garland"]["p99_ms"],
                   "ratio of p99": servers["garland"]["p99_ms"] / servers["beast"]["p99_ms"],
                   "KiB a subscriber": servers["garland"]["kib_per_subscriber"]}
        # Times are of what arrived, so a delivery that is missing must not make them look better.
        wrong = servers["garland"]["missing"] + servers["garland"]["doubled"]
        out.append(served.verdict(f"missing or doubled, {kind}, {count:,} subscribers", "at most", 0, wrong))
        for name, most in TARGETS.get(count, {}).items():
            out.append(served.verdict(f"{name}, {kind}, {count:,} subscribers", "at most", most, figures[name]))
    return out


def verdicts_across(found):
    out = []
    for kind, figures in found.items():
        name = f"{kind}, {ACROSS:,} of another daemon"
        out.append(served.verdict(f"missing or doubled, {name}", "at most", 0, figures["missing"] + figures["doubled"]))
        out.append(served.verdict(f"p99 ms, {name}", "at most", 50.0, figures["p99_ms"]))
    return out


def run(programs, state, subscribers, rounds, memory_of):
    """Measures and prints; gives what belongs into the JSON. `programs` is where the load programs lie."""
    began = time.monotonic()
    room = served.descriptors() - SPARE
    cells = {}
    for count in subscribers:
        if count > room:
            print(f"  {count:,} subscribers are left out: a process may open {room + SPARE:,} files here (ulimit -Hn)")
            continue
        for kind in KINDS:
            cells[kind, count] = cell(programs, state, kind, count, rounds, memory_of)
    try:
        elsewhere = across(programs, state)
    except first_sync.Failed as problem:
        print(f"  two daemons on one database are left out: {problem}")
        elsewhere = {}
    table(cells)
    for kind, figures in elsewhere.items():
        print(f"{kind:10} {ACROSS:>10,} |{figures['p50_ms']:7.2f} {figures['p99_ms']:7.2f}  changes at one daemon, "
              "subscribers at another, PostgreSQL")
    targets = verdicts(cells) + verdicts_across(elsewhere)
    served.show(targets)
    ratios = {}
    for (kind, count), servers in cells.items():
        for key in ("p50_ms", "p99_ms", "last_p50_ms", "kib_per_subscriber"):
            above, below = servers["garland"][key], servers["beast"][key]
            ratios[f"garland / Beast, {key}, {kind}, {count:,} subscribers"] = above / below if below else None
    return served.circumstances(began, time.monotonic()) | {
        "deliveries a second": DELIVERIES, "targets": targets, "ratios": ratios, "from another daemon": elsewhere,
        "cells": [{"server": name, "kind": kind, "subscribers": count, **figures}
                  for (kind, count), servers in cells.items() for name, figures in servers.items()]}
