"""The example trains, and a resumed run ends with the loss of one that was never interrupted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from model import Model

TRAIN = Path(__file__).parents[2] / "examples/pytorch/train.py"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return Model(tmp_path_factory.mktemp("model"), 20260102, lists=60)


def train(model, checkpoint, *words, ranks=1):
    """Return the lines with losses."""
    run = [sys.executable] if ranks == 1 else [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(ranks)]
    run += ["--standalone", "--local-addr", "127.0.0.1"] if ranks > 1 else []
    line = [*run, TRAIN, "--store", model.store, "--input", model.root, "--days", *model.days]
    settings = ["--batch-size", "16", "--max-history", "4", "--checkpoint", checkpoint, "--every", "1000", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    said = subprocess.run([*map(str, line), *map(str, settings)], capture_output=True, text=True, env=environment)
    assert said.returncode == 0, said.stderr
    return said.stdout.splitlines()


@pytest.mark.parametrize("ranks, workers", [(1, 2), (2, 0)])
def test_a_resumed_training_ends_with_the_same_loss(model, tmp_path, ranks, workers):
    words = ["--workers", workers]
    whole = train(model, tmp_path / "whole.pt", *words, ranks=ranks)
    steps = len(whole)
    assert steps > 10 and whole[-1].startswith("epoch 1 ")
    assert float.fromhex(whole[-1].split()[-1]) < float.fromhex(whole[0].split()[-1])
    # In the middle of the first epoch, and again in the second one.
    parts = train(model, tmp_path / "part.pt", *words, "--stop-after", steps // 3, ranks=ranks)
    parts += train(model, tmp_path / "part.pt", *words, "--stop-after", 2 * steps // 3, ranks=ranks)
    parts += train(model, tmp_path / "part.pt", *words, ranks=ranks)
    assert parts == whole
