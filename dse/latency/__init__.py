"""Predicted latency: which kernels a runtime runs for a network, and how long they take."""
