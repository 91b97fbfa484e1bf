// Keys, colours, and live updates. Every page works without it.
"use strict";

const ALIVE_S = 90; // as archive/web/template_filters.py
const THEMES = ["", "light", "dark"];

function changeTheme() {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(root.dataset.theme || "") + 1) % THEMES.length];
  if (next) {
    root.dataset.theme = next;
    localStorage.setItem("theme", next);
  } else {
    delete root.dataset.theme;
    localStorage.removeItem("theme");
  }
  document.dispatchEvent(new Event("colours"));
}

// -- keys ------------------------------------------------------------------------------------------------------------

function moveTo(step) {
  const rows = [...document.querySelectorAll(".list tbody tr")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.classList.contains("at"));
  rows[at]?.classList.remove("at");
  const row = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  row.classList.add("at");
  row.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest("input, select, textarea");
  if (field) {
    if (event.key === "Escape") field.blur();
    return;
  }
  if (event.key === "/") {
    document.querySelector(".search input").select();
  } else if (event.key === "t") {
    changeTheme();
  } else if (event.key === "j" || event.key === "k") {
    moveTo(event.key === "j" ? 1 : -1);
  } else if (event.key === "Enter" && !event.target.closest("a, button")) {
    const go = document.querySelector("tr.at")?.dataset.go;
    if (go) location.href = go;
    return;
  } else {
    const link = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
    if (!link) return;
    link.click();
  }
  event.preventDefault();
});
document.getElementById("theme").addEventListener("click", changeTheme);

// -- the map ---------------------------------------------------------------------------------------------------------

function seconds(digits) {
  const d = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(digits);
  return d ? Date.UTC(d[1], d[2] - 1, d[3], d[4], d[5], d[6]) / 1000 : null;
}

function showSilence(tile, now) {
  const heard = seconds(tile.dataset.heard);
  const ago = heard === null ? null : Math.abs(Math.round(now - heard));
  const state = ago === null ? "never" : ago <= ALIVE_S ? "alive" : "silent";
  const unit = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([size]) => size === 1 || ago >= 2 * size);
  tile.className = "tile " + state;
  tile.querySelector(".word").textContent = state;
  tile.querySelector(".ago").textContent = ago === null ? "never" : Math.floor(ago / unit[0]) + " " + unit[1] + " ago";
}

function showStations(map, update) {
  map.dataset.now = update.now;
  map.ahead = Date.now() / 1000 - seconds(update.now); // how far this machine's clock is ahead of the archive's
  for (const [place, [heard, today, nok]] of Object.entries(update.stations)) {
    const tile = map.querySelector(`[data-station="${place}"]`);
    if (!tile) continue;
    tile.dataset.heard = heard;
    tile.querySelector(".count").textContent = today;
    const bad = tile.querySelector(".nokcount");
    bad.hidden = !nok;
    bad.querySelector("b").textContent = nok;
  }
}

const map = document.getElementById("map");
if (map) {
  map.ahead = Date.now() / 1000 - seconds(map.dataset.now);
  setInterval(() => {
    for (const tile of map.querySelectorAll(".tile")) showSilence(tile, Date.now() / 1000 - map.ahead);
  }, 1000);
  const feed = new EventSource(map.dataset.feed);
  feed.addEventListener("stations", (event) => showStations(map, JSON.parse(event.data)));
  feed.addEventListener("reload", () => location.reload());
  feed.addEventListener("result", () => {
    if (!map.querySelector(".tile")) location.reload(); // the first station of all
  });
}

// -- live ------------------------------------------------------------------------------------------------------------

const live = document.getElementById("live");
if (live) {
  const body = live.querySelector("tbody");
  const status = document.getElementById("feed");
  const feed = new EventSource(live.dataset.feed);
  feed.addEventListener("open", () => (status.textContent = "as it comes"));
  feed.addEventListener("error", () => (status.textContent = "the archive does not answer, trying again"));
  feed.addEventListener("result", (event) => {
    const holder = document.createElement("template");
    holder.innerHTML = event.data; // the server's own row, with every text escaped
    const row = holder.content.firstElementChild;
    if (body.querySelector(`[data-id="${row.dataset.id}"]`)) return;
    row.classList.add("new");
    body.prepend(row);
    while (body.rows.length > Number(live.dataset.most)) body.lastElementChild.remove();
  });
}
