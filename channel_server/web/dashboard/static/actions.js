// What an operator can do here; each is asked about once more before it is done.

import { ask } from "/admin/static/api.js";

const dialog = document.getElementById("confirm");

/** Make the forms work. */
export function offerActions() {
  offer("disconnect", () => {
    const user = document.getElementById("user").value.trim();
    return [`Disconnect user ${user} on all nodes?`, `users/${user}/disconnect`, {}];
  });
  offer("notice", () => {
    const text = document.getElementById("text").value;
    return [`Show this to everybody who is online? “${text}”`, "notice", { text }];
  });
  document.getElementById("clear").addEventListener("click", () =>
    act("Take the last notice away from everybody?", "notice", { text: null }),
  );
}

function offer(id, describe) {
  const form = document.getElementById(id);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await act(...describe())) form.reset();
  });
}

async function act(question, path, body) {
  if (!(await isConfirmed(question))) return false;
  const done = document.getElementById("done");
  try {
    const { receivers } = await ask(path, body);
    done.textContent = `Done: heard by ${receivers} channel server${receivers === 1 ? "" : "s"}.`;
    return true;
  } catch (error) {
    done.textContent = `Not done: ${error.message}`;
    return false;
  }
}

function isConfirmed(question) {
  document.getElementById("question").textContent = question;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
