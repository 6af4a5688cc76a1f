"""scikit-learn estimators through export_sklearn.py and `sluice predict`, against themselves.

Probabilities (the softmax of what sluice writes) may differ from predict_proba by 1e-6; decision
values and predictions from decision_function and predict by 1e-6 of the largest, or of 1 where all
are smaller. The estimators see the pool's float32 features as float64. (sluice computes in float32:
where decision values are in the hundreds, so are probabilities' errors larger.)
"""

import json
import pathlib
import pickle
import sys
import unittest
import unittest.mock
import warnings

import h5py
import joblib
import numpy
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (BaggingClassifier, BaggingRegressor, RandomForestClassifier,
                              VotingClassifier, VotingRegressor)
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import (Lasso, LinearRegression, LogisticRegression, Ridge,
                                  RidgeClassifier, SGDClassifier)
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (MaxAbsScaler, MinMaxScaler, Normalizer, RobustScaler,
                                   StandardScaler)
from sklearn.svm import LinearSVC

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from exported_models import DIM, ROWS, ExportCase, softmax
from scripts import pool_file, run_here

import export_sklearn

OUT = "model.h5"


class SklearnCase(ExportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        random = numpy.random.default_rng(8)
        z = (cls.rows - cls.rows.mean(axis=0)) / cls.rows.std(axis=0)
        noisy = z[:, 0] - z[:, 1] * z[:, 2] + 0.3 * random.normal(size=ROWS)
        cls.three = numpy.digitize(noisy, numpy.quantile(noisy, [0.3, 0.6]))
        cls.two = (noisy > 0).astype(int)
        cls.target = 40 + 3 * noisy + numpy.sin(z[:, 3])
        cls.targets = numpy.column_stack([cls.target, z[:, 4] - 0.1 * noisy])
        warnings.simplefilter("ignore")  # of nets that are not done training

    def setUp(self):
        super().setUp()
        numpy.random.seed(0)  # of estimators without a random_state of their own

    def fit(self, estimator, labels):
        return estimator.fit(self.rows, labels)

    def said(self, estimators, **options):
        """[M,N,outputs] of estimators that are one member each."""
        export_sklearn.write_model(estimators, OUT, **options)
        return self.member_outputs().swapaxes(0, 1)

    def check_probabilities(self, estimators):
        for logits, estimator in zip(self.said(estimators), estimators, strict=True):
            with self.subTest(estimator=estimator):
                self.assert_near(softmax(logits), estimator.predict_proba(self.rows))

    def check_decisions(self, estimators, **options):
        for values, estimator in zip(self.said(estimators, **options), estimators, strict=True):
            with self.subTest(estimator=estimator):
                wanted = estimator.decision_function(self.rows)
                if wanted.ndim == 1:
                    numpy.testing.assert_array_equal(values[:, 0], -values[:, 1])
                    values = values[:, 1] - values[:, 0]
                self.assert_near(values, wanted)

    def check_predictions(self, estimators):
        for values, estimator in zip(self.said(estimators), estimators, strict=True):
            with self.subTest(estimator=estimator):
                self.assert_near(values, estimator.predict(self.rows).reshape(ROWS, -1))


def net(kind, activation, hidden=(12,)):
    return kind(hidden, activation=activation, max_iter=30, random_state=4)


class Classifiers(SklearnCase):
    def test_probabilities(self):
        for labels in (self.two, self.three):
            self.check_probabilities([self.fit(estimator, labels) for estimator in (
                LogisticRegression(), LogisticRegression(fit_intercept=False),
                LogisticRegression(multi_class="multinomial"), LinearDiscriminantAnalysis(),
                net(MLPClassifier, "relu"), net(MLPClassifier, "tanh", (6, 5)),
                net(MLPClassifier, "logistic", (6, 5)), net(MLPClassifier, "identity"),
                make_pipeline(StandardScaler(), net(MLPClassifier, "logistic")),
                make_pipeline("passthrough", StandardScaler(), PCA(4), LogisticRegression()),
                make_pipeline(PCA(5, whiten=True), StandardScaler(), LogisticRegression()),
                make_pipeline(RBFSampler(gamma=0.02, n_components=30, random_state=1),
                              StandardScaler(), LogisticRegression()),
                GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2))])

    def test_a_scaler_is_the_model_s_normalisation(self):
        for scaler in (StandardScaler(), RobustScaler(), MinMaxScaler((-1, 1)), MaxAbsScaler(),
                       StandardScaler(with_mean=False), StandardScaler(with_std=False),
                       make_pipeline(StandardScaler(), MinMaxScaler())):
            alike = [make_pipeline(scaler, LogisticRegression()), make_pipeline(
                scaler, RBFSampler(gamma=0.05, random_state=1), LogisticRegression())]
            fitted = [self.fit(estimator, self.three) for estimator in alike]
            with self.subTest(scaler=scaler):
                self.check_probabilities(fitted)
                export_sklearn.write_model(fitted, OUT)
                with h5py.File(OUT) as file:
                    self.assertIn("input/scale", file)
                pathlib.Path(OUT).unlink()

    def test_probabilities_of_two_classes_only(self):
        estimators = [LogisticRegression(solver="liblinear"), LogisticRegression(multi_class="ovr"),
                      make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", alpha=0.1))]
        self.check_probabilities([self.fit(estimator, self.two) for estimator in estimators])
        for estimator in estimators:
            with self.assertRaises(pool_file.Failure) as raised:
                export_sklearn.write_model(self.fit(estimator, self.three), OUT)
            self.assertIn("no softmax of linear decision values", str(raised.exception))
        self.check_decisions(estimators, decision_values=True)

    def test_decision_values(self):
        for labels in (self.two, self.three):
            self.check_decisions([self.fit(estimator, labels) for estimator in (
                LinearSVC(), LinearSVC(multi_class="crammer_singer"), SGDClassifier(),
                RidgeClassifier(), make_pipeline(StandardScaler(), LinearSVC()),
                SGDClassifier(penalty="l1"))])
        self.check_decisions([self.fit(SGDClassifier(penalty="l1"), self.three).sparsify()])


class Regressions(SklearnCase):
    def test_predictions(self):
        inner = make_pipeline(StandardScaler(), net(MLPRegressor, "relu"))
        for targets in (self.target, self.targets):
            self.check_predictions([self.fit(estimator, targets) for estimator in (
                LinearRegression(), Ridge(), Lasso(0.01), make_pipeline(StandardScaler(), Ridge()),
                make_pipeline(StandardScaler(), net(MLPRegressor, "tanh")),
                make_pipeline(RBFSampler(gamma=0.02, random_state=2), Ridge()),
                TransformedTargetRegressor(inner, transformer=StandardScaler()),
                TransformedTargetRegressor(inner, transformer=MinMaxScaler()),
                TransformedTargetRegressor(Ridge()))])

    def test_a_target_that_no_layer_restores(self):
        logs = TransformedTargetRegressor(Ridge(), func=numpy.log, inverse_func=numpy.exp)
        with self.assertRaises(pool_file.Failure):
            export_sklearn.write_model(self.fit(logs, self.target), OUT)


class Committees(SklearnCase):
    def member_probabilities(self, estimators):
        notes = export_sklearn.write_model(estimators, OUT)
        return softmax(self.member_outputs()), notes

    def test_voting_and_bagging_have_members(self):
        scaled = make_pipeline(StandardScaler(), LogisticRegression())
        words = numpy.array(["no", "perhaps", "yes"])
        for committee in (
                VotingClassifier([("a", LogisticRegression()), ("b", scaled)], voting="soft"),
                BaggingClassifier(LogisticRegression(), n_estimators=4, random_state=1),
                BaggingClassifier(scaled, n_estimators=5, max_features=0.6, random_state=1),
                BaggingClassifier(LogisticRegression(), n_estimators=4, max_features=5,
                                  bootstrap_features=True, random_state=1)):
            for labels in (self.three, words[self.three]):
                with self.subTest(committee=committee, labels=labels.dtype):
                    found, _ = self.member_probabilities(self.fit(committee, labels))
                    self.assertGreater(found.shape[1], 1)
                    self.assert_near(found.mean(axis=1), committee.predict_proba(self.rows))

    def test_regression_committees(self):
        for committee in (VotingRegressor([("a", Ridge()), ("b", LinearRegression())]),
                          BaggingRegressor(Ridge(), n_estimators=4, max_features=0.5,
                                           random_state=1)):
            export_sklearn.write_model(self.fit(committee, self.target), OUT)
            said = self.predict()["predictions"]
            self.assertEqual(said.shape[2], 1)
            self.assert_near(said.mean(axis=1)[:, 0], committee.predict(self.rows))

    def test_classes_that_a_member_never_saw_are_impossible(self):
        # A pipeline takes no sample weights, so its members see nothing but their sample.
        scaled = make_pipeline(StandardScaler(), LogisticRegression())
        few = BaggingClassifier(scaled, n_estimators=12, max_samples=6, random_state=1)
        found, notes = self.member_probabilities(self.fit(few, self.three))
        self.assertIn("never seen 1 of the 3 classes", " ".join(notes))
        self.assertTrue((found == 0).any())
        self.assert_near(found.mean(axis=1), few.predict_proba(self.rows))

    def test_other_classes_get_numbers(self):
        words = numpy.array(["cat", "dog", "eel"])[self.three]
        estimator = self.fit(LogisticRegression(), words)
        notes = export_sklearn.write_model(estimator, OUT)
        self.assertEqual(notes, ["classes have new numbers: 0 = 'cat', 1 = 'dog', 2 = 'eel'"])
        with h5py.File(OUT) as file:
            self.assertEqual(json.loads(file["provenance"].asstr()[0])["classes"],
                             ["cat", "dog", "eel"])
        self.assert_near(softmax(self.member_outputs()[:, 0]), estimator.predict_proba(self.rows))


class Refusals(SklearnCase):
    def test_estimators(self):
        logistic = self.fit(LogisticRegression(), self.three)
        broken = self.fit(LogisticRegression(), self.three)
        broken.coef_[1, 2] = numpy.nan
        labels = numpy.column_stack([self.two, 1 - self.two])
        cases = [
            ("RandomForestClassifier", self.fit(RandomForestClassifier(5), self.three)),
            ("OneVsRestClassifier",
             self.fit(OneVsRestClassifier(LogisticRegression()), self.three)),
            ("Nystroem", self.fit(make_pipeline(Nystroem(n_components=9), LogisticRegression()),
                                  self.three)),
            ("Normalizer", self.fit(make_pipeline(Normalizer(), LogisticRegression()), self.two)),
            ("clip=True", self.fit(make_pipeline(MinMaxScaler(clip=True), LogisticRegression()),
                                   self.two)),
            ("several labels", self.fit(net(MLPClassifier, "relu"), labels)),
            ("one class against the rest, or clipped",
             self.fit(SGDClassifier(loss="modified_huber"), self.two)),
            ("different weights", self.fit(VotingClassifier(
                [("a", LogisticRegression()), ("b", LogisticRegression())], voting="soft",
                weights=[2, 1]), self.three)),
            ("not fitted", LogisticRegression()), ("is no estimator (dict)", {"coef": 3}),
            ("no members", []),
            ("all classify, or all predict", [logistic, self.fit(Ridge(), self.target)]),
            ("reads 7 values, but gets 8",
             [logistic, LogisticRegression().fit(self.rows[:, :7], self.three)]),
            ("cannot be put in order",
             [logistic, self.fit(LogisticRegression(), self.two.astype("U"))]),
            ("nan", broken)]
        for part, estimator in cases:
            with self.subTest(part=part), self.assertRaises(pool_file.Failure) as raised:
                export_sklearn.write_model(estimator, OUT)
            self.assertIn(part, str(raised.exception))
            self.assertEqual(list(self.folder.glob("*model*")), [])

    def test_layers_that_do_not_give_what_the_estimator_predicts(self):
        estimator = self.fit(LogisticRegression(), self.three)
        estimator.predict_proba = lambda rows: numpy.full((len(rows), 3), 1 / 3)
        with self.assertRaises(pool_file.Failure) as raised:
            export_sklearn.write_model(estimator, OUT)
        self.assertEqual(raised.exception.code, 65)

    def test_command_line(self):
        first = self.fit(LogisticRegression(), self.three)
        joblib.dump(first, "a.joblib")
        pathlib.Path("b.pkl").write_bytes(pickle.dumps([first, first]))
        finished = run_here("export_sklearn.py", ["a.joblib", "b.pkl", "--out", OUT,
                                                  "--temperature", 2])
        self.assertEqual(finished.returncode, 0, finished.stderr)
        self.assertIn("model.h5: classification, 3 member(s), 8 features, 3 classes",
                      finished.stdout)
        for logits in self.member_outputs().swapaxes(0, 1):
            self.assert_near(logits, first.decision_function(self.rows) / 2)
        pathlib.Path("text.pkl").write_text("no pickle")
        joblib.dump(RandomForestClassifier(2).fit(self.rows, self.two), "forest.joblib")
        for code, part, *arguments in [
                (66, "missing.pkl: no such file", "missing.pkl", "--out", OUT),
                (65, "text.pkl: cannot be loaded", "text.pkl", "--out", OUT),
                (65, "forest.joblib: cannot export", "forest.joblib", "--out", OUT),
                (64, "temperature", "a.joblib", "--out", OUT, "--temperature", "-1"),
                (64, "--out", "a.joblib"),
                (73, "exists already", "a.joblib", "--out", "b.pkl")]:
            with self.subTest(part=part):
                self.refused("export_sklearn.py", code, part, *arguments)
        with unittest.mock.patch.dict(sys.modules, {"joblib": None}):
            self.refused("export_sklearn.py", 69, "apt-get install python3-joblib", "a.joblib",
                         "--out", OUT)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
