"""The ledger: experiments of book, notes and docs/configs.md, beside what is expected of them."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.experiments import ...")
