"""What benches of a running garlandd share: a daemon with its files in build/, load programs that are told what to do
by a line of JSON, and a log that says nothing of each request.
"""

import http.client
import json
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import urllib.request

import first_sync

QUIET = '[log]\nlevel = "warn"\n'


def descriptors():
    """How many files this process and those that it starts may open; as many as they are let."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Daemon(first_sync.Garland):
    """A garlandd of a bench; what further programs it starts end with it. `first`: another one on its database, whose
    keys it has."""

    def __init__(self, state, database="", first=None):
        first_sync.stop_servers(state)
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir(parents=True, mode=0o700)
        self.first = first
        super().__init__(state, database, QUIET)
        self.key = (self.data / "api.key").read_text().strip()
        self.port = int(self.url.rpartition(":")[2])

    def launch(self):
        for name in ("api.key", "master.key") if self.first else ():
            shutil.copy2(self.first.data / name, self.data / name)
        super().launch()

    def metric(self, name):
        """The sum of a counter or gauge over its labels."""
        request = urllib.request.Request(self.url + "/metrics", headers={"Authorization": f"Bearer {self.key}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines
                   if line.startswith((name + " ", name + "{")))

    def waiting_webhooks(self):
        """Deliveries that were taken in and not read yet."""
        with urllib.request.urlopen(self.url + "/health", timeout=30) as answer:
            return json.load(answer)["webhooks"]["waiting"]

    def stop(self):
        first_sync.stop_servers(self.state)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def answers(port, path):
    """Whether somebody judges what is posted there, well or not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", path, body=b"{}")
        return connection.getresponse().status != 404
    except OSError:
        return False
    finally:
        connection.close()


def serve_twin(state, plugin, *options):
    """Starts the twin of a connector, which ends with the servers of `state`; its address."""
    twin = subprocess.Popen([str(first_sync.BIN / "garland"), "--json", "twin", "serve", plugin, "--seed", "1", *options],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    first_sync.remember(state, "twin", twin)
    line = twin.stdout.readline()
    if not line:
        raise SystemExit(f"the twin {plugin} ended with {twin.wait()}")
    return json.loads(line)["url"]


class Program:
    """One that reads lines of JSON and answers with lines of JSON; ended at the latest when this is left."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def tell(self, what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        said = json.loads(line) if line else {"refused": f"it ended with {self.process.wait()}"}
        if "refused" in said:
            raise SystemExit(f"tests/bench/run: {pathlib.Path(self.process.args[0]).name}: {said['refused']}")
        return said


def median_of(answers):
    """The median of every figure."""
    return {key: statistics.median(answer.get(key, 0.0) for answer in answers) for key in answers[0]}


def verdict(name, sense, wanted, figure):
    met = figure <= wanted if sense == "at most" else figure >= wanted
    return {"target": name, "wanted": f"{sense} {wanted}", "figure": figure, "met": met}


def show(verdicts):
    print()
    for one in verdicts:
        print(f"  {'met   ' if one['met'] else 'MISSED'} {one['target']:54} {one['figure']:9.3f}, wanted {one['wanted']}")


def circumstances(began, now):
    return {"seconds": now - began, "load": os.getloadavg()}


def processor_seconds(pid):
    """What all threads of a process have run so far."""
    return ran_by(pathlib.Path(f"/proc/{pid}/stat"))


def ran_by(stat):
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def seconds_of_threads(pid):
    """The same by the names of the threads that are there: "garlandd" is the loop, "store writer" commits."""
    seconds = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            seconds[name] = seconds.get(name, 0.0) + ran_by(task / "stat")
        except OSError:
            continue  # it has ended
    return seconds
