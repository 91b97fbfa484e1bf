// A result's curves: torque and angle over time, torque over angle, each with its limits.
"use strict";

const data = document.getElementById("curves") && JSON.parse(document.getElementById("curves").textContent);

function span(values, limits) {
  const all = values.concat(limits.filter((limit) => limit !== null));
  const low = all.reduce((a, b) => Math.min(a, b), 0);
  const high = all.reduce((a, b) => Math.max(a, b), 0);
  const room = (high - low || 1) * 0.06;
  return [low < 0 ? low - room : 0, high + room];
}

// A line through its points, whichever way x goes: an angle may go back.
function anyWay(plot, index) {
  const [xs, ys] = plot.data[index];
  const path = new Path2D();
  xs.forEach((x, at) => path[at ? "lineTo" : "moveTo"](plot.valToPos(x, "x", true), plot.valToPos(ys[at], "y", true)));
  return { stroke: path, fill: null, clip: null, band: null, gaps: null, flags: 1 };
}

// Dragging and two fingers zoom in both directions, a double click shows everything again.
function zooming(x, y) {
  const whole = (plot) => () => {
    plot.setScale("x", { min: x[0], max: x[1] });
    plot.setScale("y", { min: y[0], max: y[1] });
  };
  return { drag: { x: true, y: true, dist: 4 }, bind: { dblclick: whole } };
}

// Two fingers zoom and move what is between them, never beyond the whole; one finger moves the page.
function fingers(x, y) {
  return (plot) => {
    const { over } = plot;
    const seen = ({ touches: [one, other] }) => {
      const { left, bottom, width, height } = over.getBoundingClientRect();
      return {
        x: ((one.clientX + other.clientX) / 2 - left) / width,
        y: (bottom - (one.clientY + other.clientY) / 2) / height,
        apart: Math.max(1, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY)),
      };
    };
    let held = null; // where they were put down, and the scales then
    over.style.touchAction = "pan-x pan-y";
    over.addEventListener("touchstart", (event) => {
      const { x, y } = plot.scales;
      held = event.touches.length === 2 && { at: seen(event), scales: { x: { ...x }, y: { ...y } } };
    });
    over.addEventListener("touchmove", (event) => {
      if (!held || event.touches.length !== 2) return;
      event.preventDefault();
      const now = seen(event);
      for (const [name, [first, last]] of Object.entries({ x, y })) {
        const { min, max } = held.scales[name];
        const size = Math.min(last - first, ((max - min) * held.at.apart) / now.apart);
        const low = min + held.at[name] * (max - min) - now[name] * size;
        const begin = Math.min(Math.max(low, first), last - size);
        plot.setScale(name, { min: begin, max: begin + size });
      }
    }, { passive: false });
  };
}

function drawOne(place, title, xs, ys, xLabel, yLabel, limits, isLine) {
  if (!xs || xs.length < 2) return;
  place.hidden = false;
  const width = place.clientWidth - 16;
  const [low, high] = span(ys, limits);
  const common = { title, width, height: Math.max(220, Math.min(width * 0.42, innerHeight * 0.4)) };
  const stroke = colour("accent");
  const ends = isLine ? [xs[0], xs[xs.length - 1]] : span(xs, []);
  const hooks = { draw: [limitLines(limits, "y")], ready: [fingers(ends, [low, high])] };
  const zoom = zooming(ends, [low, high]);
  const y = { range: () => [low, high] };
  const decimals = (value) => (value === null || value === undefined ? "" : value.toFixed(2));
  if (isLine) {
    const series = [
      { label: xLabel, value: (_, value) => decimals(value) },
      { label: yLabel, stroke, width: 2, points: { show: xs.length < 60 }, value: (_, value) => decimals(value) },
    ];
    const scales = { x: { time: false }, y };
    const options = { ...common, cursor: zoom, scales, axes: axes(xLabel, yLabel), series, hooks };
    charts.push(new uPlot(options, [xs, ys], place));
  } else {
    const scales = { x: { time: false, range: () => ends }, y };
    const series = [{}, { label: yLabel, stroke, width: 2, paths: anyWay, facets: [{ scale: "x", auto: true }, { scale: "y", auto: true }] }];
    const cursor = { ...zoom, points: { show: false } };
    const options = { ...common, mode: 2, legend: { show: false }, cursor, scales, axes: axes(xLabel, yLabel), series, hooks };
    charts.push(new uPlot(options, [null, [xs, ys]], place));
  }
}

// Several lines over one another: those not OK in their own colour, the first one thick, and the window dashed.
function drawMany(place, title, lines, xLabel, yLabel, limits, corner) {
  const drawn = lines.filter((line) => line.xs && line.xs.length > 1);
  if (!drawn.length) return;
  place.hidden = false;
  const width = place.clientWidth - 16;
  const height = Math.max(240, Math.min(width * 0.45, innerHeight * 0.5));
  const [left, right] = span(drawn.flatMap((line) => line.xs), corner || []);
  const [low, high] = span(drawn.flatMap((line) => line.ys), limits);
  const series = drawn.map((line, at) => ({
    label: String(line.id),
    stroke: colour(line.bad ? "bad" : "accent"),
    width: at ? 1 : 3,
    paths: anyWay,
    facets: [{ scale: "x", auto: true }, { scale: "y", auto: true }],
  }));
  const scales = { x: { time: false, range: () => [left, right] }, y: { range: () => [low, high] } };
  const hooks = { draw: [corner && !corner.includes(null) ? windowLines(corner, limits) : limitLines(limits, "y")] };
  hooks.ready = [fingers([left, right], [low, high])];
  const cursor = { ...zooming([left, right], [low, high]), points: { show: false } };
  const options = { title, width, height, mode: 2, legend: { show: false }, cursor, scales, series: [{}, ...series], hooks };
  charts.push(new uPlot({ ...options, axes: axes(xLabel, yLabel) }, [null, ...drawn.map((line) => [line.xs, line.ys])], place));
}

// The rectangle that torque and angle have to end in.
function windowLines(xs, ys) {
  return (plot) => {
    if (ys.includes(null)) return;
    const { ctx, bbox } = plot;
    const [left, right] = xs.map((x) => plot.valToPos(x, "x", true));
    const [bottom, top] = ys.map((y) => plot.valToPos(y, "y", true));
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.strokeStyle = colour("bad");
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.strokeRect(left, top, right - left, bottom - top);
    ctx.restore();
  };
}

function drawAll() {
  const place = (name) => document.querySelector(`[data-curve="${name}"]`);
  const { torque, angle } = data.limits;
  const unit = (name) => (data.many.find((one) => one[name]) || { [name]: { unit: "" } })[name].unit;
  const lines = (of) => data.many.map((one) => ({ id: one.ResultId, bad: one.Overall, ...of(one) }));
  const overTime = (name) => lines((one) => ({ xs: (one[name] || {}).times, ys: (one[name] || {}).values }));
  const over = lines((one) => ({ xs: (one.over || {}).angle, ys: (one.over || {}).torque }));
  drawMany(place("over"), "Torque over angle", over, unit("angle"), unit("torque"), torque, angle);
  drawMany(place("torque"), "Torque over time", overTime("torque"), "ms", unit("torque"), torque);
  drawMany(place("angle"), "Angle over time", overTime("angle"), "ms", unit("angle"), angle);
}

function draw() {
  const place = (name) => document.querySelector(`[data-curve="${name}"]`);
  const { torque, angle, over, limits } = data;
  if (torque) drawOne(place("torque"), "Torque over time", torque.times, torque.values, "ms", torque.unit, limits.torque, true);
  if (over) drawOne(place("over"), "Torque over angle", over.angle, over.torque, angle.unit, torque.unit, limits.torque, false);
  if (angle) drawOne(place("angle"), "Angle over time", angle.times, angle.values, "ms", angle.unit, limits.angle, true);
}

if (data) drawAlways(data.many ? drawAll : draw);
