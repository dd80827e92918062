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


def chosen(kind: str, table: dict, choice, settings: dict, takes: tuple = ()):
    """A function of the table by its name, or one of the user's own, with its settings filled in.

    Of a function the keyword-only parameters are settings; the others are `takes`, what it will be
    called with. A class is made with the settings, and its object is called; an object that can be
    called is taken as it is. Raises ValueError for an unknown name, for settings that are unknown
    or missing, and for what cannot be called so.
    """
    if isinstance(choice, str) and choice not in table:
        raise ValueError(f"unknown {kind} {choice}{suggest(choice, table)}")
    made = table[choice] if isinstance(choice, str) else choice
    if not callable(made):
        raise ValueError(f"{kind}: expects a name, a function or a class, got {made!r:.60}")
    name = choice if isinstance(choice, str) else getattr(made, "__name__", type(made).__name__)
    _check_settings(f"{kind} {name}", made, settings, takes)
    if isinstance(made, type):
        made = _instance(f"{kind} {name}", made, settings, takes)
    elif settings:
        made = functools.partial(made, **settings)
    try:
        inspect.signature(made).bind(*takes)
    except TypeError as error:
        raise ValueError(f"{kind} {name}: is called with ({', '.join(takes)}): {error}") from None
    return made


def _check_settings(name: str, made, settings: dict, takes: tuple) -> None:
    try:
        given = inspect.signature(made).parameters
    except ValueError as error:  # of something built in
        raise ValueError(f"{name}: {error}") from None
    known = {n: p for n, p in given.items() if p.kind in _kinds_of_settings(made)}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in given.values())
    wrong = [n for n in settings if n not in known and not takes_any]
    missing = [n for n, p in known.items() if n not in settings and p.default is p.empty]
    if not wrong and not missing:
        return
    behind = [n for n in wrong if n in given and n not in takes]
    hint = f"; settings stand behind a *: ..., *, {', '.join(behind)}" if behind else ""
    raise ValueError(
        f"{name}: takes {', '.join(known) or 'no settings'}"
        + (f"; missing {', '.join(missing)}" if missing else "")
        + (f"; unknown {', '.join(wrong)}{hint}" if wrong else "")
    )


def _kinds_of_settings(made) -> tuple:
    if isinstance(made, type):
        return inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    if inspect.isroutine(made) or isinstance(made, functools.partial):
        return (inspect.Parameter.KEYWORD_ONLY,)
    return ()  # an object that is made already


def _instance(name: str, cls: type, settings: dict, takes: tuple):
    try:
        made = cls(**settings)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from error
    if not callable(made):
        raise ValueError(f"{name}: has no __call__(self, {', '.join(takes)})")
    return made
