"""Which way round a parameter of another layer is taken."""

from lamina.layers.base import Param


def is_transposed(tied: Param | None, shape: tuple, transposed: bool | None) -> bool:
    """Is the tied parameter Wᵀ, for a W of this shape, (n_in, n_out)? None for `transposed` leaves
    it to the shapes; without a tied parameter it is not.

    Raises TypeError for what is no Param, ValueError for another shape, for one that fits both
    ways, and for `transposed` without a tied parameter.
    """
    if tied is None:
        if transposed is not None:
            raise ValueError("Affine: transposed is for a tied W; take it out, or give tied")
        return False
    if not isinstance(tied, Param):
        kind = type(tied).__name__
        raise TypeError(f"Affine: tied is a Param, as in tied=embedding.W; got a {kind}")
    ways = [way for way in (False, True) if tied.data.shape == (shape[::-1] if way else shape)]
    if transposed is None and len(ways) == 2:
        raise ValueError(
            f"Affine: a tied parameter of shape {shape} fits both ways: say transposed=True for "
            "Y = X Wᵀ, as the scores of an embedding, or transposed=False for Y = X W"
        )
    if not ways or transposed not in (None, *ways):
        wanted = f"{shape}, or transposed {shape[::-1]}"
        if transposed is not None:
            wanted = f"{shape[::-1] if transposed else shape} with transposed={transposed}"
        raise ValueError(
            f"Affine: with n_in {shape[0]} and n_out {shape[1]} a tied parameter has the shape "
            f"{wanted}; got {tied.data.shape}"
        )
    return ways[0] if transposed is None else transposed
