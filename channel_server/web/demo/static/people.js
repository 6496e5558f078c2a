// Who this tab is, who it could be, and who is in which room.

export const VISITOR = Object.freeze({ id: 0, name: "visitor", group_ids: [], token: null });

/** Picks the person whose id stands in ?user=; the first one without it; else the visitor. */
export function chosenPerson(users, search) {
  const wanted = new URLSearchParams(search).get("user") ?? String(users[0]?.id ?? VISITOR.id);
  return users.find((user) => String(user.id) === wanted) ?? VISITOR;
}

/** Returns the person for a second tab: the next of the users. */
export function otherPerson(users, person) {
  return users[(users.indexOf(person) + 1) % users.length] ?? VISITOR;
}

/** Returns the rooms in which the server puts a person, by the contract with Loomio. */
export function roomsOf(person) {
  if (person === VISITOR) return ["notice"];
  return ["notice", `user-${person.id}`, ...person.group_ids.map((id) => `group-${id}`)];
}

/**
 * Lists what one can publish to.
 *
 * @param {Array} users - As GET /demo/users gives them.
 * @returns {Array<{key: string, label: string, room: string, order: Object, receivers: string,
 *   hint?: string}>} `order` is what POST /demo/publish takes, apart from the text.
 */
export function targetsFor(users) {
  const groupIds = [...new Set(users.flatMap((user) => user.group_ids))].sort((a, b) => a - b);
  const groups = groupIds.map((id) => ({
    key: `group-${id}`,
    label: `Group ${id}`,
    room: `group-${id}`,
    order: { kind: "records", group_id: id, user_id: null },
    receivers: namesOf(users.filter((user) => user.group_ids.includes(id))),
  }));
  const singles = users.map((user) => ({
    key: `user-${user.id}`,
    label: `User ${user.id}: ${user.name}`,
    room: `user-${user.id}`,
    order: { kind: "records", group_id: null, user_id: user.id },
    receivers: `${user.name}, in every tab`,
  }));
  const nobody = {
    key: "nobody",
    label: "Nobody",
    room: "null",
    order: { kind: "records", group_id: null, user_id: null },
    receivers: "nobody",
    hint: "Records for no group and no user have the room null. They are private.",
  };
  const everybody = {
    key: "notice",
    label: "Everybody: system notice",
    room: "everybody",
    order: { kind: "notice", reload: false },
    receivers: "everybody, visitors too",
  };
  return [...groups, ...singles, nobody, everybody];
}

const namesOf = (users) => users.map((user) => user.name).join(" and ");
