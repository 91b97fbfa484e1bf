// A program's torque and angle over time with their limits, and charts of subgroups' means and deviations.
"use strict";

const trends = document.getElementById("trend") && JSON.parse(document.getElementById("trend").textContent);
const DAY_S = 86400;
// The least step, how a time is written from there on, and what is below it where a year or a day begins.
const TIMES = [
  [365 * DAY_S, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * DAY_S, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
  [DAY_S, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];
const hidden = () => null;

function sized(place, share) {
  const width = place.clientWidth - 16;
  return { width, height: Math.max(200, Math.min(width * share, innerHeight * 0.4)) };
}

function dots(label, name, size, decimals) {
  const points = { show: true, size, fill: colour(name), stroke: colour(name), width: 0 };
  return { label, stroke: colour(name), paths: hidden, points, value: (_, value) => shown(value, decimals) };
}

function shown(value, decimals) {
  return value === null || value === undefined ? "–" : value.toFixed(decimals);
}

function drawValues(place, { name, unit, decimals, points }) {
  if (!points.time.length) return;
  place.hidden = false;
  const written = uPlot.fmtDate("{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}");
  const tzDate = (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"); // as the station wrote it
  const limit = (label) => ({
    label, stroke: colour("bad"), width: 1.5, dash: [6, 4], paths: uPlot.paths.stepped({ align: 1 }),
    points: { show: false }, value: (_, value) => shown(value, decimals),
  });
  const series = [
    { label: "Time", value: (_, value) => (value === null ? "–" : written(tzDate(value))) },
    dots("OK", "accent", 4, decimals), dots("NOK", "bad", 6, decimals), limit("Low"), limit("High"),
  ];
  const [x, y] = axes("", `${name}, ${unit}`);
  const lines = { ...x, label: undefined, values: TIMES, size: x.size * 1.3, space: x.space * 1.2 };
  const options = { ...sized(place, 0.5), title: `${name}, ${unit}`, tzDate, series, axes: [lines, { ...y, label: undefined }] };
  charts.push(new uPlot(options, [points.time, points.good, points.bad, points.low, points.high], place));
}

function drawChart(place, title, { time, count, points: value, signals, centre, low, high }, decimals) {
  place.hidden = false;
  const signal = new Map(signals.map(([index, rule, since, until]) => [index, { rule, since, until }]));
  const at = time.map((_, index) => index + 1);
  const numbered = (_, number, __, index) =>
    index === null || index === undefined ? "–" : `${number}, ${time[index]}, ${count[index]} values`;
  const level = (label, name, dash) => ({
    label, stroke: colour(name), width: 1, dash, paths: uPlot.paths.stepped({ align: 1 }),
    points: { show: false }, value: (_, one) => shown(one, decimals),
  });
  const line = { label: "Value", stroke: colour("accent"), width: 1.5, value: (_, one) => shown(one, decimals) };
  const ruleName = (_, one, __, index) => (index === null || index === undefined ? "–" : signal.get(index)?.rule || "none");
  const series = [
    { label: "Subgroup", value: numbered },
    { ...line, points: { show: at.length < 200, size: 4 } },
    { ...dots("Signal", "bad", 7, decimals), value: ruleName },
  ];
  series.push(level("Low", "bad", [6, 4]), level("Centre", "good"), level("High", "bad", [6, 4]));
  const [x, y] = axes("", "");
  const plain = [{ ...x, label: undefined }, { ...y, label: undefined }];
  const scales = { x: { time: false } };
  const marked = value.map((one, index) => (signal.has(index) ? one : null));
  const options = { ...sized(place, 0.4), title, scales, axes: plain, series };
  const plot = new uPlot(options, [at, value, marked, low, centre, high], place);
  charts.push(plot);
  plot.over.addEventListener("click", () => { // a signal leads to its results
    const found = signal.get(plot.cursor.idx);
    if (found) location.assign(`${trends.results}&from=${found.since}&to=${found.until}`);
  });
}

function draw() {
  for (const [number, quantity] of trends.quantities.entries()) {
    const place = (name) => document.querySelector(`[data-quantity="${number}"] [data-chart="${name}"]`);
    drawValues(place("values"), quantity);
    const { charts: found, decimals, unit } = quantity;
    if (!found.means) continue;
    drawChart(place("means"), `Means, ${unit}`, found.means, decimals + 1);
    drawChart(place("deviations"), `Deviations s, ${unit}`, found.deviations, decimals + 1);
  }
}

if (trends) drawAlways(draw);
