"""Seals: what a key shows, what it does not tell, and that openssl agrees."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from include.audit.signature import JournalSigning, Seal, signed_text, verifies_text
from include.canonical import canonical_json
from include.errors import ConfigurationError
from include.secret import Secret

KEY = "commits/date=2026-03-02/v=00000001.json"
BODY = b'{"schema":"recording-archive/commit/1"}\n'
SECRET = "5f0c" * 16
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PRIVATE_PEM = PRIVATE.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC_PEM = (
    PRIVATE.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
KEYS = {"hmac": SECRET, "ed25519": PRIVATE_PEM}


def key_of(text):
    """Return the key that the environment gives."""
    return JournalSigning.from_environment({"RECORDING_ARCHIVE_JOURNAL_KEY": text}).key()


def test_without_a_key_nothing_is_signed():
    """Both variables unset, or empty as compose hands them over."""
    assert JournalSigning.from_environment({}).key() is None
    assert JournalSigning.from_environment({"RECORDING_ARCHIVE_JOURNAL_KEY": ""}).key() is None


@pytest.mark.parametrize("kind", KEYS)
def test_key_from_a_file_is_the_same(tmp_path, kind):
    """A newline at the end does not count; editors add one."""
    file = tmp_path / "key"
    file.write_text(KEYS[kind].strip() + "\n")
    read = JournalSigning.from_environment({"RECORDING_ARCHIVE_JOURNAL_KEY_FILE": str(file)}).key()
    assert Seal.of(KEY, BODY, key_of(KEYS[kind])) == Seal.of(KEY, BODY, read)


@pytest.mark.parametrize("kind", [*KEYS, "none"])
def test_seal_fits_its_commit_and_no_other(kind):
    """One byte more and it does not."""
    key = key_of(KEYS[kind]) if kind in KEYS else None
    seal = Seal.parse(Seal.of(KEY, BODY, key).document())
    assert seal.fits(BODY, key)
    assert not seal.fits(BODY + b" ", key)


@pytest.mark.parametrize("kind", KEYS)
def test_forged_signature_does_not_fit(kind):
    """The digest is right, and whoever wrote it did not have the key."""
    key = key_of(KEYS[kind])
    other = key_of("another secret of more than 32 bytes" if kind == "hmac" else PRIVATE_PEM)
    seal = Seal.of(KEY, BODY, key)
    for forged in (
        replace(seal, signature=base64.b64encode(other.sign(BODY + b"x")).decode()),
        replace(seal, signature=""),
        replace(seal, signature="no base64!"),
        replace(seal, signature="unterschriebén"),
        replace(seal, algorithm="md5"),
        replace(seal, algorithm="ed25519" if kind == "hmac" else "hmac-sha256"),
    ):
        assert not forged.fits(BODY, key)


@pytest.mark.parametrize("kind", KEYS)
def test_text_is_the_signature_of_one_key_over_one_body(kind):
    """Any other text is none, whatever it is made of: it never stops whoever checks."""
    key, other = key_of(KEYS[kind]), key_of(PRIVATE_PEM if kind == "hmac" else SECRET)
    text = signed_text(key, BODY)
    assert verifies_text(key, BODY, text)
    assert not verifies_text(other, BODY, text)
    assert not verifies_text(key, BODY + b" ", text)
    for broken in ("", "AAAA", text[:-1], text + "\n", "é" + text, "\ud800", "no base64!"):
        assert not verifies_text(key, BODY, broken)


def test_signature_of_another_key_is_left_to_whoever_has_it():
    """After a change of keys the old seals stay; only their digest is looked at."""
    seal = Seal.of(KEY, BODY, key_of(SECRET))
    assert seal.fits(BODY, key_of(PRIVATE_PEM))
    assert not seal.fits(BODY + b" ", key_of(PRIVATE_PEM))


def test_public_half_checks_and_does_not_sign():
    """What an auditor gets."""
    public = key_of(PUBLIC_PEM)
    assert Seal.of(KEY, BODY, key_of(PRIVATE_PEM)).fits(BODY, public)
    assert key_of(PRIVATE_PEM).key_id == public.key_id
    with pytest.raises(ConfigurationError, match="public key"):
        public.sign(BODY)


@pytest.mark.parametrize("change", [{"added": "x"}, {"schema": "x"}, {"sha256": 1}], ids=str)
def test_seal_is_read_as_it_was_written_only(change):
    """Nothing can be added to it unseen."""
    document = json.loads(Seal.of(KEY, BODY, None).document())
    with pytest.raises(ValueError, match="not written"):
        Seal.parse(canonical_json({**document, **change}))


def test_every_changed_byte_of_a_seal_is_found():
    """Without a key too: a seal without one follows from its commit alone."""
    for kind in (None, key_of(SECRET), key_of(PRIVATE_PEM)):
        good = Seal.of(KEY, BODY, kind)
        document = good.document()
        for at in range(len(document)):
            mutant = document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :]
            try:
                seal = Seal.parse(mutant)
            except ValueError:
                continue
            # A changed name of the commit or of the key is seen by the place that the seal stands in.
            assert not seal.fits(BODY, kind) or (seal.commit_key, seal.key_id) != (good.commit_key, good.key_id)


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"JOURNAL_KEY": SECRET, "JOURNAL_KEY_FILE": "/etc/hostname"}, "both set"),
        ({"JOURNAL_KEY_FILE": "/nowhere/key"}, "cannot be read: No such file"),
        ({"JOURNAL_KEY": "canary-too-short"}, "32 bytes"),
        ({"JOURNAL_KEY": "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----"}, "no Ed25519"),
        ({"JOURNAL_KEY": "-----BEGIN PUBLIC KEY-----\ncanary\n-----END PUBLIC KEY-----"}, "no Ed25519"),
        (
            {
                "JOURNAL_KEY": ec.generate_private_key(ec.SECP256R1())
                .private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
                .decode()
            },
            "no Ed25519",
        ),
    ],
    ids=["both", "file", "short", "broken", "broken-public", "another-kind"],
)
def test_key_that_is_none_is_refused_without_telling_it(environment, word):
    """The sentence names the variable; neither it nor the settings show the key."""
    signing = JournalSigning.from_environment({f"RECORDING_ARCHIVE_{name}": text for name, text in environment.items()})
    with pytest.raises(ConfigurationError, match=f"RECORDING_ARCHIVE_JOURNAL_KEY.*{word}") as caught:
        signing.key()
    assert "canary" not in f"{caught.value}{caught.value.__cause__}{signing!r}"


def test_settings_do_not_print_the_key():
    """A secret, wherever it is printed."""
    assert SECRET not in repr(JournalSigning(Secret(SECRET)))


def openssl(*words):
    """Run the independent reader."""
    return subprocess.run(["openssl", *words], capture_output=True, check=False)  # noqa: S603, S607 - words of this file


def test_openssl_checks_both_kinds(tmp_path):
    """The commands of the documents, on the bytes of a commit and the signature of its seal."""
    commit, signature, public = tmp_path / "commit.json", tmp_path / "signature", tmp_path / "public.pem"
    commit.write_bytes(BODY)
    public.write_text(PUBLIC_PEM)
    signature.write_bytes(base64.b64decode(Seal.of(KEY, BODY, key_of(PRIVATE_PEM)).signature))
    verify = ("pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", commit, "-sigfile", signature)
    assert 0 == openssl(*verify).returncode
    commit.write_bytes(BODY + b" ")
    assert 0 != openssl(*verify).returncode
    commit.write_bytes(BODY)
    told = openssl("dgst", "-sha256", "-mac", "HMAC", "-macopt", f"key:{SECRET}", "-binary", commit).stdout
    assert Seal.of(KEY, BODY, key_of(SECRET)).signature == base64.b64encode(told).decode()
