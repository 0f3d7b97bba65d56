"""Initial weights, where torch's own do not serve."""

from __future__ import annotations

from dse.ir import Named, Scope, Step
from dse.ir.ops import Conv


def initialisation(program: Scope) -> list[str]:
    """Statements at the end of the network's ``__init__``; none where every convolution is
    normalised.

    Without batch normalisation torch's default shrinks the signal from layer to layer, and a deep
    stack such as SqueezeNet's stays at guessing. He's initialisation keeps it; the classifier
    starts near zero.
    """
    if not any(_is_bare(step) for step in program.steps()):
        return []
    lines = [
        "for module in self.modules():",
        "    if isinstance(module, nn.Conv2d):",
        '        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")',
        "        if module.bias is not None:",
        "            nn.init.zeros_(module.bias)",
    ]
    scores = [
        path for path, step in program.walk() if isinstance(step.op, Conv) and _is_score(step)
    ]
    return lines + [
        f"nn.init.normal_(self.{path}.weight, std=0.01)" for path in scores if "." not in path
    ]


def _is_bare(step: Step) -> bool:
    """A convolution over a map with a bias, so without normalisation after it, that is not the
    classifier.

    Those of an attention work on 1x1 maps and are followed by a gate.
    """
    if not isinstance(step.op, Conv) or not step.op.bias or _is_score(step):
        return False
    return step.inputs[0].shape.height > 1 or step.inputs[0].shape.width > 1


def _is_score(step: Step) -> bool:
    channels = step.op.channels if isinstance(step.op, Conv) else 0
    return isinstance(channels, Named) and channels.text == "num_classes"
