#!/usr/bin/env python3
"""Every number of a report against NumPy, from the campaign's files alone; the same bytes on 1, 2 and 3 ranks."""

import json
import pathlib
import sys
import tempfile
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import report_case
import report_extra
import report_fixture
import sluice_io
from fault_injection import memory_directory


class Numbers(report_extra.ExtraChecks, report_case.CampaignCase):
    @classmethod
    def make(cls, directory):
        return report_fixture.make_numbers(directory)

    def influence(self, said):
        errors = (said.mean(axis=1) - self.test.y)[:, 0] ** 2
        root = np.sqrt(errors.mean())
        return root, (errors - errors.mean()) / (2 * root)

    def test_rounds(self):
        self.check_rounds()

    def test_curves(self):
        self.assertEqual((self.data["quality"]["metric"], self.data["quality"]["better"]), ("rmse", "lower"))
        self.assertEqual(self.data["quality"]["test_rows"], len(self.test.rows))
        self.check_curves(self.influence)

    def test_map_and_regions(self):
        places, found = self.check_map()
        regions = self.regions(places, found)
        self.check_shares("regions", regions, 9)
        self.check_farthest(places, found)
        failed = [int(line["row"]) for line in self.labels_csv() if line["status"] != "ok"]
        asked = [int(line["row"]) for line in self.labels_csv()]
        self.assertGreater(len(failed), 0)
        oracle = self.data["oracle"]
        self.assertEqual(oracle["asked_by_region"], np.bincount(regions[asked], minlength=9).tolist())
        self.assertEqual(oracle["failed_by_region"], np.bincount(regions[failed], minlength=9).tolist())
        (failure,) = oracle["failures"]
        self.assertEqual((failure["status"], failure["reason"], failure["items"], failure["by_region"]),
                         ("invalid", "energy is above max 90", len(failed), oracle["failed_by_region"]))

    def test_scores_and_batch(self):
        scores = self.said(2, slice(None)).std(axis=1, ddof=0)[:, 0]
        chosen = [float(line["score"]) for line in report_case.table(self.at / "rounds/0003/selected.csv")]
        rows = [int(line["row"]) for line in report_case.table(self.at / "rounds/0003/selected.csv")]
        if not np.allclose(scores[rows], chosen, rtol=1e-3):
            scores = self.said(2, slice(None)).std(axis=1, ddof=1)[:, 0]
        self.near(scores[rows], chosen, 1e-3)
        self.check_scores(scores, np.array(chosen))
        self.check_batch(scores)

    def test_parity_and_spread(self):
        test, said = self.data["test"], self.said(3, self.test.rows)
        self.assertEqual((test["model_round"], test["rows"]), (3, len(self.test.rows)))
        (target,) = test["targets"]
        mean = said.mean(axis=1)[:, 0]
        self.near(target["truth_and_prediction"], np.stack([self.test.y[:, 0], mean], axis=1), 1e-4)
        self.assertEqual(target["name"], "label (Eh)")
        errors = mean - self.test.y[:, 0]
        # The deviation of the members as the campaign's own score has it.
        with h5py.File(self.at / "rounds/0003/stop_set.h5") as file:
            stop, uncertainty = file["row"][:], file["uncertainty"][:]
        ddof = min((0, 1), key=lambda d: np.abs(self.said(3, stop).std(axis=1, ddof=d)[:, 0] - uncertainty).max())
        spread = said.std(axis=1, ddof=ddof)[:, 0]
        order = np.argsort(spread, kind="stable")
        bins = min(10, len(order) // 5)
        cuts = [order[i * len(order) // bins:(i + 1) * len(order) // bins] for i in range(bins)]
        wanted = [(np.sqrt((spread[rows] ** 2).mean()), np.sqrt((errors[rows] ** 2).mean())) for rows in cuts]
        self.near([(found["said"], found["came"]) for found in test["calibration"]], wanted, 1e-3)
        self.near(test["calibration_error"], np.mean([abs(came - said) / said for said, came in wanted]), 1e-3)

    def test_oracle_times(self):
        seconds = []
        for path in (self.at / "queue/settled").iterdir():
            for line in path.read_text(encoding="utf-8").splitlines()[:-1]:
                seconds.append(json.loads(line)["wall_seconds"])
        seconds = np.sort(seconds)
        oracle = self.data["oracle"]
        self.assertEqual((oracle["results"], oracle["files_left_out"]), (len(seconds), 0))
        self.near([oracle["seconds"], oracle["median_seconds"], oracle["longest_seconds"]],
                  [seconds.sum(), seconds[(len(seconds) - 1) // 2], seconds[-1]])
        edges = np.array(oracle["edges"])
        bins = np.clip(np.searchsorted(edges, seconds, side="right") - 1, 0, len(edges) - 2)
        self.assertEqual(np.bincount(bins, minlength=len(edges) - 1).tolist(), oracle["counts"])

    def test_queues_and_rules(self):
        queues = {queue["queue"]: queue for queue in self.data["queues"]}
        ok = sum(line["status"] == "ok" for line in self.labels_csv())
        self.assertEqual(queues["active"]["states"], {"ingested": ok, "rejected": 44 - ok})
        self.assertEqual((queues["active"]["items"], queues["random"]["items"], queues["test"]["items"]), (44, 24, 40))
        self.assertEqual(self.data["advice"]["decision"], "rounds: 3 of 3")
        self.assertEqual([rule["rule"] for rule in self.data["advice"]["customary"]], ["plateau", "change"])

    def test_distance_waits_and_gains(self):
        self.check_test_distance()
        self.check_waits()
        self.check_gains()

    def test_all_data(self):
        self.check_full_data(np.arange(len(self.features)) / 2.0, "--head", "squares")

    def test_savings(self):
        quality = self.data["quality"]
        active, random = (curve["points"] for curve in quality["curves"])
        reached = [point["labels"] for point in active if point["value"] <= random[-1]["value"]]
        self.assertEqual(quality["labels_to_match"], reached[0] if reached else None)
        self.assertEqual(quality["random_labels"], random[-1]["labels"])
        gain = (active[-2]["value"] - active[-1]["value"]) / (active[-1]["labels"] - active[-2]["labels"]) * 100
        self.near(quality["gain_per_100_labels"], gain)

    def test_page(self):
        self.check_page()

    def test_ranks(self):
        self.check_ranks()

    def test_a_smaller_sample_is_evenly_spaced(self):
        data = report_fixture.report(self.campaign, "--sample", "50")[2]
        rows = [i * len(self.features) // 50 for i in range(50)]
        wide = self.features[rows].astype("f8")
        values = np.linalg.eigvalsh(np.cov(wide.T, bias=True))[::-1]
        self.near(data["pool"]["map"]["variance_share"], values[:2] / values.sum())
        self.assertEqual((data["pool"]["sample_rows"], sum(data["pool"]["map"]["counts"])), (50, 50))


class Classes(report_extra.ExtraChecks, report_case.CampaignCase):
    @classmethod
    def make(cls, directory):
        return report_fixture.make_classes(directory)

    def probabilities(self, said):
        return report_case.softmax(said).mean(axis=1)

    def influence(self, said):
        right = (self.probabilities(said).argmax(axis=1) == self.test.y).astype("f8")
        return right.mean(), right - right.mean()

    def test_rounds(self):
        self.check_rounds()

    def test_curves(self):
        self.assertEqual((self.data["quality"]["metric"], self.data["quality"]["better"]), ("accuracy", "higher"))
        self.check_curves(self.influence)

    def test_map(self):
        places, found = self.check_map()
        self.check_farthest(places, found)

    def test_distance_waits_and_gains(self):
        self.check_test_distance()
        self.check_waits()
        self.check_gains()

    def test_all_data(self):
        self.check_full_data((np.arange(len(self.features)) % 3).astype("i4"), "--head", "softmax")

    def test_classes(self):
        classes = self.probabilities(self.said(2, slice(None))).argmax(axis=1)
        self.check_shares("classes", classes, 3)
        batch = [share["batch"] for share in self.data["pool"]["classes"]]
        self.assertEqual(self.data["pool"]["largest_class_share"], max(batch))

    def test_groups(self):
        groups = np.arange(len(self.features)) ** 2 // 3000
        self.assertEqual(self.data["pool"]["num_groups"], groups.max() + 1)
        sizes = np.bincount(groups)
        largest = np.argsort(-sizes, kind="stable")[:12]
        self.assertEqual([share["name"] for share in self.data["pool"]["groups"]], [f"group {g}" for g in largest])
        place = {group: number for number, group in enumerate(largest)}
        chosen = [int(line["row"]) for line in report_case.table(self.at / "rounds/0003/labels.csv")]
        labeled = [int(line["row"]) for line in self.labels_csv() if line["status"] == "ok"]
        for column, rows in (("pool", range(len(groups))), ("batch", chosen), ("labels", labeled)):
            shares = np.zeros(len(largest))
            for row in rows:
                if groups[row] in place:
                    shares[place[groups[row]]] += 1 / len(rows)
            self.near([share[column] for share in self.data["pool"]["groups"]], shares)

    def test_scores_and_batch(self):
        p = self.probabilities(self.said(2, slice(None)))
        scores = -(p * np.log(p)).sum(axis=1)
        chosen = [float(line["score"]) for line in report_case.table(self.at / "rounds/0003/selected.csv")]
        self.check_scores(scores, np.array(chosen))
        self.check_batch(scores)

    def test_calibration(self):
        p = self.probabilities(self.said(3, self.test.rows))
        confidence, right = p.max(axis=1), p.argmax(axis=1) == self.test.y
        bins = np.clip(np.ceil(confidence * 15).astype(int) - 1, 0, 14)
        wanted = [((bins == b).sum(), confidence[bins == b].mean(), right[bins == b].mean())
                  for b in np.unique(bins)]
        found = [(b["rows"], b["said"], b["came"]) for b in self.data["test"]["calibration"]]
        self.near(found, wanted, 1e-4)
        error = sum(n * abs(said - came) for n, said, came in wanted) / len(right)
        self.near(self.data["test"]["calibration_error"], error, 1e-3)
        self.near(self.data["arms"][0]["rounds"][2]["metrics"]["ece"], error, 1e-3)

    def test_page(self):
        self.check_page()

    def test_ranks(self):
        self.check_ranks()


class Scores(unittest.TestCase):
    """Scores that are put together, and one that no row has by itself."""

    def report_of(self, score):
        folder = tempfile.TemporaryDirectory(prefix="sluice-report-", dir=memory_directory())
        self.addCleanup(folder.cleanup)
        campaign = report_fixture.make_numbers(pathlib.Path(folder.name) / "c", {
            "select.score": score, "campaign.rounds": "2", "test.rows": None})
        campaign.succeed(score)
        data = report_fixture.report(campaign, ranks=2)[2]
        with h5py.File(campaign.directory / "pool.h5") as file:
            features = file["features"][:]
        model = sluice_io.read_model(campaign.directory / "models/0001.h5")
        chosen = [(int(line["row"]), float(line["score"])) for line in
                  report_case.table(campaign.directory / "rounds/0002/selected.csv")]
        return data, sluice_io.outputs(model, features).std(axis=1)[:, 0], chosen

    def test_a_sum_of_powers(self):
        data, deviation, chosen = self.report_of("0.5*committee_std + 2*committee_std^2")
        found = data["pool"]["scores"]
        scores = 0.5 * deviation + 2 * deviation ** 2
        ratio = np.array([score / scores[row] for row, score in chosen])
        if abs(ratio.mean() - 1) > 1e-3:  # the members' deviation by n - 1
            deviation *= np.sqrt(3 / 2)
            scores = 0.5 * deviation + 2 * deviation ** 2
        np.testing.assert_allclose([score for _, score in chosen], scores[[row for row, _ in chosen]], rtol=1e-3)
        bins = np.clip(np.searchsorted(found["edges"], scores, side="right") - 1, 0, len(found["edges"]) - 2)
        counts = np.bincount(bins, minlength=len(found["edges"]) - 1)
        self.assertLessEqual(np.abs(counts - found["pool"]).sum(), 4)
        self.assertEqual(data["missing"], [])

    def test_a_score_that_is_prepared_from_the_pool(self):
        data = self.report_of("committee_std * knn_density")[0]
        self.assertIsNone(data["pool"]["scores"])
        self.assertEqual(data["pool"]["map"]["features"], 3)
        self.assertIn("'knn_density' is no function of a row alone", data["missing"][0]["reason"])

if __name__ == "__main__":
    unittest.main()
