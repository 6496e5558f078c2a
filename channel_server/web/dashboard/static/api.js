// Requests to the HTTP API of the server this page came from.

/** Something that the server refuses, or that did not reach it; `message` is for the operator. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Ask the API.
 *
 * @param {string} path Behind `/api/`.
 * @param {object} [body] Sent as JSON, with POST.
 * @returns {Promise<object>} The answer.
 */
export async function ask(path, body) {
  const response = await fetch(`/api/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(5000),
  });
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.error, response.status);
  return answer;
}
