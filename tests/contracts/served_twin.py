"""A twin served by the built programs, for as long as a test needs it."""

import contextlib
import ctypes
import json
import signal
import subprocess

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def end_with_parent():
    """A test that runs out of time is killed, and its twin must not outlive it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.contextmanager
def served(garland, *options):
    """Its address. `garland` is the built program, `options` begin with the provider's name."""
    command = [garland, "--json", "twin", "serve", *options, "--seed", "7"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=end_with_parent)
    try:
        first = process.stdout.readline()
        if not first:
            raise RuntimeError(f"the twin of {options[0]} does not start: {process.communicate()[1].strip()}")
        yield json.loads(first)["url"]
    finally:
        process.terminate()
        process.communicate()
