"""Node-RED, the peer of the webhook benchmark: a flow that verifies, appends durably, answers 200. Its packages
come from npm, as `node_red/package-lock.json` names them, into build/ and once.
"""

import os
import pathlib
import shutil
import subprocess

import first_sync
import served

HERE = pathlib.Path(__file__).resolve().parent / "node_red"
FOLDER = first_sync.ROOT / "build/bench-node-red"
INSTALL_SECONDS = 900
PATH = "/webhook"


def installed():
    """What node runs; None, told why, where it cannot be had."""
    if not shutil.which("node") or not shutil.which("npm"):
        return left_out("node and npm are not installed")
    program = FOLDER / "node_modules/node-red/red.js"
    lock, done = (HERE / "package-lock.json").read_text(), FOLDER / "installed"
    if program.exists() and done.exists() and done.read_text() == lock:
        return program
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, FOLDER / name)
    print("  Node-RED is installed, once")
    try:
        subprocess.run(["npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--silent"],
                       cwd=FOLDER, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return left_out("npm cannot install it")
    done.write_text(lock)
    return program


def left_out(why):
    print(f"  Node-RED: {why}: its legs and ratios are left out")


class NodeRed:
    """Ended with the servers of `state`."""

    def __init__(self, state, program, secret):
        folder = state / "node-red"
        folder.mkdir()
        (folder / "package.json").write_text('{"name": "peer", "private": true}\n')
        self.port = first_sync.free_port()
        self.paths = [PATH]
        told = {"PEER_PORT": str(self.port), "PEER_FOLDER": str(folder), "PEER_FLOWS": str(HERE / "flows.json"),
                "PEER_FILE": str(folder / "webhooks"), "PEER_SECRET": secret, "NODE_ENV": "production"}
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(["node", str(program), "--settings", str(HERE / "settings.js")],
                                            env=os.environ | told, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        first_sync.remember(state, "node-red", self.process)
        first_sync.wait_until("Node-RED's flow", lambda: served.answers(self.port, PATH))
