"""More of a report's numbers by NumPy: distances, waits, gains, a model of all data."""

import datetime
import json
import pathlib
import subprocess
import sys

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))
import report_fixture
import sluice_io
from report_fixture import BINARY


def nearest(points, rows, others, other_rows):
    """(distance, row) of the nearest other row to each point; a row is not near itself."""
    distances = np.sqrt(((points[:, None].astype("f8") - others[None].astype("f8")) ** 2).sum(axis=2))
    distances[(np.asarray(rows)[:, None] == np.asarray(other_rows)[None]) & (distances == 0)] = np.inf
    return distances.min(axis=1), np.asarray(other_rows)[distances.argmin(axis=1)]


def thinned(rows, most):
    count = min(len(rows), most)
    return [rows[i * len(rows) // count] for i in range(count)]


class ExtraChecks:
    """Mixed into a CampaignCase."""

    def labeled_rows(self):
        return sorted(int(line["row"]) for line in self.labels_csv() if line["status"] == "ok")

    def check_farthest(self, places, map_found):
        found, labeled = self.data["pool"]["farthest"], self.labeled_rows()
        rows = [row for row in range(len(self.features)) if row not in set(labeled)]
        distances, labels = nearest(self.features[rows], [-1] * len(rows), self.features[labeled], labeled)
        order = np.argsort(-distances, kind="stable")[:10]
        self.assertEqual((found["looked_at"], found["labeled"]), (len(self.features), len(labeled)))
        self.assertEqual([row["row"] for row in found["rows"]], [rows[i] for i in order])
        self.assertEqual([row["nearest_label"] for row in found["rows"]], [labels[i] for i in order])
        self.near([row["distance"] for row in found["rows"]], distances[order])
        # A cut runs through a row: in its region, or by rounding in the next.
        names = [["ABC"[region // 3] + "123"[region % 3] for region in self.regions(places + shift, map_found)]
                 for shift in (-1e-6, 1e-6)]
        for row in found["rows"]:
            self.assertIn(row["region"], {each[row["row"]] for each in names})
        self.assertIn("Farthest from every label", self.page)

    def check_test_distance(self):
        found, rows = self.data["pool"]["test_distance"], list(range(len(self.features)))
        of_test, _ = nearest(self.features[self.test.rows], self.test.rows, self.features, rows)
        own = thinned(rows, len(self.test.rows))
        of_pool, _ = nearest(self.features[own], own, self.features, rows)
        self.assertEqual((found["test_rows"], found["pool_rows"]), (len(self.test.rows), len(rows)))
        self.near(found["test_median"], np.sort(of_test)[(len(of_test) - 1) // 2])
        self.near(found["pool_median"], np.sort(of_pool)[(len(of_pool) - 1) // 2])
        bound = np.sort(of_pool)[int(0.95 * (len(of_pool) - 1))]
        self.near(found["share_beyond"], (of_test > bound).mean())
        self.assertIn("Are the test rows like the pool?", self.page)

    def check_waits(self):
        queues = {queue["queue"]: queue["waits"] for queue in self.data["queues"]}
        for name, queue in (("active", "queue"), ("random", "random/queue"), ("test", "test/queue")):
            waits = []
            for path in (self.at / queue / "settled").iterdir():
                results = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:-1]]
                batch = self.at / queue / "batches" / path.name.split("-")[0] / "manifest.json"
                waits += [(path.stat().st_mtime_ns - batch.stat().st_mtime_ns) * 1e-9] * len(results)
            waits.sort()
            found = queues[name]
            self.assertEqual((found["done"], found["open"]), (len(waits), 0))
            self.assertAlmostEqual(found["median_seconds"], waits[(len(waits) - 1) // 2], delta=1e-5)
            self.assertAlmostEqual(found["longest_seconds"], waits[-1], delta=1e-5)

    def check_gains(self):
        quality = self.data["quality"]
        sign = 1 if quality["better"] == "higher" else -1
        for curve in quality["curves"]:
            points = curve["points"]
            self.assertIsNone(points[0]["gain_per_100_labels"])
            for before, point in zip(points, points[1:]):
                gain = sign * (point["value"] - before["value"]) / (point["labels"] - before["labels"]) * 100
                self.near(point["gain_per_100_labels"], gain)
        self.assertEqual(quality["gain_per_100_labels"], quality["curves"][0]["points"][-1]["gain_per_100_labels"])

    def check_full_data(self, y, *training):
        """With a model of every row that is no test row; `y` [N], of numbers or classes."""
        self.assertIsNone(self.data["quality"]["full_data"])
        folder = self.at.parent
        rows = np.setdiff1d(np.arange(len(y)), self.test.rows)
        with h5py.File(folder / "all.h5", "w") as file:
            file["row"], file["y"] = rows, y[rows]
        made = subprocess.run([BINARY, "train", "--labels", folder / "all.h5", "--pool", self.at / "pool.h5",
                               "--out", self.at / "full-data.h5", "--epochs", "60", "--members", "2", "--hidden", "8",
                               *training], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(made.returncode, 0, made.stderr)
        try:
            result, page, data = report_fixture.report(self.campaign)
        finally:
            (self.at / "full-data.h5").rename(folder / "elsewhere.h5")
        model = sluice_io.read_model(folder / "elsewhere.h5")
        value, _ = self.influence(sluice_io.outputs(model, self.features[self.test.rows]))
        quality = data["quality"]
        self.near(quality["full_data"], value, 1e-4)
        for curve in quality["curves"]:
            for point in curve["points"]:
                share = point["value"] / value if quality["better"] == "higher" else value / point["value"]
                self.near(point["full_data_share"], share, 1e-4)
        last = quality["curves"][0]["points"][-1]
        self.assertIn(f"{100 * last['full_data_share']:.1f} % of it is reached", result.stdout)
        self.assertIn(f"{100 * last['full_data_share']:.1f} %", page)
        self.assertEqual(report_fixture.report(self.campaign, "--full-data", folder / "elsewhere.h5")[1:], (page, data))


def utc(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
