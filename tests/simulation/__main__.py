"""``python -m tests.simulation --histories N``: many histories; the last line counts the broken."""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.history import play, shrink

EVENTS = 60
SHOWN = 5  # broken histories that are told in full


def main() -> None:
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first history")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    seeds = range(chosen.seed, chosen.seed + chosen.histories)
    began, broken = time.monotonic(), 0
    with ProcessPoolExecutor(chosen.processes) as pool:
        told = pool.map(play, seeds, [chosen.events] * len(seeds), chunksize=20)
        for seed, what in zip(seeds, told, strict=True):
            if what is None:
                continue
            broken += 1
            if broken <= SHOWN:
                sys.stderr.write(f"{play(seed, shrink(seed, chosen.events))}\n")
            else:
                sys.stderr.write(f"seed {seed} is broken too\n")
    spent = time.monotonic() - began
    sys.stdout.write(f"{spent:.0f} s, {chosen.events} events each\n")
    sys.stdout.write(f"{chosen.histories} histories, {broken} broken\n")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
