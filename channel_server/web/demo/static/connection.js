// One connection, opened as a Loomio page opens it.

/**
 * Connects and reports what happens.
 *
 * @param {string|null} channel_token - null for a visitor, as Loomio passes it.
 * @param {Object} on - Functions: state(name, text), transports(names), connected(socket),
 *   received(event, data).
 */
export function connect(channel_token, on) {
  const socket = window.io(window.location.origin, { query: { channel_token } });

  // The engine is a new one after each reconnect; it starts with polling and may upgrade.
  socket.io.on("open", () => {
    const names = [socket.io.engine.transport.name];
    on.transports(names);
    socket.io.engine.on("upgrade", (transport) => on.transports([...names, transport.name]));
  });
  socket.on("connect_error", (error) =>
    on.state("waiting", `no answer (${error.message}), ${whatNext(socket)}`),
  );

  socket.on("connect", () => {
    on.state("connected", "connected");
    on.connected(socket);
  });
  socket.on("disconnect", (reason) =>
    on.state("lost", `connection lost (${reason}), ${whatNext(socket)}`),
  );
  for (const event of ["records", "notice"]) {
    socket.on(event, (data) => on.received(event, data));
  }
}

// A client that the server sent away does not come back by itself.
const whatNext = (socket) => (socket.active ? "trying again" : "reload the page to connect");
