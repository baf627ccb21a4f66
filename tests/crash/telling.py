"""What there is to know about a run that failed, before its processes are ended."""

import collections
import json
import os
import pathlib
import urllib.parse

import first_sync
from world import NotAnswered

LINES = 15  # of each log
FEW = 5  # of what is not done


def tell(run):
    """One line after another. Nothing in here may fail."""
    yield f"the machine: load {os.getloadavg()}; trouble: {run.trouble.now}"
    for number, daemon in enumerate(run.world.daemons, 1):
        yield from of_daemon(f"daemon {number}", daemon)
    for name in ("postgresql.log", "nats.log"):
        log = run.world.state / name
        if log.exists():
            yield from last_lines(name, log.read_text(errors="replace"))
    for sender in run.senders:
        yield (f"{type(sender).__name__}: {len(sender.acknowledged)} acknowledged, {sender.unanswered} unanswered, the last "
               f"{sender.last_problem or 'never'}")
    for follower in run.followers:
        yield (f"subscriber at {follower.server.url}: at {follower.at}, {len(follower.seen)} changes, "
               f"{follower.connected} times connected")
    for what, query in (("actions", {"state": "waiting"}), ("actions", {"state": "sent"}), ("actions", {"state": "unknown"}),
                        ("webhooks", {"state": "waiting"}), ("webhooks", {"state": "dead"}), ("nodes", {})):
        yield from listed(run.world.daemons[0], what, query)
    yield from listed(run.world.daemons[0], f"connections/{run.truth.studio}", {})


def of_daemon(name, daemon):
    yield f"{name}: {'runs' if daemon.process.poll() is None else f'ended with {daemon.process.returncode}'}, {daemon.worked()}"
    for doing, times in threads(daemon.process.pid).items():
        yield f"  {times} of its threads: {doing}"
    yield from last_lines(f"{name} said at last", daemon.last_words(LINES))


def threads(pid):
    """{state and where in the kernel: how many}"""
    found = collections.Counter()
    for thread in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        try:
            found[f"{(thread / 'stat').read_text().rpartition(')')[2].split()[0]} {(thread / 'wchan').read_text()}"] += 1
        except OSError:
            pass
    return found


def last_lines(name, text):
    yield f"{name}:"
    yield from (f"  {line[:400]}" for line in text.splitlines()[-LINES:])


def listed(daemon, what, query):
    words = " ".join(query.values())
    path = f"/api/integrations/{what}" + ("?" + urllib.parse.urlencode(query) if query else "")
    try:
        status, body, _ = daemon.request("GET", path)
    except (NotAnswered, first_sync.Failed) as problem:
        yield f"{what} {words}: not answered: {problem}"
        return
    items = body.get("items", [body]) if isinstance(body, dict) else [f"{status} {body}"]
    yield f"{what} {words}: {len(items)}"
    for item in items[-FEW:]:
        yield f"  {json.dumps(item)[:600]}"
