// A line that moves: one figure with a caption, the newest value, and five minutes of it.

const WIDTH = 300;
const HEIGHT = 60;
const SVG = "http://www.w3.org/2000/svg";

/**
 * Add a chart to the page.
 *
 * @param {Element} parent Gets the figure.
 * @param {string} title What is shown.
 * @param {(value: number) => string} write Writes one value for people.
 * @returns {(values: (number | null)[]) => void} Draws; one value a second, the newest last, null
 *   where there was nothing to measure.
 */
export function chart(parent, title, write) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const newest = document.createElement("output");
  caption.append(title, newest);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  const area = document.createElementNS(SVG, "path");
  area.classList.add("area");
  const line = document.createElementNS(SVG, "path");
  svg.append(area, line);
  figure.append(caption, svg);
  parent.append(figure);

  return (values) => {
    const known = values.filter((value) => value !== null);
    const last = values.at(-1) ?? null;
    const highest = Math.max(...known, 0);
    newest.textContent = last === null ? "none" : write(last);
    svg.setAttribute("aria-label", `${title}: now ${newest.textContent}, at most ${write(highest)}`);
    const points = place(values, highest);
    line.setAttribute("d", points.length ? `M${points.join("L")}` : "");
    area.setAttribute(
      "d",
      points.length ? `M${points[0].split(",")[0]},${HEIGHT}L${points.join("L")}V${HEIGHT}Z` : "",
    );
  };
}

function place(values, highest) {
  const scale = highest > 0 ? (HEIGHT - 4) / highest : 0;
  const start = WIDTH - values.length;
  return values
    .map((value, index) => [start + index, value])
    .filter(([, value]) => value !== null)
    .map(([x, value]) => `${x},${(HEIGHT - 1 - value * scale).toFixed(1)}`);
}
