// The Node program that channel_server replaces, as far as the benchmark needs it: the same
// libraries, options, rooms and events, without bots, Sentry and its log line per connection.
//
// Environment: PORT, REDIS_URL, PUBLIC_APP_URL as the original reads them; PEER_RECOVERY=0 turns
// connection state recovery off (the original has it on); GET /ready answers 200.
import { createServer } from "node:http";
import { createClient } from "redis";
import { Server } from "socket.io";

const httpServer = createServer((request, response) => {
  response.writeHead(request.url === "/ready" ? 200 : 404).end();
});

const options = { cors: { origin: process.env.PUBLIC_APP_URL, credentials: true } };
if (process.env.PEER_RECOVERY !== "0") {
  options.connectionStateRecovery = {
    maxDisconnectionDuration: 30 * 60 * 1000,
    skipMiddlewares: true,
  };
}
const io = new Server(httpServer, options);

const redis = createClient({ url: process.env.REDIS_URL });
await redis.connect();
const subscriber = redis.duplicate();
await subscriber.connect();

await subscriber.subscribe("/records", (text) => {
  const message = JSON.parse(text);
  io.to(message.room).emit("records", message);
});
await subscriber.subscribe("/system_notice", (text) => {
  io.emit("notice", JSON.parse(text));
});

io.on("connection", async (socket) => {
  socket.join("notice");
  const text = await redis.get(`/current_users/${socket.handshake.query.channel_token}`);
  if (!text) return;
  const user = JSON.parse(text);
  socket.join(`user-${user.id}`);
  user.group_ids.forEach((id) => socket.join(`group-${id}`));
});

httpServer.listen(Number(process.env.PORT), "127.0.0.1");
