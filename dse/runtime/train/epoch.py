"""One pass over the training part."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from dse.recipes import Recipe
from dse.runtime.train.batches import TrainingBatches
from dse.runtime.train.device import precision
from dse.runtime.train.divergence import Losses
from dse.runtime.train.predict import checked
from dse.runtime.train.schedule import learning_rate
from dse.runtime.train.tune import set_modes


def train_epoch(
    model: nn.Module,
    batches: TrainingBatches,
    loss_function: nn.Module,
    optimizer: Optimizer,
    recipe: Recipe,
    *,
    epoch: int,
    since: int,
    classes: int,
) -> tuple[float, float]:
    """Train over all batches; the mean loss and the last learning rate.

    `since` is the number of epochs before the recipe's schedule began. Raises DivergedTraining
    where a loss is not finite.
    """
    set_modes(model)
    losses = Losses(epoch, batches.pixels.values.device)
    rate = 0.0
    for batch, (images, labels) in enumerate(batches.epoch()):
        # The middle of the step, so that neither the first nor the last one has a rate of zero.
        rate = learning_rate(recipe, epoch - 1 - since + (batch + 0.5) / batches.steps)
        loss = train_step(
            model, images, labels, loss_function, optimizer, recipe, rate=rate, classes=classes
        )
        losses.add(loss, rate)
    return losses.mean(), rate


def train_step(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    loss_function: nn.Module,
    optimizer: Optimizer,
    recipe: Recipe,
    *,
    rate: float,
    classes: int,
) -> Tensor:
    """One step of the optimizer at learning rate `rate`; the batch's loss before it."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    with precision(images.device):
        logits = checked(model(images), len(labels), classes)
    loss = loss_function(logits.float(), labels)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    if recipe.clip_grad_norm is not None:
        clip_grad_norm_(model.parameters(), recipe.clip_grad_norm)
    optimizer.step()
    before: Tensor = loss.detach()
    return before
