#!/usr/bin/env python3
"""One peer's engine behind the same lines as `measure`: an operation a line in, JSON a line out.

    peers.py phe | fate | heu | openmined | spu

Times are CPU seconds of this process, which is bound to one core by whoever starts it. What is prepared for an
operation is made once and not timed.
"""

import json
import os
import pathlib
import random
import resource
import sys
import tempfile
import threading
import time


class Phe:
    """python-paillier with gmpy2: textbook encryption by the public key."""

    def __init__(self, bits):
        from phe import paillier
        self.public, self.private = paillier.generate_paillier_keypair(n_length=bits)
        self.ciphers = [self.public.encrypt(value) for value in range(4)]

    def encrypt(self, count):
        for value in range(count):
            self.public.encrypt(value)

    def add(self, count):
        a, b = self.ciphers[:2]
        for _ in range(count):
            a = a + b

    def entry(self, count):
        total = self.ciphers[3]
        for k in numbers(count):
            total = total + self.ciphers[k & 3] * k

    def decrypt(self, count):
        for index in range(count):
            self.private.decrypt(self.ciphers[index & 3])


class Fate:
    """fate_utils, the Paillier of FATE: textbook encryption, randomised."""

    def __init__(self, bits):
        import numpy
        from fate_utils.paillier import keygen
        self.numpy = numpy
        self.secret, self.public, self.coder = keygen(bits)
        self.vector = self.encrypted(64)

    def encoded(self, values):
        return self.coder.encode_i64_vec(self.numpy.array(values, dtype=self.numpy.int64))

    def encrypted(self, count):
        return self.public.encrypt_encoded(self.encoded(range(count)), True)

    def encrypt(self, count):
        self.encrypted(count)

    def add(self, count):
        a, b = self.vector, self.vector
        for _ in range(count // 64):
            a = a.add(self.public, b)

    def entry(self, count):
        columns = count // 64
        self.vector.matmul(self.public, self.encoded(numbers(64 * columns)), [1, 64], [64, columns])

    def decrypt(self, count):
        for _ in range(count // 64):
            self.secret.decrypt_to_encoded(self.vector)


class Heu:
    """SecretFlow's HEU, schema ZPaillier: short exponents and a table."""

    def __init__(self, bits):
        from heu import phe
        self.kit = phe.setup(phe.SchemaType.ZPaillier, bits)
        self.encryptor, self.evaluator = self.kit.encryptor(), self.kit.evaluator()
        self.cipher = self.encryptor.encrypt_raw(1)

    def encrypt(self, count):
        for value in range(count):
            self.encryptor.encrypt_raw(value)

    def add(self, count):
        for _ in range(count):
            self.evaluator.add_inplace(self.cipher, self.cipher)


class OpenMined:
    """OpenMined's PSI: P-256, exact sets instead of Bloom filters."""

    def intersect(self, _, bank, platform):
        import private_set_intersection.python as psi
        client = psi.client.CreateWithNewKey(True)
        server = psi.server.CreateWithNewKey(True)
        setup = server.CreateSetupMessage(0.0, len(bank), platform, psi.DataStructure.RAW)
        request = client.CreateRequest(bank)
        response = server.ProcessRequest(request)
        matches = client.GetIntersection(setup, response)
        return len(matches), sum(len(message.SerializeToString()) for message in (setup, request, response))


class Spu:
    """SecretFlow's SPU, both parties in one process over a link in memory; it reads and writes CSV files."""

    def intersect(self, kind, bank, platform):
        counts = {}
        with tempfile.TemporaryDirectory(prefix="jointlab-psi-") as folder:
            sides = [threading.Thread(target=self.side, args=(kind, pathlib.Path(folder), rank, names, counts))
                     for rank, names in enumerate((bank, platform))]
            for side in sides:
                side.start()
            for side in sides:
                side.join()
        return counts.get(0, -1), None

    def side(self, kind, folder, rank, names, counts):
        from spu import libspu, psi
        description = libspu.link.Desc()
        description.recv_timeout_ms = 3_600_000
        for index in range(2):
            description.add_party(f"party{index}", f"thread_{index}")
        given, taken = folder / f"{rank}.csv", folder / f"{rank}.out"
        given.write_text("id\n" + "\n".join(names) + "\n")
        curve = psi.EllipticCurveType.CURVE_SM2 if kind == "SM2" else psi.EllipticCurveType.CURVE_25519
        protocol = psi.PsiProtocol.PROTOCOL_RR22 if kind == "RR22" else psi.PsiProtocol.PROTOCOL_ECDH
        report = psi.psi_execute(psi.PsiExecuteConfig(
            protocol_conf=psi.PsiProtocolConfig(protocol=protocol, receiver_rank=0, broadcast_result=True,
                                                ecdh_params=psi.EcdhParams(curve=curve)),
            input_params=psi.InputParams(path=str(given), selected_keys=["id"], keys_unique=True),
            output_params=psi.OutputParams(path=str(taken), disable_alignment=True),
        ), libspu.link.create_mem(description, rank))
        counts[rank] = report.intersection_count


def identifiers(first, last):
    """As `measure` makes them."""
    return [f"91370800{index:010d}" for index in range(first, last)]


def intersections(engine):
    # SPU writes its log to standard output.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        _, kind, count, common = line.split()
        count, common = int(count), int(common)
        bank, platform = identifiers(0, count), identifiers(count - common, 2 * count - common)
        cpu, wall = time.process_time(), time.monotonic()
        matches, sent = engine.intersect(kind, bank, platform)
        print(json.dumps({"seconds": time.process_time() - cpu, "wall": time.monotonic() - wall, "count": count, "matches": matches,
                          "bytes": sent, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), file=answers, flush=True)


def numbers(count):
    """Integers of 16 bits, the same in every run."""
    source = random.Random(1)
    return [source.getrandbits(16) for _ in range(count)]


def main():
    if sys.argv[1] in ("openmined", "spu"):
        return intersections({"openmined": OpenMined, "spu": Spu}[sys.argv[1]]())
    kind = {"phe": Phe, "fate": Fate, "heu": Heu}[sys.argv[1]]
    engines = {}
    for line in sys.stdin:
        name, bits, count = line.split()
        engine = engines.setdefault(bits, None) or kind(int(bits))
        engines[bits] = engine
        count = max(64, int(count) // 64 * 64) if kind is Fate else int(count)
        cpu, wall = time.process_time(), time.monotonic()
        getattr(engine, name)(count)
        answer = {"seconds": time.process_time() - cpu, "wall": time.monotonic() - wall, "count": count}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
