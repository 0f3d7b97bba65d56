"""Everything that needs torch: load, train, export, measure."""
