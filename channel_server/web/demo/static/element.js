// HTML elements made from data, without ever parsing a string as HTML.

/**
 * Makes an element.
 *
 * @param {string} name - Tag name.
 * @param {Object<string, string>} attributes - Set as they are.
 * @param {...(Node|string)} children - Strings become text, never markup.
 * @returns {HTMLElement}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Returns the element of index.html that has this id. */
export const byId = (id) => document.getElementById(id);
