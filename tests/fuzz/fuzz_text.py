"""Text files of a data set: windows of what stands there, or one error that names the file."""

import guard

with guard.instrumented("datasets"):
    from lamina.datasets import Text

SETTINGS = (
    {"tokens": "characters", "length": 3},
    {"tokens": "words", "length": 2, "min_count": 2},
    {"tokens": "bytes", "length": 5, "predict": "last"},
    {"tokens": "characters", "length": 2, "streams": True, "validation_share": 0.2},
)


def seeds() -> list[bytes]:
    """A byte that says how it is read, then the file."""
    texts = [
        "to be or not to be\r\n" * 4,
        "\ufeff가나다라 마바사\n" * 9,
        "a" * 40,
        "<unk> <pad>\n" * 20,
    ]
    return [bytes([i]) + text.encode() for text in texts for i in range(len(SETTINGS))]


def one_input(data: bytes) -> None:
    content, settings = data[1:], SETTINGS[data[0] % len(SETTINGS) if data else 0]
    path = guard.file("my.txt", content)
    most = 400 * len(content) + guard.SLACK  # a token is an object of its own, for a while
    made = guard.check(lambda path: Text(path, **settings), path, (ValueError,), most)
    if made is None:
        return
    X, t = made.train[:1]
    start = made.task.decode(X[0])
    if settings["tokens"] == "bytes":
        start, text = X[0].tobytes(), content
    else:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    if settings["tokens"] != "words":
        assert text.startswith(start), (start, text[:20])
    assert t.min() >= 0


if __name__ == "__main__":
    guard.fuzz(one_input, seeds())
