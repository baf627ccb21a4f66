#!/usr/bin/env python3
"""Stories that were not told, or in which nobody was killed, are seen."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "samples/first-sync"), str(HERE.parent / "bench")]
import renewals  # noqa: E402

FIGURES = "seeds 12, kills 90, renewals 400, losses 30, reconnects 29; lost before the first byte came 20, after it 10"


class Stories(unittest.TestCase):
    def test_what_was_told_of_kills_holds(self):
        self.assertEqual(renewals.verdict(f"[==] 2 tests\n{FIGURES}\n[  PASSED  ] 2 tests.\n", 0), (FIGURES, ""))

    def test_a_program_without_such_tests_does_not(self):
        self.assertIn("no story", renewals.verdict("[==========] 0 tests from 0 test suites ran.\n", 0)[1])
        self.assertIn("no story", renewals.verdict(FIGURES.replace("seeds 12", "seeds 0"), 0)[1])

    def test_nor_do_stories_without_a_kill(self):
        self.assertIn("nobody was killed", renewals.verdict(FIGURES.replace("kills 90", "kills 0"), 0)[1])

    def test_nor_does_a_program_that_fails(self):
        line, problem = renewals.verdict(f"{FIGURES}\n[  FAILED  ] RefreshCrash\n", 1)
        self.assertEqual(line, FIGURES)
        self.assertIn("[  FAILED  ]", problem)

    def test_how_far_the_stories_are_is_told_while_they_are_told(self):
        with tempfile.TemporaryDirectory() as folder:
            teller = pathlib.Path(folder) / "tests" / renewals.PROGRAMS["sqlite"]
            teller.parent.mkdir()
            teller.write_text(f"#!/bin/sh\necho '10 of 12 stories are told' >&2\necho '{FIGURES}'\n")
            teller.chmod(0o700)
            program = "import pathlib, renewals, sys; renewals.tell(pathlib.Path(sys.argv[1]) / 'bin', ['sqlite'], 12)"
            told = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, timeout=60,
                                  env={**os.environ, "PYTHONPATH": ":".join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(told.stderr, "10 of 12 stories are told\n")
        self.assertEqual(told.stdout, f"sqlite: {FIGURES}\n")


if __name__ == "__main__":
    unittest.main()
