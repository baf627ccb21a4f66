"""The tour: a real CalDAV server, a daemon, a connector in its sandbox, and a vendor's calendar coming in.

Every step is done with the commands that a person would type (`garland ...`), and every claim that is
printed was checked just before. The state of one tour lives in build/first-sync; a new tour starts afresh.
"""

import argparse
import json
import os
import pathlib
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
import photographer_calendar  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("GARLAND_BIN", ROOT / "build/release/bin"))
USER = "studio"
DEFAULT_STATE = ROOT / "build/first-sync"
PATIENCE = 180  # seconds for one request to the calendar server: it takes a whole season in one
ARCHIVE = 1000  # enough that a person, and a SIGKILL, can come in between


class Failed(Exception):
    """The tour did not go as told; the text says what was expected and what came."""


def say(text=""):
    print(text, flush=True)


def expect(claim, truth, seen=""):
    if not truth:
        raise Failed(f"expected: {claim}" + (f"\n  but got: {seen}" if seen != "" else ""))
    say(f"   ok  {claim}")


# ------------------------------------------------------------------ processes of a tour


def same_process(entry):
    """True if the pid still names the process that we started, and not a later one."""
    try:
        stat = pathlib.Path(f"/proc/{entry['pid']}/stat").read_text()
    except OSError:
        return False
    fields = stat.rpartition(")")[2].split()
    return fields[19] == entry["start"] and fields[0] != "Z"


def remember(state, name, process):
    start = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
    pids = load_pids(state)
    pids.append({"name": name, "pid": process.pid, "start": start})
    (state / "pids.json").write_text(json.dumps(pids))


def load_pids(state):
    try:
        return json.loads((state / "pids.json").read_text())
    except (OSError, ValueError):
        return []


def stop_servers(state):
    stopped = []
    for entry in reversed(load_pids(state)):
        if not same_process(entry):
            continue
        os.kill(entry["pid"], signal.SIGTERM)
        deadline = time.monotonic() + 15
        while same_process(entry) and time.monotonic() < deadline:
            try:
                os.waitpid(entry["pid"], os.WNOHANG)
            except ChildProcessError:
                pass
            time.sleep(0.02)
        if same_process(entry):
            os.kill(entry["pid"], signal.SIGKILL)
        stopped.append(entry["name"])
    (state / "pids.json").unlink(missing_ok=True)
    return stopped


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, condition, seconds=60.0, step=0.02):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(step)
    raise Failed(f"{what} did not happen within {seconds:.0f} s")


# ------------------------------------------------------------------ the calendar server


class Radicale:
    """Debian's Radicale with password authentication, and the few requests that a calendar app makes."""

    def __init__(self, state, password):
        self.port, self.password = free_port(), password
        folder = state / "radicale"
        folder.mkdir(parents=True)
        users = folder / "users"
        users.touch(mode=0o600)
        users.write_text(f"{USER}:{password}\n")
        config = folder / "config"
        config.write_text(f"[server]\nhosts = 127.0.0.1:{self.port}\n[auth]\ntype = htpasswd\n"
                          f"htpasswd_filename = {users}\nhtpasswd_encryption = plain\ndelay = 0\n"
                          f"[storage]\nfilesystem_folder = {folder / 'collections'}\n[logging]\nlevel = warning\n")
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(["radicale", "--config", str(config)], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, start_new_session=True)
        remember(state, "radicale", process)
        self.url = f"http://127.0.0.1:{self.port}/{USER}/"
        wait_until("Radicale answering", self.answers)

    def answers(self):
        try:
            self.request("PROPFIND", "", headers={"Depth": "0"})
            return True
        except OSError:
            return False

    def request(self, method, path, body=None, headers=None):
        request = urllib.request.Request(self.url + path, data=body.encode() if body else None, method=method)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        import base64
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{USER}:{self.password}".encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.read().decode()
        except TimeoutError as late:
            raise TimeoutError(f"the calendar server did not answer {method} {self.url}{path} within {PATIENCE} s; "
                               "try again when this machine has less to do") from late

    def make_calendar(self, name, title):
        self.request("MKCALENDAR", f"{name}/", body=(
            '<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>'
            f"<D:displayname>{title}</D:displayname></D:prop></D:set></C:mkcalendar>"))

    def put(self, calendar, uid, text):
        self.request("PUT", f"{calendar}/{uid}.ics", body=text, headers={"Content-Type": "text/calendar"})

    def put_all(self, calendar, text):
        self.request("PUT", f"{calendar}/", body=text, headers={"Content-Type": "text/calendar"})

    def get(self, calendar, uid):
        return self.request("GET", f"{calendar}/{uid}.ics")

    def delete(self, calendar, uid):
        self.request("DELETE", f"{calendar}/{uid}.ics")


# ------------------------------------------------------------------ Garland, by its own commands


class Garland:
    variables = {}  # of the environment of garlandd, besides those of this program
    programs = BIN

    def __init__(self, state, database, further=""):
        self.data = state / "data"
        self.data.mkdir(mode=0o700)
        self.ready = self.data / "garlandd.json"
        self.config = state / "garland.toml"
        self.config.write_text(f'[daemon]\ndata_dir = "{self.data}"\nport = 0\n'
                               + (f'[database]\nurl = "{database}"\n' if database else "") + further)
        self.state, self.log = state, state / "garlandd.log"
        self.start()

    def start(self):
        self.launch()
        self.wait_until_listening()

    def launch(self):
        self.ready.unlink(missing_ok=True)  # of one that was killed
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(self.programs / "garlandd"), "--config", str(self.config)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                            env=dict(os.environ, **self.variables))
        remember(self.state, "garlandd", self.process)

    def wait_until_listening(self):
        wait_until("garlandd listening", lambda: self.alive() and self.ready.exists() and self.ready.read_text().strip())
        where = json.loads(self.ready.read_text())
        self.url = f"http://{where['address']}:{where['port']}"
        self.environment = dict(os.environ, GARLAND_URL=self.url, GARLAND_KEY_FILE=str(self.data / "api.key"))

    def alive(self):
        if self.process.poll() is not None:
            raise Failed(f"garlandd ended with {self.process.returncode}:\n{self.log.read_text()[-2000:]}")
        return True

    def command(self, *words, stdin=None, shown=True, ok=(0,)):
        if shown:
            say("   $ garland " + shlex.join(words))
        done = subprocess.run([str(self.programs / "garland"), *words], input=stdin, text=True, capture_output=True,
                              env=self.environment, check=False)
        if done.returncode not in ok:
            raise Failed(f"garland {shlex.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *words, **options):
        return json.loads(self.command(*words, "--json", **options))

    def show(self, *words):
        """Runs a command on this terminal, so that its progress bar is seen."""
        say("   $ garland " + shlex.join(words))
        done = subprocess.run([str(self.programs / "garland"), *words], env=self.environment, check=False)
        if done.returncode != 0:
            raise Failed(f"garland {shlex.join(words)} ended with {done.returncode}")

    def records(self, vendor):
        found, after = [], ""
        while True:
            page = self.json("records", "ls", "--vendor", vendor, "--limit", "1000",
                             *(["--after", after] if after else []), shown=False)
            page = page["items"]
            found += page
            if len(page) < 1000:
                return found
            after = page[-1]["id"]

    def workers(self):
        """The pids of the daemon's worker processes, read from the kernel."""
        pids, parents = [], {}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            name = stat[stat.index("(") + 1:stat.rindex(")")]
            parents[int(entry.name)] = (int(stat.rpartition(")")[2].split()[1]), name)
        for pid, (parent, name) in parents.items():
            while parent not in (0, 1, self.process.pid):
                parent = parents.get(parent, (0, ""))[0]
            if parent == self.process.pid and name.startswith("garland-worker"):
                pids.append(pid)
        return pids


def counts(run, direction="pulled"):
    picked = run[direction]
    return {name: picked[name] for name in ("created", "updated", "deleted", "failed") if picked[name]}


# ------------------------------------------------------------------ the tour


def tour(arguments, state):
    began = time.monotonic()
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True, mode=0o700)
    password = secrets.token_urlsafe(18)

    say("2. Radicale, a real CalDAV server, with a photographer's calendar")
    server = Radicale(state, password)
    server.make_calendar("weddings", "Weddings")
    events = photographer_calendar.studio_calendar()
    for uid, text in events:
        server.put("weddings", uid, text)
    say(f"   {server.url}weddings/ holds {len(events)} events")

    say("3. garlandd, the caldav connector, and the first sync")
    garland = Garland(state, arguments.database)
    vendor = garland.json("vendors", "add", "Studio Lindenau")["id"]
    garland.command("plugins", "enable", "caldav", "--vendor", vendor)
    connection = garland.json("connections", "connect", "caldav", "--vendor", vendor, "--set", f"url={server.url}",
                              "--username", USER, "--password-stdin", "--allow-private-network",
                              stdin=password + "\n")["id"]
    garland.show("sync", "run", connection)
    records = garland.records(vendor)
    expect(f"all {len(events)} events are here", len(records) == len(events), len(records))
    titles = {record["data"]["uid"]: record["data"]["title"] for record in records}
    expect("titles in any script came through", titles["fair-2@studio.example"] == "展示会 東京",
           titles["fair-2@studio.example"])
    again = garland.json("sync", "run", connection)
    expect("a second sync finds nothing to do", counts(again) == {}, again["pulled"])

    say("4. Changes on both sides")
    server.put("weddings", "new@studio.example",
               photographer_calendar.wedding("new@studio.example", "Wedding Rosa & Emil",
                                             photographer_calendar.dt.date(2027, 5, 1), "Rosengarten"))
    server.put("weddings", "call-0@studio.example", server.get("weddings", "call-0@studio.example").replace(
        "SUMMARY:Call with couple 1", "SUMMARY:Video call with couple 1"))
    server.delete("weddings", "call-6@studio.example")
    run = garland.json("sync", "run", connection)
    expect("one created, one updated, one deleted, and no more",
           counts(run) == {"created": 1, "updated": 1, "deleted": 1}, run["pulled"])
    wedding = next(r for r in garland.records(vendor) if r["data"]["uid"] == "wedding-00@studio.example")
    garland.command("records", "edit", wedding["id"], "--vendor", vendor, "--set", "/location=Orangerie, west door")
    run = garland.json("sync", "run", connection)
    expect("the edit made here was written to the server", counts(run, "pushed") == {"updated": 1}, run["pushed"])
    expect("its echo came back with the pull, was recognised and dropped", counts(run) == {} and run["echoes"] == 1, run)
    on_server = server.get("weddings", "wedding-00@studio.example")
    expect("the server's own copy says so", "Orangerie\\, west door" in on_server, on_server)
    run = garland.json("sync", "run", connection)
    expect("after that both sides are the same: nothing comes in, nothing goes out",
           counts(run) == {} and counts(run, "pushed") == {}, run)

    say("5. The worker is killed in the middle of a sync")
    before = len(garland.records(vendor))
    server.put_all("archive", photographer_calendar.season_archive(ARCHIVE))
    garland.json("sync", "run", connection, "--no-wait")

    def in_the_middle():
        status = garland.json("sync", "status", connection, shown=False)
        run_now = status.get("run") or status.get("last_run") or status
        if run_now["state"] not in ("queued", "running"):
            raise Failed(f"the sync ended before it could be interrupted: {run_now}")
        return 100 <= run_now["progress"]["done"] < ARCHIVE - 200 and garland.workers()

    victims = wait_until("the sync being half way", in_the_middle, 60, 0.005)
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    say(f"   SIGKILL to worker {', '.join(map(str, victims))}")
    garland.show("sync", "run", connection)
    status = garland.json("sync", "status", connection, shown=False)
    run = status.get("run") or status.get("last_run") or status
    records = garland.records(vendor)
    uids = [record["data"]["uid"] for record in records]
    expect("the run went on with a new worker", run["worker_restarts"] >= 1 and run["state"] == "done", run)
    expect(f"all {ARCHIVE} bookings are here: nothing lost", len(uids) == before + ARCHIVE, len(uids) - before)
    expect("nothing is here twice", len(set(uids)) == len(uids))
    expect("the password is in no log", password not in garland.log.read_text())

    # Its dates lie in 2026 whenever the tour is taken, so the time that is asked for is said.
    weekly = next(r for r in records if r["data"]["uid"] == "weekly@studio.example")
    dates_words = ["records", "dates", weekly["id"], "--vendor", vendor,
                   "--from", "2026-03-01T00:00:00Z", "--until", "2026-08-01T00:00:00Z"]
    dates = garland.json(*dates_words, shown=False)["items"]
    expect("the weekly round takes place 19 times: 20 and one called off", len(dates) == 19, len(dates))

    say("6. Where you are")
    tier = garland.json("sandbox", "status", shown=False)
    say(f"   sandbox tier {tier['tier']}: {tier.get('coverage', '')}")
    addresses = [f"{garland.url}/health", f"{garland.url}/openapi.json"]
    for address in addresses:
        with urllib.request.urlopen(address, timeout=10) as answer:
            expect(f"{address} answers", answer.status == 200, answer.status)
    say(f"   garlandd  {addresses[0]}   (API description: {addresses[1]})")
    say(f"   Radicale  {server.url}   (user {USER})")
    say(f"   the tour took {time.monotonic() - began:.1f} s")
    if arguments.stop_at_end:
        say("   both servers are being ended; without --stop-at-end they keep running")
        return
    bin_dir = os.path.relpath(BIN) if not os.path.relpath(BIN).startswith("../..") else str(BIN)
    say("\nGo on with:")
    say(f"   export {shlex.join([f'GARLAND_URL={garland.url}'])} "
        + shlex.join([f"GARLAND_KEY_FILE={garland.data / 'api.key'}"]))
    for words in (dates_words, ["sync", "run", connection, "--json"], ["doctor", "--config", str(garland.config)]):
        say("   " + shlex.join([f"{bin_dir}/garland", *words]))
    stop = "samples/first-sync/run --stop"
    if state != DEFAULT_STATE:
        stop += " --state " + shlex.quote(str(state))
    say(f"End both servers with: {stop}")


def main():
    parser = argparse.ArgumentParser(prog="samples/first-sync/run", description=__doc__.split("\n")[0])
    parser.add_argument("--database", default="", help="postgresql://user@host:port/name instead of a SQLite file")
    parser.add_argument("--state", default=str(DEFAULT_STATE), help="folder of this tour")
    parser.add_argument("--stop-at-end", action="store_true", help="end both servers when the tour is over")
    parser.add_argument("--stop", action="store_true", help="end the servers of an earlier tour and exit")
    arguments = parser.parse_args()
    state = pathlib.Path(arguments.state)
    stopped = stop_servers(state)
    if arguments.stop:
        say("stopped: " + (", ".join(stopped) or "nothing was running"))
        return 0
    keep = False
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        tour(arguments, state)
        keep = not arguments.stop_at_end
    except (Failed, OSError, KeyError, ValueError) as problem:
        say(f"\nfirst-sync: {problem}\n   logs are in {state}")
        return 1
    except KeyboardInterrupt:
        return 1
    finally:
        if not keep:
            stop_servers(state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
