"""How a part of the checks says what happens: a line when it begins with something, a line with the outcome, and lines with times. check.py reads them."""

import json
import sys

# A process that ends with this number could not go on; it is started again behind what it was at.
BROKEN = 3


class Mismatch(Exception):
    """A wrong result. Any other exception may have broken the device for the rest of the process."""


def row(**values):
    print("time " + json.dumps(values), flush=True)


def run_all(items, first, may_go_on=False):
    """Runs items, pairs of a name and a function that returns a note, from number `first` on."""
    for name, action in items[first:]:
        print(f"begin {name}", flush=True)
        try:
            note = action()
            print(f"ok {name}" + (f": {note}" if note else ""), flush=True)
        except Mismatch as problem:
            print(f"FAIL {name}: {one_line(problem)}", flush=True)
        except Exception as problem:
            print(f"FAIL {name}: {type(problem).__name__}: {one_line(problem)}", flush=True)
            if not may_go_on:
                sys.exit(BROKEN)


def one_line(problem):
    return " ".join(str(problem).split())[:1000]
