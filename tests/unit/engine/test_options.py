from channel_server.engine.options import Options


def test_defaults_are_those_of_engine_io():
    """engine.io 6.6, lib/server.ts: clients in the field expect them."""
    options = Options()

    assert options.path == "/socket.io/"
    assert (options.ping_interval_s, options.ping_timeout_s) == (25.0, 20.0)
    assert options.upgrade_timeout_s == 10.0
    assert options.max_payload == 1_000_000
    assert options.cors.origin is None
    assert not options.cors.strict


def test_ceiling_follows_the_limit():
    assert Options(write_limit=1_000).write_ceiling == 8_000
