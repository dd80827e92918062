"""Draw an expression from the shell.

python -m autodiff.draw "(x + y) * z" x=-2 y=5 z=-4 -o graph.html
"""

import argparse
import sys
from pathlib import Path

from autodiff.draw.drawing import draw
from autodiff.draw.expression import read_expression
from autodiff.draw.given import read_inputs


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m autodiff.draw",
        description="Draw the computational graph of an expression, with values and gradients.",
        epilog="Functions: exp, log, sqrt, sin, tanh, max, min, sum, mean, sigmoid, relu, ...; "
        "@ is the matrix product, x.T the transpose. The result must be a single number.",
    )
    parser.add_argument("expression", help='such as "(x + y) * z"')
    parser.add_argument("inputs", nargs="*", metavar="NAME=VALUE", help="x=-2, W='[[1, 2]]'")
    parser.add_argument(
        *("-o", "--output"),
        type=Path,
        default=Path("graph.html"),
        help=".html: a page to step through, .svg, .png or .dot (default: graph.html)",
    )
    options = parser.parse_args(_guarded(sys.argv[1:] if arguments is None else arguments))
    try:
        inputs = read_inputs(options.inputs)
        f = read_expression(options.expression, inputs)
        draw(f, inputs, options.expression.strip()).save(options.output)
    except (OSError, ValueError, TypeError) as error:
        print(f"autodiff.draw: {str(error).removeprefix('draw: ')}", file=sys.stderr)
        return 2
    print(options.output)
    return 0


def _guarded(arguments: list[str]) -> list[str]:
    """An expression may begin with a minus, which is no option: a blank tells them apart."""
    options = ("-o", "--output", "-h", "--help")
    return [
        f" {text}" if text.startswith("-") and not text.startswith(options) else text
        for text in arguments
    ]


if __name__ == "__main__":
    sys.exit(main())
