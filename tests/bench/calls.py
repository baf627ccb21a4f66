"""The call benchmark: one process for each peer, asked in turn, cell by cell and round by round.

Peers speak the commands of peer.h. This file puts their processes on processors, and makes medians, ratios
and the table of what they answer.
"""

import json
import os
import pathlib
import statistics
import subprocess
import time

SIZES = {"256 B": 256, "4 KiB": 4 << 10, "1 MiB": 1 << 20}
IN_FLIGHT = (1, 64, 1000)
PLACEMENTS = ("same core", "across cores")
MOST_BYTES = 64 << 20  # in flight at once; 1,000 calls of 1 MiB are left out: a worker has 256 MiB in all
# (what, figure, the least ratio that is wanted); see README.md
TARGETS = (
    ("call / pipe ping-pong, 256 B, 1 in flight, across cores", "at most", 1.5),
    ("gRPC / call, latency, 256 B, 1 in flight, same core", "at least", 3.0),
    ("gRPC / call, latency, 256 B, 1 in flight, across cores", "at least", 3.0),
    ("call / gRPC, throughput, 256 B, 64 in flight, same core", "at least", 20.0),
    ("call / gRPC, throughput, 256 B, 64 in flight, across cores", "at least", 20.0),
)


class Peer:
    """One program that answers commands, and the process it talks to."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.partner = self.ask("partner")["pid"]

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"tests/bench/run: {' '.join(self.process.args)} ended with {self.process.wait()}")
        return json.loads(answer)

    def call(self, size, count, milliseconds):
        """One cell: what the peer says, and the processor time of both processes for a call."""
        before = self.processor_time()
        answer = self.ask(f"call {size} {count} {milliseconds}")
        if "calls" in answer:
            answer["cpu_us"] = (self.processor_time() - before) / 1000 / answer["calls"]
        return answer

    def processor_time(self):
        """Nanoseconds that all threads of both processes have run."""
        total = 0
        for pid in (self.process.pid, self.partner):
            for thread in pathlib.Path(f"/proc/{pid}/task").iterdir() if pid else ():
                try:
                    total += int((thread / "schedstat").read_text().split()[0])
                except OSError:
                    pass  # it ended meanwhile
        return total

    def place(self, placement, processors):
        pin(self.process.pid, processors[0])
        if self.partner:
            self.partner = self.ask("partner")["pid"]
            pin(self.partner, processors[0] if placement == "same core" else processors[1])

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


def pin(pid, processor):
    """Every thread: gRPC has several."""
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            os.sched_setaffinity(int(thread.name), {processor})
        except ProcessLookupError:
            pass  # it ended meanwhile


def cells_of(name):
    """What each peer is asked for: a ping-pong has one in flight, a direct call has no other side."""
    if name == "direct":
        return [("same core", size, 1) for size in SIZES]
    flights = (1,) if name == "pipe" else IN_FLIGHT
    return [(placement, size, count) for placement in PLACEMENTS for size in SIZES for count in flights
            if SIZES[size] * count <= MOST_BYTES]


def measure(peers, rounds, milliseconds):
    """{(peer, placement, size, in flight): [figures of each round]}; the peers take turns in every cell."""
    processors = sorted(os.sched_getaffinity(0))[:2]
    placements = PLACEMENTS if len(processors) > 1 else PLACEMENTS[:1]
    found = {}
    for peer in peers.values():  # warms up both processes
        peer.call(SIZES["256 B"], 1, milliseconds)
    for _ in range(rounds):
        for placement in placements:
            for peer in peers.values():
                peer.place(placement, processors)
            for size, count in ((size, count) for size in SIZES for count in IN_FLIGHT):
                for name, peer in peers.items():
                    if (placement, size, count) not in cells_of(name):
                        continue
                    answer = peer.call(SIZES[size], count, milliseconds)
                    found.setdefault((name, placement, size, count), []).append(answer)
    return found


def median_of(answers):
    """The median of every figure; a cell that was ever refused says why instead."""
    for answer in answers:
        if "refused" in answer:
            return answer
    return {key: statistics.median(answer[key] for answer in answers) for key in answers[0]}


def ratios(medians):
    out = {}

    def put(name, above, below, key):
        if above and below and key in above and key in below:
            out[name] = above[key] / below[key]

    for placement in PLACEMENTS:
        for size in SIZES:
            pipe = medians.get(("pipe", placement, size, 1))
            for count in IN_FLIGHT:
                call, grpc = (medians.get((name, placement, size, count)) for name in ("worker", "grpc"))
                where = f"{size}, {count} in flight, {placement}"
                if count == 1:
                    put(f"call / pipe ping-pong, {where}", call, pipe, "p50_us")
                    put(f"gRPC / call, latency, {where}", grpc, call, "p50_us")
                put(f"call / gRPC, throughput, {where}", call, grpc, "per_second")
                put(f"gRPC / call, processor time, {where}", grpc, call, "cpu_us")
    return out


def verdicts(found):
    out = []
    for name, sense, wanted in TARGETS:
        if name not in found:
            continue
        met = found[name] <= wanted if sense == "at most" else found[name] >= wanted
        out.append({"target": name, "wanted": f"{sense} {wanted}", "ratio": found[name], "met": met})
    return out


def table(medians):
    print(f"\n{'':26} |{'time of a call, us (p50)':^39} |{'calls a second':^27} |{'processor us a call':^21}")
    print(f"{'':12} {'payload':>7} {'open':>5} |{'call':>9} {'pipe':>9} {'gRPC':>9} {'direct':>9} |"
          f"{'call':>10} {'gRPC':>9} {'ratio':>6} |{'call':>7} {'gRPC':>7} {'ratio':>5}")
    for placement, size, count in ((p, s, c) for p in PLACEMENTS for s in SIZES for c in IN_FLIGHT):
        if SIZES[size] * count > MOST_BYTES:
            continue
        cells = {name: medians.get((name, "same core" if name == "direct" else placement, size, count), {})
                 for name in ("worker", "pipe", "grpc", "direct")}

        def shown(name, key, width):
            value = cells[name].get(key)
            digits = 0 if key == "per_second" else 1 if value and value > 1 else 2
            return f"{value:{width},.{digits}f}" if value is not None else f"{'-':>{width}}"

        def ratio(over, under, key, width):
            both = key in cells[over] and key in cells[under]
            return f"{cells[over][key] / cells[under][key]:{width}.1f}" if both else f"{'-':>{width}}"

        print(f"{placement:12} {size:>7} {count:>5} |{shown('worker', 'p50_us', 9)} {shown('pipe', 'p50_us', 9)} "
              f"{shown('grpc', 'p50_us', 9)} {shown('direct', 'p50_us', 9)} |{shown('worker', 'per_second', 10)} "
              f"{shown('grpc', 'per_second', 9)} {ratio('worker', 'grpc', 'per_second', 6)} |"
              f"{shown('worker', 'cpu_us', 7)} {shown('grpc', 'cpu_us', 7)} {ratio('grpc', 'worker', 'cpu_us', 5)}")
    for (name, placement, size, count), figures in medians.items():
        if "refused" in figures:
            print(f"  {name}, {placement}, {size}, {count:,} in flight: {figures['refused']}")


def run(programs, rounds, milliseconds):
    """Measures and prints; gives what belongs into the JSON. `programs` is where the two benches lie."""
    began = time.monotonic()
    calls, grpc = (str(programs / name) for name in ("garland_call_bench", "garland_grpc_bench"))
    peers = {"worker": Peer(calls, "worker"), "pipe": Peer(calls, "pipe"), "grpc": Peer(grpc),
             "direct": Peer(calls, "direct")}
    try:
        found = measure(peers, rounds, milliseconds)
    finally:
        for peer in peers.values():
            peer.stop()
    medians = {cell: median_of(answers) for cell, answers in found.items()}
    table(medians)
    compared = ratios(medians)
    targets = verdicts(compared)
    print()
    for one in targets:
        print(f"  {'met   ' if one['met'] else 'MISSED'} {one['target']:60} {one['ratio']:6.2f}, wanted {one['wanted']}")
    print("  open: calls in flight; of 1,000 a worker runs 256 at once and the others wait in the host")
    return {
        "rounds": rounds, "milliseconds of a cell": milliseconds, "seconds": time.monotonic() - began,
        "load": os.getloadavg(), "targets": targets, "ratios": compared,
        "cells": [{"peer": name, "placement": placement, "payload": size, "in_flight": count, **figures}
                  for (name, placement, size, count), figures in medians.items()],
    }


def start(programs, rounds, memory_of):
    """A new process, from nothing to its first answer; then its memory while it idles."""
    peers = {"worker": Peer(str(programs / "garland_call_bench"), "worker"),
             "grpc": Peer(str(programs / "garland_grpc_bench"))}
    figures = {}
    try:
        took = {name: [] for name in peers}
        for _ in range(rounds):
            for name, peer in peers.items():
                took[name].append(peer.ask("start")["ms"])
        for name, peer in peers.items():
            ordered = sorted(took[name])
            figures[f"{name}: start to first answer, ms (p50)"] = statistics.median(ordered)
            figures[f"{name}: start to first answer, ms (p99)"] = ordered[int(0.99 * (len(ordered) - 1))]
            for key, value in memory_of(peer.ask("partner")["pid"]).items():
                figures[f"{name}: memory when idle, MiB ({key})"] = value
    finally:
        for peer in peers.values():
            peer.stop()
    key = "start to first answer, ms (p50)"
    figures["ratio gRPC / worker, start"] = figures[f"grpc: {key}"] / figures[f"worker: {key}"]
    return figures
