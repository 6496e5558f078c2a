// What the API says, written into the page. Texts are set as text: nothing is read as HTML.

const DAY_S = 86400;

/** Show `/api/info`. */
export function show(info) {
  const status = document.getElementById("status");
  status.dataset.status = info.status;
  status.textContent = info.status;
  document.getElementById("version").textContent = info.version;
  document.getElementById("node").textContent = `${info.node}, up ${duration(info.uptime_s)}`;
  replace("reasons", info.reasons.map((reason) => item(reason)));
  replace("now", numbers(info).map(number));
  replace("nodes", info.nodes.map((node) => item(node === info.node ? `${node} (this one)` : node)));
  replace("warnings", info.warnings.length ? info.warnings.map(warning) : [item("none")]);
}

/** Show `/api/rooms`. */
export function showRooms({ rooms, total }) {
  replace("rooms", rooms.map(({ name, clients }) => {
    const row = document.createElement("tr");
    const count = element("td", clients.toLocaleString("en"));
    count.classList.add("number");
    row.append(element("td", name), count);
    return row;
  }));
  document.getElementById("rooms-total").textContent =
    `${rooms.length} of ${total.toLocaleString("en")} rooms`;
}

function numbers(info) {
  const clients = (test) =>
    info.connections.filter(test).reduce((sum, each) => sum + each.clients, 0).toLocaleString("en");
  return [
    ["Clients", clients(() => true)],
    ["of them signed in", clients(({ kind }) => kind === "user")],
    ["of them on polling", clients(({ transport }) => transport === "polling")],
    ["Users online", info.users.toLocaleString("en")],
    ["Rooms", info.rooms.toLocaleString("en")],
    ["Slow clients", info.slow_clients.toLocaleString("en")],
    ["Recovered", info.totals.recovered.toLocaleString("en")],
    ["Not certainly recovered", info.totals.not_recovered.toLocaleString("en")],
    ["Malformed messages", info.totals.malformed.toLocaleString("en")],
    ["Refused requests", info.totals.refused.toLocaleString("en")],
    ["Journal", info.journal],
    ["Redis last heard", info.probe_age_s === null ? "never" : `${info.probe_age_s.toFixed(1)} s ago`],
  ];
}

function number([name, value]) {
  const pair = document.createElement("div");
  pair.append(element("dt", name), element("dd", value));
  return pair;
}

function warning({ at, level, event, fields }) {
  const line = document.createElement("li");
  const time = element("time", new Date(at).toLocaleTimeString());
  time.dateTime = at;
  const more = Object.entries(fields).map(([name, value]) => ` ${name}=${value}`).join("");
  line.append(time, ` ${level} ${event}${more}`);
  return line;
}

function duration(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * DAY_S) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / DAY_S)} days`;
}

const item = (text) => element("li", text);

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function replace(id, children) {
  document.getElementById(id).replaceChildren(...children);
}
