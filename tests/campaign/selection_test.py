"""Rules of a selection beyond score and diversity, from the command line and from LightlyOne's JSON:
what NumPy in float64 chooses, on any number of ranks; what cannot be is one line and changes nothing."""

import csv
import json
import pathlib
import sys
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from selection_case import BATCH, MARGIN, ROWS, SelectionCase, embeddings, metadata


class Selection(SelectionCase):
    def test_excluded_rows_in_every_form(self):
        gone = self.best(range(ROWS), 7)
        expected = self.best(sorted(set(range(ROWS)) - set(gone)), BATCH)
        with h5py.File(self.at("gone.h5"), "w") as file:
            file["row"] = np.array(gone, dtype=np.int64)
        ids = "".join(f"img-{row}\n" for row in gone)
        self.write("ids.txt", "# taken\n" + ids)
        self.write("rows.csv", "row,score\n" + "".join(f"{row},1\r\n" for row in gone))
        self.write("named.csv", 'note,id\n' + "".join(f'"a, ""b""",img-{row}\n' for row in gone))
        common = ("--batch", str(BATCH), "--score", "margin", "--diversify", "none")
        for name in ("gone.h5", "ids.txt", "rows.csv", "named.csv"):
            with self.subTest(name=name):
                batch = self.select(*common, "--exclude", self.at(name),
                                    ranks=(3,) if name == "ids.txt" else (1,))
                self.assertEqual(self.rows_of(batch), expected)
                self.assertEqual({record["reason"] for record in batch}, {"score"})
        for text, code, message in (("row\n300\n", 65, "line 2: '300' is no row of the pool"),
                                    ("row\n-1\n", 65, "line 2: '-1' is no row"),
                                    ("img-1\nimg-x\n", 65, "line 2: no row of the pool has the id"),
                                    ("note,id\nx\n", 65, "line 2 names no row")):
            with self.subTest(text=text):
                self.assertIn(message, self.run_select(
                    *common, "--selected", self.at("n.csv"), "--exclude",
                    self.write("bad.txt", text), expect=code))
        self.assertIn("absent.txt", self.run_select(*common, "--selected", self.at("n.csv"),
                                                    "--exclude", self.at("absent.txt"), expect=66))
        self.assertFalse((self.folder / "n.csv").exists())

    def test_quotas_of_predicted_classes_texts_and_groups(self):
        predicted = self.probabilities.argmax(axis=1)
        groups = np.arange(ROWS) // 60
        for by, quota, classes in (
                ("class", {"tram": 4, "bus": 3}, np.array(["car", "bus", "bike", "tram"])[predicted]),
                ("column:weather", {"cloudy": 6, "sunny": 1}, self.weather),
                ("groups", {"4": 5}, groups.astype(str))):
            with self.subTest(by=by):
                expected = []
                for name, count in quota.items():
                    expected += self.best(np.flatnonzero(classes == name), count)
                rest = sorted(set(range(ROWS)) - set(expected))
                expected += self.best(rest, BATCH - len(expected))
                text = ", ".join(f"{name}={count}" for name, count in quota.items())
                batch = self.select("--batch", str(BATCH), "--score", "margin", "--diversify",
                                    "none", "--class-by", by, "--quota", text)
                self.assertEqual(self.rows_of(batch), expected)
                reasons = [f"quota {name}" for name, count in quota.items() for _ in range(count)]
                self.assertEqual([record["reason"] for record in batch],
                                 reasons + ["score"] * (BATCH - len(reasons)))

    def farthest_first(self, strength, among):
        """LightlyOne's greedy: distance of unit vectors times score^strength."""
        unit = self.features.astype(np.float64)
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        chosen, nearest = [self.best(among, 1)[0]], np.full(ROWS, np.inf)
        while len(chosen) < BATCH:
            nearest = np.minimum(nearest, np.linalg.norm(unit - unit[chosen[-1]], axis=1))
            gain = nearest * self.margin ** strength
            chosen.append(max((row for row in among if row not in chosen), key=lambda row: gain[row]))
        return chosen, unit

    def test_a_selection_of_lightlyone_reads_as_it_is(self):
        selection = {"n_samples": BATCH, "strategies": [
            embeddings("DIVERSITY", strength=0.5), MARGIN,
            metadata("sharpness", type="THRESHOLD", threshold=0.3, operation="BIGGER_EQUAL")]}
        path = self.write("s.json", selection)
        batch = self.select("--selection", path, ranks=(2, 7))
        among = np.flatnonzero(self.sharpness >= 0.3)
        expected, unit = self.farthest_first(2.0, among)
        self.assertEqual(self.rows_of(batch), expected)
        self.assertEqual([record["reason"] for record in batch],
                         ["start"] + ["k_center"] * (BATCH - 1))
        for at in range(1, BATCH):
            cosines = unit[expected[:at]] @ unit[expected[at]]
            self.assertEqual(int(batch[at]["nearest"]), expected[int(cosines.argmax())])
            self.assertAlmostEqual(float(batch[at]["nearest_distance"]), 1 - cosines.max(), 5)

    def test_the_batch_ends_at_the_least_distance(self):
        least = 0.9
        among = range(ROWS)
        expected, unit = self.farthest_first(1.0, among)
        ends = next(at for at in range(1, BATCH) if np.linalg.norm(
            unit[expected[:at]] - unit[expected[at]], axis=1).min() < least)
        path = self.write("s.json", {"n_samples": BATCH, "strategies": [
            embeddings("DIVERSITY", stopping_condition_minimum_distance=least), MARGIN]})
        self.assertEqual(self.rows_of(self.select("--selection", path)), expected[:ends])

    def test_balance_and_proportion(self):
        path = self.write("s.json", {"proportion_samples": 0.1, "strategies": [
            metadata("weather", type="BALANCE",
                     target={"sunny": 0.5, "rain, snow": 0.4, "cloudy": 0.1}), MARGIN]})
        batch = self.select("--selection", path)
        self.assertEqual(len(batch), ROWS // 10)
        scarce = int((self.weather == "rain, snow").sum())
        self.assertLess(scarce, 12)
        reasons = [record["reason"] for record in batch]
        self.assertEqual(reasons, ["balance sunny"] * 15 + ["balance rain, snow"] * scarce +
                         ["balance cloudy"] * 3 + ["refill"] * (12 - scarce))
        said = self.run_select("--selection", path, "--selected", self.at("s.csv"))
        self.assertIn(f"class 'rain, snow' gave {scarce} of 12 rows", said)

    def test_similarity_to_given_rows(self):
        like = self.features[[5, 6]] + np.float32([[0.01], [0.02]])
        with h5py.File(self.at("like.h5"), "w") as file:
            file.attrs["format"] = "sluice-pool"
            file.attrs["format_version"] = 1
            file["features"] = like
        path = self.write("s.json", {"n_samples": BATCH, "strategies": [
            {"input": {"type": "EMBEDDINGS", "dataset_id": self.at("like.h5")},
             "strategy": {"type": "SIMILARITY", "strength": 3}}, MARGIN]})
        unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)
        cosines = unit(self.features.astype(np.float64)) @ unit(like.astype(np.float64)).T
        scores = ((1 + cosines.max(axis=1)) / 2) ** 3 * self.margin
        expected = [int(row) for row in np.argsort(-scores, kind="stable")[:BATCH]]
        self.assertEqual(self.rows_of(self.select("--selection", path)), expected)
        plain = self.select("--batch", str(BATCH), "--score", "similarity^3*margin", "--metric",
                            "cosine", "--diversify", "none", "--similar-to", self.at("like.h5"),
                            ranks=(2,))
        self.assertEqual(self.rows_of(plain), expected)
        distances = np.linalg.norm(self.features.astype(np.float64)[:, None] - like[None], axis=2)
        scores = 1 / (1 + distances.min(axis=1))
        batch = self.select("--batch", "5", "--score", "similarity", "--diversify", "none",
                            "--similar-to", self.at("like.h5"))
        self.assertEqual(self.rows_of(batch),
                         [int(row) for row in np.argsort(-scores, kind="stable")[:5]])

    def test_random_share_and_map(self):
        options = ("--batch", "20", "--score", "margin", "--random-share", "0.5", "--map",
                   self.at("map.csv"), "--shortlist", "60")
        batch = self.select(*options)
        self.assertEqual([record["reason"] for record in batch],
                         ["random share"] * 10 + ["k_center"] * 10)
        other = self.select(*options, "--seed", "1", ranks=(1,))
        self.assertNotEqual(self.rows_of(batch)[:10], self.rows_of(other)[:10])
        self.select(*options, ranks=(3,))
        chosen = sorted(self.rows_of(batch))
        with open(self.at("map.csv"), encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        self.assertLessEqual(set(chosen), {int(line["row"]) for line in lines})
        for line in lines:
            distances = np.linalg.norm(
                self.features[chosen].astype(np.float64) - self.features[int(line["row"])], axis=1)
            self.assertEqual(int(line["chosen"]), chosen[int(distances.argmin())])
            self.assertAlmostEqual(float(line["distance"]), distances.min(), 5)
            self.assertEqual(line["id"], f"img-{line['row']}")

    def test_what_cannot_be_changes_nothing(self):
        queue = self.at("queue")
        self.run_select("--batch", "3", "--score", "random", "--queue", queue)
        before = sorted((str(path), path.read_bytes() if path.is_file() else b"")
                        for path in pathlib.Path(queue).rglob("*"))
        diverse = [embeddings("DIVERSITY")]
        cases = (
            ({"n_samples": 298, "strategies": diverse}, (), 65,
             "asks for 298 rows, but the pool has 297 candidates"),
            ({"n_samples": 5, "strategies": [metadata("bad", type="WEIGHTS")]}, (), 65,
             "(a weight must be >= 0)"),
            ({"n_samples": 5, "strategies": [metadata("absent", type="WEIGHTS")]}, (), 65, "absent"),
            ({"n_samples": 5, "strategie": diverse}, (), 78, "did you mean strategies?"),
            ({"n_samples": 5, "strategies": diverse}, ("--diversify", "k_center"), 64,
             "--diversify: "),
            ({"strategies": diverse}, (), 78, "n_samples: missing"),
            ("{", (), 78, "is no JSON"),
            (None, ("--batch", "9", "--quota", "tram=200"), 64, "more than the batch's 9"),
            (None, ("--batch", "150", "--quota", "tram=140"), 65, "--quota: class 'tram' of class"),
            (None, ("--batch", "9", "--quota", "plane=1"), 65, "'plane' can be no class of"),
            (None, ("--batch", "9", "--quota", "car=1", "--balance", "uniform"), 64, "--quota: "),
            (None, ("--batch", "9", "--random-share", "2"), 64, "--random-share: not a share"),
            (None, ("--batch", "9", "--distinct-within", "-1"), 64, "--distinct-within: "),
            (None, ("--batch", "9", "--class-by", "weather"), 64, "--class-by: "),
            (None, (), 64, "--batch B: missing"))
        for number, (selection, options, code, message) in enumerate(cases):
            with self.subTest(message=message):
                if selection is not None:
                    options += ("--selection", self.write("s.json", selection))
                line = self.run_select("--queue", queue, *options, ranks=2 if number % 9 == 0 else 1,
                                       expect=code)
                self.assertIn(message, line)
                after = sorted((str(path), path.read_bytes() if path.is_file() else b"")
                               for path in pathlib.Path(queue).rglob("*"))
                self.assertEqual(after, before)

    def test_a_batch_in_parts_is_found_again(self):
        queue = self.at("queue")
        options = ("--batch", "9", "--score", "margin", "--balance", "uniform", "--class-by",
                   "column:weather", "--random-share", "0.2", "--queue", queue)
        first = self.run_select(*options).split()[1].rstrip(":")
        self.assertIn(f"batch {first} is already published", self.run_select(*options, ranks=2))
        manifest = json.loads((pathlib.Path(queue) / "batches" / first / "manifest.json").read_text(
            encoding="utf-8"))
        self.assertEqual((manifest["balance"], manifest["random_rows"]), ("uniform", 2))


if __name__ == "__main__":
    unittest.main()
