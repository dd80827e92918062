"""Picture files as arrays of one size: colours, orientation and transparency settled, and said."""

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lamina.common.extras import missing

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

FORMATS = ("PNG", "JPEG", "GIF", "BMP")
RESIZES = ("crop", "fit", "stretch")
LARGEST = 4096  # pixels along a side that pictures are brought to
MOST_PIXELS = 100_000_000  # of a file: a decoder makes room for all of them
_MOST_BYTES = 256 << 20  # of a file
_DIM = 1 << 12  # of 16 bits: below it a picture is all but black, or has fewer bits in 16
_DEPTH = 24  # where a PNG says how many bits a number has: Pillow gives 8 for most of 16
_OTHERS = (  # what stands where in files that are often taken for pictures that can be read
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"%PDF", "PDF"),
    (0, b"<svg", "SVG"),
    (0, b"<?xml", "XML"),
    (8, b"WEBP", "WebP"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyp", "HEIC"),
)
# What decoders raise for files that are damaged, or made to be.
_DAMAGED = (
    *(OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError),
    *(AttributeError, AssertionError, OverflowError, RuntimeError, struct.error, zlib.error),
)


class PictureError(ValueError):
    """A file is no picture that can be read; says which one, and what to do."""


def upright(path: Path, side: int | None = None) -> tuple["PILImage", list[str]]:
    """(the picture in grey or RGB of 8 bits, what was done to it that one may want to know).

    Turned as its EXIF data say; transparent parts lie on white. A JPEG that is much larger than
    `side` may be read smaller than it is. Raises PictureError.
    """
    image_module = pillow()
    from PIL import ImageOps

    content = _content(path)
    with warnings.catch_warnings():  # what a decoder only warns of is looked at here
        warnings.simplefilter("ignore")
        try:
            image = image_module.open(io.BytesIO(content), formats=FORMATS)
            _check(path, image)
            if side is not None:
                image.draft(None, (2 * side, 2 * side))
            image.load()
            bits = content[_DEPTH] if image.format == "PNG" else 8
            image = ImageOps.exif_transpose(image)
            return _eight_bits(path, image, bits)
        except PictureError:
            raise
        except image_module.DecompressionBombError:
            raise PictureError(f"{path}: {_TOO_LARGE}") from None
        except image_module.UnidentifiedImageError:
            raise PictureError(_no_picture(path, content)) from None
        except MemoryError:
            raise PictureError(f"{path}: is larger than there is memory") from None
        except _DAMAGED as error:
            raise PictureError(
                f"{path}: is a damaged picture ({str(error)[:100]}); save it anew, or take it away"
            ) from None


_TOO_LARGE = f"has more than {MOST_PIXELS // 1_000_000} million pixels; make it smaller"


def resized(image: "PILImage", size: tuple[int, int], how: str) -> "PILImage":
    """Brought to size (height, width): "crop" fills it and cuts off what stands out at both sides,
    "fit" shows all of it between black bars, "stretch" changes the shape."""
    from PIL import ImageOps

    resampling = pillow().Resampling.BICUBIC
    box = (size[1], size[0])
    if how == "crop":
        return ImageOps.fit(image, box, resampling)
    if how == "fit":
        return ImageOps.pad(image, box, resampling)
    return image.resize(box, resampling)


def as_array(image: "PILImage", colour: bool) -> np.ndarray:
    """(3, H, W) or (1, H, W) uint8."""
    pixels = np.asarray(image.convert("RGB" if colour else "L"))
    return pixels.transpose(2, 0, 1) if colour else pixels[np.newaxis]


def checked_size(size) -> tuple[int, int]:
    """(height, width) of a number or a pair. Raises ValueError for others."""
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or not all(type(n) is int and 1 <= n <= LARGEST for n in pair):
        raise ValueError(
            f"size: expects [height, width], or one number for both, 1 to {LARGEST}; got {size}"
        )
    return pair


def pillow():
    """Pillow's module Image. Raises PictureError where it is not installed."""
    try:
        from PIL import Image  # late: nobody but who reads pictures needs it
    except ModuleNotFoundError:
        raise PictureError(missing("Pillow", "images", "a picture")) from None
    return Image


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise PictureError(f"{path}: is a folder, not a picture; name the pictures in it")
        if not path.is_file():
            raise PictureError(f"{path}: is no file")
        if path.stat().st_size > _MOST_BYTES:
            raise PictureError(f"{path}: is larger than {_MOST_BYTES >> 20} MB; make it smaller")
        content = path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path}: cannot be read ({error.strerror})") from None
    if not content:
        raise PictureError(f"{path}: is empty, 0 bytes; take it away")
    return content


def _check(path: Path, image: "PILImage") -> None:
    """Before its pixels are read."""
    if image.width * image.height > MOST_PIXELS:
        raise PictureError(f"{path}: {_TOO_LARGE}")
    if (n := getattr(image, "n_frames", 1)) > 1:
        raise PictureError(f"{path}: is animated, {n} pictures; save one of them alone")


def _eight_bits(path: Path, image: "PILImage", bits: int) -> tuple["PILImage", list[str]]:
    said = ["16 bits made 8"] if bits == 16 else []
    clear = image.info.get("transparency")  # the one colour that is, in the bits of the file
    if image.mode.startswith("I"):  # Pillow's own conversion would make white of 255 and more
        deep = np.asarray(image)
        if int(deep.max(initial=0)) < _DIM:
            said = ["16 bits made 8, of which few are left: no number is above a sixteenth of all"]
        pixels = (deep >> 8).astype(np.uint8)
        if clear is not None:
            pixels = np.stack([pixels, np.where(deep == clear, 0, 255).astype(np.uint8)], axis=-1)
        image = pillow().fromarray(pixels)
    elif bits == 16 and clear is not None:
        raise PictureError(
            f"{path}: has RGB of 16 bits with one transparent colour, which is not told from those "
            "next to it in 8 bits; save it with 8 bits, or with an alpha channel"
        )
    elif bits < 8 and clear is not None and image.mode in ("1", "L"):  # not so in a palette
        image.info["transparency"] = min(clear * (255 // (2**bits - 1)), 255)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        if np.asarray(image)[..., 3].min() < 255:
            white = pillow().new("RGBA", image.size, "white")
            image = pillow().alpha_composite(white, image)
            said.append("transparent parts made white")
        image = image.convert("RGB")
    if image.mode == "CMYK":
        said.append("CMYK made RGB")
    if image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return image, said


def _no_picture(path: Path, content: bytes) -> str:
    for at, magic, name in _OTHERS:
        if content[at : at + len(magic)] == magic:
            return f"{path}: is {name}, which is not read; save it as PNG or JPEG"
    return f"{path}: is no picture; expects {', '.join(FORMATS)}; take it away, or save it as one"
