"""Dates as people write them, as questions, and as computers do, as answers."""

import datetime

from lamina.datasets.pairs import DRAWN, Pairs

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# A hundred years, so that two digits of a year say which.
_FIRST, _LAST = datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)
_FORMS = (
    "{month}/{day}/{short:02}",
    "{name} {day}, {year}",
    "{name:.3} {day}, {year}",
    "{day} {name} {year}",
    "{weekday}, {name} {day}, {year}",
)
_CASES = (str, str.lower, str.upper)


class Dates(Pairs):
    """`n_train` + `n_test` dates from 1950 to 2049, in one of several forms ("9/27/94", "SEP 27,
    1994", "27 September 1994", "tuesday, september 27, 1994"), with "1994-09-27" as the answer; the
    same for the same seed, otherwise as Pairs. No question stands in two sets, but a date may, in
    another form, as in the book: the forms are what is learned. Raises ValueError for more than
    100,000 of them.
    """

    characters = " ,-/0123456789" + "".join(
        sorted({c for name in (*_MONTHS, *_DAYS) for c in name.lower() + name.upper()})
    )
    longest = (len("Wednesday, September 30, 2049"), len("2049-09-30"))

    def __init__(
        self,
        n_train: int = 45_000,
        n_test: int = 5_000,
        seed: int = 0,
        reverse: bool = False,
        *,
        validation_share: float | None = None,
        n_validation: int | None = None,
    ):
        super().__init__(n_train, n_test, seed, reverse, validation_share, n_validation)

    def pairs(self, n, rng):
        if n > 100_000:
            raise ValueError(f"Dates: {n} of them are more than 100000, which there are for sure")
        found: dict[str, str] = {}
        days = _LAST.toordinal() - _FIRST.toordinal() + 1
        while len(found) < n:
            places = rng.integers([days, len(_FORMS), len(_CASES)], size=(DRAWN, 3)).tolist()
            for day, form, case in places:
                date = datetime.date.fromordinal(_FIRST.toordinal() + day)
                found[_CASES[case](_written(date, _FORMS[form]))] = date.isoformat()
        return list(found.items())[:n]


def _written(date: datetime.date, form: str) -> str:
    return form.format(
        month=date.month,
        day=date.day,
        year=date.year,
        short=date.year % 100,
        name=_MONTHS[date.month - 1],
        weekday=_DAYS[date.weekday()],
    )
