"""The stories of host/sync/oauth_crash_test.cpp: daemons of one process that renew a sign-in, killed on a virtual clock."""

import os
import re
import subprocess

import apart
import servers

PROGRAMS = {"sqlite": "sync_test", "postgresql": "sync_postgres_test"}
TOLD = re.compile(r"^seeds (\d+), kills (\d+), renewals \d+, losses \d+, reconnects \d+; .*$", re.MULTILINE)


def verdict(said, code):
    """(the line of figures or "", what is wrong or "") of a program that said this and ended with `code`."""
    told = TOLD.search(said)
    if code != 0:
        return told.group() if told else "", f"it ended with {code}:\n{said[-8000:]}"
    if not told or told.group(1) == "0":
        return "", f"no story was told:\n{said[-8000:]}"
    if told.group(2) == "0":
        return told.group(), "nobody was killed, so nothing was shown"
    return told.group(), ""


def tell(bins, databases, seeds):
    """Prints a line for each database; whether all held. How far the stories are is told by stderr meanwhile."""
    held = True
    for database in databases:
        program = bins.parent / "tests" / PROGRAMS[database]
        if not program.exists():
            raise apart.Unusable(f"{program} is not there; build the preset first: tools/build release")
        if database == "postgresql":
            servers.Postgres.newest_programs()
        done = subprocess.run([str(program), "--gtest_filter=RefreshCrash.*", "--gtest_brief=1"], stdout=subprocess.PIPE,
                              text=True, errors="replace",
                              env={**os.environ, "GARLAND_REFRESH_SEEDS": str(seeds)})
        line, problem = verdict(done.stdout, done.returncode)
        print(f"{database}: {line or 'nothing was told'}" + (f"\n  {problem}" if problem else ""), flush=True)
        held = held and not problem
    return held
