"""A certificate authority of the tests, with the file that clients read it from."""

import ssl

import trustme


class Authority:
    """Signs for servers."""

    def __init__(self, folder):
        self._made, self.path = trustme.CA(), folder / "ca.pem"
        self._made.cert_pem.write_to_path(self.path)

    def server(self, name):
        """Return what a server of this name shows."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._made.issue_cert(name).configure_cert(made)
        return made
