"""The partner's tour: a connector is made, built, broken, mended, certified, packed, signed, attested,
installed, and syncs.

Every step is done with the commands of sdk-docs/first-connector.md and sdk-docs/publishing.md, and every claim that is
printed was checked just before. The state of one tour lives in build/first-connector; a new tour starts afresh.
"""

import argparse
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "first-sync"))
from first_sync import BIN, ROOT, Failed, Garland, counts, expect, remember, say, stop_servers  # noqa: E402

DEFAULT_STATE = ROOT / "build/first-connector"
NAME = "my-crm"
LIMIT = 180  # seconds of machine time from an empty folder to the first Bronze
# What a hurried author does: the key of a creation is not sent, so a creation that is repeated is done twice.
DEFECT = "s/rest::HeaderKey{}/rest::NoKey{}/"
MENDING = "s/rest::NoKey{}/rest::HeaderKey{}/"
FOUND_BY = "CAP-07"


class Partner:
    """A shell in the connector's folder, with Garland's programs in the PATH."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}")
        if shutil.which("ccache"):
            self.environment |= {"CCACHE_NOHASHDIR": "1", "CCACHE_BASEDIR": str(folder),
                                 "CMAKE_C_COMPILER_LAUNCHER": "ccache", "CMAKE_CXX_COMPILER_LAUNCHER": "ccache"}

    def run(self, *words, ok=(0,), shown=True):
        say("   $ " + shlex.join(words))
        done = subprocess.run(words, cwd=self.folder, env=self.environment, text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, check=False)
        if done.returncode not in ok:
            raise Failed(f"{shlex.join(words)} ended with {done.returncode}:\n{done.stdout[-6000:]}{done.stderr[-3000:]}")
        if shown:
            for line in done.stdout.rstrip().splitlines()[-6:]:
                say("     " + line[:150])
        return done.stdout

    def build(self):
        self.run("cmake", "--build", "build", shown=False)

    def certify(self, *words, ok=(0,)):
        """The report, as JSON."""
        return json.loads(self.run("garland", "certify", f"build/{NAME}", *words, "--json", ok=ok, shown=False))

    def serve_twin(self, state, volume):
        words = ["garland", "twin", "serve", NAME, "--dir", "build/twins", "--port", "0", "--volume", str(volume), "--json"]
        say("   $ " + shlex.join(words) + " &")
        with open(state / "twin.log", "wb") as log:
            process = subprocess.Popen(words, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        remember(state, "twin", process)
        line = process.stdout.readline()
        if not line:
            raise Failed(f"the twin was not served:\n{(state / 'twin.log').read_text()[-2000:]}")
        return json.loads(line)["url"]


def machine_time():
    """What this process and all that it started and saw end have computed, in seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def post(url, document):
    request = urllib.request.Request(url, data=json.dumps(document).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def tell(report):
    outcomes = [check["outcome"] for check in report["checks"]]
    say("     " + ", ".join(f"{outcomes.count(each)} {each}" for each in sorted(set(outcomes)))
        + f" of {len(outcomes)} checks")


def found(report):
    return {check["id"]: check["findings"] for check in report["checks"] if check["findings"]}


def in_the_way(report):
    return next((level["in_the_way"] for level in report["levels"] if level["level"] == report["wanted"]), report)


def tour(arguments, state):
    began, computed = time.monotonic(), machine_time()
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True, mode=0o700)
    shell = Partner(state)

    say("2. An empty folder becomes a connector")
    shell.run("garland", "init", NAME, "--template", arguments.template)
    shell.folder = folder = state / NAME
    shell.run("cmake", "-B", "build", shown=False)
    shell.build()
    shell.run("garland", "dev", "--once")
    report = shell.certify("--profile", "quick", "--level", "bronze")
    tell(report)
    expect("it is Bronze as it is", report["certified"], in_the_way(report))
    seconds = machine_time() - computed
    expect(f"from an empty folder to the first Bronze: {time.monotonic() - began:.1f} s, "
           f"{seconds:.1f} s of them machine time", seconds < LIMIT, f"{seconds:.0f} s")

    if arguments.template == "crm-oauth2":
        say("3. It is broken: a creation does not carry its key any more")
        shell.run("sed", "-i", DEFECT, "connector.cpp")
        shell.build()
        report = shell.certify("--profile", "quick", "--only", FOUND_BY, ok=(1,))
        findings = found(report)
        expect(f"{FOUND_BY} finds it", FOUND_BY in findings, list(findings))
        for finding in findings[FOUND_BY][:2]:
            say(f"     {finding['what']} ({finding['where']})")
        token = findings[FOUND_BY][0]["token"]
        shell.run("garland", "certify", "replay", token, "--path", f"build/{NAME}", ok=(1,))
        say("4. It is mended")
        shell.run("sed", "-i", MENDING, "connector.cpp")
        shell.build()

    say("5. The checks of an upload")
    level, profile = ("bronze", "quick") if arguments.quick else ("silver", "standard")
    since = time.monotonic()
    report = shell.certify("--profile", profile, "--level", level, "--report", "report", ok=(0, 1))
    tell(report)
    expect(f"it is certified {level.title()}, in {time.monotonic() - since:.0f} s", report["certified"],
           in_the_way(report))

    say("6. A package, signed")
    shell.run("garland", "keys", "new", "--out", "publisher.key")
    shell.run("garland", "pack", f"build/plugins/example.{NAME}", "--source", ".", "--out", f"{NAME}.gpk")
    shell.run("garland", "sign", f"{NAME}.gpk", "--key", "publisher.key", "--as", "publisher")
    shell.run("garland", "package", "verify", f"{NAME}.gpk")
    if arguments.template != "crm-oauth2" or arguments.until_package:
        return

    say("7. The marketplace runs the suite on the package itself, and attests what it found")
    shell.run("garland", "keys", "new", "--out", "marketplace.key")
    trust = (folder / "marketplace.key.pub").read_text().strip()
    garland = Garland(state, "", "[plugins]\ntrust = [" + json.dumps(trust) + "]\n")
    package = str(folder / f"{NAME}.gpk")
    garland.command("plugins", "install", package, ok=(1,))
    say("   ok  without an attestation it is refused")
    shell.run("garland", "certify", f"{NAME}.gpk", "--profile", "standard", "--level", level, "--report", "attested", shown=False)
    shell.run("garland", "certify", "attest", "attested", "--key", "marketplace.key", "--package", f"{NAME}.gpk")
    shell.run("garland", "package", "verify", f"{NAME}.gpk", "--trust", "marketplace.key.pub")

    say("8. It is installed into a running garlandd that trusts the marketplace, and syncs from its twin")
    garland.command("plugins", "install", package)
    volume = 20
    twin = shell.serve_twin(state, volume)
    vendor = garland.json("vendors", "add", "Studio Lindenau")["id"]
    garland.command("plugins", "enable", NAME, "--vendor", vendor)
    connection = garland.json("connections", "connect", NAME, "--vendor", vendor, "--set", f"url={twin}/v1",
                              "--password-stdin", "--allow-private-network", stdin="twin-access\n")["id"]
    garland.show("sync", "run", connection)
    kinds = ("crm.client", "crm.project")
    came = {kind: garland.json("records", "ls", "--vendor", vendor, "--kind", kind, shown=False)["items"] for kind in kinds}
    expect(f"all {volume} clients and {volume} projects are here", all(len(came[kind]) == volume for kind in kinds),
           {kind: len(came[kind]) for kind in kinds})
    made = post(f"{twin}/_twin/edit", {"list": "clients", "set": {"type": "person", "name": "Nora Neu"}})
    run = garland.json("sync", "run", connection)
    expect("a client that somebody adds at the provider comes with the next sync, alone",
           counts(run) == {"created": 1}, run["pulled"])
    client = came["crm.client"][0]
    garland.command("records", "edit", client["id"], "--vendor", vendor, "--set", "/job_title=Florist")
    run = garland.json("sync", "run", connection)
    expect("an edit made here is written there", counts(run, "pushed") == {"updated": 1}, run["pushed"])
    expect("and its echo is recognised", counts(run) == {} and run["echoes"] == 1, run)
    with urllib.request.urlopen(f"{twin}/_twin/ledger?after=0", timeout=30) as answer:
        what = [entry["what"] for entry in json.loads(answer.read())["entries"]]
    expect("the twin's ledger tells of both, and of nothing else", what == ["client.created", "client.changed"], what)
    expect("the record that was added has the provider's id", bool(made["id"]))

    say("9. Where you are")
    say(f"   {folder}   (report/report.html is what a reviewer reads)")
    say(f"   garlandd {garland.url}/health, twin {twin}/_twin/ledger")
    say(f"   the tour took {time.monotonic() - began:.1f} s")
    if arguments.stop_at_end:
        say("   both servers are being ended; without --stop-at-end they keep running")
        return
    say("\nGo on with:")
    say(f"   cd {shlex.quote(str(folder))} && {BIN}/garland dev")
    stop = "samples/first-connector/run --stop"
    if state != DEFAULT_STATE:
        stop += " --state " + shlex.quote(str(state))
    say(f"End both servers with: {stop}")


def main():
    parser = argparse.ArgumentParser(prog="samples/first-connector/run", description=__doc__.split("\n")[0])
    parser.add_argument("--template", default="crm-oauth2", help="what the connector begins as")
    parser.add_argument("--quick", action="store_true", help="looks only at the shortest profile first, for Bronze; what is attested is always standard")
    parser.add_argument("--until-package", action="store_true", help="end with the signed package: nothing is attested or installed")
    parser.add_argument("--state", default=str(DEFAULT_STATE), help="folder of this tour")
    parser.add_argument("--stop-at-end", action="store_true", help="end both servers when the tour is over")
    parser.add_argument("--stop", action="store_true", help="end the servers of an earlier tour and exit")
    arguments = parser.parse_args()
    state = pathlib.Path(arguments.state).resolve()
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
        say(f"\nfirst-connector: {problem}\n   logs are in {state}")
        return 1
    except KeyboardInterrupt:
        return 1
    finally:
        if not keep:
            stop_servers(state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
