"""Reports: what a run found, as a page for people, as JSON for programs, as rows for a terminal."""

from dse.report.document import document
from dse.report.page import write_report
from dse.report.ranking import FrontRow, front_table

__all__ = ["FrontRow", "document", "front_table", "write_report"]
