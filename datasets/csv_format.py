"""How a CSV file is written, and what its columns are: all that is said of it to read it."""

from typing import NamedTuple

from lamina.datasets.cells import MISSING, Numbers, short
from lamina.datasets.csv_text import check_text
from lamina.datasets.marks import Marks


class CsvFormat(NamedTuple):
    """How a CSV file is written. See `CSV`, whose arguments these are."""

    separator: str = ","
    decimal: str | None = None  # "."; said, it is so even where it looks otherwise
    thousands: str = ""
    signs: tuple = ()
    quote: str = '"'
    encoding: str = "utf-8"
    skip_lines: int = 0
    header: bool | None = None
    names: tuple | None = None
    ignore: tuple = ()
    categories: tuple = ()
    missing_marks: tuple = ()

    @property
    def numbers(self) -> Numbers:
        return Numbers(self.decimal or ".", self.thousands, tuple(self.signs))

    @property
    def marks(self) -> Marks:
        """The cells that hold nothing."""
        return Marks((*MISSING, *self.missing_marks), self.numbers)

    def checked(self) -> "CsvFormat":
        """Itself. Raises ValueError, naming the key, for what cannot be."""
        check_text(self.separator, self.quote, self.encoding)
        self.numbers.check()
        if self.skip_lines < 0:
            raise ValueError(f"skip_lines: expects 0 or more, got {self.skip_lines}")
        for key in ("names", "ignore", "categories", "missing_marks"):
            for value in getattr(self, key) or ():
                if not isinstance(value, str):
                    raise ValueError(f"{key}: expects texts, got {value!r}; quotes make it a text")
        if self.names is not None and self.header is None:
            raise ValueError(
                "names: say header: false too if the file has no names of its own, or header: true "
                "if its first line is to be replaced by these"
            )
        if both := set(self.ignore) & set(self.categories):
            raise ValueError(f"ignore: {short(min(both))} is among categories too")
        return self

    @classmethod
    def from_facts(cls, facts: dict) -> "CsvFormat":
        """From what `_asdict` has given, read from a file. Raises ValueError or TypeError for what
        is none."""
        made = cls()._replace(**facts)
        for name in ("signs", "names", "ignore", "categories", "missing_marks"):
            if (several := facts.get(name)) is not None:
                made = made._replace(**{name: tuple(several)})  # type: ignore[arg-type]
        texts = (made.separator, made.decimal or ".", made.thousands, made.quote, made.encoding)
        if not all(isinstance(text, str) for text in texts) or type(made.skip_lines) is not int:
            raise TypeError("no format of a CSV file")
        return made.checked()
