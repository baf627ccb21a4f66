"""Who follows the changes meanwhile: one subscriber of each daemon, that comes back where it was whenever it is cut off."""

import http.client
import threading
import urllib.parse

from senders import PATIENCE

SILENCE = 45  # seconds; a daemon says something every 20


class Follower(threading.Thread):
    """`seen` are the numbers of changes, as they came. `at` is as far as it has been told."""

    def __init__(self, daemon, vendor):
        super().__init__(daemon=True)
        self.server, self.vendor = daemon, vendor
        self.seen, self.at, self.refused = [], 0, []
        self.connected = 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.wait(PATIENCE):
            try:
                self.follow()
            except (OSError, ValueError, http.client.HTTPException):
                pass  # it was killed, is not there yet, or said nothing for too long

    def stop(self):
        self.stopping.set()

    def follow(self):
        place = urllib.parse.urlsplit(self.server.url)
        line = http.client.HTTPConnection(place.hostname, place.port, timeout=SILENCE)
        try:
            line.request("GET", f"/api/integrations/stream?vendor_id={self.vendor}&after={self.at}",
                         headers={"Authorization": f"Bearer {self.server.key}"})
            answer = line.getresponse()
            if answer.status == 200:
                self.connected += 1
                self.hear(answer)
            elif answer.status < 500:
                self.refused.append(f"a subscriber after {self.at}: {answer.status} {answer.read()[:300]}")
        finally:
            line.close()

    def hear(self, lines):
        """Server-sent events: a number, perhaps what it is, and an empty line, with which it counts."""
        number = event = None
        for line in lines:
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name == "id":
                number = int(value)
            elif name == "event":
                event = value
            elif not name and number is not None:
                if event == "change":
                    self.seen.append(number)
                self.at, number, event = number, None, None
            if self.stopping.is_set():
                return
