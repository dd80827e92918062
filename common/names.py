"""Names that users type: the nearest valid one, and functions of a table with their settings."""

import difflib
import functools
import inspect


def suggest(name, known) -> str:
    """ "; did you mean ...?" for a misspelt name, else the list of valid ones."""
    known = sorted(str(k) for k in known)
    near = [k for k in known if k.lower() == str(name).lower()]  # a capital off, as in relu
    near = near or difflib.get_close_matches(str(name), known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"


def chosen(kind: str, table: dict, name, settings: dict) -> functools.partial:
    """The function of that name, or one given itself, with its keyword-only settings filled in.

    Raises ValueError for an unknown name, and for settings that are unknown or missing.
    """
    own = callable(name)
    if not own and name not in table:
        raise ValueError(f"unknown {kind} {name}{suggest(name, table)}")
    function, name = (name, name.__name__) if own else (table[name], name)
    parameters = inspect.signature(function).parameters.values()
    known = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}
    wrong = [n for n in settings if n not in known]
    missing = [n for n, p in known.items() if n not in settings and p.default is p.empty]
    if wrong or missing:
        raise ValueError(
            f"{kind} {name}: takes {', '.join(known) or 'no settings'}"
            + (f"; missing {', '.join(missing)}" if missing else "")
            + (f"; unknown {', '.join(wrong)}" if wrong else "")
        )
    return functools.partial(function, **settings)
