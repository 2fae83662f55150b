"""Trains a small transformer on the training rows of some days, in one process or several, and can be resumed anywhere.

    python train.py --store store --input input --days 2026-01-02 2026-01-03
    torchrun --nproc-per-node 2 train.py --store store --input input --days 2026-01-02 2026-01-03

The checkpoint holds the model, the optimizer and the state of the rows behind the last batch. Started again, the program
goes on with the next row, and ends with the same loss, to the last bit, as if it had never stopped.
"""

import argparse
import os

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from lookback.torch import TrainingRows


class Ranker(nn.Module):
    """Scores an item shown to a customer by the customer's history."""

    def __init__(self, items: int, length: int, width: int = 32) -> None:
        super().__init__()
        # Items are numbered without end: those that share a bucket share an embedding. 0 is the padding.
        self.buckets = items
        self.items = nn.Embedding(items + 1, width, padding_idx=0)
        self.types = nn.Embedding(256, width, padding_idx=0)
        self.places = nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(width, nhead=2, dim_feedforward=64, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=1, enable_nested_tensor=False)

    def _item(self, ids: torch.Tensor) -> torch.Tensor:
        return self.items(torch.where(ids == 0, 0, ids % self.buckets + 1))

    def forward(self, impressions: torch.Tensor, actions: torch.Tensor, action_types: torch.Tensor) -> torch.Tensor:
        """Return a logit for each row: impressions [B], actions and action_types [B, L], most recent first."""
        history = self._item(actions) + self.types(action_types) + self.places.weight[: actions.shape[1]]
        # The item shown stands in front, so that no sequence is empty.
        shown = self._item(impressions)[:, None]
        sequence = torch.cat([shown, history], dim=1)
        is_padding = torch.cat([torch.zeros_like(impressions[:, None], dtype=torch.bool), actions == 0], dim=1)
        encoded = self.encoder(sequence, src_key_padding_mask=is_padding)
        return (encoded[:, 0] * shown[:, 0]).sum(1)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--store", required=True)
    arguments.add_argument("--input", required=True)
    arguments.add_argument("--days", required=True, nargs="+")
    arguments.add_argument("--epochs", type=int, default=2)
    arguments.add_argument("--batch-size", type=int, default=256)
    arguments.add_argument("--max-history", type=int, default=100)
    arguments.add_argument("--workers", type=int, default=0)
    arguments.add_argument("--checkpoint", default="checkpoint.pt")
    arguments.add_argument("--every", type=int, default=100, help="steps between checkpoints")
    arguments.add_argument("--stop-after", type=int, help="end after so many steps, as if interrupted")
    typed = arguments.parse_args()

    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if ranks > 1:
        torch.distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    rank = torch.distributed.get_rank() if ranks > 1 else 0
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) if torch.cuda.is_available() else 0)
    device = device if torch.cuda.is_available() else torch.device("cpu")

    torch.manual_seed(0)
    model: nn.Module = Ranker(items=10_000, length=typed.max_history).to(device)
    if ranks > 1:
        model = DistributedDataParallel(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    rows = TrainingRows(
        typed.store,
        input=typed.input,
        days=typed.days,
        batch_size=typed.batch_size,
        max_history=typed.max_history,
        drop_last=ranks > 1,
    )
    loader = DataLoader(rows, batch_size=None, num_workers=typed.workers, pin_memory=torch.cuda.is_available())

    first_epoch, step = 0, 0
    if os.path.exists(typed.checkpoint):
        saved = torch.load(typed.checkpoint, map_location=device)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        rows.load_state_dict(saved["rows"])
        first_epoch, step = saved["rows"]["epoch"], saved["step"]

    def save(state: dict) -> None:
        """Write the checkpoint whole or not at all; all ranks have the same."""
        if rank == 0:
            saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "rows": state, "step": step}
            torch.save(saved, typed.checkpoint + ".new")
            os.replace(typed.checkpoint + ".new", typed.checkpoint)

    loss_of = nn.BCEWithLogitsLoss()
    for epoch in range(first_epoch, typed.epochs):
        # The epoch of the state goes on where the state says; the others begin.
        rows.set_epoch(epoch)
        for batch in loader:
            batch = batch.to(device, non_blocking=True)
            logits = model(batch.impressions, batch.actions, batch.action_types)
            counted = len(batch) - batch.filled
            loss = loss_of(logits[:counted], batch.labels[:counted].float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if rank == 0:
                print(f"epoch {epoch} step {step} {batch.dt} loss {loss.item().hex()}", flush=True)
            if step % typed.every == 0 or step == typed.stop_after:
                save(batch.state)
            if step == typed.stop_after:
                return

    if ranks > 1:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
