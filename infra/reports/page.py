"""A report as one page of HTML, with charts, that needs nothing from anywhere and runs nothing."""

from base64 import b64encode
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from infra.reports.charts import charts
from infra.reports.sheets import remarks, sheets
from infra.reports.tallies import Report
from infra.reports.words import number

_PAGES: Final = Environment(
    loader=PackageLoader("infra.reports", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def page(report: Report) -> str:
    """Draw the page. Whatever runs and people are called stays text."""
    return _PAGES.get_template("page.html").render(
        report=report,
        runs=number(report.runs),
        remarks=remarks(report),
        sheets=sheets(report),
        charts={key: b64encode(svg).decode() for key, svg in charts(report).items()},
    )
