"""Nets: layers put together. A net is a layer itself."""

from nets.sequential import Sequential

__all__ = ["Sequential"]
