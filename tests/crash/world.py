"""What a crash test runs on: daemons, the PostgreSQL that they share, and the twins, which nobody kills."""

import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import first_sync
import served

QUICK = 20  # seconds until a request has failed


class NotAnswered(Exception):
    """A request of which nobody knows more than that it was not acknowledged."""


class Unusable(Exception):
    """What this machine lacks for the test."""


class Daemon(first_sync.Garland):
    """A garlandd that may be killed and started again, with the keys of the one that was there first."""

    def __init__(self, state, database, settings="", first=None):
        state.mkdir(mode=0o700)
        self.keys_of = first
        super().__init__(state, database, served.QUIET + settings)
        self.key = (self.data / "api.key").read_text().strip()

    def launch(self):
        if self.keys_of and not (self.data / "api.key").exists():
            for name in ("api.key", "master.key"):
                shutil.copy2(self.keys_of.data / name, self.data / name)
        super().launch()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def last_words(self):
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1][:500] if lines else "nothing in its log"

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
            if refusal.code >= 500:
                raise NotAnswered(f"{refusal.code}: {text}") from refusal
            return refusal.code, text, refusal.headers
        except (OSError, ValueError, http.client.HTTPException) as problem:
            raise NotAnswered(str(problem)) from problem

    def get(self, path, **query):
        status, body, _ = self.request("GET", path + "?" + urllib.parse.urlencode(query))
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


class Postgres:
    """A server with an empty cluster of its own, by a Unix socket."""

    def __init__(self, state):
        self.programs = self.newest_programs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="garland-crash-"))  # short: a socket's path has 107 bytes
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.folder, "postgres", "postgres")
        made = subprocess.run(self.command("initdb", "-D", self.folder / "data", "-A", "trust", "-U", "postgres", "-E",
                                           "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
                              capture_output=True, text=True, cwd="/")
        if made.returncode != 0:
            raise Unusable(f"initdb failed: {made.stderr}")
        self.port = first_sync.free_port()
        self.url = f"postgresql://postgres@/postgres?host={self.folder}&port={self.port}"
        self.log = open(state / "postgresql.log", "ab")
        self.start()

    @staticmethod
    def newest_programs():
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            raise Unusable("PostgreSQL is not installed: run tools/setup")
        return found[-1].parent

    def command(self, program, *words):
        """It ends when this program does."""
        user = ["--reuid", "postgres", "--regid", "postgres", "--init-groups"] if os.geteuid() == 0 else []
        return ["setpriv", *user, "--pdeathsig", "QUIT", "--", str(self.programs / program), *map(str, words)]

    def start(self):
        """Its children that survived a SIGKILL hold the memory that it needs for a moment."""
        first_sync.wait_until("PostgreSQL taking connections", self.takes_connections, 60, 0.05)

    def takes_connections(self):
        if not hasattr(self, "process") or self.process.poll() is not None:
            self.process = subprocess.Popen(
                self.command("postgres", "-D", self.folder / "data", "-k", self.folder, "-p", self.port, "-c",
                             "listen_addresses=", "-c", "shared_buffers=32MB", "-c", "fsync=on"),
                stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd="/")
        asked = subprocess.run([str(self.programs / "pg_isready"), "-q", "-h", str(self.folder), "-p", str(self.port)])
        return asked.returncode == 0

    def kill(self):
        self.process.kill()
        self.process.wait()

    def kill_a_session(self, chance):
        """The server ends all others and recovers, as it does after a crash of one."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if children:
            os.kill(int(chance.choice(children)), signal.SIGKILL)

    def restart(self):
        self.process.send_signal(signal.SIGINT)  # "fast": sessions are ended, then it ends as it should
        self.process.wait()
        self.start()

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class SmallDisk:
    """A disk of memory that can be filled to its last byte."""

    def __init__(self, folder, mebibytes):
        self.folder = folder
        folder.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "none", str(folder)],
                                 capture_output=True, text=True)
        if mounted.returncode != 0:
            raise Unusable(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")

    def fill(self):
        with open(self.folder / "filler", "wb", buffering=0) as filler:
            for size in (1 << 20, 1 << 12):
                try:
                    while filler.write(bytes(size)) == size:
                        pass
                except OSError:
                    pass

    def clear(self):
        (self.folder / "filler").unlink(missing_ok=True)

    @staticmethod
    def unmount(folder):
        subprocess.run(["umount", "-l", str(folder)], check=False)

    def stop(self):
        self.unmount(self.folder)


class Twin:
    """The provider: what it says of itself is the truth about effects."""

    def __init__(self, state, plugin, volume):
        self.url = served.serve_twin(state, plugin, "--volume", str(volume))

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + "/_twin/" + path, data=data), timeout=QUICK) as answer:
            return json.loads(answer.read())

    def ledger(self):
        entries, last = [], 0
        while True:
            page = self.ask(f"ledger?limit=1000&after={last}")
            entries += page["entries"]
            if not page["entries"] or page["entries"][-1]["seq"] == page["last"]:
                return entries
            last = page["entries"][-1]["seq"]


class World:
    """`daemons` of them on one database, a twin of Stripe and one of VSCO Workspace."""

    def __init__(self, state, database, daemons, small_disk=False):
        self.state, self.daemons, self.disk, self.postgres = state, [], None, None
        self.stop_servers()
        if (state / "disk").is_mount():  # of a run that was killed itself
            SmallDisk.unmount(state / "disk")
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir(parents=True, mode=0o700)
        try:
            self.postgres = Postgres(state) if database == "postgresql" else None
            self.disk = SmallDisk(state / "disk", 64) if small_disk else None
            self.payments = Twin(state, "garland.payments.stripe", 20)
            self.studio = Twin(state, "garland.tave", 8)
            settings = ""
            if self.disk:
                settings = f'[database]\nurl = "sqlite:{self.disk.folder}/garland.db"\nmin_free_mib = 0\n'
            for number in range(daemons):
                self.add_daemon(number + 1, self.postgres.url if self.postgres else "", settings)
        except BaseException:
            self.stop()
            raise

    def add_daemon(self, number, url, settings):
        try:
            first = self.daemons[0] if self.daemons else None
            self.daemons.append(Daemon(self.state / f"daemon-{number}", url, settings, first))
        except first_sync.Failed as problem:
            raise first_sync.Failed(f"daemon {number} of this database does not start: {problem}") from problem

    def any_daemon(self, chance=random):
        return chance.choice(self.daemons)

    def stop_servers(self):
        for folder in (*self.state.glob("daemon-*"), self.state):
            first_sync.stop_servers(folder)

    def stop(self):
        self.stop_servers()
        for part in (self.postgres, self.disk):
            if part:
                part.stop()
