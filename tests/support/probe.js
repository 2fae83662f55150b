// Reads the page that it stands in, as a browser has laid it out, and sends what it found to the page around.
const shown = (element) => element.getClientRects().length > 0;
const tables = {};
for (const table of document.querySelectorAll("table[data-table]")) {
  const columns = [...table.querySelectorAll("th[data-column]")].map((head) => head.dataset.column);
  tables[table.dataset.table] = [...table.querySelectorAll("tbody tr")].map((row) =>
    Object.fromEntries([...row.children].map((cell, place) => [columns[place], cell.dataset.value])));
}
const figures = {};
for (const figure of document.querySelectorAll("[data-figure]")) figures[figure.dataset.figure] = figure.dataset.value;
const marks = [...document.querySelectorAll("[data-mark]")].map((mark) => [mark.dataset.dt, mark.dataset.mark, mark.textContent]);

const faults = [];
const plots = [...document.querySelectorAll("section svg")].filter(shown);
for (const svg of plots) {
  const name = svg.closest("section").id;
  const frame = svg.getBoundingClientRect();
  const labels = [...svg.querySelectorAll("text")].map((text) => ({ words: text.textContent.trim(), box: text.getBoundingClientRect() }));
  for (const { words, box } of labels) {
    if (box.left < frame.left - 0.5 || box.right > frame.right + 0.5 || box.top < frame.top - 0.5 || box.bottom > frame.bottom + 0.5)
      faults.push(`${name}: the label ${words} leads out of the plot`);
    if (box.height < 8) faults.push(`${name}: the label ${words} is too small to be read`);
  }
  labels.forEach((one, place) => labels.slice(place + 1).forEach((other) => {
    const apart = one.box.right <= other.box.left || other.box.right <= one.box.left || one.box.bottom <= other.box.top || other.box.bottom <= one.box.top;
    if (!apart) faults.push(`${name}: the labels ${one.words} and ${other.words} overlap`);
  }));
  if (labels.length < 2) faults.push(`${name}: has no labels`);
  if (!svg.getAttribute("aria-label")) faults.push(`${name}: has no text for whom cannot see it`);
}
if (document.documentElement.scrollWidth > window.innerWidth) faults.push(`the page is wider than the window: ${document.documentElement.scrollWidth}`);
const titles = [...document.querySelectorAll("svg .hit title")].map((title) => title.textContent);
parent.postMessage(JSON.stringify({
  tables, figures, marks, faults,
  plots: plots.map((svg) => svg.closest("section").id),
  titles: titles.length,
  title: document.title,
  color: getComputedStyle(document.body).backgroundColor,
  loaded: performance.getEntriesByType("resource").map((entry) => entry.name),
}), "*");
