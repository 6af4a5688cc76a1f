"""Walks scikit-learn estimators: each as the layers of one or several heads.

Used by export_sklearn.py; not a program. Needs NumPy and scikit-learn.
"""

from typing import NamedTuple, Optional

import numpy

from layer_chain import LayerChain
from pool_file import EXIT_BAD_DATA, Failure
from sklearn_proof import Head, check_head, is_softmax

LINEAR_REGRESSORS = {
    "LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV",
    "MultiTaskLasso", "MultiTaskElasticNet", "BayesianRidge", "ARDRegression", "HuberRegressor",
    "SGDRegressor", "LinearSVR", "TheilSenRegressor", "QuantileRegressor"}
# Their probabilities are the softmax of the decision values, for two classes the sigmoid.
LOGIT_CLASSIFIERS = {"LogisticRegression", "LogisticRegressionCV", "LinearDiscriminantAnalysis"}
DECISION_CLASSIFIERS = {"LinearSVC", "SGDClassifier", "RidgeClassifier", "RidgeClassifierCV",
                        "Perceptron", "PassiveAggressiveClassifier"}
SEARCHES = {"GridSearchCV", "RandomizedSearchCV"}
COMMITTEES = {"VotingClassifier", "VotingRegressor", "BaggingClassifier", "BaggingRegressor"}
# The logit of a class that a member never saw: its probability is 0 in float32.
UNSEEN_LOGIT = -10000.0


class Walk:
    """How estimators become heads. `notes` gathers what people should know."""

    def __init__(self, decision_values: bool):
        self.decision_values = decision_values
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        """Adds a line, once."""
        if text not in self.notes:
            self.notes.append(text)

    # --- committees ------------------------------------------------------------------------------

    def heads(self, estimator, name: str) -> list[Head]:
        """The members that an estimator stands for."""
        kind = self._kind(estimator)
        if isinstance(estimator, (list, tuple)):
            return [head for number, member in enumerate(estimator)
                    for head in self.heads(member, f"{name}[{number}]")]
        if kind in SEARCHES:
            return self.heads(fitted(estimator, "best_estimator_", name), name)
        if kind not in COMMITTEES:
            return [self._head(estimator, name)]
        members = fitted(estimator, "estimators_", name)
        if kind.startswith("Voting"):
            self._check_votes(estimator, name)
            columns = [None] * len(members)
        else:
            columns = estimator.estimators_features_
        heads = []
        for number, member in enumerate(members):
            inner = self.heads(member, f"{name}[{number}]")
            for head in inner:
                self._read_columns(head, columns[number], estimator.n_features_in_)
            heads += [self._with_outer_classes(head, estimator) for head in inner]
        return heads

    def _check_votes(self, estimator, name: str) -> None:
        weights = getattr(estimator, "weights", None)
        if weights is not None and len(set(weights)) > 1:
            raise Failure(EXIT_BAD_DATA, f"{name}: its members have different weights "
                                         f"({list(weights)}); in a committee all count alike")
        if getattr(estimator, "voting", "soft") == "hard":
            self.note(f"{name}: votes 'hard'; a committee gives each member's probabilities")

    @staticmethod
    def _read_columns(head: Head, columns, dim: int) -> None:
        if columns is not None and not numpy.array_equal(columns, numpy.arange(dim)):
            head.chain.read_columns(columns, dim)

    @staticmethod
    def _with_outer_classes(head: Head, estimator) -> Head:
        """Members are trained on the numbers of the committee's classes."""
        if head.classes is None:
            return head
        return head._replace(classes=[plain(estimator.classes_[int(c)]) for c in head.classes])

    # --- one estimator ---------------------------------------------------------------------------

    @staticmethod
    def _kind(estimator) -> str:
        """The name of one of scikit-learn's own classes; a list is ''."""
        is_own = type(estimator).__module__.startswith("sklearn.")
        return type(estimator).__name__ if is_own else ""

    def _head(self, estimator, name: str) -> Head:
        if not hasattr(estimator, "fit"):
            raise Failure(EXIT_BAD_DATA, f"{name}: is no estimator ({type(estimator).__name__}); "
                                         "give a fitted one, or a list of them")
        chain = LayerChain(num_features(estimator, name), name)
        head = self._append(chain, estimator)
        chain.finish()
        check_head(head, estimator)
        return head

    def _append(self, chain: LayerChain, estimator) -> Head:
        """Appends an estimator's layers."""
        kind = self._kind(estimator)
        if kind == "Pipeline":
            for _, step in estimator.steps[:-1]:
                self._transform(chain, step)
            return self._append(chain, estimator.steps[-1][1])
        if kind in SEARCHES:
            return self._append(chain, fitted(estimator, "best_estimator_", chain.name))
        if kind == "TransformedTargetRegressor":
            self._append(chain, fitted(estimator, "regressor_", chain.name))
            self._restore_target(chain, estimator.transformer_)
            return Head(chain)
        if kind in ("MLPClassifier", "MLPRegressor"):
            return self._perceptron(chain, estimator)
        if kind in LINEAR_REGRESSORS:
            append_linear(chain, estimator)
            return Head(chain)
        if kind in LOGIT_CLASSIFIERS | DECISION_CLASSIFIERS:
            return self._linear_classifier(chain, estimator, kind)
        return chain.refuse(f"cannot export {type(estimator).__module__}."
                            f"{type(estimator).__name__}: only heads of linear layers can be, such "
                            "as LogisticRegression, LinearSVC, SGDClassifier, Ridge, MLPClassifier "
                            "and MLPRegressor, alone, behind scalers, PCA or RBFSampler in a "
                            "Pipeline, or in a Voting or Bagging committee")

    def _linear_classifier(self, chain: LayerChain, estimator, kind: str) -> Head:
        append_linear(chain, estimator)
        classes = fitted(estimator, "classes_", chain.name)
        if len(chain.layers[-1].weight) != (1 if len(classes) == 2 else len(classes)):
            chain.refuse(f"{kind} has {len(chain.layers[-1].weight)} decision values for "
                         f"{len(classes)} classes; several labels of a row cannot be exported")
        meaning = decision_meaning(estimator, kind, len(classes))
        if meaning == "other" and not self.decision_values:
            chain.refuse(f"{kind}: its probabilities (one class against the rest, or clipped) are "
                         "no softmax of linear decision values; train one with a softmax, as "
                         "LogisticRegression(solver='lbfgs'), or export the decision values "
                         "themselves with --decision-values")
        if meaning != "logits":
            self.note(f"{chain.name}: {kind}: the outputs are decision values; scores take them "
                      "as logits")
        if len(classes) == 2:
            is_softmax_of_two = getattr(estimator, "multi_class", "") == "multinomial"
            chain.split_binary(1.0 if is_softmax_of_two else 0.5)
        return Head(chain, [plain(c) for c in classes], meaning == "logits")

    def _perceptron(self, chain: LayerChain, estimator) -> Head:
        activation = {"logistic": "sigmoid"}.get(estimator.activation, estimator.activation)
        weights = fitted(estimator, "coefs_", chain.name)
        for number, (weight, bias) in enumerate(zip(weights, estimator.intercepts_)):
            if number > 0:
                chain.activate(activation)
            chain.affine(weight.T, bias)
        if not hasattr(estimator, "classes_"):
            return Head(chain)
        if estimator.out_activation_ == "logistic" and estimator.n_outputs_ > 1:
            chain.refuse("MLPClassifier was trained on several labels of a row; it may have one")
        if estimator.n_outputs_ == 1:
            chain.split_binary()
        return Head(chain, [plain(c) for c in estimator.classes_], True)

    # --- steps of a pipeline ---------------------------------------------------------------------

    def _transform(self, chain: LayerChain, step) -> None:
        kind = self._kind(step)
        if step is None or step == "passthrough":
            return
        scaler = scaler_of(step, kind, chain)
        if scaler is not None:
            chain.scale(*scaler)
        elif kind == "Pipeline":
            for _, inner in step.steps:
                self._transform(chain, inner)
        elif kind == "RBFSampler":
            chain.affine(fitted(step, "random_weights_", chain.name).T, step.random_offset_)
            chain.activate("cosine")
            chain.scale(numpy.sqrt(2.0 / step.n_components), 0.0)
        elif kind == "PCA":
            components = fitted(step, "components_", chain.name)
            if step.whiten:
                components = components / numpy.sqrt(step.explained_variance_)[:, None]
            chain.affine(components, -components @ step.mean_)
        else:
            chain.refuse(f"cannot export the step {type(step).__module__}.{type(step).__name__}; "
                         "steps may be StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, "
                         "PCA and RBFSampler")

    def _restore_target(self, chain: LayerChain, transformer) -> None:
        kind = self._kind(transformer)
        if kind == "FunctionTransformer" and transformer.inverse_func is None:
            return
        scaler = scaler_of(transformer, kind, chain)
        if scaler is None:
            chain.refuse(f"cannot undo the target's {kind}; only scalers can be")
        factor, shift = (numpy.broadcast_to(numpy.asarray(part, "f8"), chain.width)
                         for part in scaler)
        chain.scale(1 / factor, -shift / factor)


def plain(label):
    """A class label as Python's own type, for JSON and messages."""
    return label.item() if isinstance(label, numpy.generic) else label


def fitted(estimator, attribute: str, name: str):
    """An attribute that training leaves."""
    if not hasattr(estimator, attribute):
        raise Failure(EXIT_BAD_DATA, f"{name}: {type(estimator).__name__} is not fitted (it has no "
                                     f"{attribute}); call fit() before it is saved")
    return getattr(estimator, attribute)


def num_features(estimator, name: str) -> int:
    """D, the features that an estimator reads."""
    # A pipeline asks its first step, which may be None.
    steps = [step for _, step in getattr(estimator, "steps", [])]
    first = next((step for step in steps if hasattr(step, "n_features_in_")), estimator)
    return int(fitted(first, "n_features_in_", name))


def append_linear(chain: LayerChain, estimator) -> None:
    """coef_ and intercept_, whatever shapes they come in."""
    weight = fitted(estimator, "coef_", chain.name)
    weight = numpy.atleast_2d(weight.toarray() if hasattr(weight, "toarray") else weight)
    chain.affine(weight, numpy.broadcast_to(estimator.intercept_, len(weight)))


def decision_meaning(estimator, kind: str, num_classes: int) -> str:
    """What decision values are: "logits" (the probabilities are their softmax, of two classes the
    sigmoid), "decisions" (there are no probabilities), or "other" (they come in another way)."""
    if kind in LOGIT_CLASSIFIERS:
        # Which solvers are one against the rest depends on the version of scikit-learn.
        return "logits" if num_classes == 2 or is_softmax(estimator) else "other"
    if not hasattr(estimator, "predict_proba"):
        return "decisions"
    return "logits" if num_classes == 2 and estimator.loss in ("log_loss", "log") else "other"


def scaler_of(step, kind: str, chain: LayerChain):
    """factor and shift of a scaler, factor * x + shift; None for other steps."""
    if kind == "StandardScaler":
        fitted(step, "n_features_in_", chain.name)
        scale = 1.0 if step.scale_ is None else step.scale_
        mean = step.mean_ if step.with_mean else 0.0
        return 1 / numpy.asarray(scale, "f8"), -numpy.asarray(mean, "f8") / scale
    if kind == "MinMaxScaler":
        if step.clip:
            chain.refuse("MinMaxScaler(clip=True) is no linear step; train with clip=False")
        return fitted(step, "scale_", chain.name), step.min_
    if kind == "MaxAbsScaler":
        return 1 / fitted(step, "scale_", chain.name), 0.0
    if kind == "RobustScaler":
        fitted(step, "n_features_in_", chain.name)
        scale = 1.0 if step.scale_ is None else step.scale_
        center = 0.0 if step.center_ is None else step.center_
        return 1 / numpy.asarray(scale, "f8"), -numpy.asarray(center, "f8") / scale
    return None
