"""What happens to the daemons: by a seed, one thing after another, and what was ended is started again."""

import os
import signal
import time

import first_sync

SCENARIOS = ("kill", "disk-full", "postgresql-restart")
LONGEST_PAUSE = 1.5  # seconds in which all run
RESTART_WITHIN = 60


class Trouble:
    def __init__(self, world, chance, scenario):
        self.world, self.chance = world, chance
        self.done = {}  # how often each was done
        self.ended = []  # daemons that nobody had killed
        if scenario == "disk-full":
            self.kinds = {self.fill_the_disk: 1}
        elif scenario == "postgresql-restart":
            self.kinds = {self.restart_postgresql: 1}
        else:
            self.kinds = {self.kill_daemon: 5, self.kill_worker: 2}
            if world.postgres:
                self.kinds |= {self.kill_postgresql: 2, self.kill_session: 1}

    def make(self, times, tell):
        while (so_far := sum(self.done.values())) < times:
            time.sleep(self.chance.uniform(0.05, LONGEST_PAUSE))
            what = self.chance.choices(list(self.kinds), list(self.kinds.values()))[0]
            what(times - so_far)
            tell(sum(self.done.values()))

    def count(self, what):
        self.done[what] = self.done.get(what, 0) + 1

    def kill_daemon(self, left):
        daemon = self.world.any_daemon(self.chance)
        daemon.kill()
        self.count("daemon")
        self.sleep_a_little()
        # Once in a while the next one does not get far either.
        if left > 1 and self.chance.random() < 0.25:
            daemon.launch()
            self.sleep_a_little()
            daemon.kill()
            self.count("daemon that starts")
        self.start_again(daemon)

    def kill_worker(self, left):
        daemon = self.world.any_daemon(self.chance)
        workers = sorted(daemon.workers())
        if not workers:
            return self.kill_daemon(left)
        try:
            os.kill(self.chance.choice(workers), signal.SIGKILL)
        except ProcessLookupError:
            return
        self.count("worker")

    def kill_postgresql(self, left):
        self.world.postgres.kill()
        self.count("postgresql")
        self.sleep_a_little()
        self.world.postgres.start()
        self.see_to_daemons()

    def kill_session(self, left):
        self.world.postgres.kill_a_session(self.chance)
        self.count("process of postgresql")
        self.see_to_daemons()

    def restart_postgresql(self, left):
        self.world.postgres.restart()
        self.count("restart of postgresql")
        self.see_to_daemons()

    def fill_the_disk(self, left):
        self.world.disk.fill()
        self.count("full disk")
        time.sleep(self.chance.uniform(0.5, 2.0))
        self.world.disk.clear()
        self.see_to_daemons()

    def sleep_a_little(self):
        time.sleep(self.chance.uniform(0, 0.4))

    def see_to_daemons(self):
        """A daemon may end by itself, and be started again as a service manager would; it is told."""
        for daemon in self.world.daemons:
            if daemon.process.poll() is not None:
                self.ended.append(f"exit code {daemon.process.returncode}: {daemon.last_words()}")
                self.start_again(daemon)

    def start_again(self, daemon):
        deadline = time.monotonic() + RESTART_WITHIN
        while True:
            try:
                return daemon.start()
            except first_sync.Failed:
                daemon.kill()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
