"""What the ledger costs: a round that writes it, and whoever verifies it."""

import json
import os
import resource
import subprocess

import training
import workers

# Rounds of a few seconds, so that many heads fall into the time measured.
ROWS, FEATURES, ROUNDS = 6_000, (13, 10), 10
# Of training, for each ledger and turn.
SECONDS = 20


def measure(figures, programs, place, repeat):
    data = place / "ledger-data"
    training.invent(data, ROWS, FEATURES, 0.22)
    shares, shares_sm3, memories, speeds = [], [], [], []
    figures.note(f"ledger: a job of {ROUNDS} rounds of {ROWS:,} rows")
    with training.Lab(programs, place / "ledger", data, FEATURES, None, rounds=ROUNDS, tolerance=1e-4) as lab:
        report = lab.run()
        ledgers = [lab.folder / f"lab/{name}/state/ledger/{lab.results.name}" for name in ("bank", "platform")]
    rate = sum(report["bytes"][way] for way in ("bank_to_platform", "platform_to_bank")) / report["seconds"]["train"]
    for turn in range(max(1, repeat // 2)):
        figures.note(f"ledger: written again as fast as the job did, and verified, turn {turn + 1}")
        costs = [write(programs, ledger, place, rate) for ledger in ledgers]
        # Of the slower party.
        shares.append(max(cost["wall"] / cost["of"] for cost in costs))
        costs_sm3 = [write(programs, ledger, place, rate, "sm3") for ledger in ledgers]
        shares_sm3.append(max(cost["wall"] / cost["of"] for cost in costs_sm3))
        memories.append(max(cost["memory"] for cost in costs) / 2**20)
        for ledger, cost in zip(ledgers, costs):
            figures.time("ledger: written, a MiB", cost["wall"] / cost["bytes"] * 2**20)
            speeds.append(verify(programs, ledger) * 2**30 / payloads(ledger))
    figures.note(f"{payloads(ledgers[0]) / 2**20:.0f} MiB of payloads in one ledger; {costs[0]['heads']} heads in {costs[0]['of']:.0f} s of training")
    figures.add("ledger.share", shares)
    figures.add("ledger.share_sm3", shares_sm3)
    figures.add("ledger.memory_mib", memories)
    figures.add("ledger.verify_gib_s", speeds)


def write(programs, ledger, place, rate, *words):
    """What the writer took, in a process of its own."""
    command = [str(programs / "measure"), "ledger", str(ledger), str(place), str(rate), str(SECONDS), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    answer = json.loads(done.stdout or "{}")
    if not answer.get("of"):
        raise workers.Failure(f"{ledger} cannot be written again: {answer.get('error', done.stderr[-300:])}", "retention 'all' keeps what this needs")
    return answer


def payloads(ledger):
    return sum(path.stat().st_size for path in (ledger / "payloads").glob("*/*"))


def verify(programs, ledger):
    """CPU seconds of `jointlab audit verify`, bound to one core."""
    core = min(os.sched_getaffinity(0))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(programs / "jointlab"), "audit", "verify", str(ledger)], capture_output=True, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise workers.Failure(f"{ledger} does not hold: {done.stdout[-500:]}", "jointlab audit verify tells the rest")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
