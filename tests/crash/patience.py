"""How long is waited: as long as something moves. A machine that is busy with something else is slow, and nothing more."""

import time

import first_sync
import served

STILL = 60  # seconds without any movement until it is given up
MOST = 150  # seconds, whatever moves


def until(what, condition, movement, still=STILL, most=MOST, step=0.05):
    """The first true value of condition(). Failed if movement() gives the same for `still` seconds, or after `most`."""
    began = moved = time.monotonic()
    seen = None
    while not (value := condition()):
        now, latest = time.monotonic(), movement()
        if latest != seen:
            seen, moved = latest, now
        if now - moved > still:
            raise first_sync.Failed(f"{what}: nothing has moved for {still:.0f} s; the last was {seen}")
        if now - began > most:
            raise first_sync.Failed(f"{what} did not happen within {most:.0f} s; the last was {seen}")
        time.sleep(step)
    return value


def worked(process):
    """A movement: what a child of this program has run so far, in seconds of a processor."""
    try:
        return f"{served.processor_seconds(process.pid):.2f} s of processor time"
    except OSError:
        return "ended"
