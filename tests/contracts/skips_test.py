#!/usr/bin/env python3
"""A contract test that lacks what it needs says so and is skipped, and fails where it is required."""

import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = sorted([*ROOT.glob("plugins/*/*/contract/run"), *ROOT.glob("host/*/contract/run"), ROOT / "tests/contracts/captures"])


class Skips(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # A machine without node and npm, and without any description.
        tools = self.folder / "tools"
        tools.mkdir()
        for tool in pathlib.Path("/usr/bin").iterdir():
            if tool.name not in ("node", "nodejs", "npm"):
                (tools / tool.name).symlink_to(tool)
        self.environment = {"PATH": str(tools), "GARLAND_PROVIDER_SPECS": str(self.folder / "none")}

    def run_one(self, program, **more):
        return subprocess.run(
            [program, self.folder], env=self.environment | more, capture_output=True, text=True, timeout=30)

    def test_what_is_missing_is_told_and_fails_only_where_it_is_required(self):
        self.assertGreater(len(PROGRAMS), 4)
        for program in PROGRAMS:
            with self.subTest(program=program.relative_to(ROOT)):
                skipped = self.run_one(program)
                self.assertEqual(skipped.returncode, 77, skipped.stderr)
                self.assertRegex(skipped.stdout, "(?m)^contracts: .+ checked; skipped: .+$")
                required = self.run_one(program, GARLAND_CONTRACTS="required")
                self.assertEqual(required.returncode, 1, required.stderr)
                self.assertEqual(required.stdout, skipped.stdout)


if __name__ == "__main__":
    unittest.main()
