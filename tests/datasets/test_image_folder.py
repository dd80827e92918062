"""Folders of pictures: what they become, in which order, and the file that is wrong."""

import random
import shutil
import struct
import sys
import unicodedata
import zlib

import numpy as np
import pytest

from lamina.datasets import Classification, ImageFolder, Reconstruction, pictures
from lamina.datasets.picture_inputs import PictureInputs
from lamina.datasets.pictures import PictureError, upright

Image = pytest.importorskip("PIL.Image", reason="no Pillow: pip install -e '.[images]'")

COLOURS = {"red": (200, 10, 20), "green": (10, 200, 20), "blue": (10, 20, 200)}


def save(path, colour=(200, 10, 20), size=(8, 8), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).convert(mode).save(path, **options)
    return path


@pytest.fixture
def photos(tmp_path):
    """Ten pictures of each of three classes, in sizes and formats of all kinds."""
    for name, colour in COLOURS.items():
        for i in range(10):
            ending = ("png", "bmp", "gif", "png")[i % 4]
            save(tmp_path / "photos" / name / f"{i}.{ending}", colour, (6 + i, 9))
    return tmp_path / "photos"


def pixels(path, size=(4, 4), colour=True, resize="crop"):
    """(C, H, W) of one picture, and what was done to it."""
    shape = (3 if colour else 1, *size)
    return PictureInputs(size, colour, resize, shape, (1.0, 0.0)).pixels(path)


def test_a_folder_for_each_class(photos):
    data = ImageFolder(photos, size=[4, 6])
    assert data.task == Classification(["blue", "green", "red"])
    assert data.input_shape == (3, 4, 6)
    assert [len(samples) for samples in data.sets().values()] == [24, 6]
    assert np.bincount(data.test.t).tolist() == [2, 2, 2]  # class by class
    X, t = data.train[:]
    assert X.dtype == np.float32
    for image, target in zip(X, t, strict=True):
        colour = np.array(list(COLOURS.values()))[[2, 1, 0]][target]
        assert np.allclose(image, colour[:, np.newaxis, np.newaxis] / 255, atol=0.01)


def test_grey_flat_normalised_and_for_reconstruction(photos):
    grey = ImageFolder(photos, size=5, colour=False, flatten=True, normalise=True)
    assert grey.input_shape == (25,)
    X, _ = grey.train[:]
    assert X.mean() == pytest.approx(0, abs=1e-5)
    assert X.std() == pytest.approx(1, abs=1e-5)
    assert grey.preparation["scaling"][0] == grey.train.scale
    rebuilt = ImageFolder(photos, size=5, task="reconstruction")
    assert rebuilt.task == Reconstruction()
    assert rebuilt.target_shape == rebuilt.input_shape == (3, 5, 5)
    assert rebuilt.train.t is rebuilt.train.X


def test_the_split_is_the_same_for_the_same_seed(photos):
    prints = [
        [samples.fingerprint() for samples in data.sets().values()]
        for seed in (0, 0, 1)
        for data in [ImageFolder(photos, size=4, split_seed=seed, validation_share=0.25)]
    ]
    assert prints[0] == prints[1]
    assert len(prints[0]) == 3


def test_a_changed_picture_changes_the_fingerprint(photos):
    def prints():
        return [s.fingerprint() for s in ImageFolder(photos, size=4).sets().values()]

    before = prints()
    assert prints() == before
    save(photos / "red" / "0.png", (1, 2, 3))
    assert prints() != before


def test_folders_of_sets(photos, tmp_path):
    for part in ("train", "test", "val"):
        shutil.copytree(photos, tmp_path / "sets" / part)
    shutil.rmtree(tmp_path / "sets" / "test" / "red")
    data = ImageFolder(tmp_path / "sets", size=4)
    assert {name: len(samples) for name, samples in data.sets().items()} == {
        "train": 30,
        "validation": 30,
        "test": 20,
    }
    with pytest.raises(ValueError, match="has pictures to validate on; leave out validation_share"):
        ImageFolder(tmp_path / "sets", n_validation=3)
    save(tmp_path / "sets" / "test" / "pink" / "1.png")
    with pytest.raises(ValueError, match="the class pink is among the test pictures, but not amo"):
        ImageFolder(tmp_path / "sets")
    shutil.rmtree(tmp_path / "sets" / "test" / "pink")
    save(tmp_path / "sets" / "extra" / "1.png")
    with pytest.raises(
        ValueError, match="extra beside train, test, val; expects folders of sets a"
    ):
        ImageFolder(tmp_path / "sets")


def test_a_class_may_be_called_train(tmp_path):
    for name in ("train", "plane"):
        for i in range(5):
            save(tmp_path / name / f"{i}.png")
    assert ImageFolder(tmp_path).task.class_names == ("plane", "train")


def test_order_is_natural_and_none_of_the_file_system(tmp_path, monkeypatch):
    names = ["class 2", "class 10", "class 1", unicodedata.normalize("NFD", "é")]
    for name in names:
        for i in range(5):
            save(tmp_path / name / f"{i}.png", (10 * i, 0, 0))
    first = ImageFolder(tmp_path, size=4)
    assert first.task.class_names == ("class 1", "class 2", "class 10", "é")
    listed = pictures.Path.iterdir
    monkeypatch.setattr(pictures.Path, "iterdir", lambda path: sorted(listed(path), reverse=True))
    assert ImageFolder(tmp_path, size=4).train.fingerprint() == first.train.fingerprint()


def test_hidden_files_are_passed_over_and_others_are_not(photos):
    before = ImageFolder(photos, size=4).train.fingerprint()
    for name in (".DS_Store", "red/Thumbs.db", "red/.hidden.png", "desktop.ini"):
        (photos / name).write_bytes(b"nothing")
    (photos / "__MACOSX").mkdir()
    assert ImageFolder(photos, size=4).train.fingerprint() == before
    (photos / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match=r"notes\.txt: stands beside folders of classes"):
        ImageFolder(photos)
    (photos / "notes.txt").rename(photos / "red" / "notes.txt")
    with pytest.raises(
        PictureError, match=r"red/notes\.txt: is no picture; expects PNG, JPEG, GIF"
    ):
        ImageFolder(photos, size=4).train  # noqa: B018


def test_what_is_wrong_with_folders(photos, tmp_path):
    (photos / "red" / "more").mkdir()
    with pytest.raises(ValueError, match="red/more: is a folder inside a class"):
        ImageFolder(photos)
    (photos / "red" / "more").rmdir()
    (photos / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: is empty; expects pictures"):
        ImageFolder(photos)
    only = save(tmp_path / "one" / "cat" / "1.png").parent.parent
    with pytest.raises(ValueError, match="has only one class, cat: nothing to tell apart"):
        ImageFolder(only)
    (tmp_path / "bare").mkdir()
    with pytest.raises(
        ValueError, match="has no subfolder; expects one of pictures for each class"
    ):
        ImageFolder(tmp_path / "bare")
    with pytest.raises(ValueError, match="nowhere: cannot be read"):
        ImageFolder(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": 0}, r"size: expects \[height, width\], or one number for both, 1 to 4096; got 0"),
        ({"size": (3,)}, "size: expects"),
        ({"size": (32, 5000)}, "size: expects"),
        ({"resize": "squash"}, "resize: expects crop, fit, stretch, got squash"),
        ({"task": "regression"}, "task: expects classification, reconstruction"),
        ({"test_share": 1.0}, "test_share: expects a share between 0 and 1, got 1.0"),
        ({"test_share": 0.95}, "28 of 30 samples cannot be split off"),
        ({"n_validation": 24}, "leaves 0 of 24 samples"),
    ],
)
def test_what_cannot_be_asked_for(photos, settings, words):
    with pytest.raises(ValueError, match=words):
        ImageFolder(photos, **settings)


def test_without_pillow(photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(
        ValueError, match=r"^a picture needs the library Pillow: pip install 'lamina\[images\]'$"
    ):
        ImageFolder(photos)


# One picture.


def test_sizes_are_brought_to_one(tmp_path):
    """A wide picture, red at the left, white in the middle, blue at the right."""
    wide = Image.new("RGB", (30, 10), "white")
    wide.paste((255, 0, 0), (0, 0, 10, 10))
    wide.paste((0, 0, 255), (20, 0, 30, 10))
    wide.save(tmp_path / "wide.png")
    crop, _ = pixels(tmp_path / "wide.png", (10, 10))
    assert (crop == 255).all()  # the middle
    fit, _ = pixels(tmp_path / "wide.png", (30, 30), resize="fit")
    assert (fit[:, 0] == 0).all()  # black bars above and below
    assert fit[:, 15, 1].tolist() == [255, 0, 0]
    assert fit[:, 15, 28].tolist() == [0, 0, 255]
    stretch, _ = pixels(tmp_path / "wide.png", (10, 10), resize="stretch")
    assert stretch[:, 5, 0].tolist() == [255, 0, 0]


def test_pictures_are_turned_as_their_exif_says(tmp_path):
    image = Image.new("RGB", (20, 20), "white")
    image.paste((0, 0, 0), (0, 0, 20, 10))  # the upper half is black
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to the right
    image.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    turned, _ = pixels(tmp_path / "turned.jpg", (20, 20), colour=False)
    assert turned[0, 10, 15] < 30  # what was above is at the right
    assert turned[0, 10, 4] > 225


def test_transparent_parts_become_white(tmp_path):
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (pixels(tmp_path / "clear.png")[0] == 255).all()
    assert pixels(tmp_path / "clear.png")[1] == ["transparent parts made white"]
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 200, 30])
    palette.save(tmp_path / "palette.png")
    assert pixels(tmp_path / "palette.png")[0][:, 0, 0].tolist() == [10, 200, 30]
    assert pixels(tmp_path / "palette.png")[1] == []
    palette.save(tmp_path / "hole.gif", transparency=1)
    assert (pixels(tmp_path / "hole.gif")[0] == 255).all()
    half = Image.new("LA", (4, 4), (0, 128))
    half.save(tmp_path / "half.png")
    assert (abs(pixels(tmp_path / "half.png", colour=False)[0].astype(int) - 127) <= 1).all()


def test_sixteen_bits_and_cmyk(tmp_path):
    """Pillow's own conversion would make 255 of all above 255 of 65,535."""
    Image.fromarray(np.full((4, 4), 25_800, np.uint16)).save(tmp_path / "deep.png")
    deep, said = pixels(tmp_path / "deep.png", colour=False)
    assert (deep == 100).all()
    assert said == ["16 bits made 8"]
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=95)
    red, said = pixels(tmp_path / "print.jpg")
    assert abs(red[:, 0, 0].astype(int) - [255, 0, 0]).max() < 8
    assert said == ["CMYK made RGB"]
    Image.new("1", (4, 4), 1).save(tmp_path / "bits.bmp")
    assert (pixels(tmp_path / "bits.bmp", colour=False)[0] == 255).all()


def test_what_was_done_is_said_of_the_folder(photos, capsys):
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(photos / "red" / "clear.png")
    ImageFolder(photos, size=4).train  # noqa: B018
    assert f"{photos}: 1 of 31: transparent parts made white" in capsys.readouterr().err


def chunk(name, content):
    crc = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + crc


def png(side, bits, kind, content, more=b""):
    """A PNG of side x side pixels: kind 0 is grey, 2 RGB, 4 grey with alpha, 6 RGB with alpha."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, bits, kind, 0, 0, 0))
    packed = chunk(b"IDAT", zlib.compress(content))
    return b"\x89PNG\r\n\x1a\n" + header + more + packed + chunk(b"IEND", b"")


def bomb(side):
    """A PNG of some bytes that declares side x side pixels."""
    return png(side, 8, 2, b"")


@pytest.mark.parametrize(("kind", "numbers"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_are_said_of_all_kinds(tmp_path, kind, numbers):
    """Pillow itself gives 8 bits of all but the first."""
    row = b"\0" + (b"\x64\xc8" * (numbers - (kind > 2)) + b"\xff\xff" * (kind > 2)) * 4
    (tmp_path / "deep.png").write_bytes(png(4, 16, kind, row * 4))
    made, said = pixels(tmp_path / "deep.png")
    assert (made == 100).all()
    assert said == ["16 bits made 8"]


@pytest.mark.parametrize(
    ("bits", "rows", "clear", "expected"),
    [
        (1, b"\0\x40\0\x40", 1, [0, 255]),
        (1, b"\0\x40\0\x40", 0, [255, 255]),
        (2, b"\0\x60\0\x60", 1, [255, 170]),
        (4, b"\0\x35\0\x35", 3, [255, 85]),
        (8, b"\0\x35\x36\0\x35\x36", 0x35, [255, 0x36]),
        (16, b"\0\x35\1\x35\2\0\x35\1\x35\2", 0x3501, [255, 0x35]),
    ],
)
def test_a_grey_that_is_transparent(tmp_path, bits, rows, clear, expected):
    """The file names it by as many bits as its numbers have; of 16, one next to it is another."""
    transparent = chunk(b"tRNS", struct.pack(">H", clear))
    (tmp_path / "grey.png").write_bytes(png(2, bits, 0, rows, transparent))
    made, said = pixels(tmp_path / "grey.png", (2, 2), colour=False)
    assert made[0, 0].tolist() == expected
    assert said == ["16 bits made 8"] * (bits == 16) + ["transparent parts made white"]


def test_a_transparent_colour_that_eight_bits_do_not_tell(tmp_path):
    transparent = chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3))
    row = b"\0" + b"\0\1" * 6
    (tmp_path / "a.png").write_bytes(png(2, 16, 2, row * 2, transparent))
    with pytest.raises(PictureError, match=r"a\.png: has RGB of 16 bits with one transparent"):
        upright(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty, 0 bytes; take it away"),
        (b"hello", "is no picture; expects PNG, JPEG, GIF, BMP"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "is WebP, which is not read; save it as PNG or JPEG"),
        (b"\0\0\0\x18ftypheic", "is HEIC, which is not read"),
        (b"II*\0rest", "is TIFF, which is not read"),
        (bomb(20_000), "has more than 100 million pixels; make it smaller"),
        (bomb(12_000), "has more than 100 million pixels; make it smaller"),
        (bomb(500), r"is a damaged picture \("),
    ],
)
def test_what_is_no_picture_is_named(tmp_path, content, words):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=f"a.png: {words}"):
        upright(path)


def test_an_animation_is_no_picture(tmp_path):
    frames = [Image.new("L", (8, 8), shade) for shade in (0, 100, 200)]
    for ending in ("gif", "png"):
        path = tmp_path / f"moving.{ending}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        with pytest.raises(PictureError, match="is animated, 3 pictures; save one of them alone"):
            upright(path)


def test_damaged_pictures_are_one_line(tmp_path):
    rng = random.Random(3)
    refused = 0
    for ending in ("png", "jpg", "gif", "bmp"):
        noise = np.random.default_rng(1).integers(0, 256, (24, 24, 3), dtype=np.uint8)
        path = tmp_path / f"a.{ending}"
        Image.fromarray(noise).save(path)
        whole = path.read_bytes()
        for _ in range(60):
            content = bytearray(whole[: rng.randrange(len(whole))] if rng.random() < 0.5 else whole)
            for _ in range(rng.randrange(4)):
                if content:
                    content[rng.randrange(len(content))] = rng.randrange(256)
            path.write_bytes(content)
            try:
                upright(path)
            except PictureError as error:
                refused += 1
                assert str(error).startswith(str(path)), error  # noqa: PT017
                assert "\n" not in str(error)  # noqa: PT017
    assert refused > 60
