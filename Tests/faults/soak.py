"""Jobs in a row on three nodes, with kills and cuts, while descriptors and resident memory of each node are counted."""

import json
import pathlib
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
import types

ROW = types.SimpleNamespace(name="soak", en="jobs in a row with kills and cuts, minutes", zh="连续任务并随机终止节点、切断线路（分钟）")
NODES = ("arbiter", "platform", "bank")
# What a node says when jobs can reach it.
SIGNS = {"arbiter": "listening at", "platform": "registered with", "bank": "registered with"}
# Nodes are killed in the first part of the time alone: what memory does takes long lives to tell.
KILLING = 0.4
# Each thread of the program has taken its part of the work some time, and ledgers stay open until as many jobs have ended.
WARM_UP = 75
MOST_LEDGERS = 32
MOST_SLOPE = 1.0
MOST_DESCRIPTORS = 3
# An allocator takes and returns memory by the mebibyte: over less than this a slope tells nothing, neither way.
LEAST_HOURS = 0.25


class Proxy:
    """Between bank and platform; can cut every line that is open."""

    def __init__(self, target):
        self.target, self.open, self.lock = target, set(), threading.Lock()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listening.accept()
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            with self.lock:
                self.open |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(source, sink), daemon=True).start()

    def carry(self, source, sink):
        try:
            while piece := source.recv(1 << 16):
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        with self.lock:
            self.open -= {source, sink}

    def cut(self):
        with self.lock:
            for end in self.open:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


class Lab:
    def __init__(self, binaries, folder):
        self.binaries, self.folder, self.nodes = binaries, folder, {}
        self.command("jointlab", "data", "make", folder, "--common", "2200", "--seed", "4", "--records")
        port = free_port()
        self.command("jointlab", "lab", "init", folder / "lab", "--bank-data", folder / "bank.csv", "--platform-data", folder / "platform.csv",
                     "--port", port, "--trial", "--days", "2", "--analyst", "ann")
        self.proxy = Proxy(port + 1)
        contract = json.loads((folder / "lab/bank/contract.json").read_text())
        contract["limits"].update({"insecure_key_bits": True, "minimum_key_bits": 512, "minimum_rows": 500, "bads_per_column": 5})
        for party in contract["parties"]:
            if party["role"] == "platform":
                party["address"] = f"127.0.0.1:{self.proxy.port}"
        for name in NODES + ("ann",):
            (folder / f"lab/{name}/contract.json").write_text(json.dumps(contract))
        self.specification = folder / "spec.json"
        self.specification.write_text(json.dumps({
            "version": 1, "name": "soak", "purpose": {"code": "credit_assessment", "statement": "A test on generated data."},
            "parties": {"bank": "bank", "platform": "platform"}, "population": {"id_type": "uscc", "bank_id": "uscc", "platform_id": "uscc"},
            "label": {"column": "default_12m"},
            "features": {"bank": ["tenure_months", "limit_utilisation"], "platform": [{"column": "elec_default_count_24m", "missing": "mean"}]},
            "training": {"key_bits": 512, "maximum_rounds": 2, "degree": 2}}))
        for name in NODES:
            self.start(name)

    def command(self, program, *words):
        done = subprocess.run([str(self.binaries / program), *map(str, words)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{program} {words[0]}: {done.stderr[-1000:]}")
        return done.stdout

    def start(self, name):
        """Returns once jobs can be submitted: an arbiter that is started again is found by the nodes that run."""
        log = (self.folder / f"{name}.log").open("a")
        program = name if name == "arbiter" else f"{name}-node"
        before = {node: self.size(node) for node in NODES}
        self.nodes[name] = subprocess.Popen([str(self.binaries / program), "serve", "--config", str(self.folder / f"lab/{name}/node.json")],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        awaited = self.nodes if name == "arbiter" else [name]
        for _ in range(1200):
            if all(SIGNS[node] in (self.folder / f"{node}.log").read_text()[before[node]:] for node in awaited):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{name} does not come up")

    def size(self, name):
        log = self.folder / f"{name}.log"
        return log.stat().st_size if log.exists() else 0

    def kill(self, name):
        self.nodes[name].send_signal(signal.SIGKILL)
        self.nodes[name].wait()

    def submit(self):
        return subprocess.Popen([str(self.binaries / "jointlab"), "job", "submit", str(self.specification), "--watch", "--as", str(self.folder / "lab/ann/person.json")],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def sample(self, name):
        """Open descriptors but for those of jobs' ledgers, jobs whose ledgers are open, and resident memory of its own in MiB: pages of
        the program itself come in as they are needed."""
        folder = pathlib.Path(f"/proc/{self.nodes[name].pid}")
        resident = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("RssAnon:"))
        files = [file for file in map(target, (folder / "fd").iterdir()) if file]
        ledgers = [file.parent for file in files if file.parent.parent.name == "ledger"]
        return len(files) - len(ledgers), len(set(ledgers)), int(resident.split()[1]) / 1024

    def end(self):
        for node in self.nodes.values():
            if node.poll() is None:
                node.kill()
                node.wait()


def target(descriptor):
    """What it stands for; nothing where it was closed meanwhile."""
    try:
        return descriptor.readlink()
    except FileNotFoundError:
        return None


def free_port():
    while True:
        port = random.randrange(15_000, 32_000)
        try:
            for number in (port, port + 1):
                socket.create_server(("127.0.0.1", number)).close()
            return port
        except OSError:
            continue


def slope(samples):
    """Least squares of (hours, value) pairs, in value an hour."""
    mean_time, mean = (sum(column) / len(samples) for column in zip(*samples))
    below = sum((at - mean_time) ** 2 for at, _ in samples)
    return sum((at - mean_time) * (value - mean) for at, value in samples) / below if below else 0.0


def run(binaries, minutes, show):
    begun, jobs, kills, cuts, done = time.time(), 0, 0, 0, 0
    # Of each node's present life: (hours, descriptors, ledgers, MiB) after each job.
    lives = {name: [] for name in NODES}
    with tempfile.TemporaryDirectory(prefix="jointlab-soak-") as folder:
        lab = Lab(binaries, pathlib.Path(folder))
        try:
            while time.time() - begun < 60 * minutes:
                show((time.time() - begun) / 60 / minutes)
                jobs += 1
                job = lab.submit()
                if jobs % 7 == 0:
                    time.sleep(random.uniform(0, 3))
                    lab.proxy.cut()
                    cuts += 1
                if jobs % 75 == 0 and time.time() - begun < 60 * minutes * KILLING:
                    victim = NODES[jobs // 75 % 3]
                    time.sleep(random.uniform(0, 3))
                    lab.kill(victim)
                    kills += 1
                    lab.start(victim)
                    lives[victim] = []
                done += job.wait(timeout=1200) == 0
                # The nodes hear of the end somewhat later than the analyst.
                time.sleep(0.5)
                for name in NODES:
                    if lab.nodes[name].poll() is not None:
                        raise RuntimeError(f"{name} ended: {(lab.folder / f'{name}.log').read_text()[-1000:]}")
                    lives[name].append(((time.time() - begun) / 3600, *lab.sample(name)))
            reached = round((time.time() - begun) / 60)
        finally:
            lab.end()
            print("soak: over, deleting its ledgers", flush=True)
    outcome = types.SimpleNamespace(wanted=round(minutes), reached=reached, result="passed")
    figures = []
    for name in NODES:
        warm = lives[name][WARM_UP:]
        if len(warm) < 10:
            outcome.result = "short"
            continue
        memory = slope([(at, resident) for at, _, _, resident in warm])
        hours = warm[-1][0] - warm[0][0]
        # What is open when nothing runs is the same at the end of a life as at its beginning, but for a line that is being opened; a
        # job that is not put away yet is not in the least of five.
        leak = min(open for _, open, _, _ in warm[-5:]) - min(open for _, open, _, _ in warm[:5])
        ledgers = min(ledgers for _, _, ledgers, _ in warm[-5:])
        figures.append((name, memory, leak, ledgers, warm[-1]))
        if leak > MOST_DESCRIPTORS or ledgers > MOST_LEDGERS or memory > MOST_SLOPE and hours >= LEAST_HOURS:
            outcome.result = "failed"
        elif hours < LEAST_HOURS and outcome.result == "passed":
            outcome.result = "short"
    if done < jobs:
        outcome.result = "failed"
    told = "; ".join(f"{name} {memory:+.2f} MiB/h, descriptors {leak:+} (at the end {last[1]}, {ledgers} ledgers, {last[3]:.0f} MiB)" for name, memory, leak, ledgers, last in figures)
    shown = "；".join(f"{name} {memory:+.2f} MiB/小时，描述符 {leak:+}（结束时 {last[1]} 个，账本 {ledgers} 个，{last[3]:.0f} MiB）" for name, memory, leak, ledgers, last in figures)
    outcome.en = f" ({done} of {jobs} jobs done, {kills} kills, {cuts} cuts; {told})"
    outcome.zh = f"（{jobs} 个任务完成 {done} 个，终止节点 {kills} 次，切断 {cuts} 次；{shown}）"
    return outcome
