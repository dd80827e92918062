"""Python that a test starts draws no curves at the end of a run: they cost a second each, half of
what a short run takes. `curves` of conftest.py turns them on."""

import importlib.machinery
import os
import sys

RUNS = "lamina.experiment.run"


class _WithoutCurves:
    """Finds the module as others do, and takes its curves away once it is there."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != RUNS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            module.plot_curves = lambda *_, **__: None

        spec.loader.exec_module = exec_module
        return spec


if not os.environ.get("LAMINA_TESTS_DRAW_CURVES"):
    sys.meta_path.insert(0, _WithoutCurves)
