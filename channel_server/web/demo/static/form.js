// The form that publishes.

import { byId, element } from "./element.js";

/** Fills the form with targets, and publishes when it is sent. */
export function startForm(targets) {
  byId("targets").append(...targets.map(choice));
  byId("targets").addEventListener("change", () => explain(chosen(targets)));
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    void publish(chosen(targets), byId("text").value);
  });
  explain(chosen(targets));
}

function choice(target, position) {
  const input = element("input", {
    type: "radio",
    name: "target",
    value: target.key,
    "data-testid": `to-${target.key}`,
  });
  input.defaultChecked = position === 0;
  return element("label", { class: "choice" }, input, element("span", {}, target.label));
}

function chosen(targets) {
  const { value } = byId("form").elements.target;
  return targets.find((target) => target.key === value);
}

function explain(target) {
  byId("explanation").textContent = `Receives it: ${target.receivers}. ${target.hint ?? ""}`;
  byId("reload-label").hidden = target.order.kind !== "notice";
}

async function publish(target, text) {
  const order = { ...target.order, text };
  if (order.kind === "notice") order.reload = byId("reload").checked;
  const button = byId("form").querySelector("button");
  button.disabled = true;
  show("", "");
  try {
    const { subscribers } = await post(order);
    const heard = subscribers === 1 ? "1 subscriber" : `${subscribers} subscribers`;
    show(
      target.key,
      `Published, room: ${target.room}. Should be received by: ${target.receivers}. ` +
        `Redis passed it to ${heard}.`,
    );
  } catch (error) {
    show("failed", `Not published: ${error.message}.`);
  } finally {
    button.disabled = false;
    button.focus();
  }
}

async function post(order) {
  const response = await fetch("/demo/publish", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(order),
  });
  if (response.ok) return response.json();
  const answer = await response.json().catch(() => ({}));
  throw new Error(answer.error ?? `the server answered ${response.status}`);
}

function show(outcome, text) {
  byId("published").dataset.outcome = outcome;
  byId("published").textContent = text;
}
