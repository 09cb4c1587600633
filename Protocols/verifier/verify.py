#!/usr/bin/env python3
"""Checks ledgers of JointLab as ledger.md describes them, with nothing but the standard library.

    verify.py DIR               one ledger of one job
    verify.py DIR DIR [DIR]     and the same job's ledgers at the other nodes, record by record
    verify.py OPERATIONS [...]  a ledger of operations, or a data directory with one: alone, and beside ledgers of jobs
                                what its node showed the others

Prints one finding a line, then one line of summary for each ledger.
Exit status: 0 nothing found, 1 findings, 2 the ledgers could not be read.
"""
import base64, contextlib, fcntl, hashlib, itertools, json, os, re, struct, sys
from collections import Counter
from pathlib import Path

RECORD_BYTES = 72
SM3_SUITE = "SM2-SM3"
FIELDS = ("sequence", "kind", "phase", "attempt", "length", "salt", "digest", "SM3 digest")
PHASES = ("waiting", "opening", "alignment", "preparation", "training", "scoring", "closing")  # numbers of jointlab.proto
ABORT, LEDGER_HEADS, JOB_END, HEAD_SIGNATURES, OPERATIONS_HEAD = 16, 17, struct.pack(">H", 72), struct.pack(">H", 75), struct.pack(">H", 80)
INTERVAL = 1000
findings = 0


def say(text):
    """Names and numbers come from the ledger: nothing unprintable may reach the terminal."""
    print("".join(c if c.isprintable() else "?" for c in text))


def find(place, text):
    global findings
    findings += 1
    say(f"{place}: {text}")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def sm3(octets):
    try:
        return hashlib.new("sm3", octets).digest()
    except ValueError:
        raise OSError("this Python's hashlib has no SM3, which the contract's suite asks for") from None


def fields(record):
    """Of 72 bytes, or 104 with the SM3 digest, which is otherwise empty."""
    return struct.unpack(">QHHIQ16s32s", record[:RECORD_BYTES]) + (record[RECORD_BYTES:],)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def from_base64(text):
    """Nothing for a text that is not the one way to write its bytes."""
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return octets if base64.b64encode(octets).decode() == text else b""


# Ed25519 (RFC 8032, 5.1.7), in extended coordinates.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    m, n = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    t, z = 2 * D * a[3] * b[3], 2 * a[2] * b[2]
    e, f, g, h = n - m, z - t, z + t, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def decompress(octets):
    number = int.from_bytes(octets, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        raise ValueError("no point")
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        raise ValueError("no point")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def signed(key, text, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    try:
        public, commitment = decompress(key), decompress(signature[:32])
    except ValueError:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % ORDER
    left, right = multiply(scalar, BASE), add(commitment, multiply(challenge, public))
    return scalar < ORDER and not any((left[i] * right[2] - right[i] * left[2]) % P for i in (0, 1))


def roots(leaves):
    """Roots of RFC 6962 after 0, 1, 2, ... leaves, from the roots of the full subtrees on the left."""
    peaks = []
    yield sha256()
    for count, leaf in enumerate(leaves, 1):
        peaks.append(sha256(b"\0", leaf))
        while count % 2 == 0:
            right = peaks.pop()
            peaks.append(sha256(b"\1", peaks.pop(), right))
            count //= 2
        root = peaks[-1]
        for peak in reversed(peaks[:-1]):
            root = sha256(b"\1", peak, root)
        yield root


def notes(place, octets):
    """Heads of a file: where, origin, size and root; the text that is signed; the lines of signatures."""
    parts = octets.decode(errors="replace").split("\n\n")
    if len(parts) % 2 == 0 or parts.pop():  # text, signatures, text, signatures, ..., nothing
        find(place, "the heads file does not end behind a whole note")
    for number, (body, signatures) in enumerate(zip(parts[::2], parts[1::2])):
        here = f"{place} head {number}"
        match = re.fullmatch(r"([^\n]*)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)", body)
        if match:
            yield here, match[1], int(match[2]), match[3], body.encode() + b"\n", signatures.split("\n")
        else:
            find(here, "not a head")


def check_signers(place, text, signatures, keys):
    """Every name of `keys` has signed, once, and nobody else."""
    missing = set(keys)
    for signature in signatures:
        name, _, blob = signature.removeprefix("— ").partition(" ")
        if not signature.startswith("— ") or name not in missing:
            find(place, "a line that is not the signature of one more signer")
            continue
        missing.discard(name)
        blob = from_base64(blob)
        if blob[:4] != sha256(name.encode(), b"\n\1", keys[name])[:4] or not signed(keys[name], text, blob[4:]):
            find(place, f"the signature of {name} is wrong")
    for name in sorted(missing):
        find(place, f"{name} has not signed")


def midway(heads):
    """Sizes at which a head is made whatever the phase."""
    return {size for size, _ in heads if size and size % INTERVAL == 0}


def wire_table():
    """The table of wire.md: kind -> (message, {(sender role, receiver role)}, {phase}, longest payload)."""
    table = {}
    for line in (Path(__file__).resolve().parent.parent / "wire.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if line.startswith("|") and len(cells) == 7 and cells[0].isdigit():
            lines = {tuple(pair.split(" → ")) for pair in cells[2].split(", ")}
            phases = set(PHASES) if cells[3] == "any" else set(cells[3].split(", "))
            table[int(cells[0])] = cells[1].strip("`"), lines, phases, int(cells[5])
    if not table:
        raise OSError("wire.md holds no table of messages")
    return table


class Ledger:
    """What one node kept of one job; reading it reports whatever is wrong with it on its own."""

    def __init__(self, directory, wire):
        self.directory, self.wire, self.seen, self.records, self.heads, self.bytes = directory, wire, {}, {}, {}, None
        self.place = str(directory)
        contents = {name: self.read(f"{name}.json") for name in ("manifest", "contract", "specification")}
        documents = {name: json.loads(octets) for name, octets in contents.items()}
        self.manifest = manifest = documents["manifest"]
        self.job, self.attempt, self.node = str(manifest["job"]), int(manifest["attempt"]), str(manifest["node"])
        self.place = f"{directory.name} ({self.node})"
        for name in ("contract", "specification"):
            if hashlib.sha256(contents[name]).hexdigest() != manifest[f"{name}_digest"]:
                find(self.place, f"{name}.json is not the one of the manifest")
        if contents["manifest"] != canonical(manifest) or manifest["version"] != 1:
            find(self.place, "manifest.json is not canonical JSON of version 1")
        if not re.fullmatch("[0-9a-f]{32}", self.job):
            find(self.place, "the manifest's job is not 32 hexadecimal digits")
        if re.fullmatch("[0-9a-f]{32}", directory.name) and directory.name != self.job:
            find(self.place, "the directory is named for another job")
        if manifest["retention"] not in ("all", "inbound", "digests"):
            find(self.place, "the manifest names no known retention rule")
        self.has_sm3 = documents["contract"]["suite"] == SM3_SUITE
        if manifest.get("sm3") is not (True if self.has_sm3 else None):
            find(self.place, "the manifest says of SM3 something else than the contract's suite")
        self.record_bytes = RECORD_BYTES + 32 * self.has_sm3
        parties = documents["contract"]["parties"]
        in_job = set(documents["specification"]["parties"].values()) | {p["name"] for p in parties if p["role"] == "arbiter"}
        self.roles = {p["name"]: p["role"] for p in parties if p["name"] in in_job}
        self.keys = {p["name"]: from_base64(p["ledger_key"]) for p in parties}
        names = all(re.fullmatch(r"[\w.-]{1,64}", name, re.A) for name in self.roles)
        if not names or sorted(self.roles.values()) != ["arbiter", "bank", "platform"]:
            raise ValueError("the documents do not name a bank, a platform and an arbiter")
        if self.roles.get(self.node) != manifest["role"]:
            find(self.place, "the manifest's node and role are not those of the contract")
        self.expired = self.has_expired()
        for peer in sorted(set(self.roles) - {self.node}):
            directions = [(peer, direction) for direction in ("sent", "received")]
            if any((directory / f"{p}.{d}.{kind}").exists() for p, d in directions for kind in ("records", "heads")):
                for direction in directions:  # a line on which nothing has crossed has no files
                    self.check_direction(*direction)
        self.check_signatures()
        self.check_bytes()
        self.check_payloads()

    def has_expired(self):
        """Whether the node has signed that it deleted all payloads, their lifetime over."""
        if not (self.directory / "expired").is_file():
            return False
        text, _, signatures = self.read("expired").decode(errors="replace").partition("\n\n")
        if not re.fullmatch(re.escape(f"jointlab/{self.job}/{self.attempt}/{self.node}/payloads expired") + r"\n\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text, re.A):
            find(self.place, "expired is not the receipt of this ledger")
        check_signers(f"{self.place} expired", text.encode() + b"\n", signatures.removesuffix("\n").split("\n"), {self.node: self.keys[self.node]})
        return True

    def read(self, name):
        self.seen[name] = None
        try:
            return (self.directory / name).read_bytes()
        except FileNotFoundError:
            if self.directory.is_dir():
                find(self.place, f"{name} is missing")
                return b""
            raise

    def check_direction(self, peer, direction):
        line = (self.node, peer) if direction == "sent" else (peer, self.node)
        place = f"{self.place} {peer}.{direction}"
        octets = self.read(f"{peer}.{direction}.records")
        width = self.record_bytes
        if len(octets) % width:
            find(place, f"{len(octets) % width} bytes behind the last whole record")
        records = [octets[i:i + width] for i in range(0, len(octets) - width + 1, width)]
        heads = self.check_heads(place, line, self.read(f"{peer}.{direction}.heads"), records)
        self.records[line], self.heads[line] = records, heads
        heads_at, previous = Counter(size for size, _ in heads), -1
        for size in midway(heads):  # made in the middle of a phase, without frames on this line
            heads_at[size] -= 1
        if "arbiter" not in (self.roles[line[0]], self.roles[line[1]]):
            for size in range(INTERVAL, len(records), INTERVAL):
                if size not in midway(heads) and records[size][8:10] != struct.pack(">H", ABORT):
                    find(place, f"no head of {size} records, though others follow")
        for index, record in enumerate(records):
            here, value = f"{place} record {index}", dict(zip(FIELDS, fields(record)))
            sequence, kind, phase = value["sequence"], value["kind"], value["phase"]
            if "arbiter" in (self.roles[line[0]], self.roles[line[1]]):
                if sequence <= previous:
                    find(here, f"sequence {sequence} does not rise")
            elif sequence != (due := previous + 1 + heads_at[index]):
                # An attempt may end between a LedgerHeads frame and its head: Abort then comes one number later.
                if (kind, index, sequence) != (ABORT, len(records) - 1, due + 1):
                    find(here, f"sequence {sequence} where {due} is due")
            previous = sequence
            if value["attempt"] != self.attempt:
                find(here, f"attempt {value['attempt']}, not {self.attempt}")
            name, lines, phases, longest = self.wire.get(kind, (f"kind {kind}", (), (), 0))
            if kind not in self.wire or kind == LEDGER_HEADS:
                find(here, f"{name} is no kind that is recorded")
            elif (self.roles[line[0]], self.roles[line[1]]) not in lines:
                find(here, f"{name} does not go this way")
            elif phase >= len(PHASES) or PHASES[phase] not in phases:
                find(here, f"{name} in phase {phase}")
            elif value["length"] > longest:
                find(here, f"{name} of {value['length']} bytes")
            self.check_payload(here, direction, value)

    def check_signatures(self):
        """Each answer of the arbiter made one head of each direction, but for one that came as the job ended."""
        if self.roles[self.node] == "arbiter":
            return
        arbiter, other = sorted(set(self.roles) - {self.node}, key=lambda name: self.roles[name] != "arbiter")
        answers = sum(record[8:10] == HEAD_SIGNATURES for record in self.records.get((arbiter, self.node), []))
        for line in ((self.node, other), (other, self.node)):
            count = len(self.heads.get(line, [])) - len(midway(self.heads.get(line, [])))
            if not answers - 1 <= count <= answers:
                find(self.place, f"{line[0]} → {line[1]} has {count} heads, but the arbiter answered {answers} times")

    def check_bytes(self):
        """What the socket carried: the frames of the records and of heads, and 22 bytes for each TLS record."""
        if self.roles[self.node] == "arbiter":
            return
        arbiter, other = sorted(set(self.roles) - {self.node}, key=lambda name: self.roles[name] != "arbiter")
        name = f"{other}.bytes.json"
        closed = any(record[8:10] == JOB_END and not any(record[16:24]) for record in self.records.get((self.node, arbiter), []))
        if not closed and not (self.directory / name).exists():
            return
        octets = self.read(name)
        self.bytes = account = json.loads(octets)
        if octets != json.dumps(account, sort_keys=True, separators=(",", ":")).encode() or account["version"] not in (1, 2):
            find(self.place, f"{name} is not canonical JSON of version 1 or 2")
        if account["sent"].get("connections") != account["received"].get("connections"):
            find(self.place, f"{name} has other connections in either direction")
        for line, flow in (((self.node, other), account["sent"]), ((other, self.node), account["received"])):
            records, here = self.records.get(line, []), f"{self.place} {name}, {line[0]} → {line[1]}"
            recorded = sum(56 + struct.unpack(">Q", record[16:24])[0] for record in records)
            last = struct.unpack(">Q", records[-1][:8])[0] + 1 if records else 0
            cuts, plain = flow.get("connections", 1) - 1, flow["frame_bytes"] + flow.get("acknowledgement_bytes", 0)
            surplus = flow["socket_bytes"] - plain - 22 * flow["tls_records"]
            accounted = surplus in (0, 2) if cuts == 0 else cuts < 1 << 20 and -22 * cuts <= surplus <= (21 << 20) * cuts
            if closed and (flow["frames"] != last or flow["frames"] != len(records) + flow["head_frames"]):
                find(here, "counts other frames than were recorded")
            if closed and (flow["frame_bytes"] - flow["head_bytes"] != recorded or not 0 <= flow["head_bytes"] <= 4152 * flow["head_frames"]):
                find(here, "counts other bytes of frames than were recorded")
            if closed and (not accounted or flow["tls_records"] < plain // 16384):
                find(here, "the bytes on the socket are not the frames and acknowledgements and 22 for each TLS record")

    def check_heads(self, place, line, octets, records):
        signers = {line[0], line[1]} | {name for name, role in self.roles.items() if role == "arbiter"}
        trees, heads = list(roots(records)), []
        for here, origin, size, root, text, signatures in notes(place, octets):
            if origin != f"jointlab/{self.job}/{self.attempt}/{line[0]}/{line[1]}":
                find(here, "names another job, attempt or line")
            if heads and size < heads[-1][0]:
                find(here, f"size {size} after {heads[-1][0]}")
            if size > len(records):
                find(here, f"size {size}, but only {len(records)} records")
            elif base64.b64encode(trees[size]).decode() != root:
                find(here, f"the root of the first {size} records is another")
            heads.append((size, root))
            check_signers(here, text, signatures, {name: self.keys[name] for name in signers})
        return heads

    def check_payload(self, place, direction, value):
        digest = value["digest"].hex()
        name = f"payloads/{digest[:2]}/{digest}"
        path = self.directory / name
        if path.is_file():
            if name not in self.seen:
                content = path.read_bytes()
                self.seen[name] = len(content), hashlib.sha256(content).hexdigest() == digest, sm3(content) if self.has_sm3 else b""
            if self.seen[name] != (value["length"], True, value["SM3 digest"]):
                find(place, "the payload kept is not the one recorded (digest or length)")
        elif not self.expired and (self.manifest["retention"] == "all" or (self.manifest["retention"] == "inbound" and direction == "received")):
            find(place, "the payload is missing")

    def check_payloads(self):
        found = (self.directory.joinpath(root, name).relative_to(self.directory).as_posix() for root, _, names in os.walk(self.directory) for name in names)
        others = sorted(set(found) - self.seen.keys())
        payloads = [path for path in others if re.fullmatch(r"payloads/([0-9a-f]{2})/\1[0-9a-f]{62}", path)]
        drafts = [path for path in others if re.fullmatch(r".+\.json\.\d+", path, re.A)]
        if not self.has_ended() and len(payloads) <= len(self.records):  # what a stop leaves
            others = sorted(set(others) - set(payloads) - set(drafts))
        for path in others:
            find(self.place, f"{path} belongs to no record of this ledger")

    def has_ended(self):
        """Whether all lines to the arbiter, or all of the arbiter's, tell the job's end."""
        ended = {frozenset(line) for line, records in self.records.items() if any(record[8:10] == JOB_END for record in records)}
        return len(ended) == (2 if self.roles.get(self.node) == "arbiter" else 1)

    def shown_operations(self, node):
        """Heads of a node's operations that crossed here: where, size, root, signature; of those that are kept."""
        for line, records in self.records.items():
            for index, record in enumerate(records):
                path = self.directory / f"payloads/{record[40:41].hex()}/{record[40:72].hex()}"
                if line[0] == node and record[8:10] == OPERATIONS_HEAD and path.is_file():
                    yield f"{self.place} {line[0]} → {line[1]} record {index}", *operations_head(path.read_bytes())

    def summary(self):
        lines = [f"{a} → {b} {len(self.records[a, b])} records, {len(self.heads[a, b])} heads"
                 + (f" to record {self.heads[a, b][-1][0]}" if self.heads[a, b] else "") for a, b in self.records]
        kept = sum(name.startswith("payloads/") for name in self.seen)
        return f"{self.place}: " + "; ".join(lines) + f"; {kept} payloads kept"


def operations_head(payload):
    """The three fields of OperationsHead (jointlab.proto): a number, then 32 and 64 bytes."""
    match = re.fullmatch(rb"\x08([\x80-\xff]{0,8}[\x00-\x7f])\x12\x20(.{32})\x1a\x40(.{64})", payload, re.S)
    if not match:
        return None, b"", b""
    return sum((octet & 127) << 7 * place for place, octet in enumerate(match[1])), match[2], match[3]


def actions():
    """The table of actions of ledger.md."""
    text = (Path(__file__).resolve().parent.parent / "ledger.md").read_text(encoding="utf-8")
    table = text.partition("| action | when |")[2].partition("\n\n")[0]
    return {name for line in table.splitlines() for name in re.findall("`([a-z.]+)`", line.split("|")[1] if "|" in line else "")}


class Operations:
    """What one node kept of its own doing."""

    MEMBERS = {"action": str, "actor": str, "count": int, "digest": str, "job": str, "object": str, "purpose": str, "salt": str,
               "sequence": int, "time": str}
    HEX = {"digest": 64, "job": 32, "salt": 32}

    def __init__(self, directory):
        self.directory = next(d for d in (directory, directory / "operations") if (d / "entries.jsonl").exists())
        self.place, self.entries, self.seen, actions_known = str(directory), [], {"entries.jsonl", "heads"}, actions()
        with open(self.directory / "entries.jsonl", "rb") as file:
            with contextlib.suppress(OSError):  # a file system without locks is none that a node writes to
                fcntl.flock(file, fcntl.LOCK_SH)
            self.leaves, self.notes = file.read().split(b"\n"), self.read("heads")
        if self.leaves.pop():
            find(self.place, "an entry that was not finished")
        for number, leaf in enumerate(self.leaves):
            try:
                entry = json.loads(leaf)
                whole = (len(leaf) <= 2048 and canonical(entry) == leaf and {"action", "actor", "salt", "sequence", "time"} <= entry.keys() <= self.MEMBERS.keys()
                         and all(type(value) is self.MEMBERS[name] for name, value in entry.items())
                         and all(re.fullmatch(f"[0-9a-f]{{{self.HEX[name]}}}", entry[name]) for name in self.HEX.keys() & entry.keys())
                         and entry["action"] in actions_known and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["time"], re.A))
            except (ValueError, AttributeError, TypeError, RecursionError):
                whole = False
            if not whole or entry["sequence"] != number:
                find(f"{self.place} entry {number}", "no entry in canonical form, or not with this number")
            self.entries.append(entry if whole else {})
        contracts = [entry for entry in self.entries if entry.get("action") == "contract"]
        self.node = contracts[0].get("object", "") if contracts else ""
        if not self.entries or self.entries[0].get("action") != "contract":
            find(self.place, "the first entry names no contract")
        self.trees = list(roots(self.leaves))
        self.check_heads([self.key(number, entry) for number, entry in enumerate(self.entries)])
        expired = {entry.get("digest"): number for number, entry in enumerate(self.entries) if entry.get("action") == "subjects.expired"}
        for number, entry in enumerate(self.entries):
            if entry.get("action", "").startswith("subjects.") and entry["action"] != "subjects.expired":
                if expired.get(entry.get("digest"), 0) > number and not (self.directory / f"subjects/{entry['digest']}").exists():
                    continue
                octets = self.read(f"subjects/{entry.get('digest', '')}")
                tags = [octets[i:i + 16] for i in range(0, len(octets), 16)]
                if hashlib.sha256(octets).hexdigest() != entry.get("digest") or len(octets) % 16 or len(tags) != entry.get("count") or tags != sorted(tags):
                    find(f"{self.place} entry {number}", "its list of subjects is missing or another one")
        for name in sorted(os.listdir(self.directory)):
            if name not in ("entries.jsonl", "heads", "contracts", "subjects"):
                find(self.place, f"{name} belongs to no ledger")

    def read(self, name):
        path = self.directory / name
        return path.read_bytes() if path.is_file() else b""

    def key(self, number, entry):
        """The key of the contract that an entry names; nothing of other entries."""
        if entry.get("action") != "contract":
            return None
        try:
            octets = self.read(f"contracts/{entry['digest']}")
            if hashlib.sha256(octets).hexdigest() == entry["digest"] and entry["object"] == self.node:
                return next(from_base64(p["ledger_key"]) for p in json.loads(octets)["parties"] if p["name"] == self.node)
        except (ValueError, KeyError, TypeError, StopIteration):
            pass
        find(f"{self.place} entry {number}", "the contract that it names is missing, another one, or does not know the node")
        return None

    def check_heads(self, keys):
        key, signed_size = b"", 0
        for here, origin, size, root, text, signatures in notes(self.place, self.notes):
            if origin != f"jointlab/operations/{self.node}":
                find(here, "of another node or ledger")
            if size != signed_size + 1:
                find(here, f"size {size} after {signed_size}")
            key = next((k for k in reversed(keys[:size]) if k), b"")
            check_signers(here, text, signatures, {self.node: key})
            if size >= len(self.trees) or base64.b64encode(self.trees[size]).decode() != root:
                find(here, "the entries are not those that were signed")
            signed_size = max(signed_size, size)
        if signed_size != len(self.leaves):
            find(self.place, f"{len(self.leaves)} entries, of which {signed_size} are under a head")

    def hold(self, ledger):
        """What the node showed others is in its ledger."""
        for here, size, root, signature in ledger.shown_operations(self.node):
            text = f"jointlab/operations/{self.node}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
            if size is None or size >= len(self.trees) or self.trees[size] != root:
                find(here, "shows a head of operations that the ledger of operations does not have")
            elif not signed(ledger.keys.get(self.node, b""), text, signature):
                find(here, "shows a head of operations without a valid signature")

    def summary(self):
        return f"{self.place}: operations of {self.node}, {len(self.leaves)} entries"


def without_farewell(flow):
    """TLS's close_notify may come too late for the other end. As version 2 has it."""
    flow = {"acknowledgement_bytes": 0, "connections": 1} | flow
    if flow["socket_bytes"] - flow["frame_bytes"] - flow["acknowledgement_bytes"] - 22 * flow["tls_records"] != 2:
        return flow
    return flow | {"tls_records": flow["tls_records"] - 1, "socket_bytes": flow["socket_bytes"] - 24}


def compare(one, other):
    """Both ends of a line must hold the same records, and heads with the same sizes and roots."""
    place = f"{one.place} / {other.place}"
    if one.node == other.node:
        return find(place, "both ledgers are of one node")
    for field in ("job", "attempt", "contract_digest", "specification_digest"):
        if one.manifest[field] != other.manifest[field]:
            find(place, f"{field} differs")
    for line in ((one.node, other.node), (other.node, one.node)):
        left, right = one.records.get(line, []), other.records.get(line, [])
        here, before = f"{line[0]} → {line[1]}", findings
        if one.heads.get(line) != other.heads.get(line):
            find(here, "the heads differ")
        by_sequence = [{struct.unpack(">Q", r[:8])[0]: r for r in records} for records in (left, right)]
        for sequence in sorted(by_sequence[0].keys() | by_sequence[1].keys()):
            a, b = by_sequence[0].get(sequence), by_sequence[1].get(sequence)
            if a is None or b is None:
                find(here, f"sequence {sequence} only at {one.node if b is None else other.node}")
            elif a != b:
                pairs = zip(FIELDS, fields(a), fields(b))
                find(here, f"sequence {sequence} differs: {', '.join(field for field, x, y in pairs if x != y)}")
        if one.bytes and other.bytes:
            own, its = ("sent", "received") if line[0] == one.node else ("received", "sent")
            here_counted, there_counted = without_farewell(one.bytes[own]), without_farewell(other.bytes[its])
            if max(here_counted["connections"], there_counted["connections"]) > 1:
                # What was on its way when a connection was cut is counted at one end.
                kept = ("frames", "frame_bytes", "head_frames", "head_bytes")
                here_counted, there_counted = ({key: flow[key] for key in kept} for flow in (here_counted, there_counted))
            if here_counted != there_counted:
                find(here, "the two ends counted other bytes")
        if findings == before and left != right:
            find(here, "the same records, but in another order or more than once")


def main(arguments):
    is_operations = {argument: any((Path(argument) / name).exists() for name in ("entries.jsonl", "operations/entries.jsonl")) for argument in arguments}
    if not 1 <= len(arguments) <= 6 or sum(not is_operations[argument] for argument in arguments) > 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    ledgers, operations = [], []
    try:
        wire = wire_table()
        for argument in arguments:
            try:
                if is_operations[argument]:
                    operations.append(Operations(Path(argument)))
                else:
                    ledgers.append(Ledger(Path(argument), wire))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                find(argument, f"cannot be checked further ({type(error).__name__}: {error})")
    except OSError as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2
    for one, other in itertools.combinations(ledgers, 2):
        compare(one, other)
    for own, ledger in itertools.product(operations, ledgers):
        own.hold(ledger)
    for ledger in ledgers + operations:
        say(ledger.summary())
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
