"""Runs notebooks from top to bottom and keeps what they print and show.

    python notebooks/run.py 05_optimisation      then: python notebooks/korean.py 05_optimisation

Pictures are kept with a palette of 64 colours, in a quarter of the bytes. A notebook that fails
stays as it was.
"""

import argparse
import base64
import io
from pathlib import Path

import nbclient
import nbformat
from PIL import Image

FOLDER = Path(__file__).parent


def run(path):
    """Execute the notebook and write it anew, with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=where, record_timing=False).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = smaller(output.data["image/png"])
    nbformat.write(notebook, path)


def joined(outputs):
    """What is printed comes in as many pieces as the kernel likes: one for each stream."""
    whole = []
    for output in outputs:
        last = whole[-1] if whole else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            whole.append(output)
    return whole


def smaller(png):
    """A picture in base64, with 64 colours.

    They cover the colours that there are, not the pixels: a palette that follows the pixels spends
    itself on greys and leaves thin lines of six colours with three.
    """
    image, kept = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"), io.BytesIO()
    few = image.quantize(64, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(kept, "PNG", optimize=True)
    return base64.b64encode(kept.getvalue()).decode()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="+", help="05_optimisation, ...")
    for name in parser.parse_args().names:
        run(FOLDER / f"{name}.ipynb")


if __name__ == "__main__":
    main()
