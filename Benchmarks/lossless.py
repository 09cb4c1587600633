#!/usr/bin/env python3
"""Checks that a training job lost nothing by being encrypted.

Pools both parties' files, which only a laboratory may do, prepares the columns and solves the same penalised logistic
regression with a Newton method of its own in double precision, and compares it with what the job reported. Nothing
here shares code with the product. Needs numpy.

    lossless.py --bank bank.csv --platform platform.csv --spec spec.json --output JOB_DIRECTORY
                [--log-loss 2e-5] [--auc 2e-4] [--rounds 12] [--json]

Exit code 0: within all bounds on the training rows, 1: outside one of them, 2: the files cannot be compared.
"""

import argparse
import csv
import json
import math
import pathlib
import sys
import unicodedata
from collections import Counter

import numpy as np

MINIMUM_DIFFERING_ROWS = 50
MISSING = {"", "NA", "N/A", "#N/A", "NULL", "null", "nan", "NaN", "-", "无", "空"}


# Preparation of columns: Protocols/specification.md, "Treatment of features".


def differing(values):
    """Number of values that differ from the commonest one."""
    return len(values) - max(Counter(values.tolist()).values())


def prepare(cells, feature, train):
    """The model columns of one declared feature, as (name, values over all rows), fitted on the training rows."""
    name, kind = feature["column"], feature.get("type", "number")
    policy = feature.get("missing", "indicator")
    missing = np.array([cell == "" for cell in cells])
    if policy == "refuse" and missing.any():
        raise ValueError(f"{name}: missing values")

    if kind == "number":
        x = np.array([float(cell) if cell else math.nan for cell in cells])
        if feature.get("cap"):
            x = np.clip(x, *feature["cap"])
        if feature.get("log1p", False):
            x = np.log1p(np.maximum(x, 0))
        present = x[train & ~missing]
        deviation = present.std() if len(present) else 0.0
        z = np.zeros(len(x)) if deviation == 0 else (x - present.mean()) / deviation
        clip = feature.get("clip", 4.0)
        z[missing] = 0
        columns = [(name, np.clip(z, -clip, clip))]
    elif kind == "flag":
        words = {"": 0.0, "false": 0.0, "true": 1.0}
        columns = [(name, np.array([words[cell.lower()] if cell.lower() in words else float(cell) for cell in cells]))]
    elif kind == "category":
        counts = Counter(cell for cell, used in zip(cells, train) if used and cell)
        levels = [level for level in sorted(counts)[1:] if counts[level] >= feature.get("minimum_count", 50)]
        columns = [(f"{name}={level}", np.array([float(cell == level) for cell in cells])) for level in levels]
    else:
        raise ValueError(f"{name}: unknown type {kind}")

    if policy == "indicator":
        columns.append((f"{name} missing", missing.astype(float)))
    return [(title, x) for title, x in columns if differing(x[train]) >= MINIMUM_DIFFERING_ROWS]


def prepare_all(table, features, train):
    """The model columns of one party; a column that repeats an earlier one on every training row is dropped."""
    kept = []
    for feature in features:
        feature = {"column": feature} if isinstance(feature, str) else feature
        cells = [row[feature["column"]].strip() for row in table]
        cells = ["" if cell in MISSING else cell for cell in cells]
        for name, x in prepare(cells, feature, train):
            if not any(np.array_equal(x[train], earlier[train]) for _, earlier in kept):
                kept.append((name, x))
    return kept


# The pooled optimum and its measures.


def log_loss(score, y):
    """Mean of log(1 + e^u) - y u."""
    return float(np.mean(np.logaddexp(0, score) - y * score))


def auc(score, y):
    """Area under the ROC curve; ties count half."""
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    bads = y.sum()
    return float((rank[y == 1].sum() - bads * (bads + 1) / 2) / (bads * (len(y) - bads)))


def optimum(x, y, l2):
    """argmin of log-loss + l2/2 |w|^2 by damped Newton steps; column 0 is the intercept and bears no penalty."""
    ridge = np.full(x.shape[1], l2)
    ridge[0] = 0

    def objective(w):
        return log_loss(x @ w, y) + np.sum(ridge * w * w) / 2

    w = np.zeros(x.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -700, 700)))
        gradient = x.T @ (p - y) / len(y) + ridge * w
        hessian = (x * (p * (1 - p))[:, None]).T @ x / len(y) + np.diag(ridge)
        step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        decrement = float(gradient @ step)
        if decrement < 1e-20:
            return w
        size = 1.0
        while size > 1e-6 and objective(w - size * step) > objective(w) - 0.1 * size * decrement + 1e-15:
            size /= 2
        w = w - size * step
    raise ValueError("the pooled optimum was not reached; is the penalty 0 on separable data?")


# Files.


def normalise(identifier, id_type):
    """Credit codes compare as full width folded to half width, upper case, without spaces; other identifiers trimmed."""
    if id_type == "uscc":
        return "".join(unicodedata.normalize("NFKC", identifier).upper().split())
    return identifier.strip()


def read_table(path, column, id_type):
    """Rows by identifier."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        return {normalise(row[column], id_type): row for row in csv.DictReader(file)}


def pooled(bank_path, platform_path, spec, scores):
    """(bank columns, platform columns, labels, training mask) in the order of the score file."""
    population, label = spec["population"], {"bad": "1", "good": "0", **spec["label"]}
    id_type = population["id_type"]
    bank = read_table(bank_path, population["bank_id"], id_type)
    platform = read_table(platform_path, population["platform_id"], id_type)
    ids = [normalise(row["id"], id_type) for row in scores]
    if len(set(ids)) != len(ids) or not set(ids) <= bank.keys() & platform.keys():
        raise ValueError("scores.csv has repeated identifiers or some that are not common to both files")
    bank, platform = [bank[i] for i in ids], [platform[i] for i in ids]
    train = np.array([row["part"] == "train" for row in scores])
    value = {label["bad"]: 1.0, label["good"]: 0.0}
    y = np.array([value[row[label["column"]].strip()] for row in bank])
    features = spec["features"]
    return prepare_all(bank, features["bank"], train), prepare_all(platform, features["platform"], train), y, train


def matrix(columns, rows):
    return np.column_stack([np.ones(rows)] + [x for _, x in columns])


def compare(arguments):
    """The comparison as a dictionary that --json prints."""
    output = pathlib.Path(arguments.output)
    spec = json.loads(pathlib.Path(arguments.spec).read_text(encoding="utf-8"))
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    with open(output / "scores.csv", encoding="utf-8", newline="") as file:
        scores = list(csv.DictReader(file))
    bank, platform, y, train = pooled(arguments.bank, arguments.platform, spec, scores)
    l2 = spec.get("training", {}).get("l2", 1e-4)

    best = {}
    for model, columns in {"joint": bank + platform, "bank_only": bank}.items():
        x = matrix(columns, len(y))
        best[model] = x @ optimum(x[train], y[train], l2)
    probability = np.clip([float(row["probability"]) for row in scores], 1e-15, 1 - 1e-15)
    job_score = np.log(probability) - np.log1p(-probability)

    lines = []
    for part, rows in {"train": train, "test": ~train}.items():
        if len(set(y[rows])) < 2:
            continue
        for measure, name in ((log_loss, "log_loss"), (auc, "auc")):
            for model in ("joint", "bank_only"):
                pooled_value = measure(best[model][rows], y[rows])
                job_value = measure(job_score[rows], y[rows]) if model == "joint" else report[model][part][name]
                lines.append({"part": part, "model": model, "measure": name, "rows": int(rows.sum()),
                              "optimum": pooled_value, "job": job_value, "difference": job_value - pooled_value})

    bounds = {"log_loss": arguments.log_loss, "auc": arguments.auc}
    checks = [
        {"check": f"{line['model']} {line['measure']}", "value": abs(line["difference"]), "bound": bounds[line["measure"]]}
        for line in lines if line["part"] == "train"
    ]
    checks.append({"check": "rounds", "value": report["rounds"], "bound": arguments.rounds})
    for check in checks:
        check["pass"] = bool(check["value"] <= check["bound"])
    return {"columns": {"bank": [name for name, _ in bank], "platform": [name for name, _ in platform]},
            "comparison": lines, "checks": checks, "pass": all(check["pass"] for check in checks)}


def print_text(result):
    columns = result["columns"]
    print(f"columns: bank {len(columns['bank'])}, platform {len(columns['platform'])}")
    print(f"{'part':6}{'model':11}{'measure':10}{'rows':>8}{'optimum':>13}{'job':>13}{'difference':>12}")
    for line in result["comparison"]:
        print(f"{line['part']:6}{line['model']:11}{line['measure']:10}{line['rows']:8d}"
              f"{line['optimum']:13.8f}{line['job']:13.8f}{line['difference']:12.1e}")
    for check in result["checks"]:
        print(f"{'PASS' if check['pass'] else 'FAIL'}  {check['check']}: {check['value']:.3g}, at most {check['bound']:g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bank", "platform", "spec", "output"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--log-loss", type=float, default=2e-5, help="bound on the difference in mean log-loss")
    parser.add_argument("--auc", type=float, default=2e-4, help="bound on the difference in AUC")
    parser.add_argument("--rounds", type=int, default=12, help="bound on the rounds used")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        result = compare(arguments)
    except (OSError, KeyError, ValueError) as error:
        print(f"cannot compare: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        print_text(result)
    return 0 if result["pass"] else 1


if __name__ == "__main__":
    sys.exit(main())
