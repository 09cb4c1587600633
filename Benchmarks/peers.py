#!/usr/bin/env python3
"""One peer's engine behind the same lines as `measure`: an operation a line in, JSON a line out.

    peers.py phe | fate | heu

Times are CPU seconds of this process, which is bound to one core by whoever starts it. What is prepared for an
operation is made once and not timed.
"""

import json
import random
import sys
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


def numbers(count):
    """Integers of 16 bits, the same in every run."""
    source = random.Random(1)
    return [source.getrandbits(16) for _ in range(count)]


def main():
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
