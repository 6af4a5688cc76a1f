"""The studies of jobs/studies in small: what the project claims of them holds, and the check of it
can fail. In full: scripts/studies.sh."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["SLUICE_SOURCE"])
STUDIES = ("digits", "batches", "copies", "lazy", "svm", "regression", "water-dimer")
NUM_CLAIMS = 12
ENVIRONMENT = dict(os.environ, SLUICE=os.environ["SLUICE_BINARY"])


def check(folder):
    """scripts/check_studies.py on the results in a folder."""
    return subprocess.run([sys.executable, "-B", SOURCE / "scripts/check_studies.py", folder,
                           *STUDIES], capture_output=True, text=True, check=False)


class Studies(unittest.TestCase):
    def test_claims_hold_in_small_and_the_check_can_fail(self):
        with tempfile.TemporaryDirectory() as folder:
            words = [word for study in STUDIES for word in ("--only", study)]
            done = subprocess.run(
                [SOURCE / "scripts/studies.sh", "--small", "--ranks", "2", "--out", folder, *words],
                capture_output=True, text=True, check=False, env=ENVIRONMENT,
                stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-3000:])
            lines = done.stdout.split("== claims\n")[1].splitlines()
            claims = [line for line in lines if not line.startswith("reported ")]
            self.assertEqual(len(claims), NUM_CLAIMS, claims)
            self.assertTrue(all(line.startswith("holds ") for line in claims), claims)
            self.assertIn("reported       regression: pendulum: lcmd less k_center", "\n".join(lines))
            self.assertEqual(check(folder).stdout.splitlines(), lines)
            self.spoil(pathlib.Path(folder))
            spoiled = check(folder)
            self.assertEqual(spoiled.returncode, 1)
            self.assertEqual(spoiled.stdout.count("DOES NOT HOLD"), NUM_CLAIMS, spoiled.stdout)

    def spoil(self, folder):
        """Gives every strategy the random arm's results, and margin none that is worse."""
        for study in STUDIES:
            path = folder / study / "summary.json"
            report = json.loads(path.read_text(encoding="utf-8"))
            for data in report["data"]:
                strategies = data["measures"][0]["strategies"]
                for entry in strategies[1:]:
                    entry["labels_to_target"] = strategies[0]["labels_to_target"]
                    entry["against_random"]["verdict"] = "no difference seen"
            path.write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
