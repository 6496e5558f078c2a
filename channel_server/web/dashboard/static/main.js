// The dashboard: asks the API every two seconds, and shows what it says.

import { ask, Refused } from "/admin/static/api.js";
import { offerActions } from "/admin/static/actions.js";
import { chart } from "/admin/static/chart.js";
import { meanMs, perSecond, plain } from "/admin/static/rates.js";
import { show, showRooms } from "/admin/static/show.js";

const EVERY_MS = 2000;

const whole = (value) => Math.round(value).toLocaleString("en");
const rate = (value) => `${value < 10 ? value.toFixed(1) : whole(value)}/s`;
const ms = (value) => `${value.toFixed(value < 1 ? 3 : 1)} ms`;

const charts = document.getElementById("charts");
const draws = [
  [chart(charts, "Clients", whole), (samples) => plain(samples, "clients")],
  [chart(charts, "Messages", rate), (samples) => perSecond(samples, "messages")],
  [chart(charts, "Deliveries", rate), (samples) => perSecond(samples, "deliveries")],
  [chart(charts, "Fan-out of a message", ms), (samples) => meanMs(samples, "fanout")],
  [chart(charts, "Journal to delivery", ms), (samples) => meanMs(samples, "lag")],
  [chart(charts, "Event-loop lag", ms), (samples) => plain(samples, "loop_lag_s", 1000)],
  [chart(charts, "Recoveries", rate), (samples) => perSecond(samples, "recovered")],
  [chart(charts, "New connections", rate), (samples) => perSecond(samples, "connects")],
];
const search = document.getElementById("search");

let asked = 0;

async function refresh() {
  const number = (asked += 1);
  try {
    const [info, history, rooms] = await Promise.all([
      ask("info"),
      ask("history"),
      ask(`rooms?limit=20&search=${encodeURIComponent(search.value.trim())}`),
    ]);
    if (number !== asked) return; // somebody has typed on: a newer answer is under way
    show(info);
    showRooms(rooms);
    for (const [draw, values] of draws) draw(values(history.samples));
  } catch (error) {
    if (error instanceof Refused && error.status === 401) location.reload();
    const status = document.getElementById("status");
    status.dataset.status = "lost";
    status.textContent = error instanceof Refused ? error.message : "the server does not answer";
  }
}

async function run() {
  await refresh();
  setTimeout(run, document.hidden ? 5 * EVERY_MS : EVERY_MS);
}

search.addEventListener("input", refresh);
offerActions();
run();
