"""A program that fetches a model from a hub, and ends: what it needs of libraries and memory ends with it.

    python -m tradingbot_engine.prediction.fetch owner/name [FILE]

Of all the weights that a hub has for a model it fetches one. It honours what Hugging Face's own programs do: HF_ENDPOINT, HF_HOME,
HF_TOKEN. It prints the folder; when it can't, it says why on the last line of stderr.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from tradingbot_engine.prediction.model_folder import CONFIG_FILE, TOKENIZER_FILE, ModelError, choose_weights

EXIT_MODEL: Final = 65  # EX_DATAERR of sysexits.h
"""There is no such model, or it isn't one of sentiment: waiting does not help."""
EXIT_UNAVAILABLE: Final = 75  # EX_TEMPFAIL
"""The hub can't be reached now."""


def fetch_model(model_id: str, wanted: str | None) -> Path:
    """Fetch what is missing of the model into Hugging Face's cache; return its folder.

    Raises:
        ModelError: the hub has no such model, or the model has no weights that can be used.
        OSError: the hub can't be reached; so does httpx.HTTPError.
    """
    from huggingface_hub import HfApi  # noqa: PLC0415 - with the settings of the environment, which main() completes
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError  # noqa: PLC0415

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    try:
        found = api.model_info(model_id)
    except GatedRepoError as error:
        raise ModelError(f"the hub gives {model_id} only to those who have asked for it: set HF_TOKEN") from error
    except RepositoryNotFoundError as error:
        raise ModelError(f"the hub has no model {model_id}, or does not show it without HF_TOKEN") from error
    names = frozenset(sibling.rfilename for sibling in found.siblings or ())
    try:
        weights = choose_weights(names, wanted)
    except ModelError as error:
        raise ModelError(f"{model_id}: {error}") from None
    missing = [name for name in (TOKENIZER_FILE, CONFIG_FILE) if name not in names]
    if missing:
        raise ModelError(f"{model_id} has no {missing[0]}")
    tensors = sorted(name for name in names if name.startswith((f"{weights}_data", f"{weights}.data")))
    # The weights last: a folder that has them has all that belongs to them.
    paths = [api.hf_hub_download(model_id, name, revision=found.sha) for name in (TOKENIZER_FILE, CONFIG_FILE, *tensors, weights)]
    folder = Path(str(paths[1])).parent
    _note_revision(folder, found.sha)
    return folder


def _note_revision(folder: Path, revision: str | None) -> None:
    """Say, where Hugging Face's programs say it, which snapshot is the newest that is whole."""
    if revision is not None:
        references = folder.parents[1] / "refs"
        references.mkdir(exist_ok=True)
        (references / "main").write_text(revision, encoding="ascii")


def main() -> int:
    if len(sys.argv) - 1 not in {1, 2}:
        sys.stderr.write("usage: fetch owner/name [FILE]\n")
        return EXIT_MODEL
    for name in ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_XET"):
        os.environ.setdefault(name, "1")  # the last: it buffers more than a small container has
    try:
        from httpx import HTTPError  # noqa: PLC0415 - needed by this program only, and maybe not there

        try:
            folder = fetch_model(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
        except (OSError, HTTPError) as error:
            sys.stderr.write(f"{' '.join(str(error).split())}\n")
            return EXIT_UNAVAILABLE
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_MODEL
    except ImportError as error:
        sys.stderr.write(f"the engine's image has no {error.name}: use the image for sentiment (extra `sentiment`)\n")
        return EXIT_MODEL
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
