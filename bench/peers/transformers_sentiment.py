# Written as people write for these libraries, whose types are loose.
# ruff: noqa: ANN001, ANN201, PLC0415
# mypy: ignore-errors
"""Sentiment with transformers and torch; runs in the peers' environment, prints what it measured as JSON.

    python transformers_sentiment.py make FOLDER          # a model with made weights, from FOLDER/config.json
    python transformers_sentiment.py TEXTS.json FOLDER... # judge the texts, shared among the models

The same texts, the same batches (sorted by length, padded to the longest), one thread, no gradients: what a careful user writes.
"""

import json
import re
import sys
import time
from pathlib import Path

BATCH, MAX_TOKENS = 16, 128


def memory_mib(what):
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1024


def make(folder):
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    BertForSequenceClassification(BertConfig.from_pretrained(folder)).save_pretrained(folder)
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(tokenizer_file=f"{folder}/tokenizer.json", **special).save_pretrained(folder)


def judge(texts, model, tokenizer):
    import torch

    texts = sorted(texts, key=len, reverse=True)
    scores = []
    with torch.inference_mode():
        for start in range(0, len(texts), BATCH):
            inputs = tokenizer(texts[start : start + BATCH], padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
            scores += model(**inputs).logits.softmax(-1).tolist()
    return scores


def main():
    if sys.argv[1] == "make":
        make(sys.argv[2])
        return
    texts = json.loads(Path(sys.argv[1]).read_text())
    figures = {"rss_python_mib": memory_mib("VmRSS")}

    import torch
    import transformers
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(1)
    figures["rss_imported_mib"] = memory_mib("VmRSS")
    started = time.perf_counter()
    models = [
        (AutoModelForSequenceClassification.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder))
        for folder in sys.argv[2:]
    ]
    figures["load_seconds"] = time.perf_counter() - started
    figures["rss_loaded_mib"] = memory_mib("VmRSS")
    judge(texts[:BATCH], *models[0])
    started = time.perf_counter()
    for number, (model, tokenizer) in enumerate(models):
        mine = texts[number :: len(models)]
        assert len(judge(mine, model, tokenizer)) == len(mine)
    figures["sentences_per_second"] = len(texts) / (time.perf_counter() - started)
    figures["rss_mib"] = memory_mib("VmRSS")
    figures["peak_rss_mib"] = memory_mib("VmHWM")
    figures["versions"] = {"torch": torch.__version__, "transformers": transformers.__version__}
    print(json.dumps(figures))


main()
