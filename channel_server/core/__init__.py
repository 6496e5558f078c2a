"""The pure part: values in, values out. No asyncio, no sockets, no clock, no Redis."""
