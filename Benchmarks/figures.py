"""What was measured, with its mark; as a table or as JSON."""

import json
import statistics
import sys

# identifier: (suite, "at_least" or "at_most", mark)
MARKS = {
    "encrypt.phe": ("paillier", "at_least", 55),
    "encrypt.heu": ("paillier", "at_least", 2.5),
    "entry16.fate": ("paillier", "at_least", 40),
    "entry16.phe": ("paillier", "at_least", 25),
    "entry8.modmuls": ("paillier", "at_most", 1.0),
    "entry1.modmuls": ("paillier", "at_most", 0.15),
    "add.fate": ("paillier", "at_least", 1.6),
    "decrypt.phe": ("paillier", "at_least", 5),
    "round.cores": ("training", "at_least", 1.8),
    "round.fate": ("training", "at_least", 12),
    "whole.fate": ("training", "at_least", 30),
    "psi.limit": ("psi", "at_least", 0.85),
    "psi.openmined": ("psi", "at_least", 1.2),
    "ledger.share": ("ledger", "at_most", 0.05),
    "ledger.share_sm3": ("ledger", "at_most", 0.05),
    "ledger.memory_mib": ("ledger", "at_most", 64),
    "ledger.verify_gib_s": ("ledger", "at_most", 60),
    "ifma.multiply": ("kernels", "at_least", 6.5),
    "ifma.crypto_mb": ("kernels", "at_least", 1.5),
    "ifma.encrypt.phe": ("kernels", "at_least", 320),
    "ifma.encrypt.heu": ("kernels", "at_least", 15),
    "ifma.entry16.fate": ("kernels", "at_least", 250),
    "ifma.round": ("kernels", "at_least", 4.5),
    "ifma.whole.fate": ("kernels", "at_least", 150),
    "ifma.whole.cheetah": ("kernels", "at_least", 1),
    "ifma.loss.cheetah": ("kernels", "at_least", 1),
    "ifma.psi.sm2": ("kernels", "at_least", 25),
    "ifma.psi.openmined": ("kernels", "at_least", 4),
    "ifma.psi.elligator": ("kernels", "at_least", 8),
    "memory.gib": ("long", "at_most", 4),
    "growth": ("long", "at_most", 0.2),
}


class Figures:
    def __init__(self, quiet):
        self.quiet = quiet
        self.rows, self.counts, self.times, self.absent = {}, {}, {}, []
        self.intersections = {}

    def note(self, text):
        """Progress, on standard error."""
        print(text, file=sys.stderr, flush=True)

    def add(self, identifier, values):
        self.rows[identifier] = {
            "id": identifier, "value": statistics.median(values), "min": min(values), "max": max(values),
            MARKS[identifier][1]: MARKS[identifier][2],
        }

    def time(self, name, seconds):
        """Microseconds of one operation, in each turn."""
        self.times.setdefault(name, []).append(seconds * 1e6)

    def count(self, name, value):
        """Modular multiplications of one operation."""
        self.counts[name] = value

    def intersection(self, name, answer, cores):
        """A whole intersection: CPU seconds on one core, seconds by the clock on more."""
        seconds = answer["seconds"] if cores == 1 else answer["wall"]
        row = self.intersections.setdefault(name, {"items_per_second": [], "bytes": answer.get("bytes"), "memory_mib": 0})
        row["items_per_second"].append(answer["count"] / seconds)
        row["memory_mib"] = max(row["memory_mib"], answer["memory"])

    def json(self):
        times = {name: {"median": statistics.median(v), "min": min(v), "max": max(v)} for name, v in self.times.items()}
        return json.dumps({"figures": list(self.rows.values()), "multiplications": self.counts, "microseconds": times,
                           "intersections": self.intersections, "absent": self.absent}, indent=2)

    def table(self):
        lines = [f"{'operation':34}{'microseconds':>13}{'least':>10}{'greatest':>10}{'mod. mult.':>12}"]
        for name, values in self.times.items():
            count = f"{self.counts[name]:12.3f}" if name in self.counts else ""
            lines.append(f"{name:34}{statistics.median(values):13.2f}{min(values):10.2f}{max(values):10.2f}{count}")
        if self.intersections:
            lines += ["", f"{'intersection, both parties in one process':48}{'items/s':>10}{'MB':>9}{'MiB':>8}"]
        for name, row in self.intersections.items():
            megabytes = f"{row['bytes'] / 1e6:9.1f}" if row["bytes"] else f"{'-':>9}"
            lines.append(f"{name:48}{statistics.median(row['items_per_second']):10.0f}{megabytes}{row['memory_mib']:8.0f}")
        lines += ["", f"{'figure':18}{'value':>10}{'least':>10}{'greatest':>10}  mark"]
        for row in self.rows.values():
            kind, mark = MARKS[row["id"]][1:]
            met = row["value"] >= mark if kind == "at_least" else row["value"] <= mark
            word = "at least" if kind == "at_least" else "at most"
            lines.append(f"{row['id']:18}{row['value']:10.3f}{row['min']:10.3f}{row['max']:10.3f}  {word} {mark:g}{'' if met else '   NOT MET'}")
        lines += [f"{name:18}{'not measured':>12}" for name in self.absent]
        return "\n".join(lines)
