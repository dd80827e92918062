"""A folder of pictures of one's own, with a subfolder for each class."""

import functools
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np

from lamina.common.files import FolderPath
from lamina.common.natural import natural
from lamina.common.printable import printable
from lamina.datasets.cells import listed
from lamina.datasets.dataset import TO_UNIT, Dataset, Samples, standardising
from lamina.datasets.picture_inputs import PictureInputs, say_done
from lamina.datasets.pictures import RESIZES, checked_size, pillow
from lamina.datasets.split import (
    check_split_seed,
    check_validation,
    n_test_out_of,
    split_off,
    validation_out_of,
)
from lamina.datasets.tasks import Classification, Reconstruction, check_task_name

_SETS = {
    "train": ("train", "training"),
    "test": ("test",),
    "validation": ("validation", "val", "valid"),
}
_HIDDEN = ("thumbs.db", "desktop.ini", "__macosx")  # and what begins with a point


class ImageFolder(Dataset):
    """A folder with a subfolder of pictures for each class; or with train/ and test/, and perhaps
    validation/, which have such subfolders.

    Pictures are PNG, JPEG, GIF or BMP. They come as (3, height, width), or (1, height, width)
    without `colour`, at `size`, [height, width] or one number, scaled to 0-1; with `normalise` to
    mean 0 and deviation 1, by the pixels to train on; with `flatten` as rows. resize: "crop" fills
    the size and cuts off what stands out, "fit" shows all of a picture between black bars,
    "stretch" changes its shape. They are turned as their EXIF data say; transparent parts become
    white, 16 bits 8, and CMYK RGB, which a line says.

    Classes are the names of the subfolders, in natural order (img2 before img10). Without test/
    `test_share` of the pictures, and without validation/ `validation_share` or `n_validation` of
    the others, are split off class by class, fixed by `split_seed`. task: "classification" or
    "reconstruction".

    Hidden files (.DS_Store, Thumbs.db) are passed over. Raises ValueError naming the file or folder
    for whatever else is no picture, is damaged, animated or too large: what concerns folders when
    it is made, what concerns files when they are first used.
    """

    def __init__(
        self,
        path: FolderPath,
        *,
        size: int | tuple = (32, 32),
        colour: bool = True,
        resize: str = "crop",
        flatten: bool = False,
        normalise: bool = False,
        task: str | None = None,
        test_share: float = 0.2,
        validation_share: float | None = None,
        n_validation: int | None = None,
        split_seed: int = 0,
    ):
        check_task_name(task, ("classification", "reconstruction"))
        check_split_seed(split_seed)
        wanted = check_validation(validation_share, n_validation)
        pillow()  # said before anything is looked at
        if resize not in RESIZES:
            raise ValueError(f"resize: expects {', '.join(RESIZES)}, got {resize}")
        self.path, self.normalise = Path(path), normalise
        size = checked_size(size)
        shape = (3 if colour else 1, *size)
        self.input_shape = (int(np.prod(shape)),) if flatten else shape
        self.n_channels = shape[0]  # also where pictures have become rows
        self._inputs = PictureInputs(size, colour, resize, self.input_shape, TO_UNIT)
        found = _sets(self.path)
        if wanted and "validation" in found:
            raise ValueError(
                f"{path}: has pictures to validate on; leave out validation_share and n_validation"
            )
        names = list(found["train"])
        if len(names) < 2:
            raise ValueError(
                f"{path}: has only one class, {listed(names)}: nothing to tell apart; expects a "
                "subfolder of pictures for each class"
            )
        self._files = {part: _numbered(self.path, part, of, names) for part, of in found.items()}
        try:
            if "test" not in self._files:
                n = len(self._files["train"])
                n_test = n_test_out_of(n, test_share, "pictures", "folders train/ and test/")
                self._split("test", n_test, split_seed)
            stay = len(self._files["train"])
            held_back = validation_out_of(stay, validation_share, n_validation)
            self._split("validation", held_back, split_seed)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        rebuild = task == "reconstruction"
        self.task = Reconstruction() if rebuild else Classification(names)
        self.target_shape = self.input_shape if rebuild else ()

    @property
    def has_validation(self) -> bool:
        return "validation" in self._files

    @property
    def train(self) -> Samples:
        return self._parts["train"]

    @property
    def validation(self) -> Samples | None:
        return self._parts.get("validation")

    @property
    def test(self) -> Samples:
        return self._parts["test"]

    @property
    def preparation(self) -> dict:
        self._parts  # noqa: B018  (the scaling is known when all are read)
        return self._inputs.facts()

    @functools.cached_property
    def _parts(self) -> dict[str, Samples]:
        parts = {part: [path for path, _ in files] for part, files in self._files.items()}
        read = {part: self._inputs.read(paths) for part, paths in parts.items()}
        X = {part: pixels for part, (pixels, _) in read.items()}
        say_done(
            str(self.path), sum(map(len, X.values())), sum((d for _, d in read.values()), Counter())
        )
        if self.normalise:
            self._inputs.scaling = standardising(X["train"])
        rebuild = isinstance(self.task, Reconstruction)
        t = {part: np.array([i for _, i in files]) for part, files in self._files.items()}
        scaling = self._inputs.scaling
        return {part: Samples(X[part], X[part] if rebuild else t[part], *scaling) for part in X}

    def _split(self, part: str, n: int, split_seed: int) -> None:
        """Split off n of the pictures to train on."""
        if not n:
            return
        files = self._files["train"]
        classes = np.array([i for _, i in files])
        stay, off = split_off(len(files), n, split_seed, classes, part.encode())
        self._files["train"] = [files[i] for i in stay]
        self._files[part] = [files[i] for i in off]


def _sets(folder: Path) -> dict[str, dict[str, list[Path]]]:
    """{set: {class: files}}; of a folder of classes all are to train on."""
    folders = _folders(folder)
    if not folders:
        raise ValueError(f"{folder}: has no subfolder; expects one of pictures for each class")
    given = {part: [n for n in names if n in folders] for part, names in _SETS.items()}
    inner = [
        name
        for names in given.values()
        for name in names
        if any(map(Path.is_dir, files_in(folders[name])))
    ]
    if not set(_SETS["train"]) & set(inner):
        return {"train": {name: _pictures(path) for name, path in folders.items()}}
    if others := [name for name in folders if name not in inner]:
        raise ValueError(
            f"{folder}: {listed(others)} beside {listed(inner)}; expects folders of sets alone, "
            "train/, test/ and validation/, or of classes alone"
        )
    found = {}
    for part, names in given.items():
        if len(names) > 1:
            raise ValueError(f"{folder}: {' and '.join(names)} are one set; expects one of them")
        for name in names:
            classes = _folders(folders[name])
            found[part] = {key: _pictures(path) for key, path in classes.items()}
    return found


def _folders(folder: Path) -> dict[str, Path]:
    """{name: path} of its subfolders, in natural order; files beside them are refused."""
    found: dict[str, Path] = {}
    for path in files_in(folder):
        if not path.is_dir():
            raise ValueError(
                f"{path}: stands beside folders of classes; put it into one, or take it away"
            )
        name = unicodedata.normalize("NFC", path.name)  # as macOS does not
        if name in found:
            raise ValueError(f"{path}: is called as {found[name]} is; rename one of them")
        found[name] = path
    return found


def _pictures(folder: Path) -> list[Path]:
    files = files_in(folder)
    if not files:
        raise ValueError(f"{folder}: is empty; expects pictures, or no such folder")
    for path in files:
        if path.is_dir():
            raise ValueError(f"{path}: is a folder inside a class; expects pictures alone")
    return files


def files_in(folder: Path) -> list[Path]:
    """What is in a folder and not hidden, in natural order, whatever the file system's is."""
    try:
        paths = list(folder.iterdir())
    except OSError as error:
        raise ValueError(f"{folder}: cannot be read ({error.strerror})") from None
    seen = [p for p in paths if not p.name.startswith(".") and p.name.lower() not in _HIDDEN]
    return sorted(seen, key=lambda path: (natural(path.name), path.name))


def _numbered(folder: Path, part: str, found: dict[str, list[Path]], names: list[str]) -> list:
    """(file, class index) of all pictures of a set."""
    if strange := [name for name in found if name not in names]:
        raise ValueError(
            f"{folder}: the class {printable(strange[0])} is among the {part} pictures, but not "
            "among those to train on; no net can learn what it never sees"
        )
    index = {name: i for i, name in enumerate(names)}
    return [(path, index[name]) for name, paths in found.items() for path in paths]
