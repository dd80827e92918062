"""Where the channels of pictures stand: layers take (N, C, H, W), many write (N, H, W, C)."""

from lamina.datasets.array_targets import kind

COLOURS = (1, 3, 4)  # how many channels images have


def check_channels_first(where: str, X) -> None:
    """Raises ValueError for images that look like (N, H, W, C): colours at the end, or squares
    whose sides stand first, with fewer numbers for each pixel."""
    if X.ndim != 4 or X.shape[1] in COLOURS or X.shape[2] == X.shape[3]:
        return
    first, second, third = X.shape[1:]
    if third in COLOURS or first == second > third:
        raise ValueError(
            f"{where}: {kind(X)} looks like images with the channels last; channels: last turns "
            "them, as layers take them; channels: first says that they are not"
        )


def check_channels_last(where: str, X) -> None:
    """Raises ValueError for what is no (N, H, W, C)."""
    if X.ndim != 4:
        raise ValueError(f"{where}: channels: last expects images (N, H, W, C), got {kind(X)}")
