"""Charts of a report, as SVG. Whatever runs and people are called is drawn as it is, never as markup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from infra.printable import flat
from infra.reports.sheets import place
from infra.reports.tallies import Endings, Report

MOST_BARS: Final = 12

COLOURS: Final[Mapping[str, str]] = {
    "completed": "#2f7d5b",
    "failed": "#c0392b",
    "stopped": "#c98a1b",
    "open": "#8a94a6",
}
_OTHERS: Final = ("#3867a6", "#8fb1d9")
"""For what isn't an ending."""

_RUNS: Final = "runs"
_TOKENS: Final = "tokens"
_UNITS: Final = ((86_400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


@dataclass(frozen=True)
class Chart:
    """A bar for each label, each made of a piece for each series."""

    labels: Sequence[str]
    series: Mapping[str, Sequence[float]]
    unit: str


def charts(report: Report) -> dict[str, bytes]:
    """Draw the charts; each has the key of the table that it belongs to."""
    drawn = {
        "paradigms": _ended({row.paradigm: row.ended for row in report.paradigms}),
        "modes": _times({row.mode: row.stays.total for row in report.modes}),
        "transitions": _ended(
            {f"{row.trigger or '?'}: {row.source} → {row.target}": row.ended for row in report.transitions}
        ),
        "waits": _times({f"{row.person} · {place(row)}": row.waits.total for row in report.waits}),
        "conversations": Chart(
            [row.conversation for row in report.conversations],
            {
                "tokens in": [row.tokens.input for row in report.conversations],
                "tokens out": [row.tokens.output for row in report.conversations],
            },
            _TOKENS,
        ),
    }
    return {key: draw(chart) for key, chart in drawn.items() if any(map(sum, chart.series.values()))}


def draw(chart: Chart) -> bytes:
    """Draw a chart as SVG."""
    labels = [flat(label, 48) for label in chart.labels[:MOST_BARS]]
    places = range(len(labels))
    # Text stays text, and a dollar in a name a dollar.
    with rc_context({"svg.fonttype": "none", "text.parse_math": False, "font.family": "sans-serif", "font.size": 9}):
        figure = Figure(figsize=(7.5, 0.7 + 0.3 * len(labels)), layout="constrained")
        axes = figure.add_subplot()
        reached = [0.0] * len(labels)
        colours = iter(_OTHERS)
        for name, values in chart.series.items():
            shown = list(values[:MOST_BARS])
            axes.barh(places, shown, left=reached, height=0.62, label=name, color=COLOURS.get(name) or next(colours))
            reached = [before + value for before, value in zip(reached, shown, strict=True)]
        axes.set_yticks(places, labels)
        axes.invert_yaxis()
        axes.set_xlabel(chart.unit)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(left=False)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=chart.unit in (_RUNS, _TOKENS)))
        axes.grid(axis="x", color="#e3e6ea", linewidth=0.7)
        axes.set_axisbelow(True)
        if len(chart.series) > 1:
            axes.legend(frameon=False, ncols=4, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
        drawn = BytesIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()


def _ended(kinds: Mapping[str, Endings]) -> Chart:
    """How runs of some kinds ended."""
    series = {name: [getattr(ended, name) for ended in kinds.values()] for name in COLOURS}
    return Chart(list(kinds), {name: counts for name, counts in series.items() if any(counts)}, _RUNS)


def _times(seconds: Mapping[str, float]) -> Chart:
    """Times, in the largest unit that the longest of them fills."""
    longest = max(seconds.values(), default=0)
    unit, name = next((unit for unit in _UNITS if longest >= unit[0]), _UNITS[-1])
    return Chart(list(seconds), {"": [one / unit for one in seconds.values()]}, name)
