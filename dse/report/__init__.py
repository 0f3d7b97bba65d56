"""Reports: what runs found, as a page for people, as a text with pictures, as JSON, as rows."""

from dse.report.document import comparison_document, document
from dse.report.markdown import write_markdown
from dse.report.page import write_report
from dse.report.ranking import FrontRow, front_table

__all__ = [
    "FrontRow",
    "comparison_document",
    "document",
    "front_table",
    "write_markdown",
    "write_report",
]
