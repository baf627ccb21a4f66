#!/usr/bin/env python3
"""What tests/contracts/summary makes of a log; run by CTest."""

import pathlib
import subprocess
import tempfile
import unittest

SUMMARY = pathlib.Path(__file__).with_name("summary")

GOOD = """test 7
7: contracts: stripe: 60 requests, 50 answers, 14 signatures checked; skipped: nothing
1/3 Test #7: stripe_contract ..................   Passed    5.10 sec
8: [ RUN      ] Vectors
8: contracts: stripe: 8 signatures, 3 captured requests checked; skipped: 2 vectors, they are for another year
8: contracts: twilio: 5 signatures checked; skipped: nothing
2/3 Test #8: webhook_vectors_test .............   Passed    0.10 sec
9: contracts: resend: 0 requests checked; skipped: npm is not installed
3/3 Test #9: resend_contract ..................***Skipped   0.01 sec
"""


def summary(log):
    with tempfile.NamedTemporaryFile("w", suffix=".log") as file:
        file.write(log)
        file.flush()
        done = subprocess.run([SUMMARY, file.name], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


class Summary(unittest.TestCase):
    def test_a_provider_has_one_line_whatever_number_of_tests_spoke_of_it(self):
        code, lines = summary(GOOD)
        self.assertEqual(code, 0)
        self.assertEqual(
            [" ".join(line.split()) for line in lines],
            [
                "resend 0 requests checked; skipped: npm is not installed",
                "stripe 60 requests, 3 captured requests, 50 answers, 22 signatures checked; skipped: 2 vectors, they are for another year",
                "twilio 5 signatures checked; skipped: nothing",
                "contracts: 3 providers: 60 requests, 3 captured requests, 50 answers, 27 signatures checked; 0 wrong",
            ],
        )

    def test_a_test_that_failed_is_named_and_so_is_the_end(self):
        for outcome in ("***Failed ", "***Timeout", "***Not Run", "Subprocess aborted***Exception:"):
            code, lines = summary(GOOD.replace("..   Passed    5.10", f"..{outcome} 5.10"))
            self.assertEqual(code, 1, outcome)
            self.assertIn("  WRONG: stripe_contract failed", lines)
            self.assertTrue(lines[-1].endswith("; 1 wrong"))

    def test_a_test_that_says_nothing_is_wrong_although_it_passed(self):
        code, lines = summary(GOOD.replace("9: contracts: resend", "9: resend"))
        self.assertEqual(code, 1)
        self.assertIn("  WRONG: resend_contract did not say what it checked", lines)

    def test_no_test_at_all_is_wrong(self):
        code, lines = summary("No tests were found!!!\n")
        self.assertEqual(code, 1)
        self.assertIn("  WRONG: no test ran", lines)


if __name__ == "__main__":
    unittest.main()
