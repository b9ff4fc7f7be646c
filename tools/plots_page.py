"""Writes the page that `dvc plots show` fills, with Vega inside, so that it makes no request to outside.

python -m tools.plots_page      # after an update of vl-convert-python
"""

from __future__ import annotations

from pathlib import Path

import vl_convert

from likeness.files import write_text

TARGET = Path(".dvc/plots/offline.html")
_PLACEHOLDERS = ("{scripts}", "{plot_divs}", "{refresh_tag}", "</script")

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: 'self';
  script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'">
{refresh_tag}
<title>Likeness: plots</title>
<!-- Page of `dvc plots show` without a request to outside. Written by `python -m tools.plots_page`.
     The script below holds Vega, Vega-Lite, Vega-Embed (BSD-3-Clause) and D3 (ISC), as in vl-convert-python. -->
<style>
body {
  font: 1rem/1.5 system-ui, sans-serif; margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem;
  color: #1c1c1c; background: #fff;
}
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 2rem; }
@media print { main { display: block; } main > div { overflow: visible; } }
main > h1 { grid-column: 1 / -1; }
main > div { min-width: 0; overflow-x: auto; }
table { border-spacing: 1rem 0.3rem; font-variant-numeric: tabular-nums; }
</style>
<script>
"use strict";
// The plots' own scripts run before the bundle below: what they ask for waits until it is there.
const waiting = [];
let vegaEmbed = (...plot) => waiting.push(plot);
window.drawPlots = async (embed) => {
  vegaEmbed = embed;
  await Promise.all(waiting.map((plot) => embed(...plot)));
  const menus = document.querySelectorAll(".vega-embed summary");
  for (const menu of menus) menu.setAttribute("aria-label", "Save the plot");
};
</script>
</head>
<body>
<main>
<h1>Plots</h1>
{plot_divs}
</main>
<script type="module">
"""
_TAIL = """
</script>
</body>
</html>
"""


def page() -> str:
    """The page's text; DVC puts the plots in the place of its placeholder.

    Raises:
        ValueError: the bundled script holds something that DVC or a browser would take for its own.
    """
    script = vl_convert.javascript_bundle(
        "window.drawPlots(vegaEmbed);", vl_version="5.21"
    )  # DVC's plots are of version 5
    for text in _PLACEHOLDERS:
        if text in script.lower():
            raise ValueError(f"the bundle of Vega holds {text!r}, which the page cannot carry")
    return _HEAD + script + _TAIL


if __name__ == "__main__":
    write_text(TARGET, page())
