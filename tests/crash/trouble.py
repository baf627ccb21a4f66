"""What happens to the daemons: by a seed, one thing after another, and what was ended is started again."""

import os
import signal
import time

import first_sync

# Of each scenario what is done and how often; what needs PostgreSQL is left out without it.
SCENARIOS = {
    "kill": {"kill_daemon": 5, "kill_worker": 2, "kill_postgresql": 2, "kill_session": 1},
    "disk-full": {"fill_the_disk": 1},
    "postgresql-restart": {"restart_postgresql": 1},
    "connection-cut": {"cut_from_database": 2, "cut_from_provider": 1},
    "clock-set-back": {"set_clock_back": 3, "kill_daemon": 1},
    "nats-gone": {"kill_nats": 3, "kill_daemon": 1},
}
OF_POSTGRES = ("kill_postgresql", "kill_session", "restart_postgresql", "cut_from_database")
LONGEST_PAUSE = 1.5  # seconds in which all run
RESTARTS = 100
LOOKS_BY_ITSELF = 30  # seconds after which a daemon has looked for all that it was not told of


class Trouble:
    def __init__(self, world, chance, scenario, longest):
        self.world, self.chance, self.scenario = world, chance, scenario
        self.longest = longest  # seconds for which a connection is cut, or by which a clock is set back
        self.done = {}  # how often each was done
        self.ended = []  # daemons that nobody had killed
        self.now = "nothing was done yet"
        self.kinds = {getattr(self, name): often for name, often in SCENARIOS[scenario].items()
                      if world.postgres or name not in OF_POSTGRES}

    def make(self, times, tell):
        while (so_far := sum(self.done.values())) < times:
            time.sleep(self.chance.uniform(0.05, LONGEST_PAUSE))
            what = self.chance.choices(list(self.kinds), list(self.kinds.values()))[0]
            self.now = f"{what.__name__}, after {self.done}"
            what(times - so_far)
            tell(sum(self.done.values()))
        self.now = f"all was done: {self.done}"
        self.leave()

    def leave(self):
        """What stays so while the rest is done: it may not be needed."""
        if self.world.nats:
            self.world.nats.kill()
        if self.scenario == "clock-set-back":
            for daemon in self.world.daemons:
                daemon.clock.set(-int(self.longest))

    def come_back(self):
        """What is needed after all, if the rest is to be done soon."""
        if self.world.nats and self.longest < LOOKS_BY_ITSELF:
            self.world.nats.start()

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
        if self.world.postgres:
            self.world.postgres.start()  # it ends where not even its log can be written
        self.see_to_daemons()

    def cut_from_database(self, left):
        self.cut(self.chance.choice(self.world.doors), "connection to the database")

    def cut_from_provider(self, left):
        self.cut(self.chance.choice((self.world.payments, self.world.studio)).address, "connection to a provider")

    def cut(self, address, what):
        self.world.network.cut(address)
        self.count(what)
        # Most are short; a few outlive leases and time-outs.
        long = self.longest if self.chance.random() < 0.3 else min(self.longest, 5)
        time.sleep(self.chance.uniform(0.2, 1) * long)
        self.world.network.mend(address)
        self.see_to_daemons()

    def set_clock_back(self, left):
        clock = self.world.any_daemon(self.chance).clock
        if clock.ahead <= -self.longest:
            clock.set(0)
            self.count("clock set right")
        else:
            clock.set(max(-int(self.longest), clock.ahead - self.chance.randint(1, int(self.longest))))
            self.count("clock set back")

    def kill_nats(self, left):
        nats = self.world.nats
        nats.kill()
        if self.chance.random() < 0.5:
            nats.forget()
            self.count("nats, which forgets all")
        else:
            self.count("nats")
        time.sleep(self.chance.uniform(0, LONGEST_PAUSE))
        nats.start()

    def sleep_a_little(self):
        time.sleep(self.chance.uniform(0, 0.4))

    def see_to_daemons(self):
        """A daemon may end by itself, and be started again as a service manager would; it is told."""
        for daemon in self.world.daemons:
            if daemon.process.poll() is not None:
                self.ended.append(f"exit code {daemon.process.returncode}: {daemon.last_words()}")
                self.start_again(daemon)

    def start_again(self, daemon):
        """As often as a service manager would. One that lives and does not come to listen is started no more."""
        for _ in range(RESTARTS):
            try:
                return daemon.start()
            except first_sync.Failed as problem:
                said = problem
                if daemon.process.poll() is None:
                    raise
                time.sleep(0.2)
        raise said
