"""Set intersection by the portable kernels, both parties, in turn with the peers: same identifiers, half of them common."""

import workers

SUITE = "P256-SHA256"
# Seconds for 100,000 identifiers, after which a peer that does not answer is given up and named as absent: SPU hangs now and then.
PATIENCE = 240
# Hash to curve takes at most this, in seconds, whatever the machine.
HASH = 15e-6
# Peer, what it is asked for, whether it is repeated, and on how many identifiers at most: slow ones run once, on few.
PEERS = [
    ("openmined", "P256", True, None),
    ("spu", "RR22", True, None),
    ("spu", "25519", False, None),
    ("spu", "SM2", False, 10_000),
]


def measure(engines, figures, repeat, counts):
    for count in counts:
        compare(engines, figures, repeat if count <= 100_000 else 1, count, isFigure=count == counts[0])


def compare(engines, figures, repeat, count, isFigure):
    """Ratios of CPU seconds on one core; what two cores take, by the clock."""
    own, both = engines.own("psi"), engines.own("psi", cores=2)
    limits, ratios = [], []

    def run(worker, name, suite, most=None):
        size = min(count, most or count)
        patience = PATIENCE * max(1, size // 100_000)
        try:
            answer = worker.run("psi", suite, size, size // 2, limit=patience)
        except workers.Failure:
            figures.note(f"SKIPPED {name}, {size:,}, cores: {worker.cores}: it broke off, or hung for {patience} s")
            figures.absent.append(f"{name}, {size:,}, cores: {worker.cores}")
            return None
        if answer["matches"] != size // 2:
            figures.note(f"WRONG COUNT {name}: {answer['matches']} of {size // 2}")
            return None
        figures.intersection(f"{name}, {size:,}, cores: {worker.cores}", answer, worker.cores)
        return answer["seconds"] / size

    for turn in range(repeat):
        figures.note(f"psi, {count:,} a side: turn {turn + 1} of {repeat}")
        # The limit is timed before and after, since clocks of processors wander.
        before = limit(own)
        ours = run(own, "JointLab P256-SHA256", SUITE)
        multiply, read = ((first + second) / 2 for first, second in zip(before, limit(own)))
        figures.time("libcrypto: P-256 multiplication", multiply)
        figures.time("libcrypto: uncompressed point read", read)
        if ours is not None:
            limits.append((4 * multiply + 2 * HASH + 2 * read) / ours)
        for peer, kind, isRepeated, most in PEERS:
            worker = None if turn and not isRepeated else engines.fresh(peer, 1)
            theirs = worker and run(worker, f"{peer} {kind}", kind, most)
            if theirs and ours and peer == "openmined":
                ratios.append(theirs / ours)
    run(both, "JointLab P256-SHA256", SUITE)
    run(own, "JointLab SM2-SM3", "SM2-SM3", 10_000)
    for peer, kind, _, most in PEERS[1:]:
        worker = engines.fresh(peer, 2)
        if worker:
            run(worker, f"{peer} {kind}", kind, most)
    if isFigure:
        proof(own, figures, ours)
        for identifier, values in (("psi.limit", limits), ("psi.openmined", ratios)):
            if values:
                figures.add(identifier, values)


def proof(own, figures, ours):
    """What it would take to prove that all of the bank's points were doubled with one scalar, beside a whole alignment."""
    answer = own.run("psi-proof", SUITE, 32 * 1024)
    for side in ("prover", "verifier"):
        figures.time(f"proof of one scalar, {side}", answer[side] / answer["count"])
    if ours:
        figures.note(f"proof of one scalar: {answer['seconds'] / answer['count'] / ours:.1%} of the alignment's time")


def limit(own):
    """Seconds of a multiplication and of reading an uncompressed point, by libcrypto alone."""
    return own.each("psi-multiply", SUITE, 10_000), own.each("psi-read", SUITE, 20_000)
