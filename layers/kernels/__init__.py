"""What layers share to compute fast: windows, pooling, channels."""
