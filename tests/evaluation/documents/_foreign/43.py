"""Reads meter values from a serial line and keeps a running mean."""

import sys
import time
from collections import deque

WINDOW = 60


class Meter:
    def __init__(self, port, window=WINDOW):
        self.port = port
        self.values = deque(maxlen=window)

    def read(self):
        line = self.port.readline().decode("ascii", "replace").strip()
        try:
            self.values.append(float(line))
        except ValueError:
            print(f"skipped {line!r}", file=sys.stderr)

    @property
    def mean(self):
        return sum(self.values) / len(self.values) if self.values else 0.0


def main(argv):
    with open(argv[1], "rb") as port:
        meter = Meter(port)
        while True:
            meter.read()
            print(f"{meter.mean:.2f}")
            time.sleep(1)


if __name__ == "__main__":
    main(sys.argv)
