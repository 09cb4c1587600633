#!/usr/bin/env python3
"""One peer's engine behind the same lines as `measure`: an operation a line in, JSON a line out.

    peers.py phe | fate | heu | ipcl | cheetah | openmined | spu

Times are CPU seconds of this process, which is bound to one core by whoever starts it. What is prepared for an
operation is made once and not timed.
"""

import ctypes
import glob
import json
import math
import os
import pathlib
import random
import resource
import site
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


class Ipcl:
    """Intel's crypto_mb as the wheel of ipcl_python carries it: eight powers r^n modulo n^2 at once."""

    def __init__(self, bits):
        self.library = ctypes.CDLL(glob.glob(site.getsitepackages()[0] + "/ipcl_python/bindings/ippcrypto/libcrypto_mb.so")[0])
        self.bits = bits
        source = random.Random(bits)
        self.modulus = (source.getrandbits(bits) | 1 << bits - 1 | 1) ** 2
        self.exponent = math.isqrt(self.modulus)
        self.bases = [source.randrange(self.modulus) for _ in range(8)]
        self.size = self.library.mbx_exp_BufferSize(2 * bits)
        self.buffer = (ctypes.c_uint8 * self.size)()
        self.results, self.factors = ([self.limbs(base, 2 * bits) for base in self.bases] for _ in range(2))
        self.exponents, self.moduli = [self.limbs(self.exponent, bits)] * 8, [self.limbs(self.modulus, 2 * bits)] * 8
        self.power(8)
        wanted = [pow(base, self.exponent, self.modulus) for base in self.bases]
        assert [int.from_bytes(bytes(result), "little") for result in self.results] == wanted

    @staticmethod
    def limbs(number, bits):
        return (ctypes.c_uint64 * (bits // 64)).from_buffer_copy(number.to_bytes(bits // 8, "little"))

    @staticmethod
    def eight(numbers):
        return (ctypes.c_void_p * 8)(*(ctypes.addressof(number) for number in numbers))

    def power(self, count):
        function = getattr(self.library, f"mbx_exp{2 * self.bits}_mb8")
        for _ in range(count // 8):
            status = function(*map(self.eight, (self.results, self.factors, self.exponents)), self.bits, self.eight(self.moduli),
                              2 * self.bits, self.buffer, self.size)
            assert status == 0


class Cheetah:
    """SecretFlow's SPU, protocol CHEETAH (no dealer), both parties in one process: steps of logistic regression on shares."""

    ROWS = 4096

    def step(self, features):
        """One step of gradient descent on invented values; what it costs does not depend on them."""
        import jax
        import numpy
        import spu
        import spu.utils.simulation as simulation

        def descend(bank, platform, label, weights):
            values = jax.numpy.concatenate([bank, platform], axis=1)
            return weights - 0.1 / self.ROWS * (values.T @ (jax.nn.sigmoid(values @ weights) - label))

        parties = simulation.Simulator(2, spu.RuntimeConfig(protocol=spu.ProtocolKind.CHEETAH, field=spu.FieldType.FM64))
        source = numpy.random.default_rng(1)
        bank, platform = (source.normal(size=(self.ROWS, count)) for count in features)
        label = (source.random(self.ROWS) < 0.2).astype(float)
        simulation.sim_jax(parties, descend)(bank, platform, label, numpy.zeros(sum(features)))
        return {"count": self.ROWS}

    def learn(self, bank, platform, spec, output):
        """The same descent in the clear, in double precision: epochs until its AUC on the training rows is within 1e-4 of the
        best of forty, by the step length that gets there first; and how far its log-loss is from the optimum then."""
        import csv
        import numpy
        import lossless
        description = json.loads(pathlib.Path(spec).read_text(encoding="utf-8"))
        with open(pathlib.Path(output) / "scores.csv", encoding="utf-8", newline="") as file:
            scores = list(csv.DictReader(file))
        first, second, label, train = lossless.pooled(bank, platform, description, scores)
        values, label = lossless.matrix(first + second, len(label))[train], label[train]
        optimum = lossless.log_loss(values @ lossless.optimum(values, label, description["training"]["l2"]), label)
        courses = []
        for length in (0.1, 0.3, 1.0, 2.0):
            source, weights, course = numpy.random.default_rng(1), numpy.zeros(values.shape[1]), []
            for _ in range(40):
                order = source.permutation(len(label))
                for start in range(0, len(order), self.ROWS):
                    rows = order[start:start + self.ROWS]
                    chance = 1 / (1 + numpy.exp(-values[rows] @ weights))
                    weights = weights - length / len(rows) * (values[rows].T @ (chance - label[rows]))
                score = values @ weights
                course.append((lossless.auc(score, label), lossless.log_loss(score, label) - optimum))
            courses.append(course)
        best = max(auc for course in courses for auc, _ in course)
        ends = [(epoch + 1, distance) for course in courses for epoch, (auc, distance) in enumerate(course) if auc >= best - 1e-4]
        epochs, distance = min(ends)
        return {"epochs": epochs, "distance": distance, "auc": best}


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
        curves = {"SM2": psi.EllipticCurveType.CURVE_SM2, "ELLIGATOR": psi.EllipticCurveType.CURVE_25519_ELLIGATOR2}
        curve = curves.get(kind, psi.EllipticCurveType.CURVE_25519)
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


def regressions(engine):
    # SPU writes its log to standard output.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        words = json.loads(line)
        wall = time.monotonic()
        answer = engine.learn(*words[1:]) if words[0] == "learn" else engine.step(words[1:])
        print(json.dumps(answer | {"seconds": time.monotonic() - wall}), file=answers, flush=True)


def numbers(count):
    """Integers of 16 bits, the same in every run."""
    source = random.Random(1)
    return [source.getrandbits(16) for _ in range(count)]


def main():
    if sys.argv[1] in ("openmined", "spu"):
        return intersections({"openmined": OpenMined, "spu": Spu}[sys.argv[1]]())
    if sys.argv[1] == "cheetah":
        return regressions(Cheetah())
    kind = {"phe": Phe, "fate": Fate, "heu": Heu, "ipcl": Ipcl}[sys.argv[1]]
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
