#!/usr/bin/env python3
"""Jobs that only align, as real processes on this machine: exactness, time, memory, how busy the cores were.

    Benchmarks/alignment.py [--bank N] [--platform N] [--common N] [--reveal subjects | size] [--memory MIB] [--kills N | --cuts N] [--json]

With --kills a first job runs undisturbed; then, in so many further ones, bank and platform in turn are killed without warning,
each at a later moment, and started again. What has to hold: the job is taken up by itself, and its result is exact.

With --cuts a first job runs undisturbed; then, in another, the line between bank and platform is cut so many times. What has to
hold: it goes on in the same attempt, and its result is exact.

Identifiers are invented. The aligned files of both sides are compared with a plain join.
"""

import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent / "Tests/faults"))

from figures import Figures  # noqa: E402
import soak  # noqa: E402
import training  # noqa: E402
import workers  # noqa: E402


class AlignmentLab(training.Lab):
    def __init__(self, programs, folder, reveal, memory, is_cut):
        self.is_cut = is_cut
        self.programs, self.folder, self.data, self.memory = programs, folder, folder, memory
        self.cores, self.environment = os.sched_getaffinity(0), dict(os.environ)
        folder.mkdir(parents=True, exist_ok=True)
        self.spec = folder / "spec.json"
        self.spec.write_text(json.dumps({
            "version": 1, "kind": "align", "reveal": reveal, "name": "benchmark",
            "purpose": {"code": "credit_assessment", "statement": "A measurement on invented data."},
            "parties": {"bank": "bank", "platform": "platform"},
            "population": {"id_type": "text", "bank_id": "id", "platform_id": "id"},
        }), encoding="utf-8")
        self.nodes = {}

    def tool(self, *words):
        done = super().tool(*words)
        if words[:2] == ("lab", "init"):
            for name in ("bank", "platform"):
                path = self.folder / f"lab/{name}/node.json"
                path.write_text(json.dumps(json.loads(path.read_text()) | {"memory_mib": self.memory, "retention": "digests"}))
            if self.is_cut:
                self.divert()
        return done

    def divert(self):
        """The bank reaches the platform through a proxy that can cut the line."""
        places = [self.folder / f"lab/{name}/contract.json" for name in ("arbiter", "bank", "platform", "analyst")]
        contract = json.loads(places[0].read_text())
        party = next(party for party in contract["parties"] if party["role"] == "platform")
        self.proxy = soak.Proxy(int(party["address"].rsplit(":", 1)[1]))
        party["address"] = f"127.0.0.1:{self.proxy.port}"
        for place in places:
            place.write_text(json.dumps(contract))

    def attempt(self, job):
        return json.loads(self.tool("job", "status", job, "--json", "--as", str(self.folder / "lab/analyst/person.json")))["attempt"]

    def aligned(self, job):
        return [self.folder / f"lab/{name}/state/jobs/{job}/aligned.csv" for name in ("bank", "platform")]

    def processor(self, name):
        """CPU seconds of a node so far."""
        fields = pathlib.Path(f"/proc/{self.nodes[name].pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self, name):
        """Without warning; the node is started again at once."""
        self.nodes[name].kill()
        self.nodes[name].wait()
        self.signs = self.registrations(name)
        log = open(self.folder / f"{name}.log", "a", encoding="utf-8")
        self.nodes[name] = subprocess.Popen(
            [str(self.programs / f"{name}-node"), "serve", "--config", str(self.folder / f"lab/{name}/node.json")], stderr=log)

    def registrations(self, name):
        return len(re.findall("registered|已在", (self.folder / f"{name}.log").read_text(encoding="utf-8")))

    def wait_for(self, name):
        """Until a node that was started again has registered."""
        deadline = time.monotonic() + 60
        while self.registrations(name) <= self.signs and time.monotonic() < deadline:
            time.sleep(0.1)

    def peaks(self):
        """Peak resident memory of each data party's node, MiB."""
        return {name: next(int(line.split()[1]) / 1024 for line in pathlib.Path(f"/proc/{self.nodes[name].pid}/status").read_text().splitlines()
                           if line.startswith("VmHWM")) for name in ("bank", "platform")}


def identifier(index):
    return f"91370800{index:010d}"


def write(path, numbers):
    numbers = list(numbers)
    random.Random(len(numbers)).shuffle(numbers)
    with open(path, "w", encoding="utf-8") as file:
        file.write("id\n")
        file.writelines(identifier(number) + "\n" for number in numbers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bank", type=int, default=1_000_000)
    parser.add_argument("--platform", type=int, default=1_000_000)
    parser.add_argument("--common", type=int)
    parser.add_argument("--reveal", choices=["subjects", "size"], default="subjects")
    parser.add_argument("--memory", type=int, default=512)
    disturbance = parser.add_mutually_exclusive_group()
    disturbance.add_argument("--kills", type=int, default=0)
    disturbance.add_argument("--cuts", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    common = arguments.common or min(arguments.bank, arguments.platform) // 2
    figures = Figures(quiet=arguments.json)
    with tempfile.TemporaryDirectory(prefix="jointlab-alignment-") as folder:
        place = pathlib.Path(folder)
        write(place / "bank.csv", range(arguments.bank))
        write(place / "platform.csv", range(arguments.bank - common, arguments.bank - common + arguments.platform))
        try:
            programs = workers.build(figures)
            with AlignmentLab(programs, place, arguments.reveal, arguments.memory, arguments.cuts > 0) as lab:
                before = {name: lab.processor(name) for name in ("bank", "platform")}
                start = time.monotonic()
                report = lab.run()
                wall = time.monotonic() - start
                spent = {name: lab.processor(name) - before[name] for name in before}
                peaks = lab.peaks()
                disturb = kill if arguments.kills else cut if arguments.cuts else None
                disturbed = disturb(lab, figures, arguments, common, report) if disturb else []
                exact = exactness(lab.aligned(report["job"]), arguments, common, report)
        except workers.Failure as failure:
            print(f"error: {failure}\nhint: {failure.hint}", file=sys.stderr)
            return 1
    if disturbed:
        print(json.dumps({"undisturbed": exact, "seconds": report["seconds"]["total"], "disturbed": disturbed}, indent=None if arguments.json else 2))
        return 0 if exact and all(job["exact"] for job in disturbed) else 1
    seconds = report["seconds"]["align"]
    result = {
        "bank": arguments.bank, "platform": arguments.platform, "common": report["rows"]["aligned"], "exact": exact,
        "seconds_align": seconds, "seconds_with_reading": wall, "peak_mib": peaks, "cpu_seconds": spent,
        "busy": sum(spent.values()) / (len(os.sched_getaffinity(0)) * wall), "bytes": report["bytes"],
        "microseconds_per_identifier": seconds / (arguments.bank + arguments.platform) * 1e6,
    }
    print(json.dumps(result, indent=None if arguments.json else 2))
    return 0 if exact else 1


def kill(lab, figures, arguments, common, report):
    """How each disturbed job ended, in which attempt, and whether the result was exact in the end."""
    results = []
    for moment in range(arguments.kills):
        name = ("bank", "platform")[moment % 2]
        after = report["seconds"]["total"] * (moment + 0.5) / arguments.kills
        timer = threading.Timer(after, lab.kill, [name])
        timer.start()
        start = time.monotonic()
        disturbed = lab.run()
        seconds = time.monotonic() - start
        timer.join()
        lab.wait_for(name)
        attempt = lab.attempt(disturbed["job"])
        isExact = exactness(lab.aligned(disturbed["job"]), arguments, common, disturbed)
        results.append({"killed": name, "after_seconds": round(after, 1), "attempt": attempt, "seconds": round(seconds, 1), "exact": isExact})
        figures.note(f"{name} killed after {after:.1f} s: attempt {attempt} completed after {seconds:.0f} s; {'exact' if isExact else 'NOT THE RESULT'}")
    return results


def cut(lab, figures, arguments, common, report):
    """The same of one job whose line is cut again and again."""
    timers = [threading.Timer(report["seconds"]["total"] * (moment + 0.5) / arguments.cuts, lab.proxy.cut) for moment in range(arguments.cuts)]
    for timer in timers:
        timer.start()
    start = time.monotonic()
    disturbed = lab.run()
    seconds = time.monotonic() - start
    for timer in timers:
        timer.join()
    attempt = lab.attempt(disturbed["job"])
    isExact = attempt == 1 and exactness(lab.aligned(disturbed["job"]), arguments, common, disturbed)
    figures.note(f"cut {arguments.cuts} times: attempt {attempt} completed after {seconds:.0f} s; {'exact' if isExact else 'NOT THE RESULT'}")
    return [{"cuts": arguments.cuts, "attempt": attempt, "seconds": round(seconds, 1), "exact": isExact}]


def exactness(files, arguments, common, report):
    """Against a plain join."""
    if report["rows"]["aligned"] != common:
        return False
    if arguments.reveal == "size":
        return not any(file.exists() for file in files)
    texts = [file.read_text(encoding="utf-8").split("\n") for file in files]
    wanted = {identifier(number) for number in range(arguments.bank - common, arguments.bank)}
    return texts[0] == texts[1] and texts[0][0] == "id" and len(texts[0]) == common + 2 and set(texts[0][1:-1]) == wanted


if __name__ == "__main__":
    sys.exit(main())
