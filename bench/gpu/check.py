"""Checks and times models for GPUs on a machine that has one, with Python and without Node: one command, made for a card that is there for ten minutes.

    python3 check.py DIR [--out results.json] [--seconds 560] [--only PART ...] [--emulated]

DIR holds what `npm run bench-gpu-build -- DIR` made. In this order: the instructions of kernels against the emulator (wrappers.py), the reference cases,
every workload, training steps against the same program on the CPU (plain.py), workloads against torch in float64 (peers.py), the same kernels
under compute-sanitizer, times of workloads and of training steps beside torch, and times of torch.compile. Each part is a process of its own with its share of the time: one that crashes is started
again behind what it was at, one that takes too long is ended, and the next one begins. Results are written after every line, so that whatever
ends this script leaves all that was found. With --emulated the libraries run on the CPU, and no time means anything: it tests this script.
"""

import argparse
import collections
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time

import report

HERE = os.path.dirname(os.path.abspath(__file__))
MOST_RESTARTS = 8
SANITIZERS = ("memcheck", "racecheck", "synccheck")

# Name, arguments, the seconds that it takes at most, the seconds that it is entitled to (parts before it leave so much of the time), and the seconds after
# which it hangs where nothing was heard of it: it is then started again behind what it was at, as after a crash. Without these it is not.
Part = collections.namedtuple("Part", "name command most due hangs", defaults=[None])


def parts_of(options):
    python, directory = sys.executable, options.directory
    plain, peers = [python, f"{HERE}/plain.py", directory], [python, f"{HERE}/peers.py", directory]
    emulated = ["--emulated"] if options.emulated else []
    parts = [
        Part("wrappers", [python, f"{HERE}/wrappers.py", directory], 60, 15),
        Part("workloads", [*plain, "workloads"], 60, 15, 20),
        Part("cases", [*plain, "cases"], 120, 40, 30),
        Part("training", [*plain, "training", *(["--short"] if options.emulated else [])], 60, 15, 30),
        Part("check", [*peers, "check", *emulated], 90, 40, 40),
    ]
    tool = shutil.which("compute-sanitizer")
    for kind in SANITIZERS if tool else ():
        command = [tool, "--tool", kind, "--error-exitcode", "9", "--print-limit", "20"]
        parts.append(Part(kind, [*command, *plain, "workloads", "training", "cases", "--short"], 90, 0))
    parts += [
        Part("times", [*peers, "times"], 180, 110, 40),
        Part("steps", [*peers, "steps", *emulated], 120, 60, 40),
        Part("compiled", [*peers, "compiled"], 600, 0, 120),
    ]
    without = ("wrappers", "times", "compiled", *SANITIZERS) if options.emulated else ()
    return [part for part in parts if part.name not in without and (not options.only or part.name in options.only)]


class Results:
    """What was found, on disk after every line."""

    def __init__(self, file):
        self.file = file
        self.content = dict(machine=machine(), parts={}, times=[])
        self.write()

    def begin(self, name):
        self.content["parts"][name] = part = dict(ok=[], failed=[], skipped=[], seconds=0, end="")
        return part

    def add_time(self, row):
        """Rows that say what the card reaches come first; those after them get the fraction of it that they reach."""
        times = self.content["times"]
        ceiling = "bytes" if row.get("unit") == "B/s" else row.get("precision")
        reached = next((each["rate"] for each in times if each.get("ceiling") == ceiling), None)
        times.append({**row, "fraction": row["rate"] / reached} if reached and "rate" in row else row)

    def write(self):
        if self.file is None:
            return
        with open(self.file + ".new", "w") as stream:
            json.dump(self.content, stream, indent=1)
        os.replace(self.file + ".new", self.file)


def machine():
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)


class Run:
    """A process of a part, whose lines become results."""

    def __init__(self, part, found, results, first):
        self.found, self.results, self.begun, self.count = found, results, None, first
        self.last = collections.deque(maxlen=30)
        command = [*part.command, *(["--from", str(first)] if first else [])]
        # Python would hold its lines back in a pipe.
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment,
                                        start_new_session=True)

    def read(self, deadline, hangs):
        """Reads to the end, which is None, or says what came first."""
        os.set_blocking(self.process.stdout.fileno(), False)
        rest = ""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while True:
                left = max(0, deadline - time.monotonic())
                if not selector.select(left if hangs is None else min(left, hangs)):
                    self.end()
                    return "late" if time.monotonic() >= deadline else "hangs"
                text = self.process.stdout.read()
                if text == "":
                    self.line(rest)
                    return self.wait(deadline)
                *lines, rest = (rest + (text or "")).split("\n")
                for line in lines:
                    self.line(line)

    def wait(self, deadline):
        try:
            self.process.wait(max(1, deadline - time.monotonic()))
            return None
        except subprocess.TimeoutExpired:
            self.end()
            return "late"

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def line(self, line):
        word, _, rest = line.partition(" ")
        kinds = {"ok": "ok", "FAIL": "failed", "skip": "skipped"}
        if word == "begin":
            self.begun = rest
            self.count += 1
            return
        if word == "time":
            try:
                self.results.add_time(json.loads(rest))
            except ValueError:
                self.last.append(line)
        elif word in kinds:
            self.begun = None
            self.found[kinds[word]].append(rest.strip())
            print(f"  {line}", flush=True)
        elif line.strip():
            self.last.append(line)
        self.results.write()


def run_part(part, results, seconds):
    """Runs a part for so many seconds at most; a process that broke is started again behind what it was at."""
    found, begun, first = results.begin(part.name), time.monotonic(), 0
    for _ in range(MOST_RESTARTS):
        run = Run(part, found, results, first)
        cut = run.read(begun + seconds, part.hangs)
        code, at = run.process.returncode, run.begun
        said = " | ".join(run.last)
        if cut == "late":
            found["end"] = f"out of time after {seconds:.0f} s" + (f", at {at}" if at else "")
        elif cut == "hangs":
            found["failed"].append(f"{at}: nothing was heard for {part.hangs} s: {said}")
        elif code != 0 and at is not None:
            found["failed"].append(f"{at}: the process ended with {code}: {said}")
        elif code not in (0, report.BROKEN):
            found["end"] = f"ended with {code}: {said}"
            # What wrappers.py found it has said line by line; what a sanitizer found is its output.
            if part.name in SANITIZERS or not found["failed"]:
                found["failed"].append(found["end"])
        goes_on = cut != "late" and code != 0 and part.hangs is not None and run.count > first
        first = run.count
        if not goes_on:
            break
    found["seconds"] = round(time.monotonic() - begun, 1)
    results.write()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--out")
    parser.add_argument("--seconds", type=float, default=560)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--emulated", action="store_true")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    results, parts = Results(options.out), parts_of(options)
    for i, part in enumerate(parts):
        left = end - time.monotonic() - sum(later.due for later in parts[i + 1:])
        if left < 5:
            results.begin(part.name)["end"] = "no time was left"
            print(f"{part.name}: no time was left", flush=True)
            continue
        print(f"{part.name}:", flush=True)
        found = run_part(part, results, min(part.most, left))
        print(f"{part.name}: {len(found['ok'])} ok, {len(found['failed'])} failed, {found['seconds']} s {found['end'][:300]}", flush=True)
    results.write()
    failures = [f"{name}: {failure}" for name, part in results.content["parts"].items() for failure in part["failed"]]
    cut = [name for name, part in results.content["parts"].items() if part["end"]]
    print(f"{len(failures)} failed" + (f"; not to their end: {', '.join(cut)}" if cut else ""))
    for failure in failures:
        print("  " + failure[:2000])
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
