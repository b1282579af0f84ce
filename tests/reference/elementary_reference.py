#!/usr/bin/env python3
"""Writes tests/samples/elementary/f64.json: values of elementary functions to more than twice the precision of f64.

Each entry is [operands..., high, low] with the value high + low. Run with a Python that has mpmath; the result is committed, so that
the tests need none. The operands are drawn over the whole range of each function, with those that are hard for the reduction of angles.
"""

import json
import math
import pathlib
import random

import mpmath as mp

mp.mp.prec = 2400
RANDOM = random.Random(20)


def uniform(low, high, count=24):
    return [RANDOM.uniform(low, high) for _ in range(count)]


def scales(low, high, count=24, signs=(1, -1)):
    """Numbers whose binary exponents are uniform between low and high."""
    return [RANDOM.choice(signs) * math.ldexp(RANDOM.uniform(1, 2), RANDOM.randint(low, high)) for _ in range(count)]


def near_multiples():
    """The doubles next to multiples of pi/2 of all sizes, and the double that comes closest to one (Kahan)."""
    found = [math.ldexp(6381956970095103, 797)]
    for exponent in range(0, 1020, 40):
        found.append(float(mp.floor(mp.ldexp(RANDOM.random() + 1, exponent)) * mp.pi / 2))
    return [x for x in found if math.isfinite(x)]


ANGLES = uniform(-10, 10) + scales(-40, 40) + scales(40, 1023, 16) + near_multiples()
NEAR_ONE = [1 + x for x in scales(-52, -3)]
POSITIVE = scales(-1074, 1023, 24, (1,)) + uniform(0.1, 10) + NEAR_ONE + [5e-324]

FUNCTIONS = {
    "exp": (mp.exp, uniform(-745, 709) + uniform(-2, 2) + scales(-60, 1)),
    "exp2": (lambda x: mp.mpf(2) ** x, uniform(-1074, 1023) + uniform(-2, 2) + scales(-60, 1)),
    "expm1": (mp.expm1, uniform(-40, 709) + uniform(-2, 2) + scales(-1060, 1)),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), uniform(-744, 40) + uniform(-5, 5) + scales(-60, 3)),
    "log": (mp.log, POSITIVE),
    "log2": (lambda x: mp.log(x) / mp.log(2), POSITIVE),
    "log10": (mp.log10, POSITIVE),
    "log1p": (mp.log1p, uniform(-0.999, 5) + scales(-1060, -1) + scales(0, 1023, 16, (1,))),
    "sin": (mp.sin, ANGLES),
    "cos": (mp.cos, ANGLES),
    "tan": (mp.tan, ANGLES),
    "asin": (mp.asin, uniform(-1, 1, 40) + scales(-60, -2) + [1 - x for x in scales(-52, -8, 12, (1,))]),
    "acos": (mp.acos, uniform(-1, 1, 40) + scales(-60, -2) + [1 - x for x in scales(-52, -8, 12, (1,))]),
    "atan": (mp.atan, uniform(-3, 3, 40) + scales(-60, 60)),
    "sinh": (mp.sinh, uniform(-3, 3, 40) + uniform(-710, 710) + scales(-60, 0)),
    "cosh": (mp.cosh, uniform(-3, 3, 40) + uniform(-710, 710) + scales(-60, 0)),
    "tanh": (mp.tanh, uniform(-3, 3, 40) + uniform(-20, 20) + scales(-60, 0)),
    "asinh": (mp.asinh, uniform(-3, 3, 40) + scales(-60, 1023)),
    "acosh": (mp.acosh, uniform(1, 4, 40) + scales(1, 1023, 24, (1,)) + [1 + x for x in scales(-52, -3, 12, (1,))]),
    "atanh": (mp.atanh, uniform(-1, 1, 40) + scales(-60, -2) + [1 - x for x in scales(-52, -8, 12, (1,))]),
    "erf": (mp.erf, uniform(-3, 3, 40) + uniform(-6, 6) + scales(-60, 0)),
    "erfc": (mp.erfc, uniform(-3, 3, 40) + uniform(-6, 27) + scales(-60, 0)),
}


def pairs():
    bases = scales(-20, 20, 40, (1,)) + NEAR_ONE
    powers = [(x, RANDOM.uniform(-700, 700) / math.log(x)) for x in bases]
    whole = [(-RANDOM.uniform(0.5, 9), float(RANDOM.randint(-40, 40))) for _ in range(12)]
    points = [(y, x) for y, x in zip(scales(-30, 30, 60), scales(-30, 30, 60))]
    return {
        "pow": (lambda x, y: mp.mpf(x) ** mp.mpf(y), powers + whole),
        "atan2": (mp.atan2, points + list(zip(uniform(-2, 2), uniform(-2, 2)))),
        "hypot": (mp.hypot, points + list(zip(scales(-1000, 1020), scales(-1000, 1020)))),
    }


def entry(function, operands):
    value = function(*(mp.mpf(x) for x in operands))
    high = float(value)
    return [*operands, high, float(value - high)]


def main():
    table = {name: [entry(f, (x,)) for x in operands] for name, (f, operands) in FUNCTIONS.items()}
    table |= {name: [entry(f, operands) for operands in points] for name, (f, points) in pairs().items()}
    table = {name: [row for row in rows if all(map(math.isfinite, row))] for name, rows in table.items()}
    lines = ",\n".join(
        f' "{name}": [\n' + ",\n".join("  " + json.dumps(row) for row in rows) + "\n ]" for name, rows in table.items()
    )
    target = pathlib.Path(__file__).parent.parent / "samples" / "elementary" / "f64.json"
    target.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
