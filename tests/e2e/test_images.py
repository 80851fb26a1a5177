"""The image with what runs models can run one: as a pod would start it, without a network and with a file system that can't be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import commands
import pytest
from app_images import ENGINE_SENTIMENT
from cache_folder import default_cache
from lifecycle import TestCluster
from progress import Progress

from tiny_model import expected_shares, write_model
from tradingbot_contract.endpoints import ENGINE_UID, MODELS_DIRECTORY

JUDGE: Final = """
import json, sys
from pathlib import Path
from tradingbot_engine.prediction.classifier import Classifier, Settings
from tradingbot_engine.prediction.model_folder import read_model_folder
model = Classifier("finbert", read_model_folder(Path(sys.argv[1]), None), Settings(batch_size=4, max_tokens=32, threads=1))
print(json.dumps([one.score for one in model.judge(["profit soar", "the fall", "profit soar"])]))
"""


def test_the_image_for_sentiment_judges_with_a_model(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    for path in (tmp_path, folder):
        path.chmod(0o755)
    cluster = TestCluster(default_cache(), Progress())
    docker = cluster.find_docker()
    assert docker is not None, "a cluster is up, so there is an engine"
    command = [
        *("docker", "run", "--rm", "--read-only", "--network", "none", "--user", str(ENGINE_UID), "--tmpfs", "/tmp"),  # noqa: S108 - the container's own
        *("--volume", f"{folder}:{MODELS_DIRECTORY}:ro", "--entrypoint", "python3", ENGINE_SENTIMENT.moving_name),
        *("-c", JUDGE, MODELS_DIRECTORY),
    ]
    scores = json.loads(commands.output(command, env=docker.env).splitlines()[-1])
    good, bad = (expected_shares(tokens) for tokens in (["profit", "soar"], ["the", "fall"]))
    expected = [shares["positive"] - shares["negative"] for shares in (good, bad, good)]
    assert scores == pytest.approx(expected, abs=1e-5)
