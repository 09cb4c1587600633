"""Operations of the engine by the portable kernels, 2048 bits, one core, in turn with the peers."""

BITS = 2048
ROWS = 30_000
# Values of a round of the credit-default data: columns of both parties, and the loss.
VALUES = 24


def measure(engines, figures, repeat):
    own = engines.own("engine")
    # What the operations stand on is made outside the turns.
    for words in (("encrypt", BITS, 64), ("add", BITS, 10_000), ("entries", BITS, ROWS, 1, 1, 0), ("decrypt", BITS, VALUES)):
        own.run(*words)
    phe, fate, heu = (engines.peer(name) for name in ("phe", "fate", "heu"))
    ratios = {}

    def ratio(identifier, theirs, ours):
        if theirs is not None:
            ratios.setdefault(identifier, []).append(theirs / ours)

    def peer(worker, label, *words):
        if worker is None:
            return None
        seconds = worker.each(words[0], BITS, words[1])
        figures.time(f"{label}: {words[0]}", seconds)
        return seconds

    def ours(label, *words):
        answer = own.run(words[0], BITS, *words[1:])
        figures.time(f"JointLab: {label}", answer["seconds"] / answer["count"])
        figures.count(f"JointLab: {label}", answer["multiplications"] / answer["count"])
        return answer["seconds"] / answer["count"]

    for turn in range(repeat):
        figures.note(f"paillier: turn {turn + 1} of {repeat}")
        theirs = peer(phe, "phe", "encrypt", 30)
        encryption = ours("encrypt", "encrypt", 2000)
        ratio("encrypt.heu", peer(heu, "sf-heu", "encrypt", 500), encryption)
        ratio("encrypt.phe", theirs, encryption)
        theirs = peer(fate, "fate_utils", "add", 20_000)
        ratio("add.fate", theirs, ours("add", "add", 10_000))
        peer(phe, "phe", "add", 5000)
        theirs = peer(fate, "fate_utils", "entry", 3200)
        entry = ours("entry, 16 bits", "entries", ROWS, 8, 16, 0)
        ratio("entry16.fate", theirs, entry)
        ratio("entry16.phe", peer(phe, "phe", "entry", 2000), entry)
        theirs = peer(phe, "phe", "decrypt", 100)
        ratio("decrypt.phe", theirs, ours("decrypted value", "decrypt", VALUES))
        peer(fate, "fate_utils", "encrypt", 64)
    for bits in (8, 1):
        ours(f"entry, {bits} bits", "entries", ROWS, 32, bits, 0)
        figures.add(f"entry{bits}.modmuls", [figures.counts[f"JointLab: entry, {bits} bits"]])
    ours("entry, 10 values of 8 bits", "entries", ROWS, 32, 8, 10)
    ours("row combination, m = 4", "combine", 2000, 5, 14)
    ours("ciphertext taken in", "load", 2000)
    for identifier, values in ratios.items():
        figures.add(identifier, values)
