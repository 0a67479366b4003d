"""Secrets do not show; passwords are held against hashes."""

import base64
import copy
import hashlib
import pickle

import pytest

from watcher.inputs.secret import PasswordHash, Secret


def scrypt(password, n=1024):
    digest = hashlib.scrypt(password.encode(), salt=b"salt", n=n, r=8, p=1, dklen=32, maxmem=2**27)
    return "$".join(["scrypt", str(n), "8", "1", b64(b"salt"), b64(digest)])


def pbkdf2(password):
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", 1000)
    return "$".join(["pbkdf2_sha256", "1000", b64(b"salt"), b64(digest)])


def b64(data):
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r:>30}".format, lambda s: f"{[s]}"])
def test_a_secret_is_masked_wherever_it_is_printed(show):
    assert "hunter2" not in show(Secret("hunter2"))


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_not_copied(take):
    with pytest.raises(TypeError):
        take(Secret("hunter2"))


def test_a_secret_can_be_taken_out():
    assert "hunter2" == Secret("hunter2").reveal()


@pytest.mark.parametrize("hashed", [scrypt, pbkdf2])
def test_only_the_password_matches_its_hash(hashed):
    made = PasswordHash.parse(hashed("hunter2"))

    assert made.matches("hunter2")
    assert not made.matches("hunter3")
    assert not made.matches("")


@pytest.mark.parametrize(
    "text",
    [
        "", "hunter2", "scrypt$1024$8$1$c2FsdA==", "md5$1$c2FsdA==$c2FsdA==",
        "scrypt$x$8$1$c2FsdA==$c2FsdA==", "scrypt$1023$8$1$c2FsdA==$c2FsdA==",
        "scrypt$1073741824$8$1$c2FsdA==$c2FsdA==", "pbkdf2_sha256$0$c2FsdA==$c2FsdA==",
        "pbkdf2_sha256$1000$%$c2FsdA==", "scrypt$1024$8$1$$",
    ],
)  # fmt: skip
def test_what_is_no_hash_is_an_error_that_does_not_show_it(text):
    with pytest.raises(ValueError, match="not a password hash") as caught:
        PasswordHash.parse(text)

    assert not text or text not in str(caught.value)


def test_a_hash_does_not_show_its_digest():
    assert scrypt("hunter2").rpartition("$")[2] not in repr(PasswordHash.parse(scrypt("hunter2")))
