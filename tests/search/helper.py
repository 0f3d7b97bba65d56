"""A search, or a process that helps with it, as a program: for tests of several at once."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from dse.errors import DseError
from dse.search import Candidate, Report, Search, crew, remote
from dse.space import parse_space
from tests.search.pausing import Pausing

URL = "sqlite:///study.db"
SPACE = """
network:
  input: 3x16x16
  classes: 3
  nodes:
    - {name: stem, conv: {channels: {between: [2, 200]}, kernel: {choose: [1, 3, 5]}}}
    - {name: pool, global_pool: {}}
    - {name: classifier, classifier: {}}
"""


class Slow(Pausing):
    """Notes what each process does, and waits while a file with this one's role is there."""

    role = ""

    def advance(self, candidate: Candidate, report: Report, *rest: object) -> object:
        with open("begun.log", "a") as file:
            file.write(f"{candidate.trial} {self.role}\n")
        while Path(f"hold-{self.role}").exists():
            time.sleep(0.02)
        time.sleep(0.05)
        return super().advance(candidate, report, *rest)  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["main", "helper"])
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--resume", action="store_true")
    asked = parser.parse_args()
    # A process is taken for dead sooner.
    remote.BEAT, remote.SILENCE, crew._LOOK = 0.2, 8.0, 0.1
    evaluate = Slow()
    evaluate.role = asked.role
    search = Search(
        parse_space(SPACE, "space"),
        evaluate,
        objectives=("accuracy",),
        trials=asked.trials,
        sampler="random",
        storage=URL,
        settings={"options": {}},
    )
    try:
        if asked.role == "main":
            search.run("r", resume=asked.resume)
        else:
            remote.running_search(URL, "r")
            print(len(remote.help_with(search, URL, "r")), os.getpid())
    except DseError as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
