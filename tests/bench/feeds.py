"""A publisher of calendars on loopback for tests/bench/connections.py: every path is a feed with the same event, which
is unchanged whenever somebody has it already. Says its port by a line of JSON; for each line that it reads it says when
each feed was first asked for since the line before, in seconds of the monotonic clock, which all processes share. A line
with "delay" has it answer so many seconds late from then on.
"""

import asyncio
import json
import sys
import threading
import time

ETAG = b'ETag: "1"\r\n'
TEXT = (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Garland//bench//EN\r\nBEGIN:VEVENT\r\n"
        b"UID:wedding@bench.example\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20500610T140000Z\r\nDTEND:20500610T220000Z\r\n"
        b"SUMMARY:Wedding\r\n"
        b"END:VEVENT\r\nEND:VCALENDAR\r\n")
WHOLE = (b"HTTP/1.1 200 OK\r\nContent-Type: text/calendar\r\n" + ETAG
         + b"Content-Length: %d\r\n\r\n" % len(TEXT) + TEXT)
UNCHANGED = b"HTTP/1.1 304 Not Modified\r\n" + ETAG + b"\r\n"

asked = {}
delay = 0.0


class Publisher(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.heard = transport, b""

    def data_received(self, data):
        self.heard += data
        while b"\r\n\r\n" in self.heard:
            head, _, self.heard = self.heard.partition(b"\r\n\r\n")
            asked.setdefault(head.split(b" ", 2)[1].decode(), time.monotonic())
            answer = UNCHANGED if b"\r\nif-none-match:" in head.lower() else WHOLE
            if delay:
                asyncio.get_running_loop().call_later(delay, self.transport.write, answer)
            else:
                self.transport.write(answer)


async def publish():
    server = await asyncio.get_running_loop().create_server(Publisher, "127.0.0.1", 0, backlog=1024)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


def main():
    global asked, delay
    threading.Thread(target=asyncio.run, args=(publish(),), daemon=True).start()
    for line in sys.stdin:
        delay = json.loads(line).get("delay", delay)
        before, asked = asked, {}
        print(json.dumps(before), flush=True)


if __name__ == "__main__":
    main()
