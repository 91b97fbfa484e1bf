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

function drawChart(place, title, { at, time, value, signal, centre, low, high }, decimals) {
  place.hidden = false;
  const level = (plot) => {
    const { ctx, bbox } = plot;
    const y = plot.valToPos(centre, "y", true);
    ctx.save();
    ctx.strokeStyle = colour("good");
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  };
  const numbered = (_, number, __, index) => (index === null || index === undefined ? "–" : `${number}, ${time[index]}`);
  const line = { label: "Value", stroke: colour("accent"), width: 1.5, value: (_, one) => shown(one, decimals) };
  const told = (_, one, __, index) => (index === null || index === undefined ? "–" : signal[index] || "none");
  const series = [
    { label: "Subgroup", value: numbered },
    { ...line, points: { show: at.length < 200, size: 4 } },
    { ...dots("Signal", "bad", 7, decimals), value: told },
  ];
  const room = (high - low || 1) * 0.1;
  const reach = (_, least, most) => [Math.min(least, low) - room, Math.max(most, high) + room];
  const [x, y] = axes("", "");
  const plain = [{ ...x, label: undefined }, { ...y, label: undefined }];
  const hooks = { draw: [level, limitLines([low, high], "y")] };
  const scales = { x: { time: false }, y: { range: reach } };
  const marked = value.map((one, index) => (signal[index] ? one : null));
  charts.push(new uPlot({ ...sized(place, 0.4), title, scales, axes: plain, series, hooks }, [at, value, marked], place));
}

function draw() {
  for (const [number, quantity] of trends.entries()) {
    const place = (name) => document.querySelector(`[data-quantity="${number}"] [data-chart="${name}"]`);
    drawValues(place("values"), quantity);
    const { charts: found, decimals, unit } = quantity;
    if (!found) continue;
    drawChart(place("means"), `Means of ${found.size}, ${unit}`, found.means, decimals + 1);
    drawChart(place("deviations"), `Deviations s of ${found.size}, ${unit}`, found.deviations, decimals + 1);
  }
}

if (trends) drawAlways(draw);
