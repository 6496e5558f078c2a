// The list of received events, newest first.

import { element } from "./element.js";

const ENTRIES_MAX = 200;

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hour12: false,
});

export class Feed {
  /**
   * @param {HTMLElement} list - Filled with one item per event.
   * @param {HTMLElement} empty - Shown while there is none.
   */
  constructor(list, empty) {
    this.list = list;
    this.empty = empty;
  }

  /** Adds an event on top. Beyond 200, the oldest one goes. */
  add(event, data) {
    const now = new Date();
    this.list.prepend(
      element(
        "li",
        { "data-testid": "entry", "data-event": event },
        element("time", { datetime: now.toISOString() }, clock.format(now)),
        element("span", { class: `event ${event}` }, event),
        element("span", { class: "room", "data-testid": "entry-room" }, roomOf(event, data)),
        element("p", { "data-testid": "entry-text" }, textOf(event, data)),
        element(
          "details",
          {},
          element("summary", {}, "JSON"),
          element("pre", { tabindex: "0" }, JSON.stringify(data, null, 2)),
        ),
      ),
    );
    if (this.list.childElementCount > ENTRIES_MAX) this.list.lastElementChild.remove();
    this.empty.hidden = true;
  }

  clear() {
    this.list.replaceChildren();
    this.empty.hidden = false;
  }
}

const roomOf = (event, data) => (event === "notice" ? "everybody" : String(data?.room));

function textOf(event, data) {
  if (event === "notice") {
    return (data?.notice ?? "(hides the notice)") + (data?.reload ? " (asks for a reload)" : "");
  }
  const collections = Object.entries(data?.records ?? {});
  const bodies = (data?.records?.comments ?? []).map((comment) => comment.body);
  if (bodies.length > 0) return bodies.join("\n");
  return collections.map(([name, records]) => `${records.length} ${name}`).join(", ") || "(empty)";
}
