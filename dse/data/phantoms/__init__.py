"""Synthetic chest X-rays: drawings that stand in for `covid` where no real images are found."""

from dse.data.phantoms.make import make_phantoms

__all__ = ["make_phantoms"]
