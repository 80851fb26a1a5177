"""What a bot's models need of its pod: the volume that holds them, or a place for those that come from a hub."""

from __future__ import annotations

from typing import Any

from tradingbot_contract.endpoints import DATA_DIRECTORY, MODELS_DIRECTORY
from tradingbot_contract.resources import Prediction
from tradingbot_operator.resource import BotPrediction

_VOLUME = "models"


def needs_hub(prediction: Prediction) -> bool:
    """Return whether a model is named by its id on a hub, from where the engine fetches it."""
    return any(model is not None and not model.source.startswith("/") for model in (prediction.finbert, prediction.social))


def build_environment(prediction: BotPrediction) -> list[dict[str, Any]]:
    """Return what the engine's environment says of models: where those from a hub are kept, which must outlive the container."""
    return [{"name": "HF_HOME", "value": f"{DATA_DIRECTORY}/huggingface"}] if needs_hub(prediction) else []


def build_volumes(prediction: BotPrediction) -> list[dict[str, Any]]:
    """Return the pod's volumes for models."""
    claim = prediction.volume_claim
    return [{"name": _VOLUME, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}] if claim else []


def build_mounts(prediction: BotPrediction) -> list[dict[str, Any]]:
    """Return the engine's mounts of these volumes."""
    return [{"name": _VOLUME, "mountPath": MODELS_DIRECTORY, "readOnly": True}] if prediction.volume_claim else []
