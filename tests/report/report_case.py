"""What the tests of a report's numbers share: one campaign, its report, and what NumPy makes of the campaign's files."""

import csv
import html.parser
import json
import pathlib
import sys
import tempfile
import unittest

import h5py
import numpy as np
from scipy import stats

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))
import report_fixture
import sluice_io
from fault_injection import memory_directory

VOID = {"meta", "link", "br"}


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Page(html.parser.HTMLParser):
    """Checks that tags close in order, and keeps the words."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.links = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data):
        self.words += data


class CampaignCase(unittest.TestCase):
    """One campaign for all tests of a class."""

    @classmethod
    def make(cls, directory):
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="sluice-report-", dir=memory_directory())
        cls.addClassCleanup(folder.cleanup)
        cls.campaign = cls.make(pathlib.Path(folder.name) / "c")
        cls.campaign.succeed("run")
        cls.at = cls.campaign.directory
        cls.result, cls.page, cls.data = report_fixture.report(cls.campaign)
        assert cls.page, cls.result
        with h5py.File(cls.at / "pool.h5") as file:
            cls.features = file["features"][:]
        cls.test = sluice_io.read_labels(cls.at / "test/labels")

    def near(self, found, wanted, tolerance=1e-5):
        np.testing.assert_allclose(np.asarray(found, "f8"), np.asarray(wanted, "f8"), rtol=tolerance,
                                   atol=tolerance * 1e-3)

    def said(self, number, rows, arm="."):
        """What the members of a round's model say of rows of the pool [N,M,C]."""
        directory = self.at if number < 2 else self.at / arm
        model = sluice_io.read_model(directory / f"models/{number:04}.h5")
        return sluice_io.outputs(model, self.features[rows])

    def json_file(self, name):
        return json.loads((self.at / name).read_text(encoding="utf-8"))

    def labels_csv(self):
        return [line for number in (1, 2, 3) for line in table(self.at / f"rounds/{number:04}/labels.csv")]

    def check_rounds(self):
        arms = {arm["arm"]: arm["rounds"] for arm in self.data["arms"]}
        self.assertEqual([round["round"] for round in arms["active"]], [1, 2, 3])
        self.assertEqual([round["round"] for round in arms["random"]], [2, 3])
        for arm, rounds in arms.items():
            for found in rounds:
                name = f"{'random/' if arm == 'random' else ''}rounds/{found['round']:04}/"
                plan, batch, record, versions = (self.json_file(f"{name}{part}.json") for part in (
                    "plan", "batch", "metrics", "versions"))
                lines = table(self.at / f"{name}labels.csv")
                self.assertEqual(found["ok"], sum(line["status"] == "ok" for line in lines))
                self.assertEqual(found["failed"], sum(line["status"] != "ok" for line in lines))
                self.assertEqual(found["score"], plan["score"])
                for key in ("covering_radius", "redundancy", "candidates"):
                    self.assertEqual(found[key], batch[key])
                for key in ("labels", "cost", "metrics", "stop_set", "candidates_left"):
                    self.assertEqual(found[key], record[key])
                self.assertEqual(found["versions"], versions)
                if arm == "active":
                    timings = self.json_file(f"{name}timings.json")
                    self.assertEqual((found["seconds"], found["ranks"]), (timings["seconds"], timings["ranks"]))
                    self.assertEqual(set(found["ranks"]), {"plan", "select", "label", "train", "evaluate"})

    def check_map(self):
        """Principal axes by NumPy's eigenvectors."""
        found = self.data["pool"]["map"]
        wide = self.features.astype("f8")
        values, vectors = np.linalg.eigh(np.cov(wide.T, bias=True))
        self.near(found["variance_share"], (values[::-1] / values.sum())[:2])
        axes = vectors[:, ::-1][:, :2]
        axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), (0, 1)])
        places = (wide - wide.mean(axis=0)) @ axes
        for name, status in (("labeled", "ok"), ("failed", None)):
            rows = [int(line["row"]) for line in self.labels_csv() if (line["status"] == "ok") == (status == "ok")]
            self.assertEqual([point["row"] for point in found[name]], rows)
            xy = np.array([[point["x"], point["y"]] for point in found[name]]).reshape(-1, 2)
            np.testing.assert_allclose(xy, places[rows], atol=1e-4)
        low, high = np.array([found["x_range"], found["y_range"]]).T
        cells = np.clip(((places - low) / (high - low) * [found["columns"], found["rows"]]).astype(int), 0,
                        [found["columns"] - 1, found["rows"] - 1])
        counts = np.zeros((found["rows"], found["columns"]), int)
        np.add.at(counts, (cells[:, 1], cells[:, 0]), 1)
        self.assertEqual(sum(found["counts"]), len(self.features))
        self.assertLessEqual(np.abs(counts.ravel() - found["counts"]).sum(), 6)
        cuts = np.sort(places, axis=0)[[(len(places) - 1) // 3, 2 * (len(places) - 1) // 3]]
        np.testing.assert_allclose([found["x_thirds"], found["y_thirds"]], cuts.T, atol=1e-4)
        return places, found

    def regions(self, places, found):
        thirds = (places[:, :, None] > np.array([found["x_thirds"], found["y_thirds"]])).sum(axis=2)
        return 3 * thirds[:, 0] + thirds[:, 1]

    def check_shares(self, name, of_rows, count):
        chosen = [int(line["row"]) for line in table(self.at / "rounds/0003/labels.csv")]
        labeled = [int(line["row"]) for line in self.labels_csv() if line["status"] == "ok"]
        for column, rows in (("pool", range(len(self.features))), ("batch", chosen), ("labels", labeled)):
            shares = np.bincount(of_rows[list(rows)], minlength=count) / len(rows)
            found = [share[column] for share in self.data["pool"][name]]
            np.testing.assert_allclose(found, shares, atol=1.01 / len(rows))

    def check_scores(self, scores, chosen):
        found = self.data["pool"]["scores"]
        edges = np.array(found["edges"])
        for column, values in (("pool", scores), ("chosen", chosen)):
            bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
            counts = np.bincount(bins, minlength=len(edges) - 1)
            self.assertEqual(sum(found[column]), len(values))
            self.assertLessEqual(np.abs(counts - found[column]).sum(), 4)
        self.assertEqual((found["batch_round"], found["model_round"]), (3, 2))

    def check_batch(self, scores):
        lines = self.data["batch"]["rows"]
        chosen = table(self.at / "rounds/0003/selected.csv")
        labels = {line["row"]: line for line in table(self.at / "rounds/0003/labels.csv")}
        self.assertEqual([str(line["row"]) for line in lines], [line["row"] for line in chosen])
        for found, wanted in zip(lines, chosen):
            self.near(found["score"], float(wanted["score"]), 1e-7)
            label = labels[wanted["row"]]
            self.assertEqual(found["status"], label["status"])
            self.assertEqual(found["y"], [float(label["y"])] if label["status"] == "ok" else [])
            share = (scores >= float(wanted["score"])).mean()
            self.assertAlmostEqual(found["share_above"], share, delta=2.01 / len(scores))
            self.assertIn(f"{float(wanted['score']):.4g}", found["reason"])

    def check_curves(self, influence):
        """Intervals and comparison from what each test row adds to the metric."""
        quality = self.data["quality"]
        added = {}
        for curve in quality["curves"]:
            for point in curve["points"]:
                value, of_row = influence(self.said(point["round"], self.test.rows, "random" if
                                                    curve["arm"] == "random" else "."))
                self.near(point["value"], value, 1e-4)
                error = of_row.std(ddof=1) / np.sqrt(len(of_row))
                self.near(point["half_width"], stats.t.ppf(0.975, len(of_row) - 1) * error, 1e-3)
                added[curve["arm"], point["round"]] = value, of_row
        pairs = [(added["active", n], added["random", n]) for n in (2, 3)]
        of_rows = np.mean([a[1] - b[1] for a, b in pairs], axis=0)
        mean = np.mean([a[0] - b[0] for a, b in pairs])
        test = stats.ttest_1samp(of_rows + mean, 0.0)
        found = quality["mean_of_rounds"]
        self.assertAlmostEqual(found["mean"], mean, delta=1e-4 * abs(added["active", 3][0]))
        self.assertAlmostEqual(found["p"], test.pvalue, delta=2e-3)
        last = quality["curves"][0]["points"][-1]["value"] - quality["curves"][1]["points"][-1]["value"]
        self.assertAlmostEqual(quality["last_round"]["mean"], last, delta=1e-4 * abs(added["active", 3][0]))
        is_better = (mean > 0) == (quality["better"] == "higher")
        self.assertEqual(quality["verdict"], "no difference seen" if test.pvalue >= 0.05 else
                         "better" if is_better else "worse")

    def check_page(self):
        page = Page(self.page)
        self.assertEqual(page.open, [])
        self.assertEqual(page.links, ["data:,"])
        self.assertNotRegex(self.page, r"<script|https?:|@import|url\(")
        last = self.data["quality"]["curves"][0]["points"][-1]
        for words in (f"{last['value']:.3g}", f"{last['labels']:.0f} labels bring",
                      f"{self.data['test']['calibration_error']:.3g}", self.data["batch"]["rows"][0]["reason"],
                      self.data["arms"][0]["rounds"][2]["versions"]["model"][:16]):
            self.assertIn(words, page.words)
        self.assertNotIn("What is missing", page.words)
        self.assertEqual(self.data["missing"], [])
        self.assertIn(f"{last['labels']:.0f} labels bring", self.result.stdout)
        self.assertLessEqual(max(len(line) for line in self.result.stdout.splitlines()[:-1]), 78)

    def check_ranks(self):
        for ranks in (2, 3):
            _, page, data = report_fixture.report(self.campaign, ranks=ranks)
            self.assertEqual(page, self.page, f"{ranks} ranks")
            self.assertEqual(data, self.data, f"{ranks} ranks")
