"""The pools that both devices select from: fresh random rows in every run, and what is awkward about pools."""

import h5py
import numpy

CLASSES = 5
MEMBERS = 4
DIM = 24
COMPONENTS = 2
# Rows of these values are refused, or skipped and counted.
WRONG = [numpy.nan, numpy.inf, -numpy.inf]


def softmax(logits):
    terms = numpy.exp(logits - logits.max(axis=-1, keepdims=True))
    return terms / terms.sum(axis=-1, keepdims=True)


def made_rows(generator, rows, classes=CLASSES, members=MEMBERS):
    """Features, logits and predictions of `rows` rows, all of them random."""
    return {
        "features": generator.normal(size=(rows, DIM)),
        "logits": 3 * generator.normal(size=(rows, classes)),
        "committee_logits": 3 * generator.normal(size=(rows, members, classes)),
        "predictions": generator.normal(size=(rows, members, COMPONENTS)),
        "cost": generator.uniform(1, 2, size=rows),
    }


def as_stored(made, kind):
    """Datasets of a pool; class outputs are stored as `kind`, probability or logit."""
    outputs = {"probabilities": made["logits"], "committee": made["committee_logits"]}
    if kind == "probability":
        outputs = {name: softmax(values) for name, values in outputs.items()}
    return {"features": made["features"], "predictions": made["predictions"], "cost": made["cost"],
            **outputs}


def write(path, stored, kind, dtype="<f4"):
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "sluice-pool"
        file.attrs["format_version"] = 1
        for name, values in stored.items():
            dataset = file.create_dataset(name, data=values.astype(dtype))
            if name in ("probabilities", "committee"):
                dataset.attrs["kind"] = kind


def tied(made, generator, distinct=7):
    """The same with `distinct` different rows only."""
    rows = len(made["cost"])
    copied = generator.integers(0, min(distinct, rows), size=rows)
    return {name: values[copied] for name, values in made.items()}


def spoiled(stored, generator):
    """The same with a wrong value in every dataset, in rows of their own."""
    spoiled_rows = {name: numpy.array(values) for name, values in stored.items()}
    rows = len(stored["cost"])
    taken = generator.permutation(rows)
    for number, (name, values) in enumerate(spoiled_rows.items()):
        if name == "cost":
            continue
        for i, wrong in enumerate(WRONG):
            row = taken[(number * len(WRONG) + i) % rows]
            place = tuple(generator.integers(0, size) for size in values.shape[1:])
            values[(row, *place)] = wrong
    return spoiled_rows


def write_labels(path, made, generator, regression):
    """Labels of a few rows, to train on and to keep away from."""
    rows = len(made["cost"])
    chosen = numpy.sort(generator.permutation(rows)[:min(120, rows // 2)])
    with h5py.File(path, "w") as labels:
        labels["row"] = chosen.astype("<i8")
        if regression:
            labels["y"] = made["features"][chosen, :COMPONENTS].astype("<f8")
        else:
            labels["y"] = made["features"][chosen, :CLASSES].argmax(axis=1).astype("<i4")


def make(folder, rows, seed):
    """Writes every pool of the check below `folder`."""
    generator = numpy.random.default_rng(seed)
    made = made_rows(generator, rows)
    write(folder / "plain.h5", as_stored(made, "probability"), "probability")
    write(folder / "logits.h5", as_stored(made, "logit"), "logit")
    write(folder / "half.h5", as_stored(made, "logit"), "logit", "<f2")
    ties = tied(made, generator)
    write(folder / "ties.h5", as_stored(ties, "probability"), "probability")
    write(folder / "tied_logits.h5", as_stored(ties, "logit"), "logit")
    write(folder / "bad.h5", spoiled(as_stored(made, "probability"), generator), "probability")
    write(folder / "bad_logits.h5", spoiled(as_stored(made, "logit"), generator), "logit")
    one = made_rows(generator, 1)
    write(folder / "one.h5", as_stored(one, "probability"), "probability")
    write(folder / "one_logits.h5", as_stored(one, "logit"), "logit")
    for classes in (40, 1500):
        wide = made_rows(generator, max(rows // 20, 40), classes)
        write(folder / f"wide{classes}.h5", as_stored(wide, "logit"), "logit")
    write_labels(folder / "classes.h5", made, generator, regression=False)
    write_labels(folder / "values.h5", made, generator, regression=True)
