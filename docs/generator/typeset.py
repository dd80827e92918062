"""`.. formula::`: formulas of docstrings, written in lines of Unicode, as MathML.

    dX = γ / √(σ² + ε) · dout                     in training

Signs above and below the line, roots, sums, powers and accents are set as such; columns that are
two blanks or more apart stay columns. Code, and lines without a formula, keep their characters.
"""

import re
import unicodedata
from collections import Counter
from html import escape

from docutils import nodes
from docutils.parsers.rst import Directive

RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀᵗⁿⁱʲᵏ"
LOWERED = "₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚₛₜₓ"
# Words in formulas that are names; a line of text with other words is no formula.
NAMES = {
    *("exp", "log", "tanh", "sin", "cos", "softmax", "sign", "mean", "max", "min", "clip"),
    *("dout", "douts", "scores", "dscores", "score", "target", "onehot", "mask", "shares"),
    *("windows", "taps", "slope", "scale", "shift", "factor", "margin", "power", "momentum", "lr"),
}
BINARY = "=←→≈≤≥≠<>+-·×*/"
TOKEN = re.compile(
    rf"""(?P<number>\d+(?:\.\d+)?|[½∞])
       | (?P<accented>[^\W\d_][\u0300-\u036f])
       | (?P<sum>Σ)
       | (?P<name>[^\W\d_{RAISED}{LOWERED}][^\W{RAISED}{LOWERED}]*)
       | (?P<raised>[{RAISED}]+)
       | (?P<lowered>[{LOWERED}]+)
       | (?P<root>√)
       | (?P<power>\^)
       | (?P<below>_\{{)
       | (?P<space>\s+)
       | (?P<sign>.)""",
    re.VERBOSE,
)
CLOSING = {"(": ")", "[": "]", "{": "}"}


def is_code(text: str) -> bool:
    """Whether it is Python: arguments by name have no blanks around "=", formulas do."""
    return bool(re.search(r"\bclass \w|\bdef \w|\w=\S|# ", text))


def has_formula(text: str) -> bool:
    return bool(re.search(r" [=←] ", text)) and not is_code(text)


class _Line:
    """Reads one formula from left to right."""

    def __init__(self, text: str):
        self.tokens = [(match.lastgroup, match[0]) for match in TOKEN.finditer(text.strip())]
        self.at = 0

    def kind(self, ahead: int = 0) -> str | None:
        at = self.at + ahead
        return self.tokens[at][0] if at < len(self.tokens) else None

    def next(self) -> tuple[str, str]:
        self.at += 1
        return self.tokens[self.at - 1]

    def row(self, until: str | None = None) -> str:
        """Everything up to a closing sign, which is taken too, or to the end."""
        parts = []
        while self.kind():
            if until and self.tokens[self.at] == ("sign", until):
                self.at += 1
                break
            parts.append(self.scripted())
        return f"<mrow>{''.join(parts)}</mrow>"

    def scripted(self) -> str:
        """An atom with what stands above and below it."""
        base, low, high = self.atom(), "", ""
        while self.kind() in ("raised", "lowered", "power", "below"):
            kind, text = self.next()
            if kind == "raised":
                high += _plain(text)
            elif kind == "lowered":
                low += _plain(text)
            elif kind == "below":
                low += self.row("}")
            else:
                high += self.exponent()
        if low and high:
            return f"<msubsup>{base}<mrow>{low}</mrow><mrow>{high}</mrow></msubsup>"
        if low:
            return f"<msub>{base}<mrow>{low}</mrow></msub>"
        return f"<msup>{base}<mrow>{high}</mrow></msup>" if high else base

    def exponent(self) -> str:
        """Behind ^: what is in brackets, or a sign and an atom."""
        if self.kind() == "sign" and self.tokens[self.at][1] == "(":
            self.at += 1
            return self.row(")")
        sign = self.atom() if self.tokens[self.at] == ("sign", "-") else ""
        return sign + self.atom()

    def atom(self) -> str:
        kind, text = self.next()
        if kind == "number":
            return f"<mn>{text}</mn>"
        if kind == "accented":
            mark = {"\u0302": "^", "\u0304": "¯"}.get(text[1], text[1])
            return (
                f'<mover accent="true"><mi>{text[0]}</mi><mo stretchy="false">{mark}</mo></mover>'
            )
        if kind == "name":
            return _name(text)
        if kind == "root":
            if self.tokens[self.at : self.at + 1] == [("sign", "(")]:
                self.at += 1
                return f"<msqrt>{self.row(')')}</msqrt>"
            return f"<msqrt>{self.scripted()}</msqrt>"
        if kind == "space":
            return self.space()
        if kind in ("raised", "lowered"):
            return _plain(text)
        if text in CLOSING and ("sign", CLOSING[text]) in self.tokens[self.at :]:
            return f"<mrow>{_sign(text)}{self.row(CLOSING[text])}{_sign(CLOSING[text])}</mrow>"
        return _sign(text)

    def space(self) -> str:
        """Between two things that no operator joins; the others bring their own."""
        before = self.tokens[self.at - 2][1] if self.at > 1 else ""
        after = self.tokens[self.at][1] if self.at < len(self.tokens) else ""
        joined = before in (*BINARY, ",", "") or after in (*BINARY, ",", "")
        return "" if joined else '<mspace width="0.28em"></mspace>'


def _plain(script: str) -> str:
    """Small signs in normal size: ₜ₋₁ is t - 1 below the line."""
    if script == "ᵀ":
        return '<mi mathvariant="normal">T</mi>'
    return _Line(unicodedata.normalize("NFKC", script).replace("−", "-")).row()


def _name(text: str) -> str:
    if re.fullmatch(r"d[^\W\d_]", text):  # the gradient of one letter
        return f'<mrow><mi mathvariant="normal">d</mi><mi>{text[1]}</mi></mrow>'
    return f"<mi>{escape(text)}</mi>"


def _sign(text: str) -> str:
    if text in "()[]{}|‖":
        return f'<mo stretchy="false" lspace="0" rspace="0">{text}</mo>'
    if text in "'′":
        return '<mo lspace="0" rspace="0">′</mo>'
    if text == "Σ":
        return '<mo largeop="false" movablelimits="false" rspace="0.1em">∑</mo>'
    if text in "∇∂":
        return f"<mi>{text}</mi>"
    return f"<mo>{escape(text.replace('-', '−'))}</mo>"


def mathml(text: str) -> str:
    return f"<math>{_Line(text).row()}</math>"


def cells_of(line: str) -> list[tuple[int, str]]:
    """(where it begins, text) of the columns of a line; accents have no width."""
    found = re.finditer(r"\S+(?: \S+)*", line)
    return [(len(re.sub(r"[\u0300-\u036f]", "", line[: m.start()])), m[0]) for m in found]


def html(lines: list[str]) -> str:
    """A table where columns of several lines begin at one place, else lines that may wrap."""
    rows = [cells_of(line) for line in lines if line.strip()]
    begins = Counter(begin for row in rows for begin, _ in row if begin)
    if len(rows) < 2 or max(begins.values(), default=0) < 2:
        shown = "".join(
            f"<div>{''.join(f'<span>{mathml(text)}</span>' for _, text in row)}</div>"
            for row in rows
        )
        return f'<div class="formula">{shown}</div>'
    places = sorted({begin for row in rows for begin, _ in row} | {0})
    shown = ""
    for row in rows:
        if row[0][0]:
            row = [(0, ""), *row]
        ends = [places.index(begin) for begin, _ in row[1:]] + [len(places)]
        shown += "<tr>"
        for (begin, text), end in zip(row, ends, strict=True):
            inside = mathml(text) if text else ""
            shown += f'<td colspan="{end - places.index(begin)}">{inside}</td>'
        shown += "</tr>"
    return f'<div class="formula"><table>{shown}</table></div>'


PARTS = re.compile(r"(With |, (?=[a-z]{3})| with | and | where | so |: |; |\. |\.$|, else )")


def is_formula(text: str) -> bool:
    """Whether a part of a sentence says nothing but a formula."""
    words = re.findall(r"(?<![\w.])(?:[a-z]{2,}|[A-Z][a-z]{2,})(?!\w)", text)
    balanced = all(text.count(left) == text.count(right) for left, right in CLOSING.items())
    return bool(re.search(r" [=←] ", text)) and balanced and NAMES.issuperset(words)


def formulas_and_text(text: str) -> list[tuple[bool, str]]:
    """A sentence in pieces: (whether it is a formula, piece)."""
    return [(is_formula(piece), piece) for piece in PARTS.split(text) if piece]


def _role(name, rawtext, text, lineno, inliner, options=None, content=()):
    return [nodes.raw("", mathml(text), format="html")], []


class Formula(Directive):
    has_content = True

    def run(self):
        text = "\n".join(self.content)
        if has_formula(text):
            return [nodes.raw("", html(list(self.content)), format="html")]
        return [nodes.literal_block(text, text, language="python" if is_code(text) else "text")]


def setup(app):
    app.add_directive("formula", Formula)
    app.add_role("formula", _role)
    return {"parallel_read_safe": True}
