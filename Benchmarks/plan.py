#!/usr/bin/env python3
"""Holds what `jointlab job plan` says against what jobs then take.

Founds a lab for each of three jobs on generated data, plans the job with the number of common subjects given, runs it with
three processes on this machine, and compares. Needs nothing but the built programs and Linux.

Each job is run twice: the second plan knows how many rounds a job of this name took in this lab, as plans do in use. Of both
runs it is told how far the plan was off.

    plan.py [--programs .build/release] [--jobs quickstart,deep,long-key] [--data DIRECTORY --spec SPEC] [--time 1.5] [--bytes 1.1]
            [--once] [--json]

With --data it is a single job: DIRECTORY has bank.csv and platform.csv, whose identifiers are all common.

A busy machine makes jobs slower, not estimates: beside the clock's time stands the processor time of both nodes divided by
the cores, which other programs change little. Exit code 0: time and bytes within the factors; 1: not; 2: a job failed.
"""

import argparse
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

NUMBERS = ["consecutive_normal_tax_months", "vat_paid_12m", "pension_normal_payments_6m", "elec_avg_monthly_amount_12m",
           "elec_default_count_24m", "penalty_count_24m"]


def change(spec, training, flags):
    """Few platform columns: few bads carry them."""
    spec["features"]["platform"] = [{"column": name, "missing": "mean"} for name in NUMBERS] + [
        {"column": name, "type": "flag", "missing": "mean"} for name in flags]
    spec["training"] = training


# Common subjects, and how the quickstart's specification is changed. No job's rounds are cut short.
JOBS = {
    "quickstart": (7200, lambda spec: None),
    "deep": (4000, lambda spec: change(spec, {"degree": 6}, [])),
    "long-key": (3000, lambda spec: change(spec, {"key_bits": 3072}, ["has_tax_arrears", "elec_in_arrears"])),
}


SIDES = ["bank_to_platform", "platform_to_bank"]


def free_port():
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with socket.socket() as next_probe:
            if port < 65000 and next_probe.connect_ex(("127.0.0.1", port + 1)) != 0:
                return port


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mebibytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0


class Lab:
    def __init__(self, programs, common, change, data=None, spec=None):
        self.programs, self.folder, self.nodes = programs, pathlib.Path(tempfile.mkdtemp(prefix="plan.")), {}
        if not data:
            data = self.folder / "data"
            self.run("jointlab", "data", "make", data, "--common", common, "--seed", 2)
        spec = json.loads((spec or ROOT / "Examples/specs/quickstart.json").read_text())
        spec.pop("$schema", None)
        change(spec)
        self.spec = self.folder / "spec.json"
        self.spec.write_text(json.dumps(spec))
        self.run("jointlab", "lab", "init", self.folder / "lab", "--trial", "--spec", self.spec, "--port", free_port(),
                 "--bank-data", data.resolve() / "bank.csv", "--platform-data", data.resolve() / "platform.csv")
        self.names = {"arbiter": "arbiter", **spec["parties"]}
        for role, program in [("arbiter", "arbiter"), ("platform", "platform-node"), ("bank", "bank-node")]:
            log = open(self.folder / f"{role}.log", "w")
            self.nodes[role] = subprocess.Popen([programs / program, "serve", "--config", self.config(role)], stderr=log)
            self.wait(role, *(("listening at", "正在监听") if role == "arbiter" else ("registered with", "已在")))
        for role in ["bank", "platform"]:
            self.run(f"{role}-node", "data", "register", "--config", self.config(role))
        for role in ["bank", "platform"]:
            self.wait(role, "has been measured", "测量完毕")

    def config(self, role):
        return self.folder / "lab" / self.names[role] / "node.json"

    def wait(self, role, *words):
        for _ in range(1200):
            if any(word in (self.folder / f"{role}.log").read_text() for word in words):
                return
            time.sleep(0.1)
        sys.exit(2)

    def run(self, program, *arguments):
        environment = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        done = subprocess.run([self.programs / program, *map(str, arguments)], capture_output=True, text=True, env=environment)
        if done.returncode not in (0, 1):
            print(done.stderr, file=sys.stderr)
            sys.exit(2)
        return done

    def job(self, common):
        person = self.folder / "lab/analyst/person.json"
        plan = json.loads(self.run("jointlab", "job", "plan", self.spec, "--as", person, "--common", common, "--json").stdout)
        before = {role: processor_seconds(self.nodes[role].pid) for role in ["bank", "platform"]}
        done = self.run("jointlab", "job", "submit", self.spec, "--as", person, "--watch")
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            sys.exit(2)
        id = done.stdout.split()[0]
        results = {role: self.folder / "lab" / self.names[role] / "state/jobs" / id for role in ["bank", "platform"]}
        report = json.loads((results["bank"] / "report.json").read_text())
        counted = json.loads((results["bank"] / "plan.json").read_text())["with_real_counts"]
        processor = sum(processor_seconds(self.nodes[role].pid) - before[role] for role in before)
        ledgers = {role: sum(file.stat().st_size for file in (self.folder / "lab" / self.names[role] / "state/ledger" / id).rglob("*") if file.is_file())
                   for role in ["bank", "platform"]}
        memory = {role: peak_mebibytes(self.nodes[role].pid) for role in ["bank", "platform"]}
        return plan, report, counted, processor / os.cpu_count(), ledgers, memory

    def close(self):
        for node in self.nodes.values():
            node.terminate()
        for node in self.nodes.values():
            node.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def factor(estimated, real):
    return max(estimated / real, real / estimated) if estimated > 0 and real > 0 else float("inf")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / ".build/release")
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--spec", type=pathlib.Path)
    parser.add_argument("--time", type=float, default=1.5)
    parser.add_argument("--bytes", type=float, default=1.1)
    parser.add_argument("--once", action="store_true", help="no earlier job in the lab")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows, holds = [], True
    if options.data:
        common = sum(1 for _ in open(options.data / "bank.csv", encoding="utf-8")) - 1
        jobs = {options.data.name: (common, lambda spec: None)}
    else:
        jobs = {name: JOBS[name] for name in options.jobs.split(",")}
    for name, (common, change) in jobs.items():
        load = os.getloadavg()[0]
        lab = Lab(options.programs.resolve(), common, change, options.data, options.spec)
        try:
            first, first_report = lab.job(common)[:2] if not options.once else (None, None)
            plan, report, counted, processor, ledgers, memory = lab.job(common)
        finally:
            lab.close()
        likely, real = plan["likely"], report["seconds"]["total"]
        sides = {side: factor(likely["bytes"][side], report["bytes"][side]) for side in SIDES}
        counted_sides = {side: factor(counted["bytes"][side], report["bytes"][side]) for side in SIDES}
        row = {
            "job": name, "load_before": round(load, 2),
            "first_time_factor": first and round(factor(first["likely"]["seconds"]["total"], first_report["seconds"]["total"]), 3),
            "first_bytes_factor": first and round(max(factor(first["likely"]["bytes"][side], first_report["bytes"][side]) for side in SIDES), 3),
            "first_rounds": first and [first["likely"]["rounds"], first_report["rounds"]], "rounds": [likely["rounds"], report["rounds"]],
            "seconds": {key: [likely["seconds"][key], report["seconds"][key]] for key in ["align", "train", "score", "total"]},
            "processor_seconds_by_cores": round(processor, 1),
            "seconds_with_real_counts": counted["seconds"]["total"],
            "time_factor": round(factor(likely["seconds"]["total"], real), 3),
            "time_factor_with_real_rounds": round(factor(likely["seconds"]["total"] * report["rounds"] / likely["rounds"], real), 3),
            "time_factor_processor": round(factor(likely["seconds"]["total"] * report["rounds"] / likely["rounds"], processor), 3),
            "bytes": {side: [likely["bytes"][side], report["bytes"][side]] for side in SIDES},
            "bytes_factor": round(max(sides.values()), 4), "bytes_factor_with_real_counts": round(max(counted_sides.values()), 6),
            "disk_bytes": {role: [likely["disk_bytes"][role], ledgers[role]] for role in ledgers},
            "memory_mib": {role: [likely["memory_bytes"][role] >> 20, memory[role]] for role in memory},
        }
        rows.append(row)
        holds = holds and row["time_factor"] <= options.time and row["bytes_factor"] <= options.bytes
        if not options.json:
            if first:
                print(f"{name}, first in the lab: rounds {row['first_rounds'][0]} estimated, {row['first_rounds'][1]} real; time factor "
                      f"{row['first_time_factor']}, bytes factor {row['first_bytes_factor']}", flush=True)
            print(f"{name}: rounds {row['rounds'][0]} estimated, {row['rounds'][1]} real; seconds {row['seconds']['total'][0]:.1f} estimated, "
                  f"{real:.1f} real, {processor:.1f} of processor; factor {row['time_factor']} (with real rounds "
                  f"{row['time_factor_with_real_rounds']}, against processor time {row['time_factor_processor']}); bytes factor "
                  f"{row['bytes_factor']} (with real counts {row['bytes_factor_with_real_counts']})", flush=True)
    if options.json:
        print(json.dumps(rows, indent=2))
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
