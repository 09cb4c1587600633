#!/usr/bin/env python3
"""How many rounds jobs take until they settle, simulated in the clear, beside what `jointlab job plan` reckons with.

Pools both parties' files, which only a laboratory may do, draws rows and, with --subsets, columns, prepares them and runs
`Protocols/protocol.md`, "Few rounds", in double precision. Nothing here shares code with the product. Needs numpy.

    rounds.py --bank bank.csv --platform platform.csv --spec spec.json [--jobs 20] [--subsets] [--seed 1]
"""

import argparse
import copy
import json
import math
import pathlib
import random

import numpy as np

import lossless

MOST = 200


class Sigmoid:
    """Its projection on Chebyshev polynomials: "Separable sigmoid"."""

    def __init__(self, degree, half_range):
        self.degree, self.range = degree, half_range
        self.nodes = np.cos(np.pi * (np.arange(64) + 0.5) / 64)
        basis = self.polynomials(self.nodes * half_range)
        weight = (0.95 * np.exp(-((self.nodes * half_range) ** 2) / 2) / math.sqrt(2 * math.pi) + 0.05 / (2 * half_range)) * np.sqrt(1 - self.nodes**2)
        self.projection = np.linalg.solve(basis.T @ (basis * weight[:, None]), (basis * weight[:, None]).T)

    def polynomials(self, t):
        return np.polynomial.chebyshev.chebvander(np.clip(t / self.range, -1, 1), self.degree)

    def __call__(self, s, t):
        probability = 1 / (1 + np.exp(-(s[:, None] + self.range * self.nodes)))
        return ((probability @ self.projection.T) * self.polynomials(t)).sum(1)


def rounds(bank, platform, y, training):
    """Until the longest preconditioned step is below the tolerance."""
    n, sizes = len(y), (bank.shape[1], platform.shape[1])
    l2, tolerance, history = training.get("l2", 1e-4), training.get("tolerance", 1e-3), training.get("history", 8)
    sigmoid = Sigmoid(training.get("degree", 4), training.get("range", 4.0))
    ridge = [np.full(size, l2) for size in sizes]
    ridge[0][0] = 0
    start = lossless.optimum(bank, y, l2)
    curvature = 1 / (1 + np.exp(-bank @ start))
    curvature *= 1 - curvature
    exponent = min(max(round(math.log2(curvature.mean())), -20), -2)
    factors = [np.linalg.cholesky((x * c[:, None]).T @ x / n + np.diag(r) + 1e-12 * np.eye(len(r))) for x, c, r in zip(
        (bank, platform), (curvature, np.full(n, 2.0**exponent)), ridge)]
    point = np.concatenate([factors[0].T @ start, np.zeros(sizes[1])])
    points, steps = [], []
    for count in range(1, MOST + 1):
        weights = [np.linalg.solve(factor.T, part) for factor, part in zip(factors, np.split(point, [sizes[0]]))]
        residual = sigmoid(bank @ weights[0], platform @ weights[1]) - y
        gradients = [x.T @ residual / n + r * w for x, r, w in zip((bank, platform), ridge, weights)]
        step = -np.concatenate([np.linalg.solve(factor, g) for factor, g in zip(factors, gradients)])
        if max(np.abs(np.linalg.solve(factor.T, part)).max() for factor, part in zip(factors, np.split(step, [sizes[0]]))) < tolerance:
            return count
        points, steps = points + [point], steps + [step]
        changes = [(steps[-1 - i] - steps[-2 - i], points[-1 - i] - points[-2 - i]) for i in range(min(len(steps) - 1, history))]
        point = point + step
        if changes:
            columns = np.array([change for change, _ in changes] + [step])
            lengths = np.linalg.norm(columns, axis=1)
            gram = (columns / lengths[:, None]) @ (columns / lengths[:, None]).T
            values, vectors = np.linalg.eigh(gram[:-1, :-1])
            kept = values > 1e-6 * values.max()
            gamma = vectors[:, kept] @ (vectors[:, kept].T @ gram[:-1, -1] / values[kept]) * lengths[-1] / lengths[:-1]
            point = point - sum(weight * (d_point + d_step) for weight, (d_step, d_point) in zip(gamma, changes))
        points, steps = points[-history - 1:], steps[-history - 1:]
    return MOST


def forecast(spec):
    """Without earlier jobs."""
    types = [feature.get("type") if isinstance(feature, dict) else None for feature in spec["features"]["platform"]]
    flags = types.count("flag") + 3 * types.count("category")
    decades = math.log10(spec.get("training", {}).get("tolerance", 1e-3) / 1e-3)
    return int((8.5 + 24 * flags / (16 + flags)) * min(1 - 0.21 * decades, 1.2 - 0.41 * decades) + 0.5)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("bank", "platform", "spec"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--subsets", action="store_true", help="draw columns and the number of rows too")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    whole = json.loads(pathlib.Path(options.spec).read_text(encoding="utf-8"))
    population, label = whole["population"], {"bad": "1", "good": "0", **whole["label"]}
    tables = [lossless.read_table(file, population[key], population["id_type"])
              for file, key in ((options.bank, "bank_id"), (options.platform, "platform_id"))]
    common = sorted(tables[0].keys() & tables[1].keys())
    source = random.Random(options.seed)
    ratios = []
    for _ in range(options.jobs):
        spec, ids = copy.deepcopy(whole), list(common)
        if options.subsets:
            ids = source.sample(ids, source.randint(max(1000, len(ids) // 4), len(ids)))
            for side, features in spec["features"].items():
                spec["features"][side] = source.sample(features, source.randint(max(2, len(features) // 3), len(features)))
        source.shuffle(ids)
        train = np.arange(len(ids)) < round(spec.get("split", {}).get("share", 0.7) * len(ids))
        bank, platform = ([table[i] for i in ids] for table in tables)
        y = np.array([float(row[label["column"]].strip() == label["bad"]) for row in bank])[train]
        sides = [lossless.matrix(lossless.prepare_all(table, spec["features"][side], train), len(ids))[train] for table, side in
                 ((bank, "bank"), (platform, "platform"))]
        real, expected = rounds(sides[0], sides[1][:, 1:], y, spec.get("training", {})), forecast(spec)
        ratios.append(max(real / expected, expected / real))
        print(f"rows {train.sum()}, columns {sides[0].shape[1]} + {sides[1].shape[1] - 1}: {real} rounds, forecast {expected}", flush=True)
    print(f"within 1.1: {sum(r <= 1.1 for r in ratios)} of {len(ratios)}; within 1.2: {sum(r <= 1.2 for r in ratios)}; largest factor {max(ratios):.2f}")


if __name__ == "__main__":
    main()
