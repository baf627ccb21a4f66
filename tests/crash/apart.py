"""What is done to this program's own part of the machine: mounts that end with it, and a network whose packets vanish.

Packets vanish on the way (tc drops them as they leave, in either direction), so who waits for them is told nothing: no reset,
no refusal, as when a cable is pulled.
"""

import ipaddress
import os
import subprocess
import sys

MARK = "GARLAND_CRASH_APART"
DRIVER = "127.0.0.99"  # whence the test itself asks; never cut
PASS, DROP = 0, 2  # TC_ACT_OK, TC_ACT_SHOT


class Unusable(Exception):
    """What this machine lacks for the test."""


def is_apart():
    return MARK in os.environ


def begin_again(*namespaces):
    """This program once more, in namespaces of its own ("--net", "--mount"). Does not return."""
    command = ["unshare", *namespaces, "--"]
    tried = subprocess.run([*command, "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        raise Unusable(f"there are no namespaces for this test here, which takes root: {tried.stderr.strip()}")
    os.execvpe("unshare", [*command, sys.executable, *sys.argv], dict(os.environ, **{MARK: "1"}))


def dropping(address):
    """A filter in the classic BPF of tc: DROP for IPv4 from or to `address`, unless this test is the other side."""
    there, driver = (int(ipaddress.ip_address(text)) for text in (address, DRIVER))
    source, destination = "32 0 0 26", "32 0 0 30"  # words of a frame on lo, its Ethernet header included
    # "21 T F V": equal to V, then skip T further lines, else F
    program = ["40 0 0 12", "21 0 7 2048", source, f"21 5 0 {driver}", destination, f"21 3 0 {driver}",
               f"21 3 0 {there}", source, f"21 1 0 {there}", f"6 0 0 {PASS}", f"6 0 0 {DROP}"]
    return f"{len(program)},{','.join(program)}"


class Network:
    """The loopback network of this program's namespace."""

    def __init__(self):
        self.configure("ip", "link", "set", "lo", "up")
        self.configure("tc", "qdisc", "add", "dev", "lo", "clsact")

    @staticmethod
    def configure(*command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Unusable(f"{' '.join(command)}: {done.stderr.strip()}")

    def cut(self, address):
        self.configure("tc", "filter", "add", "dev", "lo", "egress", "pref", self.place(address), "bpf", "da", "bytecode",
                       dropping(address))

    def mend(self, address):
        self.configure("tc", "filter", "del", "dev", "lo", "egress", "pref", self.place(address))

    @staticmethod
    def place(address):
        return address.rpartition(".")[2]
