"""A run, or several, as one page of HTML that stands alone."""

from lamina.experiment.report.many import report_on_many
from lamina.experiment.report.one import report_on_run

__all__ = ["report_on_many", "report_on_run"]
