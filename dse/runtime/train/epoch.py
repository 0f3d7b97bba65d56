"""One pass over the training part."""

from __future__ import annotations

from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from dse.recipes import Recipe
from dse.runtime.train.batches import TrainingBatches
from dse.runtime.train.device import precision
from dse.runtime.train.divergence import Losses
from dse.runtime.train.predict import checked
from dse.runtime.train.schedule import learning_rate


def train_epoch(
    model: nn.Module,
    batches: TrainingBatches,
    loss_function: nn.Module,
    optimizer: Optimizer,
    recipe: Recipe,
    *,
    epoch: int,
    classes: int,
) -> tuple[float, float]:
    """Train over all batches; the mean loss and the last learning rate.

    Raises DivergedTraining where a loss is not finite.
    """
    model.train()
    device = batches.pixels.values.device
    losses = Losses(epoch, device)
    rate = 0.0
    for batch, (images, labels) in enumerate(batches.epoch()):
        # The middle of the step, so that neither the first nor the last one has a rate of zero.
        rate = learning_rate(recipe, epoch - 1 + (batch + 0.5) / batches.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        with precision(device):
            logits = checked(model(images), len(labels), classes)
        loss = loss_function(logits.float(), labels)
        losses.add(loss, rate)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if recipe.clip_grad_norm is not None:
            clip_grad_norm_(model.parameters(), recipe.clip_grad_norm)
        optimizer.step()
    return losses.mean(), rate
