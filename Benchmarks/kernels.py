"""Vector kernels against the portable ones and against the peers: operations on one core, whole jobs on two."""

import paillier
import training
import workers

BITS = paillier.BITS
# CPU seconds of an alignment: peer, what it is asked for, the suite against it, identifiers of each side, figure.
ALIGNMENTS = [
    ("openmined", "P256", "P256-SHA256", 100_000, "ifma.psi.openmined"),
    ("spu", "ELLIGATOR", "P256-SHA256", 10_000, "ifma.psi.elligator"),
    ("spu", "SM2", "SM2-SM3", 10_000, "ifma.psi.sm2"),
]
PATIENCE = 100


def measure(engines, figures, programs, place, data, repeat):
    vector, portable = engines.own("engine", "ifma"), engines.own("engine", "portable")
    if vector.run("kernels")["kernels"] != "ifma":
        figures.note("this processor has no AVX-512 IFMA: vector kernels are not measured")
        return
    ratios = {}
    operations(engines, figures, vector, portable, repeat, ratios)
    for peer, kind, suite, count, identifier in ALIGNMENTS:
        align(engines, figures, peer, kind, suite, count, repeat, ratios.setdefault(identifier, []))
    rounds(engines, figures, programs, place, training.rows_of(data, place, figures), repeat, ratios)
    for identifier, values in ratios.items():
        if values:
            figures.add(identifier, values)


def operations(engines, figures, vector, portable, repeat, ratios):
    phe, fate, heu, ipcl = (engines.peer(name) for name in ("phe", "fate", "heu", "ipcl"))

    def each(worker, label, *words):
        """Seconds of one unit; `None` where the peer is not there."""
        seconds = worker and worker.each(words[0], BITS, *words[1:])
        if seconds:
            figures.time(f"{label}: {words[0]}", seconds)
        return seconds

    def ratio(identifier, theirs, ours):
        if theirs:
            ratios.setdefault(identifier, []).append(theirs / ours)

    # What the operations stand on is made outside the turns.
    for worker in (vector, portable):
        for words in (("encrypt", 64), ("multiply", 1024), ("entries", paillier.ROWS, 1, 1, 0)):
            worker.run(words[0], BITS, *words[1:])
    for turn in range(repeat):
        figures.note(f"kernels: turn {turn + 1} of {repeat}")
        for name in ("multiply", "square"):
            theirs = each(portable, "portable", name, 100_000)
            ours = each(vector, "ifma", name, 100_000)
            if name == "multiply":
                ratio("ifma.multiply", theirs, ours)
        ours = each(vector, "ifma", "power", 256)
        each(portable, "portable", "power", 64)
        ratio("ifma.crypto_mb", each(ipcl, "crypto_mb", "power", 256), ours)
        theirs = each(phe, "phe", "encrypt", 30)
        ours = each(vector, "ifma", "encrypt", 8000)
        each(portable, "portable", "encrypt", 2000)
        ratio("ifma.encrypt.phe", theirs, ours)
        ratio("ifma.encrypt.heu", each(heu, "sf-heu", "encrypt", 500), ours)
        theirs = each(fate, "fate_utils", "entry", 3200)
        ours = each(vector, "ifma", "entries", paillier.ROWS, 8, 16, 0)
        each(portable, "portable", "entries", paillier.ROWS, 8, 16, 0)
        ratio("ifma.entry16.fate", theirs, ours)
        for worker, label in ((portable, "portable"), (vector, "ifma")):
            each(worker, label, "combine", 2000, 5, 14)
            each(worker, label, "load", 2000)
            each(worker, label, "decrypt", paillier.VALUES)


def align(engines, figures, peer, kind, suite, count, repeat, ratios):
    """Both parties in one process on one core. A slow peer is asked for fewer identifiers; its cost grows with their number."""
    def run(worker, name, kind):
        try:
            answer = worker.run("psi", kind, count, count // 2, limit=PATIENCE)
        except workers.Failure:
            figures.note(f"SKIPPED {name}: it broke off, or hung for {PATIENCE} s")
            return None
        if answer["matches"] != count // 2:
            figures.note(f"WRONG COUNT {name}: {answer['matches']} of {count // 2}")
            return None
        figures.intersection(f"{name}, {count:,}, cores: 1", answer, 1)
        return answer["seconds"]

    for turn in range(max(1, repeat // 2)):
        figures.note(f"kernels: alignment beside {peer} {kind}, turn {turn + 1}")
        ours = run(engines.own("psi", "ifma"), f"JointLab {suite}, ifma", suite)
        run(engines.own("psi", "portable"), f"JointLab {suite}, portable", suite)
        # SPU hangs now and then: it is asked again.
        theirs = None
        for _ in range(3):
            worker = engines.fresh(peer, 1)
            theirs = worker and run(worker, f"{peer} {kind}", kind)
            if theirs or not worker:
                break
        if ours and theirs:
            ratios.append(theirs / ours)


def rounds(engines, figures, programs, place, data, repeat, ratios):
    """Rounds of both parties on two cores; the whole training beside FATE's operations and SPU's steps."""
    for turn in range(max(1, repeat // 2)):
        figures.note(f"kernels: two rounds with each, turn {turn + 1}")
        seconds = {}
        for kernels in ("portable", "ifma"):
            with training.Lab(programs, place / f"kernels-{turn}-{kernels}", data, training.FEATURES, 2, rounds=2, kernels=kernels) as lab:
                seconds[kernels] = lab.run()["seconds"]["train"] / 2
            figures.time(f"JointLab: round, {kernels}", seconds[kernels])
        ratios.setdefault("ifma.round", []).append(seconds["portable"] / seconds["ifma"])

    prices = training.Prices(engines, figures, data)
    cheetah = engines.peer("cheetah", 2)

    def ask(lab):
        if cheetah is None:
            return None
        files = [str(path) for path in (lab.data / "bank.csv", lab.data / "platform.csv", lab.spec, lab.results)]
        steps = [cheetah.ask("step", *training.FEATURES) for _ in range(3)]
        return cheetah.ask("learn", *files) | {"row": min(step["seconds"] / step["count"] for step in steps)}

    whole = training.Whole(engines, figures, programs, place / "kernels-whole", data, prices, "ifma", ask)
    if whole.seconds:
        ratios["ifma.whole.fate"] = [training.EPOCHS * epoch / whole.seconds for epoch in prices.epochs]
    if whole.distance is not None and whole.peer:
        peer, rows = whole.peer, prices.rows
        figures.note(f"CHEETAH: {peer['row'] * rows:.1f} s an epoch, {peer['epochs']} epochs to AUC {peer['auc']:.4f}, log-loss "
                     f"{peer['distance']:.1e} from the optimum; JointLab: {whole.total:.1f} s, {whole.distance:.1e}")
        ratios["ifma.whole.cheetah"] = [peer["epochs"] * peer["row"] * rows / whole.total]
        # Ours can come no nearer than what doubles tell.
        ratios["ifma.loss.cheetah"] = [peer["distance"] / max(abs(whole.distance), 1e-9)]
