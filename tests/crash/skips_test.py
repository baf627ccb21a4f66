#!/usr/bin/env python3
"""A scenario that this machine does not let is skipped, and fails where it is required; a contradiction is wrong usage."""

import os
import pathlib
import subprocess
import tempfile
import unittest

RUN = pathlib.Path(__file__).resolve().parent / "run"


class Skips(unittest.TestCase):
    def run_without_namespaces(self, **more):
        with tempfile.TemporaryDirectory() as folder:
            refusing = pathlib.Path(folder) / "unshare"
            refusing.write_text("#!/bin/sh\necho 'not permitted' >&2\nexit 1\n")
            refusing.chmod(0o700)
            environment = {name: value for name, value in os.environ.items() if name != "GARLAND_CRASH"}
            environment |= {"PATH": f"{folder}:{os.environ['PATH']}", "GARLAND_BIN": folder, **more}
            return subprocess.run([RUN, "--scenario", "connection-cut", "--state", folder], env=environment,
                                  capture_output=True, text=True, timeout=60)

    def test_what_is_missing_is_told_and_fails_only_where_it_is_required(self):
        skipped = self.run_without_namespaces()
        self.assertEqual(skipped.returncode, 3, skipped.stderr)
        self.assertIn("no namespaces", skipped.stderr)
        required = self.run_without_namespaces(GARLAND_CRASH="required")
        self.assertEqual(required.returncode, 1, required.stderr)
        self.assertIn("no namespaces", required.stderr)

    def test_a_span_beside_until_certain_is_wrong_usage(self):
        refused = subprocess.run([RUN, "--until-certain", "--settle", "5"], env={**os.environ, "GARLAND_BIN": "/nowhere"},
                                 capture_output=True, text=True, timeout=60)
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("--until-certain waits as long as it takes", refused.stderr)


if __name__ == "__main__":
    unittest.main()
