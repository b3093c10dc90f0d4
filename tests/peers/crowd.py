"""Many targets in a process of its own, so that nobody else's work delays what
they note: `crowd.py CONTROL HEALTHY... -- HANGING...`, all of them ports. Those
that hang take a connection and never answer. At CONTROL a JSON tells when each
was asked for its health."""

import asyncio
import json
import sys
import time

HEALTH = b'{"status":"healthy","success":true}'
asked: dict[int, list[float]] = {}


async def request(reader) -> str:
    """Its path."""
    head = await reader.readuntil(b"\r\n\r\n")
    return head.split(b" ", 2)[1].decode()


async def talk(reader, writer) -> None:
    port = writer.get_extra_info("sockname")[1]
    try:
        while True:
            path = await request(reader)
            if path == "/health":
                asked[port].append(time.monotonic())
            body, kind = HEALTH, "application/json"
            if path == "/metrics":
                body, kind = b"# TYPE up_since gauge\nup_since 1\n", "text/plain; version=0.0.4"
            answer(writer, body, kind)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass  # it asks no more
    finally:
        writer.close()


async def hang(reader, writer) -> None:
    """Until whoever asks gives up."""
    try:
        while await reader.read(4096):
            pass
    except OSError:
        pass  # it gave up
    finally:
        writer.close()


async def tell(reader, writer) -> None:
    try:
        await request(reader)
        answer(writer, json.dumps(asked).encode(), "application/json")
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass  # only looked whether somebody listens
    finally:
        writer.close()


def answer(writer, body: bytes, kind: str) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


async def main() -> None:
    at = sys.argv.index("--")
    control, *healthy = map(int, sys.argv[1:at])
    for port in healthy:
        asked[port] = []
        await asyncio.start_server(talk, "127.0.0.1", port)
    for port in map(int, sys.argv[at + 1 :]):
        await asyncio.start_server(hang, "127.0.0.1", port)
    await asyncio.start_server(tell, "127.0.0.1", control)
    await asyncio.Event().wait()


asyncio.run(main())
