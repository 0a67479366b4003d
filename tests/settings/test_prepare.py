"""What start builds out of settings: paths, secrets, TLS; and each fault named with its fix."""

import ssl
import threading

import pytest
import trustme

from watcher.app.settings import locate, prepare
from watcher.errors import InputError
from watcher.inputs.secret import PasswordHash, Secret

INVENTORY = "version: 1\nclusters: [{name: graz, nodes: [{name: pub}]}]\n"
HASH = "pbkdf2_sha256$1000$c2FsdHNhbHRzYWx0c2FsdA==$" + "A" * 43 + "="


@pytest.fixture
def here(tmp_path_factory, monkeypatch):
    """Return where we are."""
    made = tmp_path_factory.mktemp("here")
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def folder(tmp_path, here):  # noqa: ARG001 -- there and nowhere else
    """Return a folder with a settings file's neighbours, which is not where we are."""
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    return tmp_path


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def keys(folder, authority):
    """Put a certificate with its key and its CA into the folder."""
    made = authority.issue_cert("watcher.example.com")
    made.cert_chain_pems[0].write_to_path(folder / "tls.pem")
    made.private_key_pem.write_to_path(folder / "tls.key")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    (folder / "tls.key").chmod(0o600)
    return folder


TLS = "tls: {certificate: tls.pem, key: tls.key, client_ca: ca.pem}\n"


def prepared(folder, text, **environment):
    (folder / "watcher.yaml").write_text(text)
    return prepare(str(folder / "watcher.yaml"), environment)


def refused(folder, text, **environment):
    with pytest.raises(InputError) as caught:
        prepared(folder, text, **environment)
    return str(caught.value).removeprefix(str(folder / "watcher.yaml:"))


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)


def test_paths_begin_at_the_folder_of_the_file(folder):
    made = prepared(folder, "state_dir: state\ninventory: inventory.yaml\nplans: {folder: p}\n")

    assert (made.state_dir, made.plan_folder) == (folder / "state", folder / "p")
    assert made.inventory.clusters[0].name == "graz"
    assert made.database_url.reveal() == f"sqlite:///{folder}/state/watcher.db"


def test_paths_of_variables_and_defaults_begin_where_we_are(folder, here):
    made = prepared(folder, "", WATCHER_PLANS__FOLDER="p")

    assert (made.state_dir, made.plan_folder) == (here / "var", here / "p")


@pytest.mark.parametrize("ours", [prepare, locate])
@pytest.mark.parametrize(
    "place", ["/", "/var", "/etc/", "/usr", "/home", "/root", "/var/lib", "//var"]
)
def test_the_state_is_in_no_folder_of_the_system(folder, place, ours):
    (folder / "watcher.yaml").write_text(f"state_dir: {place}\n")
    with pytest.raises(InputError) as caught:
        ours(str(folder / "watcher.yaml"), {})

    assert "watcher.yaml:1:1: state_dir: /" in str(caught.value)
    assert str(caught.value).endswith(
        " is a folder of the system (expected one of our own, such as /var/lib/watcher)"
    )


def test_a_link_to_a_folder_of_the_system_is_one(folder):
    (folder / "state").symlink_to("/var")

    assert "is a folder of the system" in refused(folder, "state_dir: state\n")


@pytest.mark.usefixtures("folder")
def test_the_default_at_the_root_of_the_disk_is_told(monkeypatch):
    monkeypatch.chdir("/")
    with pytest.raises(InputError) as caught:
        prepare(None, {})

    assert str(caught.value) == (
        "defaults:1:1: state_dir: /var is a folder of the system "
        "(expected one of our own, such as /var/lib/watcher)"
    )


def test_the_same_settings_give_the_same_digest(folder):
    first, second = prepared(folder, "instance: a"), prepared(folder, "instance: a")

    assert first.digest == second.digest
    assert first.digest != prepared(folder, "instance: b").digest


def test_a_command_that_only_asks_needs_no_key_and_no_inventory(folder):
    (folder / "watcher.yaml").write_text(f"{TLS}inventory: gone.yaml\nstate_dir: s\n")

    assert locate(str(folder / "watcher.yaml"), {}).state_dir == folder / "s"


# -- secrets


def test_a_secret_comes_from_a_file_without_its_line_break(folder):
    private(folder / "word", "pa ss%/@\n")
    url = "postgresql+psycopg://watcher@db/watcher"
    made = prepared(folder, f"database: {{url: '{url}', password: {{file: word}}}}")

    assert made.database_url.reveal() == "postgresql+psycopg://watcher:pa%20ss%25%2F%40@db/watcher"
    assert "pa" not in repr(made.database_url)


def test_a_secret_comes_from_a_credential_or_a_variable(folder):
    private(folder / "beat", "https://example.com/x")
    credential = prepared(folder, "heartbeat: {url_from: {credential: beat}}",
                          CREDENTIALS_DIRECTORY=str(folder))  # fmt: skip
    variable = prepared(folder, "heartbeat: {url_from: {environment: BEAT}}", BEAT="https://y")

    assert credential.heartbeat_url.reveal() == "https://example.com/x"
    assert variable.heartbeat_url.reveal() == "https://y"


def test_nothing_that_is_printed_holds_a_secret(keys):
    private(keys / "canary", HASH)
    text = (
        f"{TLS}smtp: {{certificate: tls.pem, key: tls.key, users: {{relay: {{file: canary}}}}}}\n"
        "heartbeat: {url_from: {environment: BEAT}}\n"
    )
    made = prepared(keys, text, BEAT="https://canary")

    assert isinstance(made.smtp_users["relay"], PasswordHash)
    assert isinstance(made.heartbeat_url, Secret)
    assert "AAAA" not in repr(made)
    assert "canary" not in repr(made.heartbeat_url)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o620])
def test_a_secret_that_others_can_read_is_refused_with_the_fix(folder, mode):
    private(folder / "word", "x")
    (folder / "word").chmod(mode)
    told = refused(folder, "heartbeat: {url_from: {file: word}}")

    assert told.startswith("1:13: heartbeat.url_from: ")
    assert f"(mode {mode:04o})" in told
    assert told.endswith(f"(expected chmod 600 {folder}/word)")


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "the secret is not one line"), ("a\nb\n", "the secret is not one line"),
     ("x" * 70_000, "is larger than 64 KiB"), ("ftp://x", "the secret is not a web address")],
)  # fmt: skip
def test_a_secret_that_is_none_is_refused(folder, content, words):
    private(folder / "word", content)

    assert words in refused(folder, "heartbeat: {url_from: {file: word}}")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{file: gone}", "no such file or directory (expected a readable file)"),
        ("{file: .}", "is no file"),
        ("{credential: x}", "expected LoadCredential=x:PATH in the unit, or {file: PATH}"),
        ("{environment: GONE}", "the variable GONE is not set"),
    ],
)
def test_a_secret_that_is_not_there_is_told(folder, source, words):
    told = refused(folder, f"heartbeat: {{url_from: {source}}}")

    assert told.startswith("1:13: heartbeat.url_from: ")
    assert words in told


def test_a_hash_that_is_none_names_who_makes_one(keys):
    private(keys / "hash", "hunter2")
    told = refused(keys, "smtp: {certificate: tls.pem, key: tls.key, users: {a: {file: hash}}}")

    assert "smtp.users.a: not a password hash" in told
    assert "watcher config password" in told
    assert "hunter2" not in told


def test_a_password_wants_a_user_in_the_url(folder):
    private(folder / "word", "x")
    text = "database: {url: 'postgresql+psycopg://db/watcher', password: {file: word}}"

    assert "database.url: names no user for the password" in refused(folder, text)


# -- certificates


def greeted(server, client):
    """Shake hands in memory; return what the server knows of the client."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname="watcher.example.com")
    for _ in range(4):
        for side in (theirs, ours):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ours.getpeercert(binary_form=True), ours.version()


@pytest.fixture
def client(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    authority.issue_cert("pub.example.com").configure_cert(context)
    return context


def test_tls_wants_a_client_certificate(keys, authority, client):
    server = prepared(keys, TLS).tls_context
    seen, version = greeted(server, client)

    assert (bool(seen), version) == (True, "TLSv1.3")
    bare = ssl.create_default_context()
    authority.configure_trust(bare)
    with pytest.raises(ssl.SSLError, match="did not return a certificate"):
        greeted(server, bare)


def test_a_self_signed_certificate_in_the_ca_file_is_believed(keys, client, authority):
    alone = trustme.CA()  # a certificate that nobody else signed
    leaf = alone.issue_cert("pub.example.com")
    (keys / "ca.pem").write_bytes(leaf.cert_chain_pems[0].bytes())
    context = ssl.create_default_context()
    authority.configure_trust(context)
    leaf.configure_cert(context)
    server = prepared(keys, TLS).tls_context

    assert greeted(server, context)[0] is not None
    with pytest.raises(ssl.SSLError, match="certificate verify failed"):
        greeted(server, client)


def test_older_than_tls_1_2_is_refused(keys):
    assert prepared(keys, TLS).tls_context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "tls.pem").write_text("nonsense"), "tls.certificate: "),
        (lambda f: (f / "tls.pem").unlink(), "tls.certificate: "),
        (lambda f: (f / "tls.key").unlink(), "tls.key: "),
        (lambda f: (f / "tls.key").chmod(0o644), "tls.key: "),
        (lambda f: private(f / "tls.key", other_key()), "key values mismatch"),
        (lambda f: (f / "ca.pem").write_text("nonsense"), "ca.pem does not load"),
    ],
)
def test_files_that_do_not_fit_are_told_before_a_port_is_opened(keys, change, words):
    change(keys)
    told = refused(keys, TLS)

    assert words in told
    assert told.startswith("1:")


def other_key():
    return trustme.CA().issue_cert("other").private_key_pem.bytes().decode()


def test_an_encrypted_key_does_not_wait_for_a_terminal(keys):
    from cryptography.hazmat.primitives import serialization as s  # noqa: PLC0415

    key = s.load_pem_private_key((keys / "tls.key").read_bytes(), None)
    sealed = s.BestAvailableEncryption(b"word")
    private(keys / "tls.key", key.private_bytes(
        s.Encoding.PEM, s.PrivateFormat.PKCS8, sealed).decode())  # fmt: skip
    told = []
    waiter = threading.Thread(target=lambda: told.append(refused(keys, TLS)), daemon=True)
    waiter.start()
    waiter.join(60)

    assert "the key is encrypted" in told[0]


def test_a_key_may_be_a_credential(keys):
    text = TLS.replace("key: tls.key", "key: {credential: tls.key}")

    assert prepared(keys, text, CREDENTIALS_DIRECTORY=str(keys)).tls_context is not None


def test_a_client_of_no_node_is_refused(keys):
    clients = "  clients: [{node: stranger, san: a}]\n"
    text = "inventory: inventory.yaml\n" + TLS.replace("{", "\n  ", 1).replace(", ", "\n  ")
    told = refused(keys, text.replace("}", "") + clients)

    assert "tls.clients.0.node: the inventory has no node stranger" in told
