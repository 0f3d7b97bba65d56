"""Many designs of a space at once: `dse.space.sweep` draws them, `dse.space.count` counts them."""
