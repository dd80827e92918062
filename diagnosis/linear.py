"""Which nets are straight lines, whatever their weights."""

LINEAR = (  # of their inputs, but for a constant, in evaluation
    *("Affine", "Convolution", "Convolution1d", "TransposedConvolution", "Embedding"),
    *("AveragePooling", "GlobalAveragePooling", "MeanStep", "LastStep", "Repeat"),
    *("BatchNormalization", "Scale", "Bias", "PositionalEncoding", "Addition", "Copy"),
    *("Concatenation", "Slice", "Flatten", "Reshape", "Transpose", "Padding", "RandomCrop"),
    "Dropout",
)


def is_linear(record) -> bool:
    """Straight lines alone, from the inputs to what the losses read?"""
    kinds = record.facts.get("layers", {})
    losses = {*record.facts.get("losses", {}).values()}
    return bool(kinds) and all(k in LINEAR for k in kinds.values() if k not in losses)
