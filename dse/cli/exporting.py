"""What the options of `dse generate` stand for: a network, its weights, and the images that go
with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.cli.designs import find
from dse.cli.numbers import settings
from dse.cli.output import say
from dse.errors import InvalidValue

if TYPE_CHECKING:
    from dse.data import Dataset, Split
    from dse.generate import Generated
    from dse.network import Network
    from dse.runtime.export.kept import Kept


@dataclass(frozen=True)
class Asked:
    """The options; None is what was not given. `settings` are pairs, as typed."""

    classes: int | None
    image_size: int | None
    input: str | None
    settings: list[str] | None
    formats: tuple[str, ...]
    opset: int | None
    weights: Path | None
    dataset: str | None
    data_dir: Path | None

    def write(self, name: str, out: Path) -> Generated:
        """Write one network.

        Raises:
            InvalidValue: the options do not go together, or with the network.
            DataError: weights or data cannot be read, or `out` cannot be written.
        """
        from dse.generate import generate

        network, read = self._network(name)
        if not self.formats:
            return generate(network, out, opset=self.opset, weights=self.weights)
        from dse.runtime.export.examples import Examples
        from dse.runtime.export.preprocessing import Preprocessing, measured
        from dse.runtime.export.verify import with_weights

        kept = self._kept(name, network)
        module = preprocessing = examples = None
        if kept is not None:
            assert kept.opened.weights is not None
            module = with_weights(network, kept.opened.weights, kept.path)
            preprocessing = Preprocessing.read(kept.opened.metadata)
            say(f"the run's weights, from {kept.path}")
            if read is None and "int8" in self.formats:
                read = _of_run(kept, network)
        if read is not None:
            data, split = read
            if preprocessing is None:
                preprocessing = measured(data, split.train, network)
            if "int8" in self.formats:
                examples = Examples.of(data, split, network, preprocessing)
        return generate(
            network,
            out,
            formats=self.formats,
            opset=self.opset,
            module=module,
            weights=self.weights,
            preprocessing=preprocessing,
            examples=examples,
            metadata=_where_from(name, kept),
        )

    def _network(self, name: str) -> tuple[Network, tuple[Dataset, Split] | None]:
        """The network, for the images and classes of the data set if there is one."""
        if self.dataset is None:
            return find(name, self.classes, self.image_size, self.input, self.settings), None
        from dse.presets import preset_names
        from dse.runtime.evaluate import read_data

        arguments = settings(self.settings or [])
        side = self.image_size
        if self.input is not None or (side is None and name not in preset_names()):
            own = find(name, self.classes, side, self.input, self.settings)
            side = own.input.height
        data, split = read_data(self.dataset, self.data_dir, side, 0, None)
        number = self.classes or arguments.get("classes") or len(data.classes)
        if number != len(data.classes):
            raise InvalidValue(
                f"the data set {data.name} has {len(data.classes)} classes, got {number}"
            )
        classes = None if "classes" in arguments else len(data.classes)
        if self.input is None and "input" not in arguments:
            return find(name, classes, data.image_size, None, self.settings), (data, split)
        return find(name, classes, None, self.input, self.settings), (data, split)

    def _kept(self, name: str, network: Network) -> Kept | None:
        from dse.runtime.export.kept import kept_for

        return None if self.weights is not None else kept_for(name, network)


def _of_run(kept: Kept, network: Network) -> tuple[Dataset, Split]:
    """The data set of a run, and its parts there."""
    from dse.runtime.evaluate import read_data

    options = kept.options
    return read_data(
        options["dataset"],
        Path(options["data_dir"]) if options.get("data_dir") else None,
        network.input.height,
        options["seed"],
        options.get("fold"),
    )


def _where_from(name: str, kept: Kept | None) -> dict[str, Any]:
    """The notes of a winner's own file, which the exports made of it carry on."""
    if kept is None:
        return {}
    return {key: kept.opened.metadata[key] for key in ("run", "trial")}
