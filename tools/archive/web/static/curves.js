// A result's curves: torque and angle over time, torque over angle, each with its limits.
"use strict";

const told = document.getElementById("curves") && JSON.parse(document.getElementById("curves").textContent);
const charts = [];

function colour(name) {
  // A variable's value is text with light-dark() in it; what it comes to is asked of an element.
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(--${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function limitLines(limits, name) {
  return (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = colour("bad");
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const limit of limits) {
      const scale = plot.scales[name];
      if (limit === null || limit < scale.min || limit > scale.max) continue;
      const y = plot.valToPos(limit, name, true);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  };
}

function span(values, limits) {
  const all = values.concat(limits.filter((limit) => limit !== null));
  const low = all.reduce((a, b) => Math.min(a, b), 0);
  const high = all.reduce((a, b) => Math.max(a, b), 0);
  const room = (high - low || 1) * 0.06;
  return [low < 0 ? low - room : 0, high + room];
}

// Any line through its points, whichever way x goes: an angle may go back.
function anyWay(plot, index) {
  const [xs, ys] = plot.data[index];
  const path = new Path2D();
  xs.forEach((x, at) => path[at ? "lineTo" : "moveTo"](plot.valToPos(x, "x", true), plot.valToPos(ys[at], "y", true)));
  return { stroke: path, fill: null, clip: null, band: null, gaps: null, flags: 1 };
}

function axes(xLabel, yLabel) {
  const em = parseFloat(getComputedStyle(document.documentElement).fontSize); // grows with the screen
  const font = `${0.8 * em}px system-ui, sans-serif`;
  const line = { stroke: colour("line"), width: 1 };
  const common = { stroke: colour("muted"), grid: line, ticks: line, font, labelFont: font, labelSize: 1.5 * em };
  return [
    { ...common, label: xLabel, size: 2.4 * em, space: 4 * em },
    { ...common, label: yLabel, size: 3.6 * em, space: 2.2 * em },
  ];
}

function drawOne(place, title, xs, ys, xLabel, yLabel, limits, isLine) {
  if (!xs || xs.length < 2) return;
  place.hidden = false;
  const width = place.clientWidth - 16;
  const [low, high] = span(ys, limits);
  const common = { title, width, height: Math.max(220, Math.min(width * 0.42, innerHeight * 0.4)) };
  const stroke = colour("accent");
  const hooks = { draw: [limitLines(limits, "y")] };
  const y = { range: () => [low, high] };
  const decimals = (value) => (value === null || value === undefined ? "" : value.toFixed(2));
  if (isLine) {
    const series = [
      { label: xLabel, value: (_, value) => decimals(value) },
      { label: yLabel, stroke, width: 2, points: { show: xs.length < 60 }, value: (_, value) => decimals(value) },
    ];
    const options = { ...common, scales: { x: { time: false }, y }, axes: axes(xLabel, yLabel), series, hooks };
    charts.push(new uPlot(options, [xs, ys], place));
  } else {
    const [left, right] = span(xs, []);
    const scales = { x: { time: false, range: () => [left, right] }, y };
    const series = [{}, { label: yLabel, stroke, width: 2, paths: anyWay, facets: [{ scale: "x", auto: true }, { scale: "y", auto: true }] }];
    const cursor = { drag: { x: false, y: false }, points: { show: false } };
    const options = { ...common, mode: 2, legend: { show: false }, cursor, scales, axes: axes(xLabel, yLabel), series, hooks };
    charts.push(new uPlot(options, [null, [xs, ys]], place));
  }
}

function draw() {
  for (const chart of charts.splice(0)) chart.destroy();
  const place = (name) => document.querySelector(`[data-curve="${name}"]`);
  const { torque, angle, over, limits } = told;
  if (torque) drawOne(place("torque"), "Torque over time", torque.times, torque.values, "ms", "Nm", limits.torque, true);
  if (over) drawOne(place("over"), "Torque over angle", over.angle, over.torque, "°", "Nm", limits.torque, false);
  if (angle) drawOne(place("angle"), "Angle over time", angle.times, angle.values, "ms", "°", limits.angle, true);
}

if (told) {
  draw();
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(draw, 150);
  });
  document.addEventListener("colours", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  matchMedia("print").addEventListener("change", draw); // paper is light
}
