"""Findings as text of 80 columns."""

import math
import textwrap

from lamina.common.percent import percent
from lamina.common.printable import printable
from lamina.diagnosis.finding import Finding, largest
from lamina.diagnosis.health import doubts
from lamina.diagnosis.record import Record
from lamina.diagnosis.run_tables import Series
from lamina.training.described import PROGRAM

WIDTH, INDENT = 80, 12


def report(record: Record, findings: list[Finding]) -> str:
    """What is wrong, with evidence and remedies; or a clean bill with the key figures."""
    lines = [summary(record, findings), ""]
    if not findings and (unsure := doubts(record)):
        lines += [*_block("but", unsure), ""]
    for number, finding in enumerate(findings, 1):
        follows = f" (follows from: {finding.follows_from})" if finding.follows_from else ""
        lines.append(f"{number}. {finding.name}{follows}")
        if finding.follows_from:  # it goes away with its cause
            lines += [*_block("evidence", finding.evidence[:2]), ""]
            continue
        lines += _block("evidence", finding.evidence)
        lines += _block("means", [finding.meaning])
        lines += _block("try", finding.remedies)
        lines.append("")
    lines += [f"  {name:<13} {value}" for name, value in figures(record)]
    if not record.layers:
        lines += ["", *textwrap.wrap(_unrecorded(record), WIDTH)]
    return "\n".join(printable(line) for line in lines)


def summary(record: Record, findings: list[Finding]) -> str:
    """One line: the run, and the names of its findings."""
    if not findings:
        return f"{record.path}: {'nothing found' if doubts(record) else 'healthy, nothing found'}"
    causes = [f.name for f in findings if not f.follows_from]
    rest = len(findings) - len(causes)
    origin = "it" if len(causes) == 1 else "these"
    more = f" (and {rest} more that follow{'s' if rest == 1 else ''} from {origin})" if rest else ""
    return f"{record.path}: {'; '.join(causes)}{more}"


def figures(record: Record) -> list[tuple[str, str]]:
    """The key figures of a run, healthy or not, as (name, text)."""
    rows = [("iterations", f"{record.iterations:,}" + (", then it failed" * record.failed))]
    if record.iterations:
        rows.append(
            ("loss", f"{record.start_loss:.3g} at the start, {record.end_loss:.3g} at the end")
        )
    if record.figure and len(record.values("train")):
        parts = [p for p in ("train", "validation", "test") if len(record.values(p))]
        name = record.figure.name
        last = record.said(*parts).replace(f" {name}", "", 1)
        if record.kept is None:
            at = record.last_evaluated
            when = "" if at == record.iterations else f": the last evaluation, of iteration {at:,}"
            rows.append((name, last + when))
        else:  # weights.npz has others than the last
            said = record.said(*parts, row=record.kept).replace(f" {name}", "", 1)
            rows.append((name, f"{said}: {record.kept_said}"))
            rows.append(("", f"{last} at the last evaluation"))
    if seen := record.facts.get("seen"):
        rows.append(("test set", f"{percent(seen, 1)} of {record.where_seen}"))
    if near := record.facts.get("near"):
        rows.append(("test set", record.said_near(near)))
    if record.is_untold:
        rows.append(("without a net", f"nothing is told of the targets; {record.simple_said}"))
    if record.weights:
        ratios = {n: s.median("update_ratio") for n, s in record.weights.items()}
        known = {n: r for n, r in ratios.items() if not math.isnan(r)}
        if known:
            low, high = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
            text = f"{known[low]:.2g} ({low})"
            text += f" to {known[high]:.2g} ({high})" if low != high else ""
            rows.append(("update/weight", f"{text}, medians; rule of thumb 0.001"))
    if record.everything is not None:
        series = record.everything
        norms = series["gradient_norm"]
        text = f"{norms[0]:.2g} {series.since}, {norms[-1]:.2g} {_when(record, series)}, "
        text += f"largest recorded {largest(norms):.2g}"
        rows.append(("gradient norm", text))
    for column, name in (("dead", "ReLUs at 0"), ("saturated", "saturated")):
        shares = {n: s[column][-1] for n, s in record.layers.items()}
        shares = {n: share for n, share in shares.items() if not math.isnan(share)}
        if shares:
            worst = max(shares, key=shares.__getitem__)
            most = ", the most of all" if len(shares) > 1 else ""
            when = _when(record, record.layers[worst])
            of = ", for a whole batch" if column == "dead" else ""  # rest, or death
            rows.append((name, f"{percent(shares[worst], 1)} {when} in {worst}{most}{of}"))
    return rows


def _when(record: Record, series: Series) -> str:
    """When its last record is of: one is not made at every iteration."""
    last = series.iterations[-1]
    return "at the end" if last == record.iterations else f"at iteration {last:,.0f}"


def _unrecorded(record: Record) -> str:
    """Why there are no tables of the layers, and what could be looked at without them."""
    if record.training.get("record_every", 1) in (0, None):
        why = "training.record_every was 0"
    elif record.failed:
        why = "the run failed before the first record"
    elif PROGRAM in record.training:
        why = "the run was made in Python, and nothing recorded them, as watch=Diagnosis() does"
    else:
        why = "no record had been written when the run ended, or was looked at"
    seen = ["the loss"] if record.iterations else []
    seen += ["the figures of the evaluations"] if len(record.history["iteration"]) else []
    seen += ["what culprit.json says"] if record.failed else []
    return f"There is no layers.csv: {why}; so only {' and '.join(seen)} could be looked at."


def _block(name: str, entries: list[str]) -> list[str]:
    lines = []
    for i, entry in enumerate(entries):
        head = f"   {name if i == 0 else '':<{INDENT - 3}}"
        bullet = "- " if len(entries) > 1 else ""
        more = " " * (INDENT + len(bullet))
        lines += textwrap.wrap(
            entry,
            WIDTH,
            initial_indent=head + bullet,
            subsequent_indent=more,
            break_on_hyphens=False,
        )
    return lines
