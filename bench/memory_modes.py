"""What judging news costs in each memory mode, beside transformers and torch: resident memory and sentences a second.

Models are of FinBERT's size with made weights (bench/made/bert.py), once with weights of 32 bits and once of 8; Full has two of them. Each
mode runs in a process of its own, with the real service and the allocator's settings of a pod, on one thread; then the mode is lowered rung
by rung, which must give the memory back. Memory is the system's own figure. The peers judge the same texts in the same batches with the
same model; their torch is what the package index gives to a Linux machine, which is a build for graphics cards. Rounds of all take turns.

    python bench/memory_modes.py [--texts N] [--rounds N] [--layers N] [--no-peers]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
REQUIREMENTS: Final = ROOT / "bench" / "peers" / "transformers.txt"
PEER: Final = ROOT / "bench" / "peers" / "transformers_sentiment.py"
PEER_ENVIRONMENT: Final = ROOT / "build" / "bench-transformers-env"
OURS: Final = ("onnxruntime", "numpy", "tokenizers", "flatbuffers", "protobuf")
"""The libraries that judging with models loads."""
LEXICON_TEXTS_FACTOR: Final = 40
"""The lexicon is so much faster that it gets more texts."""
CASES: Final = {
    "Minimal": ("Minimal", None, None),
    "FinBERTOnly_int8": ("FinBERTOnly", "int8", None),
    "FinBERTOnly_fp32": ("FinBERTOnly", "fp32", None),
    "Full_int8": ("Full", "int8", "int8"),
    "Full_fp32": ("Full", "fp32", "fp32"),
}
PEER_CASES: Final = {"transformers_one_model": 1, "transformers_two_models": 2}
POD_ENVIRONMENT: Final = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072", "TOKENIZERS_PARALLELISM": "false"}

Figures = dict[str, Any]


def read_memory_mib(what: str) -> float:
    """Return a figure of this process's status: VmRSS now, VmHWM its peak."""
    found = re.search(rf"^{what}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


# --- One mode, in a process of its own ---------------------------------------------------------------------------------------------


class NoCache:
    """Keeps nothing: every text is judged."""

    async def get(self, key: str) -> None: ...

    async def put(self, key: str, value: object) -> None: ...


async def measure(case: str, folders: dict[str, str], texts: Sequence[str]) -> Figures:
    """Return what one mode costs."""
    from tradingbot_contract.resources import MemoryMode, Model, Prediction  # noqa: PLC0415 - part of what is measured
    from tradingbot_engine.prediction.hub import ModelHub  # noqa: PLC0415
    from tradingbot_engine.prediction.sentiment import Passage, Source  # noqa: PLC0415
    from tradingbot_engine.prediction.service import PredictionService  # noqa: PLC0415

    mode, *kinds = CASES[case]
    finbert, social = (None if kind is None else Model(source=folders[kind]) for kind in kinds)
    hub = ModelHub(Path(tempfile.gettempdir()), {})
    service = PredictionService(Prediction(finbert=finbert, social=social), MemoryMode(mode), hub=hub, cache=NoCache())
    figures: Figures = {"rss_python_mib": read_memory_mib("VmRSS")}
    started = time.perf_counter()
    service.start()
    await service.score([Passage("a")])
    figures["load_seconds"] = time.perf_counter() - started
    figures["rss_loaded_mib"] = read_memory_mib("VmRSS")
    assert service.mode is MemoryMode(mode), service.mode_reason
    passages = [Passage(text, Source.SOCIAL if social is not None and number % 2 else Source.NEWS) for number, text in enumerate(texts)]
    started = time.perf_counter()
    found = await service.score(passages)
    figures["sentences_per_second"] = len(found) / (time.perf_counter() - started)
    figures["rss_mib"] = read_memory_mib("VmRSS")
    figures["peak_rss_mib"] = read_memory_mib("VmHWM")
    while (lower := await service.lower_mode()) is not None:
        figures[f"rss_lowered_to_{lower.value}_mib"] = read_memory_mib("VmRSS")
    await service.close()
    return figures


def run_case(case: str, folders: dict[str, Path], texts: Path) -> Figures:
    """Measure one mode in a new process."""
    command = [sys.executable, __file__, "--case", case, "--texts-file", str(texts)]
    command += [argument for kind, folder in folders.items() for argument in (f"--{kind}", str(folder))]
    environment = os.environ | POD_ENVIRONMENT | {"PYTHONPATH": str(ROOT / "engine")}
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    figures: Figures = json.loads(answer.splitlines()[-1])
    return figures


# --- Peers -------------------------------------------------------------------------------------------------------------------------


def make_peer_environment() -> Path:
    """Return the Python of an environment with the peers, made anew when their pins have changed."""
    python = PEER_ENVIRONMENT / "bin" / "python"
    stamp = PEER_ENVIRONMENT / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        uv = os.environ.get("UV") or shutil.which("uv")
        if uv is None:
            raise SystemExit("the peers need uv: run this as `make bench-memory_modes`, or set UV; or leave them out with --no-peers")
        print("installing torch and transformers, some five gigabytes, once")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(PEER_ENVIRONMENT)], check=True)
        command = [uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(python), "-r", str(REQUIREMENTS)]
        subprocess.run(command, check=True)
        stamp.write_text(wanted)
    return python


def make_peer_model(python: Path, like: Path) -> Path:
    """Return the folder of a model for the peers, of the same shape."""
    folder = like.parent / "torch"
    if not (folder / "model.safetensors").exists():
        folder.mkdir(exist_ok=True)
        for name in ("config.json", "tokenizer.json"):
            shutil.copy(like / name, folder / name)
        subprocess.run([python, PEER, "make", folder], check=True, capture_output=True)
    return folder


def run_peer(python: Path, folder: Path, models: int, texts: Path) -> Figures:
    """Measure the peers with so many models in a new process."""
    command = [python, PEER, texts, *[folder] * models]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | POD_ENVIRONMENT).stdout
    figures: Figures = json.loads(answer.splitlines()[-1])
    return figures


# --- Sizes on disk -----------------------------------------------------------------------------------------------------------------


def size_of_ours_mib() -> float:
    """Return what the libraries for models take on disk."""
    paths = [Path(str(file.locate())) for name in OURS for file in distribution(name).files or ()]
    return sum(path.stat().st_size for path in paths if path.exists()) / 2**20


def size_of_folder_mib(folder: Path) -> float:
    """Return what a folder takes on disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 2**20


# --- All together ------------------------------------------------------------------------------------------------------------------


def summarise(rounds: Sequence[Figures]) -> Figures:
    """Return the median of each figure."""
    return {name: round(statistics.median(figures[name] for figures in rounds), 2) for name in rounds[0] if name != "versions"}


def print_table(figures: dict[str, Figures]) -> None:
    """Print the figures for people."""
    print(f"{'':26}{'sentences/s':>12}{'RSS, MiB':>10}{'peak':>8}{'load, s':>9}   after lowering")
    for name, one in figures.items():
        lowered = ", ".join(
            f"{key.removeprefix('rss_lowered_to_').removesuffix('_mib')} {value:.0f}"
            for key, value in one.items()
            if key.startswith("rss_lowered")
        )
        rates = f"{one['sentences_per_second']:>12.1f}{one['rss_mib']:>10.0f}{one['peak_rss_mib']:>8.0f}{one['load_seconds']:>9.2f}"
        print(f"{name:26}{rates}   {lowered}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Memory and speed of each memory mode.")
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--no-peers", action="store_true")
    for name in ("--case", "--texts-file", "--fp32", "--int8"):  # of the process that measures one mode
        parser.add_argument(name, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    if arguments.case:
        texts = json.loads(Path(arguments.texts_file).read_text())
        print(json.dumps(asyncio.run(measure(arguments.case, {"fp32": arguments.fp32, "int8": arguments.int8}, texts))))
        return
    from made.bert import make_headlines, make_models  # noqa: PLC0415 - a process that measures must not import what makes models

    folders = make_models(arguments.layers)
    python = None if arguments.no_peers else make_peer_environment()
    peer_folder = None if python is None else make_peer_model(python, folders["fp32"])
    rounds: dict[str, list[Figures]] = {}
    with tempfile.TemporaryDirectory() as name:
        texts, many_texts = Path(name) / "texts.json", Path(name) / "many-texts.json"
        texts.write_text(json.dumps(make_headlines(arguments.texts)))
        many_texts.write_text(json.dumps(make_headlines(arguments.texts * LEXICON_TEXTS_FACTOR)))
        for _ in range(arguments.rounds):
            for case in CASES:
                rounds.setdefault(case, []).append(run_case(case, folders, many_texts if case == "Minimal" else texts))
            if python is not None and peer_folder is not None:
                for case, models in PEER_CASES.items():
                    rounds.setdefault(case, []).append(run_peer(python, peer_folder, models, texts))
    figures = {name: summarise(each) for name, each in rounds.items()}
    print_table(figures)
    result: Figures = {
        "name": "memory_modes",
        "figures": figures,
        "weights_mib": {kind: round(size_of_folder_mib(folder), 1) for kind, folder in folders.items()},
        "disk_mib": {"ours": round(size_of_ours_mib())},
        "texts": arguments.texts,
        "layers": arguments.layers,
        "threads": 1,
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "architecture": platform.machine()},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in ("onnxruntime", "tokenizers", "numpy")}},
    }
    if python is not None:
        one, two = (figures[name] for name in PEER_CASES)
        result["disk_mib"]["transformers"] = round(size_of_folder_mib(PEER_ENVIRONMENT))
        result["versions"] |= rounds["transformers_one_model"][0]["versions"]
        # Ours divided by the peers': of memory below 1 is less, of speed above 1 is faster.
        for ours, peer in (("FinBERTOnly_int8", one), ("FinBERTOnly_fp32", one), ("Full_int8", two), ("Full_fp32", two)):
            result[f"ratio_rss_{ours}"] = round(figures[ours]["rss_mib"] / peer["rss_mib"], 2)
            result[f"ratio_speed_{ours}"] = round(figures[ours]["sentences_per_second"] / peer["sentences_per_second"], 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
