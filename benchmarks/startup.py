"""How long commands take as whole processes, as ratios to what they stand on.

Each command and its yardstick run in turn, A B A B, so that a drift of the machine's speed hits
both; medians of the ratios are printed.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 15
BARE = """
import typer
app = typer.Typer(rich_markup_mode=None)
@app.command()
def hello(name: str = "you"):
    print(name)
app()
"""


def seconds(command: list[str], folder: Path) -> float:
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - begin


def compare(name: str, command: list[str], yardstick: list[str], folder: Path) -> None:
    seconds(command, folder), seconds(yardstick, folder)  # warm-up
    pairs = [(seconds(command, folder), seconds(yardstick, folder)) for _ in range(RUNS)]
    ratio = statistics.median(a / b for a, b in pairs)
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{name:<44}{mine * 1000:7.0f} ms {other * 1000:7.0f} ms   {ratio:5.2f}")


def main() -> None:
    python = sys.executable
    crosspost = [python, "-m", "crosspost"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = folder / "bare.py"
        bare.write_text(BARE)
        subprocess.run(
            [*crosspost, "init", ".", "--name", "Bench", "--site-url", "https://bench.example"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        add = [
            *crosspost,
            "add",
            "Satu kalimat.",
            "--title",
            "T",
            "--source",
            "S",
            "--at",
            "2 jam lagi",
            "--yes",
        ]
        typer, sqlmodel = ([python, "-c", f"import {m}"] for m in ("typer", "sqlmodel"))
        print(f"{'command / yardstick':<44}{'it':>10} {'yardstick':>10}   ratio")
        compare(
            "--help / bare Typer program --help",
            [*crosspost, "--help"],
            [python, str(bare), "--help"],
            folder,
        )
        compare("--help / import typer", [*crosspost, "--help"], typer, folder)
        compare("--version / import typer", [*crosspost, "--version"], typer, folder)
        compare("list / import sqlmodel", [*crosspost, "list"], sqlmodel, folder)
        compare("add / import sqlmodel", add, sqlmodel, folder)
        compare("add / import typer", add, typer, folder)


if __name__ == "__main__":
    main()
