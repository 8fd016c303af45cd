"""Python imports this module at its start, where this folder is on PYTHONPATH. It cuts the network off."""

import ipaddress
import socket

connect = socket.socket.connect


def connect_here_only(self, address):
    """Connect to this machine alone: a kernel talks to its notebook through the loopback address."""
    if self.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
        raise OSError(f"the network is cut off in tests: {address}")
    return connect(self, address)


def is_loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def no_names(host, *arguments, find=socket.getaddrinfo, **options):
    if host is None or is_loopback(host.decode() if isinstance(host, bytes) else host):
        return find(host, *arguments, **options)
    raise socket.gaierror(f"the network is cut off in tests: {host}")


socket.socket.connect = connect_here_only  # type: ignore[method-assign]
socket.getaddrinfo = no_names
