"""The programs that are measured: JointLab's own, and each peer in a virtual environment of its own."""

import json
import os
import pathlib
import select
import shutil
import subprocess

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent

# Peer: what is installed, and a statement that fails where it does not work. Of ipcl_python the library behind it alone is used.
PEERS = {
    "phe": (["phe", "gmpy2"], "import gmpy2, phe"),
    "fate": (["fate_utils", "numpy"], "import fate_utils.paillier"),
    "heu": (["sf-heu"], "from heu import phe"),
    "openmined": (["openmined-psi"], "import private_set_intersection.python"),
    # Later ones refuse SM2: "HashToCurveStrategy::TryAndRehash_SHA2 has been deprecated".
    "spu": (["spu==0.9.5"], "import spu.psi"),
    "cheetah": (["spu", "jax", "numpy"], "import spu.utils.simulation, jax, numpy"),
    "ipcl": (["--no-deps", "ipcl_python"], "import glob, site; assert glob.glob(site.getsitepackages()[0] + '/ipcl_python/bindings/ippcrypto/libcrypto_mb.so')"),
}
PYTHONS = ["python3.11", "python3.10", "python3.9", "python3.8", "python3.12", "python3.13", "python3"]


class Failure(Exception):
    def __init__(self, text, hint):
        super().__init__(text)
        self.hint = hint


def build(figures):
    """Builds the programs in the one configuration there is; returns their folder."""
    given = os.environ.get("JOINTLAB_PROGRAMS")
    if given:
        return pathlib.Path(given)
    command = ["swift", "build", "--package-path", str(REPOSITORY), "-c", "release"]
    for product in ("measure", "arbiter", "platform-node", "bank-node", "jointlab"):
        figures.note(f"building {product}")
        done = subprocess.run(command + ["--product", product], capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"{product} does not build: {done.stdout[-2000:]}", "swift build -c release")
    return pathlib.Path(subprocess.run(command + ["--show-bin-path"], capture_output=True, text=True, check=True).stdout.strip())


def pythons():
    """Interpreters that run, each with its name; those of version managers that are not on the path too."""
    found = [shutil.which(name) for name in PYTHONS]
    found += [str(path) for path in sorted(pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python3"))]
    seen = set()
    for path in filter(None, found):
        done = subprocess.run([path, "-c", "import sys, venv; print(sys.version_info[:2])"], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout not in seen:
            seen.add(done.stdout)
            yield path


class Worker:
    """A process that answers an operation with its cost, bound to one core or a few."""

    def __init__(self, name, command, cores=1, kernels=None):
        self.name = name
        environment = os.environ | ({"JOINTLAB_KERNELS": kernels} if kernels else {})
        bound = sorted(os.sched_getaffinity(0))[:cores]
        self.cores = len(bound)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
                                        stderr=None if name == "jointlab" else subprocess.DEVNULL,
                                        preexec_fn=lambda: os.sched_setaffinity(0, bound))

    def ask(self, *words):
        """Words that may hold spaces."""
        return self.run(json.dumps(words))

    def run(self, *words, limit=None):
        """Throws where it breaks off, or has not answered after `limit` seconds."""
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
            if not select.select([self.process.stdout], [], [], limit)[0]:
                self.process.kill()
            answer = json.loads(self.process.stdout.readline())
        except (BrokenPipeError, ValueError):
            raise Failure(f"{self.name} broke off at {words}", "run it alone to see why") from None
        if "error" in answer:
            raise Failure(f"{self.name} refuses {words}", "see Benchmarks/measure")
        return answer

    def each(self, *words):
        """CPU seconds of one unit of the operation."""
        answer = self.run(*words)
        return answer["seconds"] / answer["count"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Workers:
    """JointLab's workers by use, kernels and cores; peers by name, `None` where one cannot be had."""

    def __init__(self, place, programs, figures):
        self.place, self.figures, self.programs = place, figures, programs
        self.peers, self.environments, self.owned = {}, {}, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for worker in [*self.peers.values(), *self.owned.values()]:
            if worker:
                worker.close()

    def own(self, use, kernels="portable", cores=1):
        """A worker of JointLab's for one use, so that its memory is of that alone."""
        key = (use, kernels, cores)
        if key not in self.owned:
            self.owned[key] = Worker("jointlab", [str(self.programs / "measure")], cores, kernels)
        return self.owned[key]

    def fresh(self, name, cores):
        """A peer's worker of its own: its memory is of what it is asked alone."""
        worker = self.peers.pop((name, cores), None)
        if worker:
            worker.close()
        return self.peer(name, cores)

    def peer(self, name, cores=1):
        if (name, cores) not in self.peers:
            if name not in self.environments:
                self.environments[name] = self.install(name)
            python = self.environments[name]
            command = [python, str(REPOSITORY / "Benchmarks/peers.py"), name]
            self.peers[name, cores] = Worker(name, command, cores) if python else None
        return self.peers[name, cores]

    def install(self, name):
        """The interpreter of an environment that has the peer, if there can be one."""
        packages, trial = PEERS[name]
        reason = "no Python found"
        for interpreter in pythons():
            environment = self.place / name
            shutil.rmtree(environment, ignore_errors=True)
            for command in ([interpreter, "-m", "venv", str(environment)],
                            [str(environment / "bin/pip"), "install", "--quiet", "--pre", "--only-binary", ":all:", *packages],
                            [str(environment / "bin/python"), "-c", trial]):
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    reason = (done.stderr.strip().splitlines() or ["failed"])[-1]
                    break
            else:
                self.figures.note(f"{name}: {', '.join(packages)} with {interpreter}")
                return str(environment / "bin/python")
        self.figures.note(f"SKIPPED {name}: {reason}")
        return None
