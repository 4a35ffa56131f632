"""An ASGI middleware (`--middleware=certificate.Renewed`) with which an engine shows a renewed certificate to whoever
connects from then on, without a restart.

vLLM's own way, --enable-ssl-refresh, sees one change and no other: it watches the files to which the links in the
kubelet's volume lead (watchfiles, by inotify), and these go away as the kubelet puts others in their place
(entrypoints/launchers/utils/ssl.py:61 of 0.33). Here the links are looked at again and again. What cannot be read, a
key that is another certificate's for example, changes nothing. Standard library only.
"""

import asyncio
import os
import ssl

# Seconds. The kubelet itself takes up to two minutes to bring a Secret's change.
EVERY = 5


class Renewed:
    """Requests are passed on as they come."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "lifespan" or not (config := served(scope)):
            await self.app(scope, receive, send)
            return
        watching = asyncio.create_task(watch(config))
        try:
            await self.app(scope, receive, send)
        finally:
            watching.cancel()


def served(scope):
    """uvicorn's settings, with the context that its sockets speak by, which vLLM keeps at app.state.server
    (entrypoints/launchers/launcher.py:228 of 0.33); None where that is otherwise."""
    server = getattr(getattr(scope.get("app"), "state", None), "server", None)
    config = getattr(server, "config", None)
    if getattr(config, "ssl", None) is None:
        print("certificate: no TLS at app.state.server: a renewed one needs a restart", flush=True)
        return None
    return config


async def watch(config):
    """Load what stands in the files whenever it is other than before."""
    before = state(config)
    while True:
        await asyncio.sleep(EVERY)
        now = state(config)
        if now != before:
            before = now
            try:
                load(config)
                also = "; authorities of clients that were taken out are trusted until a restart"
                print(
                    f"certificate: a renewed one is shown from now on{also if config.ssl_ca_certs else ''}", flush=True
                )
            except (OSError, ValueError) as error:  # ssl's errors are OSErrors
                print(f"certificate: the one before stays, because {described(config)}: {error}", flush=True)


def files(config):
    """Certificate, key and authorities, as far as there are any."""
    return [file for file in (config.ssl_certfile, config.ssl_keyfile, config.ssl_ca_certs) if file]


def described(config):
    return f"{' and '.join(files(config))} cannot be used"


def state(config):
    """What tells a file from the one that was in its place before."""
    found = []
    for file in files(config):
        try:
            status = os.stat(file)
            found.append((status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size))
        except OSError:
            found.append(None)
    return found


def load(config):
    """Into a context of its own first: one that fails midway has lost the key that it had. Raises OSError for files
    that cannot be used."""
    for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), config.ssl):
        context.load_cert_chain(config.ssl_certfile, config.ssl_keyfile)
        if config.ssl_ca_certs:
            context.load_verify_locations(config.ssl_ca_certs)
