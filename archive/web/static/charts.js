// What the charts of all pages share: colours, axes, limit lines, and drawing again when the colours or the room change.
"use strict";

const charts = [];

function colour(name) {
  // A variable's value is text with light-dark() in it; an element gives the resulting colour.
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

function axes(xLabel, yLabel) {
  const em = parseFloat(getComputedStyle(document.documentElement).fontSize); // grows with the screen
  const font = `${Math.round(0.8 * em)}px system-ui, sans-serif`; // uPlot takes the digits before px for its size
  const line = { stroke: colour("line"), width: 1 };
  const common = { stroke: colour("muted"), grid: line, ticks: line, font, labelFont: font, labelSize: 1.5 * em };
  return [
    { ...common, label: xLabel, size: 2.4 * em, space: 4 * em },
    { ...common, label: yLabel, size: 3.6 * em, space: 2.2 * em },
  ];
}

// Draws now, and again whenever the room or the colours change.
function drawAlways(draw) {
  const again = () => {
    for (const chart of charts.splice(0)) chart.destroy();
    draw();
  };
  again();
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(again, 150);
  });
  document.addEventListener("colours", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  matchMedia("print").addEventListener("change", again); // paper is light
}
