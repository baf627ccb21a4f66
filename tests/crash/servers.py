"""What daemons have around them: PostgreSQL, NATS, the providers' twins, a disk, a clock."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import urllib.parse

import first_sync
import patience
import served
from apart import DRIVER, Unusable


class Postgres:
    """A server with an empty cluster of its own: by a Unix socket, and by TCP at `addresses`. `further`: words for it."""

    def __init__(self, state, small_disk=None, addresses=(), further=()):
        self.programs = self.newest_programs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="garland-crash-"))  # short: a socket's path has 107 bytes
        self.data, self.addresses, self.further = self.folder / "data", addresses, further
        self.disk = SmallDisk(self.data, small_disk) if small_disk else None
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            for folder in (self.folder, *([self.data] * bool(self.disk))):
                shutil.chown(folder, "postgres", "postgres")
        made = subprocess.run(self.command("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8",
                                           "--locale=C.UTF-8", "--wal-segsize=1", "--no-sync", "--no-instructions"),
                              capture_output=True, text=True, cwd="/")
        if made.returncode != 0:
            raise Unusable(f"initdb failed: {made.stderr}")
        self.port = first_sync.free_port()
        self.url = self.url_at(self.folder)
        self.log = state / "postgresql.log"
        self.process = None
        self.start()

    def url_at(self, host):
        return f"postgresql://postgres@/postgres?host={host}&port={self.port}"

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
        patience.until("PostgreSQL taking connections", self.takes_connections,
                       lambda: (self.log.stat().st_size, patience.worked(self.process)))

    def takes_connections(self):
        if self.process is None or self.process.poll() is not None:
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    self.command("postgres", "-D", self.data, "-k", self.folder, "-p", self.port, "-c",
                                 f"listen_addresses={','.join(self.addresses)}", "-c", "shared_buffers=32MB", "-c", "fsync=on",
                                 "-c", "min_wal_size=8MB", "-c", "max_wal_size=32MB", *self.further),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        asked = subprocess.run([str(self.programs / "pg_isready"), "-q", "-U", "postgres", "-h", str(self.folder), "-p",
                                str(self.port)])
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
        if self.process:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        if self.disk:
            self.disk.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class SmallDisk:
    """A disk of memory that can be filled to its last byte. It ends with the mounts of this program (apart.py)."""

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

    def stop(self):
        subprocess.run(["umount", "-l", str(self.folder)], check=False)


class Nats:
    """A nats-server with JetStream, by which daemons tell each other."""

    PROGRAM = "/usr/sbin/nats-server"

    def __init__(self, state):
        if not pathlib.Path(self.PROGRAM).exists():
            raise Unusable("nats-server is not installed: run tools/setup")
        self.state, self.port, self.process = state, first_sync.free_port(), None
        (state / "nats.conf").write_text(f'listen: 127.0.0.1:{self.port}\njetstream {{ store_dir: "{state / "nats"}", '
                                         'max_mem: 64M, max_file: 64M }\n')
        self.settings = f'[events]\nnats = "nats://127.0.0.1:{self.port}"\n'
        self.start()

    def start(self):
        with open(self.state / "nats.log", "ab") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", self.PROGRAM, "-c",
                                             str(self.state / "nats.conf")], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def forget(self):
        """Of one that was killed: what JetStream had written down."""
        shutil.rmtree(self.state / "nats", ignore_errors=True)

    def stop(self):
        self.kill()


class SetClock:
    """The time of day as one daemon has it. The machine's own is nobody's to set."""

    def __init__(self, folder):
        self.file, self.library = folder / "clock", folder / "set_clock.so"
        source = pathlib.Path(__file__).resolve().parent / "set_clock.c"
        built = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(self.library), str(source)],
                               capture_output=True, text=True)
        if built.returncode != 0:
            raise Unusable(f"set_clock.c cannot be compiled: {built.stderr}")
        self.ahead = 0
        self.file.write_bytes(struct.pack("=q", 0))
        self.variables = {"LD_PRELOAD": str(self.library), "GARLAND_SET_CLOCK": str(self.file)}

    def set(self, ahead):
        """`ahead`: seconds, negative where it is behind."""
        self.ahead = ahead
        with open(self.file, "r+b", buffering=0) as file:  # in its place: daemons have it mapped
            file.write(struct.pack("=q", ahead))


class Twin:
    """The provider: what it says of itself is the truth about effects."""

    def __init__(self, state, plugin, volume, address="127.0.0.1"):
        self.address = address
        self.url = served.serve_twin(state, plugin, "--volume", str(volume), "--host", address)

    def ask(self, path, body=None):
        place = urllib.parse.urlsplit(self.url)
        line = http.client.HTTPConnection(place.hostname, place.port, timeout=patience.MOST, source_address=(DRIVER, 0))
        try:
            line.request("GET" if body is None else "POST", "/_twin/" + path, None if body is None else json.dumps(body))
            answer = line.getresponse()
            text = answer.read()
        finally:
            line.close()
        if answer.status >= 300:
            raise first_sync.Failed(f"the twin at {self.url} answered {path} with {answer.status}: {text[:300]}")
        return json.loads(text)

    def ledger(self):
        entries, last = [], 0
        while True:
            page = self.ask(f"ledger?limit=1000&after={last}")
            entries += page["entries"]
            if not page["entries"] or page["entries"][-1]["seq"] == page["last"]:
                return entries
            last = page["entries"][-1]["seq"]
