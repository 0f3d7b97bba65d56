"""A healthy frontal chest as an attenuation map: what absorbs X-rays is bright.

Coordinates: x from -1 (image left, the patient's right) to 1, y from -1 (top) to 1 (bottom).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dse.data.phantoms.fields import bump, clouds, column, step

if TYPE_CHECKING:
    from dse.data.phantoms.fields import Field

RANGES = {
    # Of the patient: build.
    "lung_width": (0.27, 0.36),
    "lung_top": (-0.80, -0.66),
    "lung_base": (0.36, 0.62),
    "base_tilt": (-0.02, 0.10),
    "dome": (0.10, 0.24),
    "gap": (0.09, 0.15),
    "body": (0.98, 1.20),
    "shoulder": (-0.88, -0.70),
    "heart": (0.27, 0.42),
    "heart_low": (0.02, 0.12),
    "aorta": (0.0, 0.16),
    "rib_gap": (0.145, 0.19),
    "rib_start": (0.0, 1.0),
    "rib_fall": (0.10, 0.34),
    "rib_strength": (0.05, 0.15),
    "front_rib": (0.2, 0.8),
    "clavicle": (-0.70, -0.58),
    "clavicle_rise": (-0.05, 0.16),
    "vessels": (0.06, 0.18),
    "breast": (-0.20, 0.20),  # Half of the patients have none.
    "air": (-0.20, 0.22),  # So it is with gas in the stomach.
    "softness": (0.012, 0.030),
}


@dataclass(frozen=True, eq=False)
class Chest:
    """Attenuation, lung mask and lung base, (B, S, S); per image where the lungs lie, (B, 1, 1)."""

    attenuation: Field
    lungs: Field
    top: Field
    base: Field
    gap: Field
    width: Field


def draw_build(rng: np.random.Generator, number: int) -> dict[str, np.ndarray]:
    """Random proportions of `number` patients, each (number,)."""
    return {name: rng.uniform(low, high, number) for name, (low, high) in RANGES.items()}


def draw_chest(
    rng: np.random.Generator, build: dict[str, np.ndarray], x: Field, y: Field, depth: Field
) -> Chest:
    """The chests of these builds at coordinates x, y (B, S, S).

    `depth` (B, 1, 1) is how deeply the patient breathed in: it moves the diaphragm.
    """
    b = {name: column(values) for name, values in build.items()}
    side, out = np.sign(x), np.abs(x)
    soft = b["softness"]

    # Torso, narrowing to a neck above the shoulders, with arms as a fainter outer band.
    slope = b["shoulder"] + 0.26 * np.square(out)
    outline = 0.20 + (b["body"] - 0.20) * step(y - slope, 0.05)
    body = step(outline - out, 0.03)
    flank = np.minimum(b["gap"] + 2 * b["lung_width"] + 0.12, b["body"] - 0.06) + 0.05 * y
    tissue = body * (0.66 - 0.16 * step(out - flank - 0.05, 0.05) + 0.10 * y)

    # Lungs: between a mediastinal and a lateral border, under an apex, above a domed diaphragm.
    base = b["lung_base"] + depth - b["base_tilt"] * np.where(side < 0, 1.0, -0.3)
    height = np.clip((y - b["lung_top"]) / (base - b["lung_top"]), 0.0, 1.3)
    centre = b["gap"] + b["lung_width"]
    reach = b["lung_width"] * np.sqrt(np.clip(1 - np.power(1 - np.minimum(height, 1), 2.6), 0, 1))
    middle = centre + 0.05 * (height - 0.5)
    lateral = middle + reach * (0.86 + 0.26 * height) - out
    medial = out - (middle - reach * (0.98 - 0.12 * height))
    sideways = (out - middle) / b["lung_width"]
    floor = base + 0.04 - b["dome"] * (1 - np.square(sideways - 0.25)) - y
    lungs = (
        step(lateral, soft) * step(medial, soft) * step(floor, soft) * step(y - b["lung_top"], soft)
    )

    # Heart and great vessels: image right of the midline, over the medial lung.
    hx = (x - 0.32 * b["heart"]) / b["heart"]
    seat = b["lung_base"] + depth - 0.62 * b["heart"] - b["heart_low"]
    hy = (y - seat) / (0.95 * b["heart"])
    heart = step(1 - np.hypot(0.95 * hx - 0.42 * hy, 0.25 * hx + hy), 0.12)
    arch = 0.16 * bump(np.hypot(x - b["gap"] * 0.9, y + 0.36), 0.06 + 0.3 * b["aorta"])
    spine = bump(x, 0.085)
    discs = 1 + 0.10 * np.sin(2 * np.pi * y / 0.115 + 6.28 * b["rib_start"])
    trachea = bump(x, 0.035) * step(-0.30 - y, 0.05)
    lungs = lungs * (1 - 0.93 * heart)

    air = tissue * (1 - 0.70 * lungs)
    picture = air + 0.20 * heart + arch + 0.32 * spine * discs * body - 0.10 * trachea * body
    below = step(-floor, 0.04) * body
    picture += 0.20 * below
    bubble = bump(np.hypot((x - 0.40) / 1.5, y - base - 0.10), 0.085)
    picture -= 1.5 * np.maximum(b["air"], 0) * bubble * below

    # Ribs fall away from the spine behind and rise towards the flank in front.
    cage = step(flank - 0.03 - out, 0.03) * step(base + 0.28 - y, 0.06)
    behind = _stripes(y - b["rib_fall"] * np.square(out) * 1.6, b["rib_gap"], b["rib_start"])
    front = _stripes(y + 0.55 * (out - 0.3), b["rib_gap"] * 1.35, b["rib_start"] + 0.4)
    shown = step(y - b["lung_top"] + 0.06, 0.03) * step(out - 0.06, 0.03) * cage * body
    picture += (
        b["rib_strength"] * shown * (behind + b["front_rib"] * front * step(out - 0.28, 0.06))
    )
    line = y - b["clavicle"] + b["clavicle_rise"] * np.sin(np.clip(out, 0, 0.9) * 3.4)
    picture += 0.17 * bump(line, 0.026) * step(out - 0.07, 0.03) * step(0.72 - out, 0.05) * body
    # Shoulder blades and joints.
    picture += 0.20 * bump(np.hypot((out - 0.84) / 1.2, y + 0.50), 0.13) * body

    # Vessels spread from each hilum and thin out; breasts veil the lower lungs of some.
    size = x.shape[1]
    fine = clouds(rng, len(x), 14, size) + 0.7 * clouds(rng, len(x), 26, size)
    hilum = np.hypot((out - b["gap"] - 0.07) / 1.0, (y - 0.02) / 1.5)
    vessels = bump(hilum, 0.10) * 0.7 + np.clip(fine, 0, 1.6) * bump(hilum, 0.27)
    picture += b["vessels"] * vessels * lungs
    fold = step(1 - np.hypot((out - 0.46) / 0.40, (y - 0.26) / 0.34), 0.05)
    picture += np.maximum(b["breast"], 0) * fold * body
    return Chest(picture.astype(np.float32), lungs, b["lung_top"], base, b["gap"], b["lung_width"])


def _stripes(at: Field, gap: Field, start: Field) -> Field:
    """A bright band with brighter edges every `gap`."""
    phase = (at / gap + start) % 1.0 - 0.5
    band: Field = step(0.20 - np.abs(phase), 0.03) * (0.7 + 0.5 * bump(np.abs(phase) - 0.17, 0.05))
    return band
