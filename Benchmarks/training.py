"""Whole jobs: three processes on this machine, 2048 bits, degree 4."""

import contextlib
import json
import math
import os
import pathlib
import random
import shutil
import socket
import subprocess
import time

import workers

FEATURES = (13, 10)
# FATE's own benchmark of this data runs so many epochs; one takes 2 N encryptions and N F matrix entries.
EPOCHS = 16
ROUNDS = 7
WITHIN = 1e-4


def measure(engines, figures, programs, place, data, repeat):
    data = rows_of(data, place, figures)
    prices = Prices(engines, figures, data)
    ratios = []
    for turn in range(max(1, repeat // 2)):
        figures.note(f"training: one round on one core and on two, turn {turn + 1}")
        prices.take()
        seconds = {}
        for cores in (1, 2):
            with Lab(programs, place / f"round-{turn}-{cores}", data, FEATURES, cores, rounds=1, kernels="portable") as lab:
                seconds[cores] = lab.run()["seconds"]["train"]
            figures.time(f"JointLab: round, cores {cores}", seconds[cores])
        ratios.append(seconds[1] / seconds[2])
    figures.add("round.cores", ratios)

    whole = Whole(engines, figures, programs, place / "whole", data, prices, "portable")
    if prices.epochs:
        figures.add("round.fate", [epoch / whole.round for epoch in prices.epochs])
        if whole.seconds:
            figures.add("whole.fate", [EPOCHS * epoch / whole.seconds for epoch in prices.epochs])


def rows_of(data, place, figures):
    """The folder of bank.csv and platform.csv."""
    if (data / "bank.csv").exists() and (data / "platform.csv").exists():
        return data
    figures.note(f"{data} has no bank.csv and platform.csv: invented data of the same shape instead")
    invent(place / "data", 30_000, FEATURES, 0.22)
    return place / "data"


class Prices:
    """What an epoch would cost FATE on two cores, each time from what its operations take then; none without fate_utils."""

    def __init__(self, engines, figures, data):
        self.fate, self.figures = engines.peer("fate"), figures
        self.rows = sum(1 for _ in open(data / "bank.csv", encoding="utf-8")) - 1
        self.epochs = []

    def take(self):
        if self.fate:
            encryption, entry = self.fate.each("encrypt", 2048, 128), self.fate.each("entry", 2048, 1280)
            self.figures.time("fate_utils: encrypt", encryption)
            self.figures.time("fate_utils: entry", entry)
            self.epochs.append((2 * self.rows * encryption + self.rows * sum(FEATURES) * entry) / 2)


class Whole:
    """A training on all cores, with prices taken before and after.

    round, total: seconds of one and of all. seconds: until the log-loss, as rounds tell it, is within `WITHIN` of the pooled
    optimum. distance: how far it is in the end, by the scores themselves. Both are `None` where they are not known. peer: what
    the peer that is asked says of the same rows."""

    def __init__(self, engines, figures, programs, folder, data, prices, kernels, ask=lambda lab: None):
        figures.note(f"training: {ROUNDS} rounds on all cores, kernels {kernels}")
        self.seconds = self.distance = None
        prices.take()
        with Lab(programs, folder, data, FEATURES, None, rounds=ROUNDS, tolerance=1e-4, kernels=kernels) as lab:
            report = lab.run()
            prices.take()
            self.total = report["seconds"]["train"]
            self.round = self.total / report["rounds"]
            figures.time(f"JointLab: round, kernels {kernels}", self.round)
            distances = distances_after_rounds(figures, engines, lab, report)
            self.peer = ask(lab)
            self.distance = distances[-1] if distances else None
        needed = next((index + 1 for index, distance in enumerate(distances or []) if distance <= WITHIN), None)
        if needed:
            figures.note(f"within {WITHIN} of the optimal log-loss after {needed} rounds")
            self.seconds = needed * self.round


def distances_after_rounds(figures, engines, lab, report):
    """After each round, the training log-loss less that of the pooled optimum."""
    environment = engines.place / "fate/bin/python"
    command = [str(environment), str(workers.REPOSITORY / "Benchmarks/lossless.py"), "--bank", str(lab.data / "bank.csv"), "--platform",
               str(lab.data / "platform.csv"), "--spec", str(lab.spec), "--output", str(lab.results), "--json"]
    if not environment.exists():
        figures.note("the pooled optimum needs numpy, which comes with fate_utils: left out")
        return None
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in json.loads(done.stdout)["comparison"]
             if (line["part"], line["model"], line["measure"]) == ("train", "joint", "log_loss")]
    losses = report["loss_per_round"][1:] + [lines[0]["job"]]
    return [loss - lines[0]["optimum"] for loss in losses]


def measure_long(figures, programs, place):
    """Memory, growth and a large job, the costliest last. Most of an hour on an idle machine with vector kernels; 45 GB of disk for recorded frames."""
    figures.note("a whole job of 100,000 rows and 500 columns")
    folder = place / "long-whole"
    invent(folder / "data", 100_000, (250, 250), 0.3)
    with Lab(programs, folder, folder / "data", (250, 250), None, rounds=40, tolerance=1e-3) as lab:
        report = lab.run()
    figures.note(f"{report['rounds']} rounds, {report['seconds']['total']:.0f} s")
    figures.time("JointLab: job, N 100,000 F 500", report["seconds"]["total"])
    shutil.rmtree(folder)

    peaks = {}
    times = {}
    shapes = [(10_000, 10), (10_000, 100), (10_000, 500), (100_000, 10), (100_000, 100), (100_000, 500), (1_000_000, 10), (1_000_000, 100)]
    for rows, columns in shapes:
        figures.note(f"growth: {rows:,} rows, {columns} columns")
        folder = place / f"long-{rows}-{columns}"
        features = (columns // 2, columns - columns // 2)
        invent(folder / "data", rows, features, 0.5)
        # A round of few rows is over before tables and buckets have paid for themselves.
        rounds = 8 if rows == 10_000 else 2
        with Lab(programs, folder, folder / "data", features, None, rounds=rounds, tolerance=1e-4) as lab:
            report = lab.run()
            times[rows, columns] = report["seconds"]["train"] / report["rounds"]
            peaks[rows, columns] = lab.peak() / 2**30
        figures.time(f"JointLab: round, N {rows:,} F {columns}", times[rows, columns])
        figures.note(f"{times[rows, columns]:.1f} s a round, {peaks[rows, columns]:.2f} GiB at most in one node")
        shutil.rmtree(folder)
    figures.add("memory.gib", [peaks[1_000_000, 100]])
    figures.add("growth", [deviation(times)])


def deviation(times):
    """Largest relative deviation from the best T = N (a + b F), in least squares of relative errors."""
    rows = [(n / t, n * f / t) for (n, f), t in times.items()]
    aa, ab, bb = (sum(r[i] * r[j] for r in rows) for i, j in ((0, 0), (0, 1), (1, 1)))
    sa, sb = (sum(r[i] for r in rows) for i in (0, 1))
    determinant = aa * bb - ab * ab
    a, b = (sa * bb - sb * ab) / determinant, (aa * sb - ab * sa) / determinant
    return max(abs(a * r[0] + b * r[1] - 1) for r in rows)


def invent(folder, rows, features, rate):
    """Two files whose columns explain a label."""
    folder.mkdir(parents=True, exist_ok=True)
    source = random.Random(rows * 1000 + features[0])
    bank_weights, platform_weights = ([source.gauss(0, 0.5 / math.sqrt(n)) for _ in range(n)] for n in features)
    with open(folder / "bank.csv", "w", encoding="utf-8") as bank, open(folder / "platform.csv", "w", encoding="utf-8") as platform:
        bank.write("id,y," + ",".join(f"x{i}" for i in range(features[0])) + "\n")
        platform.write("id," + ",".join(f"x{i}" for i in range(features[1])) + "\n")
        for row in range(rows):
            b, p = ([source.gauss(0, 1) for _ in range(n)] for n in features)
            score = math.log(rate / (1 - rate)) + sum(w * x for w, x in zip(bank_weights, b)) + sum(w * x for w, x in zip(platform_weights, p))
            bank.write(f"{row},{int(source.random() < 1 / (1 + math.exp(-score)))}," + ",".join(f"{x:.4f}" for x in b) + "\n")
            platform.write(f"{row}," + ",".join(f"{x:.4f}" for x in p) + "\n")


class Lab:
    """A laboratory with its three nodes running, on so many cores. `kernels`: as in JOINTLAB_KERNELS; without it the fastest there are."""

    def __init__(self, programs, folder, data, features, cores, rounds, tolerance=1e-3, kernels=None):
        self.programs, self.folder, self.data = programs, folder, data
        self.environment = os.environ | ({"JOINTLAB_KERNELS": kernels} if kernels else {})
        self.cores = set(sorted(os.sched_getaffinity(0))[:cores])
        folder.mkdir(parents=True, exist_ok=True)
        self.spec = folder / "spec.json"
        self.spec.write_text(json.dumps({
            "version": 1, "name": "benchmark", "purpose": {"code": "credit_assessment", "statement": "A measurement on public or invented data."},
            "parties": {"bank": "bank", "platform": "platform"}, "population": {"id_type": "text", "bank_id": "id", "platform_id": "id"},
            "label": {"column": "y"},
            "features": {"bank": [f"x{i}" for i in range(features[0])], "platform": [f"x{i}" for i in range(features[1])]},
            "split": {"share": 1.0},
            "training": {"key_bits": 2048, "l2": 1e-4, "degree": 4, "range": 4.0, "maximum_rounds": rounds, "tolerance": tolerance},
        }), encoding="utf-8")
        self.nodes = {}

    def __enter__(self):
        port = free_ports()
        self.tool("lab", "init", str(self.folder / "lab"), "--trial", "--spec", str(self.spec), "--port", str(port), "--bank-data",
                  str(self.data / "bank.csv"), "--platform-data", str(self.data / "platform.csv"))
        for program, name in (("arbiter", "arbiter"), ("platform-node", "platform"), ("bank-node", "bank")):
            log = open(self.folder / f"{name}.log", "w", encoding="utf-8")
            self.nodes[name] = subprocess.Popen(
                [str(self.programs / program), "serve", "--config", str(self.folder / f"lab/{name}/node.json")], stderr=log,
                env=self.environment, preexec_fn=lambda: os.sched_setaffinity(0, self.cores))
        deadline = time.monotonic() + 60
        for name in ("platform", "bank"):
            log = self.folder / f"{name}.log"
            while not any(word in log.read_text(encoding="utf-8") for word in ("registered", "已在")) and time.monotonic() < deadline:
                time.sleep(0.1)
        return self

    def __exit__(self, *_):
        for node in self.nodes.values():
            node.terminate()
        for node in self.nodes.values():
            node.wait()

    def tool(self, *words):
        done = subprocess.run([str(self.programs / "jointlab"), *words], capture_output=True, text=True)
        if done.returncode:
            raise workers.Failure(f"jointlab {words[0]} {words[1]}: {done.stderr.strip()[-500:]}", f"logs of the nodes: {self.folder}")
        return done.stdout.strip()

    def run(self):
        """The bank's report of one job."""
        job = self.tool("job", "submit", str(self.spec), "--as", str(self.folder / "lab/analyst/person.json"), "--watch").split()[-1]
        self.results = self.folder / f"lab/bank/state/jobs/{job}"
        return json.loads((self.results / "report.json").read_text(encoding="utf-8"))

    def peak(self):
        """The larger of the data parties' peak resident memory, bytes."""
        peaks = []
        for name in ("platform", "bank"):
            status = pathlib.Path(f"/proc/{self.nodes[name].pid}/status").read_text(encoding="utf-8")
            peaks += [int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")]
        return max(peaks)


def free_ports():
    """The first of two free ports, one behind the other."""
    for port in range(7700, 7990, 10):
        with contextlib.ExitStack() as stack:
            try:
                for number in (port, port + 1):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
                return port
            except OSError:
                continue
    raise workers.Failure("no free port between 7700 and 7990", "stop the nodes that still run")
