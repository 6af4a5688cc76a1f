"""LightlyOne's JSON where it asks for several things at once: two balances, tags, objects; what NumPy
in float64 chooses, on any number of ranks."""

import hashlib
import pathlib
import sys
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from selection_case import MARGIN, ROWS, SelectionCase, metadata


class Lightly(SelectionCase):
    @staticmethod
    def dealt_by(members, seen, balances, rows):
        """Rows of each cell: to the one that leaves the least missed, then moved one by one."""
        given = dict.fromkeys(members, 0)

        def missed(changes):
            total, after = 0.0, {**given, **changes}
            for at, (weight, shares) in enumerate(balances):
                for name in shares:
                    got = sum(count for cell, count in after.items() if seen[cell][at] == name)
                    total += weight * (got - shares[name] * rows) ** 2
            return round(total, 6)

        is_open = lambda cell: given[cell] < len(members[cell])
        for _ in range(rows):
            given[min(filter(is_open, members), key=lambda c: missed({c: given[c] + 1}))] += 1
        while True:
            moves = [{a: given[a] - 1, b: given[b] + 1} for a in members if given[a]
                     for b in members if b != a and is_open(b)]
            best = min(moves, key=missed)
            if missed(best) >= missed({}):
                return given
            given.update(best)

    def test_two_balances_at_once(self):
        names = np.array(["car", "bus", "bike", "tram"])
        predicted = self.probabilities.argmax(axis=1)
        weathers = {"sunny": 0.25, "cloudy": 0.25, "rain, snow": 0.5}
        classes = {"tram": 0.7, "bus": 0.1}
        batch_rows = 40
        for strength in (1, 50):
            path = self.write("s.json", {"n_samples": batch_rows, "strategies": [
                metadata("weather", type="BALANCE", target=weathers),
                {"input": {"type": "PREDICTIONS", "task": "t", "name": "CLASS_DISTRIBUTION"},
                 "strategy": {"type": "BALANCE", "target": classes, "strength": strength}},
                MARGIN]})
            batch = self.select("--selection", path, ranks=(2, 7))
            # Cells as sluice orders them: by hash of the weather, then by number of the class.
            order = {name: hashlib.sha256(name.encode()).hexdigest()[:15] for name in weathers}
            members = {}
            for weather in sorted(weathers, key=order.get):
                for number, name in enumerate(names):
                    rows = np.flatnonzero((self.weather == weather) & (predicted == number))
                    if len(rows):
                        members[weather, name] = rows
            seen = {cell: (cell[0], cell[1] if cell[1] in classes else "others")
                    for cell in members}
            shares = [(1, weathers), (strength, {**classes, "others": 0.2})]
            given = self.dealt_by(members, seen, shares, batch_rows)
            expected, reasons = [], []
            for cell, rows in members.items():
                expected += self.best(rows, given[cell])
                reasons += [f"balance {cell[0]} + {cell[1]}"] * given[cell]
            self.assertEqual(self.rows_of(batch), expected)
            self.assertEqual([record["reason"] for record in batch], reasons)
            said = self.run_select("--selection", path, "--selected", self.at("s.csv"))
            rain = sum(count for cell, count in given.items() if cell[0] == "rain, snow")
            self.assertIn(f"balance by column:weather: 'rain, snow' has {rain} rows for 20", said)
        with_groups = self.select("--selection", path, "--batch", "4", "--groups", "max")
        self.assertEqual(len({record["group"] for record in with_groups}), 4)
        planned = self.run_select("--selection", path, "--queue", self.at("q"), "--dry-run")
        self.assertIn("balance    by class: tram=0.7, bus=0.1; weight 50", planned)
        path = self.write("s.json", {"n_samples": 5, "strategies": [
            metadata("weather", type="BALANCE", distribution="INPUT"),
            {"input": {"type": "PREDICTIONS", "task": "t"},
             "strategy": {"type": "BALANCE", "target": {"plane": 1.0}}}]})
        self.assertIn("balance by class: 'plane' can be no class of", self.run_select(
            "--selection", path, "--selected", self.at("n.csv"), ranks=2, expect=65))

    def test_rows_of_a_tag(self):
        seen, query = [4, 9, 77], [20, 21]
        self.write("seen.txt", "".join(f"img-{row}\n" for row in seen))
        self.write("query.csv", "row\n" + "".join(f"{row}\n" for row in query))
        path = self.write("s.json", {"n_samples": 6, "strategies": [
            {"input": {"type": "EMBEDDINGS", "tag_name": "seen"},
             "strategy": {"type": "DIVERSITY"}}]})
        unit = self.features.astype(np.float64)
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        chosen = list(seen)
        for _ in range(6):
            nearest = np.linalg.norm(unit[:, None] - unit[chosen], axis=2).min(axis=1)
            nearest[chosen] = -1
            chosen.append(int(nearest.argmax()))
        self.assertEqual(self.rows_of(self.select("--selection", path)), chosen[3:])
        path = self.write("s.json", {"n_samples": 6, "strategies": [
            {"input": {"type": "EMBEDDINGS", "tag_name": "query"},
             "strategy": {"type": "SIMILARITY"}}]})
        cosines = (unit @ unit[query].T).max(axis=1)
        cosines[query] = -2
        batch = self.select("--selection", path, "--exclude", self.at("query.csv"))
        self.assertEqual(self.rows_of(batch), [int(row) for row in np.argsort(-cosines)[:6]])
        with h5py.File(self.at("like.h5"), "w") as file:  # the tag's rows are those of the file
            file.attrs["format"] = "sluice-pool"
            file.attrs["format_version"] = 1
            file["features"] = self.features[:30]
        same = self.select("--selection", path, "--similar-to", self.at("like.h5"), "--exclude",
                           self.at("query.csv"), ranks=(2,))
        self.assertEqual(self.rows_of(same), self.rows_of(batch))
        self.write("query.csv", "row\n300\n")
        self.assertIn("line 2: '300' is no row of the pool", self.run_select(
            "--selection", path, "--selected", self.at("n.csv"), expect=65))

    def test_embeddings_of_objects_are_instances(self):
        path = self.write("s.json", {"n_samples": 3, "strategies": [
            {"input": {"type": "EMBEDDINGS", "task": "cars"}, "strategy": {"type": "DIVERSITY"}},
            MARGIN]})
        batch = self.select("--selection", path, "--groups", "max")
        plain = self.select("--batch", "3", "--groups", "max", "--score", "margin", "--metric",
                            "cosine", "--strength", "2", "--shortlist", str(ROWS), ranks=(1,))
        self.assertEqual(self.rows_of(batch), self.rows_of(plain))
        self.assertEqual(len({record["group"] for record in batch}), 3)
        self.assertIn("strategies[0].input.task: rows have no embeddings of objects",
                      self.run_select("--selection", path, "--selected", self.at("n.csv"),
                                      expect=78))


if __name__ == "__main__":
    unittest.main()
