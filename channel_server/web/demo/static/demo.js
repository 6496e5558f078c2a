// Starts the page: who this tab is, its connection, its feed and its form.

import { connect } from "./connection.js";
import { byId, element } from "./element.js";
import { Feed } from "./feed.js";
import { startForm } from "./form.js";
import { VISITOR, chosenPerson, otherPerson, roomsOf, targetsFor } from "./people.js";

async function start() {
  const users = await loadUsers();
  const person = chosenPerson(users, window.location.search);
  showPeople(users, person);
  startForm(targetsFor(users));
  if (!window.io) {
    byId("state").textContent = "not connected";
    showProblem(await missingClient());
    return;
  }
  startConnection(person);
}

async function loadUsers() {
  const response = await fetch("/demo/users");
  if (!response.ok) throw new Error(`GET /demo/users: status ${response.status}`);
  return response.json();
}

function showPeople(users, person) {
  document.title = `${person.name} · channel server demo`;
  const links = [...users, VISITOR].map((each) =>
    element(
      "a",
      { href: `?user=${each.id}`, ...(each === person && { "aria-current": "page" }) },
      each.name,
    ),
  );
  byId("people").append(...links);
  const other = otherPerson(users, person);
  byId("other").href = `?user=${other.id}`;
  byId("other").textContent = `Open another tab as ${other.name}`;
  byId("other").hidden = false;
  byId("rooms").append(...roomsOf(person).map((room) => element("li", {}, room)));
}

function startConnection(person) {
  const feed = new Feed(byId("feed"), byId("empty"));
  byId("clear").addEventListener("click", () => feed.clear());
  connect(person.token, {
    state(name, text) {
      byId("state").dataset.state = name;
      byId("state").textContent = text;
      if (name === "connected") return;
      byId("transport").textContent = byId("socket-id").textContent = "–";
    },
    transports(names) {
      byId("transport").textContent = names.join(" → ");
    },
    connected(socket) {
      byId("socket-id").textContent = socket.id;
      byId("session").textContent = socket.recovered ? "recovered: nothing was missed" : "new";
      void checkToken(person);
    },
    received: (event, data) => feed.add(event, data),
  });
}

// A server with a new, empty Redis does not know this tab's token, and serves it as a visitor.
async function checkToken(person) {
  const users = await loadUsers();
  const known = person === VISITOR || users.some((user) => user.token === person.token);
  showProblem(known ? "" : "The server has new tokens since this page was loaded: reload it.");
}

async function missingClient() {
  const response = await fetch("/socket.io/socket.io.min.js");
  return response.ok ? "The Socket.IO client did not load: reload the page." : response.text();
}

function showProblem(text) {
  byId("problem").textContent = text;
  byId("problem").hidden = text === "";
}

start().catch((error) => showProblem(`The page could not start: ${error.message}`));
