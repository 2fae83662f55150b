"""Plots of the figures as SVG, without any library: lines over the days of the year, readable in light and dark mode."""
from html import escape

WIDTH, HEIGHT = 860, 320
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 64, 46

STYLE = """
  .back { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif } .title { font-weight: 600; font-size: 15px }
  .grid { stroke: #d1d9e0; stroke-width: 1 } .line { fill: none; stroke-width: 1.8; stroke-linejoin: round }
  .s0 { stroke: #0969da } .s1 { stroke: #bc4c00 } .s2 { stroke: #1a7f37 } .s3 { stroke: #8250df }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d }
    .s0 { stroke: #58a6ff } .s1 { stroke: #f0883e } .s2 { stroke: #3fb950 } .s3 { stroke: #bc8cff }
  }
"""


def step_of(most):
    """The distance between two lines of a grid: 1, 2 or 5 times a power of ten, so that there are at most six."""
    step = 10 ** (len(str(int(most))) - 1) if most >= 1 else 0.1
    for factor in (0.1, 0.2, 0.5, 1, 2):
        if most / (step * factor) <= 6:
            return step * factor
    return step * 5


def plot(title, unit, days, series):
    """The text of a plot. `series` has for each line its name and a value for each of the days."""
    most = max(max(values) for _, values in series)
    step = step_of(most)
    top = step * -(-most // step)
    x_of = lambda day: LEFT + (WIDTH - LEFT - RIGHT) * (day - days[0]) / max(1, days[-1] - days[0])
    y_of = lambda value: HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">']
    parts += [f"<style>{STYLE}</style>", f'<rect class="back" width="{WIDTH}" height="{HEIGHT}"/>']
    parts.append(f'<text class="title" x="{LEFT}" y="22">{escape(title)}</text>')
    for number in range(round(top / step) + 1):
        value, y = number * step, y_of(number * step)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:,.10g}</text>')
    for day in [day for day in days if day == days[0] or day % 30 == 0]:
        parts.append(f'<text x="{x_of(day):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{day}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">day of the year</text>')
    parts.append(f'<text x="16" y="{(TOP + HEIGHT - BOTTOM) / 2}" text-anchor="middle" transform="rotate(-90 16 {(TOP + HEIGHT - BOTTOM) / 2})">'
                 f"{escape(unit)}</text>")
    x = LEFT
    for number, (name, values) in enumerate(series):
        points = " ".join(f"{x_of(day):.1f},{y_of(value):.1f}" for day, value in zip(days, values))
        parts.append(f'<polyline class="line s{number}" points="{points}"/>')
        parts.append(f'<line class="line s{number}" x1="{x}" x2="{x + 22}" y1="42" y2="42"/><text x="{x + 28}" y="46">{escape(name)}</text>')
        x += 50 + 7.2 * len(name)
    return "\n".join(parts) + "\n</svg>\n"


def plots(figures):
    """Each plot of a year by the name of its file."""
    days = [day["day"] for day in figures]

    def column(*names, per=1):
        return [sum(day[name] for name in names) / per for day in figures]

    return {
        "bytes.svg": plot("What lies at the place after gc", "MB", days, [
            ("all files there", column("place_bytes", per=1e6)), ("those of the newest version", column("version_bytes", per=1e6))]),
        "files.svg": plot("How many files lie at the place after gc", "files", days, [
            ("all files there", column("place_files")), ("those of the newest version", column("version_files"))]),
        "written.svg": plot("What a day's batch writes to the place, and what batch and rows fetch from it", "MB", days, [
            ("written", column("written_bytes", per=1e6)), ("fetched", column("fetched_bytes", per=1e6))]),
        "requests.svg": plot("Requests of a day: ingest, produce and gc", "requests", days, [
            ("GET", column("ingest_gets", "produce_gets", "gc_gets")), ("PUT", column("ingest_puts", "gc_puts")),
            ("LIST", column("ingest_lists", "produce_lists", "gc_lists"))]),
    }
