"""The server: one process, this machine alone, until Ctrl-C."""

from __future__ import annotations

import gc
import logging
import socket
from collections.abc import Callable

from dse.errors import InvalidValue
from dse.explore.app import make_app
from dse.explore.cloud import Cloud
from dse.explore.explorer import Explorer

HOST = "127.0.0.1"
DEFAULT_PORT = 8610
_TRIED = 20
"""Ports from the usual one on that are tried, where none is asked for."""


def listening(port: int | None) -> socket.socket:
    """A socket of this machine's own that listens at a port; without one, at the first from
    `DEFAULT_PORT` on that is free.

    Raises:
        InvalidValue: the port is taken, or may not be listened at.
    """
    ports = range(DEFAULT_PORT, DEFAULT_PORT + _TRIED) if port is None else [port]
    reason = ""
    for number in ports:
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((HOST, number))
            found.listen()
        except OSError as error:
            found.close()
            reason = (error.strerror or str(error)).lower()
        else:
            return found
    raise InvalidValue(f"the port {ports[-1]} cannot be listened at: {reason}; give another --port")


def serve(explorer: Explorer, at: socket.socket, ready: Callable[[], None]) -> None:
    """Answer at a listening socket until Ctrl-C; `ready` is called once pages can be loaded."""
    import uvicorn

    app, _ = make_app(explorer, Cloud(explorer))
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=1,
    )
    # What is made once, as templates and the parts of the design that pages begin with, is made
    # before anybody waits for it.
    explorer.update(explorer.start, explorer.budget)
    explorer.source(explorer.start)
    # What lives as long as the server is not looked through again and again.
    gc.collect()
    gc.freeze()
    server = uvicorn.Server(config)
    # What Ctrl-C cuts off is no fault to be reported.
    logging.getLogger("uvicorn.error").addFilter(lambda _: not server.should_exit)
    ready()
    server.run(sockets=[at])
