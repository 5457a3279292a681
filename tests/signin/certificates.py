"""An authority and a certificate of its own, made in the test; a hub that ends TLS itself with it."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Made:
    """Files in PEM."""

    authority: Path
    certificate: Path
    key: Path

    @property
    def context(self) -> ssl.SSLContext:
        """For a server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def made(directory: Path, *, names: tuple[str, ...] = ("127.0.0.1",), days: int = 30) -> Made:
    """A certificate for the names, good for so many days from yesterday, and the authority that signed it."""
    directory.mkdir(parents=True, exist_ok=True)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Authority {directory.name}")])
    begins = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)

    def builder(name: x509.Name, public: ec.EllipticCurvePublicKey, lasts: int) -> x509.CertificateBuilder:
        whole = x509.CertificateBuilder().subject_name(name).issuer_name(root_name).public_key(public)
        whole = whole.serial_number(x509.random_serial_number()).not_valid_before(begins)
        return whole.not_valid_after(begins + datetime.timedelta(days=lasts))

    root = builder(root_name, root_key.public_key(), 365)
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    addresses: list[x509.GeneralName] = []
    for name in names:
        try:
            addresses.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            addresses.append(x509.DNSName(name))
    leaf = builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), key.public_key(), days)
    leaf = leaf.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    pem = serialization.Encoding.PEM
    files = Made(directory / "authority.pem", directory / "certificate.pem", directory / "key.pem")
    files.authority.write_bytes(root.sign(root_key, hashes.SHA256()).public_bytes(pem))
    files.certificate.write_bytes(leaf.sign(root_key, hashes.SHA256()).public_bytes(pem))
    plain = serialization.NoEncryption()
    files.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return files


@dataclass
class Proxy:
    """Ends TLS in front of a server without; `files` may be replaced: the next connection has the new certificate."""

    url: str
    files: Made
    sockets: int = 0
    """How many connections asked for a WebSocket."""


@asynccontextmanager
async def tls(target: int, files: Made) -> AsyncIterator[Proxy]:
    """A proxy on a free port of 127.0.0.1 before the port `target`."""
    listening = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(f"https://127.0.0.1:{listening.getsockname()[1]}", files)
    running: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, look: bool) -> None:
        with closing(writer):
            while data := await reader.read(65536):
                proxy.sockets += look and b"upgrade: websocket" in data.lower()
                writer.write(data)
                await writer.drain()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            inner, outer = await asyncio.open_connection("127.0.0.1", target)
            both = (pass_on(reader, outer, look=True), pass_on(inner, writer, look=False))
            await asyncio.gather(*both, return_exceptions=True)

    async def accept() -> None:
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        while True:
            connection, _ = await loop.sock_accept(listening)
            running.add(asyncio.create_task(handle(connection)))

    async def handle(connection: socket.socket) -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=proxy.files.context)
        except (OSError, ssl.SSLError):
            return  # the client did not believe the certificate
        await serve(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    accepting = asyncio.create_task(accept())
    try:
        yield proxy
    finally:
        accepting.cancel()
        for task in running:
            task.cancel()
        await asyncio.gather(accepting, *running, return_exceptions=True)
        listening.close()
