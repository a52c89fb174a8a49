"""A container engine that can be killed without harm to the real one: a socket that passes everything on, until `kill -9`.

`python -m tests.crash.proxy LISTEN REAL`
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


async def main(listen: str, real: str) -> None:
    """Serves for ever."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs_in, theirs_out = await asyncio.open_unix_connection(real)
        await asyncio.gather(_pump(reader, theirs_out), _pump(theirs_in, writer))

    Path(listen).unlink(missing_ok=True)
    server = await asyncio.start_unix_server(one, listen)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
