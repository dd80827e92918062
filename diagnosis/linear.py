"""Which nets are straight lines, whatever their weights."""

LINEAR = (  # of their inputs, but for a constant, in evaluation
    *("Affine", "Convolution", "Convolution1d", "TransposedConvolution", "Embedding"),
    *("AveragePooling", "GlobalAveragePooling", "MeanStep", "LastStep", "Repeat"),
    *("BatchNormalization", "Scale", "Bias", "PositionalEncoding", "Addition", "Copy"),
    *("Concatenation", "Slice", "Flatten", "Reshape", "Transpose", "Padding", "RandomCrop"),
    "Dropout",
)


ANY = ("Affine", "BatchNormalization", "Scale", "Bias", "Flatten", "Reshape", "Dropout")


def is_linear(record) -> bool:
    """Straight lines alone, from the inputs to what the losses read?"""
    kinds = record.facts.get("layers", {})
    losses = {*record.facts.get("losses", {}).values()}
    return bool(kinds) and all(k in LINEAR for k in kinds.values() if k not in losses)


def may_be_any_line(record) -> bool:
    """Are these lines between all inputs and all outputs, in which no narrow layer stands?"""
    kinds, losses = record.facts.get("layers", {}), record.facts.get("losses", {}).values()
    return is_linear(record) and all(k in ANY for k in kinds.values() if k not in losses)
