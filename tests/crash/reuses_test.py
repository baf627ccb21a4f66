#!/usr/bin/env python3
"""A token that is used twice without need, and a reconnect without a loss, are seen."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import reuses  # noqa: E402

KILLED, ALIVE = 7, 8
CAUSE = "the daemon a ended while it waited for the answer to the renewal of noon, or had just received it; the provider ..."
SEEN = {"account": "ada", "by": "host", "cause": CAUSE}
REUSE = {"what": "refused", "account": "ada", "used": "refresh-1", "why": "used twice", "number": 3, "pid": ALIVE}


def gave(pid=KILLED):
    return {"what": "gave", "number": 2, "pid": pid, "account": "ada", "used": "refresh-1", "access": "access-2",
            "refresh": "refresh-3"}


class Reuses(unittest.TestCase):
    def judged(self, entries, seen=(SEEN,)):
        return reuses.judge(entries, {KILLED}, list(seen))

    def test_what_a_killed_daemon_took_along_is_a_loss_that_is_told(self):
        verdict = self.judged([gave(), REUSE])
        self.assertEqual((verdict.problems, verdict.before, verdict.within, verdict.renewals), ([], 1, 0, 1))
        within = self.judged([gave(), {"what": "answered", "number": 2}, REUSE])
        self.assertEqual((within.problems, within.before, within.within), ([], 0, 1))

    def test_who_lives_may_not_have_it_used_twice(self):
        self.assertIn("never killed", self.judged([gave(ALIVE), REUSE]).problems[0])

    def test_nor_may_one_be_that_was_kept(self):
        self.assertIn("kept", self.judged([gave(), {"what": "opened", "access": "access-2"}, REUSE]).problems[0])
        self.assertIn("kept", self.judged([gave(), {"what": "asked", "token": "refresh-3"}, REUSE]).problems[0])

    def test_nobody_goes_on_with_a_sign_in_that_ended(self):
        self.assertIn("not good", self.judged([gave(), REUSE, {**REUSE, "why": "not good any more"}]).problems[0])

    def test_unless_who_was_told_of_its_end_was_killed(self):
        again = {**REUSE, "why": "not good any more"}
        self.assertEqual(self.judged([gave(), {**REUSE, "pid": KILLED}, again]).problems, [])

    def test_each_loss_is_told_and_nothing_else(self):
        self.assertEqual(len(self.judged([gave()]).problems), 1, "a reconnect without a loss")
        self.assertEqual(len(self.judged([gave(), REUSE], ()).problems), 1, "a loss that nobody was told of")

    def test_the_cause_is_named(self):
        for wrong in ({"by": "provider"}, {"cause": "it was taken back there"}, {"cause": CAUSE.replace(", or had", "; it had")}):
            self.assertIn("cause", self.judged([gave(), REUSE], [{**SEEN, **wrong}]).problems[0])

    def test_what_shows_nothing_is_told(self):
        self.assertEqual(len(reuses.Verdict().shown(0)), 4)
        self.assertEqual(reuses.Verdict(renewals=9, before=1, within=1).shown(3), [])


if __name__ == "__main__":
    unittest.main()
