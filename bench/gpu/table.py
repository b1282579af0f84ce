"""Prints what check.py wrote as tables: python3 table.py results.json"""

import json
import sys

PEERS = ("eager", "captured", "compile")


def key_of(row):
    return row["name"], row["precision"], " ".join(f"{k}={v}" for k, v in row["sizes"].items())


def joined(rows):
    """A line for each workload, with its ratio to every peer."""
    lines = {}
    for row in rows:
        if "peer" not in row:
            continue
        line = lines.setdefault(key_of(row), dict(row, ratios={}, memory={}))
        line["ratios"][row["peer"]] = row["peer_seconds"] / row["seconds"]
        if row.get("peer_bytes"):
            line["memory"][row["peer"]] = row["peer_bytes"] / row["bytes"]
    return lines


def rate(row):
    if "rate" not in row:
        return ""
    scale, unit = (1e9, "GB/s") if row["unit"] == "B/s" else (1e12, "TFLOP/s")
    return f"{row['rate'] / scale:.4g} {unit}"


def ratio(values, peer):
    return f"{values[peer]:.2f}" if peer in values else ""


def tables(content):
    yield f"### {content['machine']}"
    yield ""
    for name, part in content["parts"].items():
        end = f"; {part['end']}" if part["end"] else ""
        yield f"- {name}: {len(part['ok'])} ok, {len(part['failed'])} failed, {len(part['skipped'])} skipped{end}"
    yield ""
    for row in content["times"]:
        if "ceiling" in row:
            yield f"- {row['name']}: {rate(row)}"
    yield ""
    yield "| workload | precision | sizes | us | rate | of ceiling | torch eager / tdsl | captured / tdsl | torch.compile / tdsl | memory eager / tdsl | memory compile / tdsl |"
    yield "|" + "---|" * 11
    for (name, precision, sizes), row in joined(content["times"]).items():
        fraction = f"{100 * row['fraction']:.0f} %" if "fraction" in row else ""
        cells = [name, precision, sizes, f"{row['seconds'] * 1e6:.1f}", rate(row), fraction, *[ratio(row["ratios"], peer) for peer in PEERS],
                 ratio(row["memory"], "eager"), ratio(row["memory"], "compile")]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    with open(sys.argv[1]) as stream:
        print("\n".join(tables(json.load(stream))))
