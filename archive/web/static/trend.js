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

function dots(label, name, size, decimals, fill = colour(name)) {
  const points = { show: true, size, fill, stroke: colour(name), width: size > 4 ? 1.5 : 0 };
  return { label, stroke: colour(name), paths: hidden, points, value: (_, value) => shown(value, decimals) };
}

function shown(value, decimals) {
  return value === null || value === undefined ? "" : value.toFixed(decimals);
}

// All charts of a page have one span of time, that of its results, as stations wrote it, and one cursor.
function overTime(place, share, title, series, drawAxes = []) {
  const written = uPlot.fmtDate("{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}");
  const tzDate = (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");
  const [x, y] = axes("", "");
  const lines = { ...x, label: undefined, values: TIMES, size: x.size * 1.3, space: x.space * 1.2 };
  const time = { label: "", value: (_, value) => (value === null ? "" : written(tzDate(value))) };
  const room = Math.max(1, (trends.span[1] - trends.span[0]) * 0.01);
  const whole = [trends.span[0] - room, trends.span[1] + room];
  const isAll = (times, from, to) => from === times[0] && (to === times[times.length - 1] || times.length === 1);
  const isWhole = ({ data: [times] }, from, to) => from === null || isAll(times, from, to);
  const scales = { x: { range: (plot, from, to) => (isWhole(plot, from, to) ? whole : [from, to]) } };
  return {
    ...sized(place, share), title, tzDate, scales, cursor: { sync: { key: "time" } }, hooks: { drawAxes },
    series: [time, ...series], axes: [lines, { ...y, label: undefined }],
  };
}

function level(label, name, decimals, dash = [6, 4]) {
  return {
    label, stroke: colour(name), width: 1, dash, paths: uPlot.paths.stepped({ align: 1 }), spanGaps: true,
    points: { show: false }, value: (_, value) => shown(value, decimals),
  };
}

// A bar from the least to the most at each time that has both.
function ranges(points) {
  return (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.beginPath();
    ctx.globalAlpha = 0.4;
    ctx.strokeStyle = colour("accent");
    ctx.lineWidth = Math.max(1, Math.min(6, bbox.width / points.time.length / 2));
    points.time.forEach((time, index) => {
      if (points.least[index] === null) return;
      const x = plot.valToPos(time, "x", true);
      ctx.moveTo(x, plot.valToPos(points.least[index], "y", true));
      ctx.lineTo(x, plot.valToPos(points.most[index], "y", true));
    });
    ctx.stroke();
    ctx.restore();
  };
}

function drawValues(place, { name, unit, decimals, points, is_each: isEach }) {
  if (!points.time.length) return;
  place.hidden = false;
  const why = (what) => (_, value, __, index) =>
    value === null || value === undefined ? "" : `${value.toFixed(decimals)} ${(points.why && points.why[index]) || what}`;
  const invisible = (label) => ({ ...dots(label, "accent", 0, decimals), points: { show: false } });
  const columns = {
    least: invisible("OK, least"), mean: dots(isEach ? "OK" : "mean", "accent", 4, decimals), most: invisible("most"),
    own: { ...dots("NOK", "bad", 6, decimals), value: why("") },
    other: { ...dots("NOK by another cause", "bad", 5, decimals, colour("sheet")), value: why("") },
    low: level("Low", "bad", decimals), high: level("High", "bad", decimals),
  };
  const there = Object.keys(columns).filter((column) => points[column]);
  const below = points.least ? [ranges(points)] : [];
  const options = overTime(place, 0.5, `${name}, ${unit}`, there.map((column) => columns[column]), below);
  charts.push(new uPlot(options, [points.time, ...there.map((column) => points[column])], place));
}

function drawChart(place, title, { time, count, points: value, signals, centre, low, high }, decimals) {
  place.hidden = false;
  const signal = new Map(signals.map(([index, rule, since, until]) => [index, { rule, since, until }]));
  const line = { label: "Value", stroke: colour("accent"), width: 1.5 };
  line.value = (_, one, __, index) => (one === null || one === undefined ? "" : `${one.toFixed(decimals)} of ${count[index]}`);
  const ruleName = (_, one, __, index) => (one === null || one === undefined ? "" : signal.get(index)?.rule || "");
  const marked = value.map((one, index) => (signal.has(index) ? one : null));
  const limits = [level("Low", "bad", decimals), level("Centre", "good", decimals, []), level("High", "bad", decimals)];
  const series = [{ ...line, points: { show: time.length < 200, size: 4 } }];
  const columns = [value];
  if (signal.size) {
    series.push({ ...dots("Signal", "bad", 7, decimals), value: ruleName });
    columns.push(marked);
  }
  const options = overTime(place, 0.4, title, [...series, ...limits]);
  const plot = new uPlot(options, [time, ...columns, low, centre, high], place);
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
