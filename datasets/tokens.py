"""The tokens that a text is made of: characters, words or bytes."""

from collections.abc import Iterable

from lamina.common.names import suggest

UNKNOWN = "<unk>"  # stands for every token that a vocabulary does not have
END_OF_LINE = "<eos>"  # the end of a line, as a word
# Of answers: what fills up a shorter one, what stands before the first token, and after the last.
PAD, START, END = "<pad>", "<start>", "<end>"
BYTES = tuple(repr(bytes([i]))[2:-1] for i in range(256))  # "a", "\\n", "\\xed"
_TOKENS = ("characters", "words", "bytes")
_BYTE = {name: i for i, name in enumerate(BYTES)}


def check_tokens(tokens: str) -> None:
    if tokens not in _TOKENS:
        raise ValueError(
            f"tokens: expects {', '.join(_TOKENS)}; got {tokens!r:.40}{suggest(tokens, _TOKENS)}"
        )


def split(text: str | bytes, tokens: str) -> list[str]:
    """A text in its tokens. Words are what stands between white space; the end of a line is a word
    of its own, as the usual files of Penn Treebank are read. Bytes may be given as such."""
    if tokens == "bytes" or isinstance(text, bytes):
        data = text.encode() if isinstance(text, str) else text
        return [BYTES[byte] for byte in data]
    if tokens == "characters":
        return list(text)
    first, *lines = text.split("\n")
    words = first.split()
    for line in lines:
        words += [END_OF_LINE, *line.split()]
    return words


def join(tokens_of_text: Iterable[str], tokens: str) -> str:
    """The text that is made of these tokens; bytes that are no UTF-8 become U+FFFD."""
    if tokens == "bytes":
        return bytes(_BYTE[name] for name in tokens_of_text).decode(errors="replace")
    if tokens == "characters":
        return "".join(tokens_of_text)
    lines: list[str] = []
    line: list[str] = []
    for word in tokens_of_text:
        if word == END_OF_LINE:
            lines.append(" ".join(line))
            line = []
        else:
            line.append(word)
    return "\n".join([*lines, " ".join(line)])
