"""Manifests signed by whoever has a key: what a stranger can do, and what only root on the host with the agent's own key can.

The form is told in docs/formats/backup.md; no code of relab takes part.
"""

import base64
import json

import nacl.signing

MANIFEST = "application/vnd.relab.backup-manifest.v1+json"
ARCHIVE = "application/vnd.relab.archive-manifest.v1+json"
SEED_BYTES = 32


def _bytes_to_sign(payload, kind):
    return f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload


class Signer:
    """Of the secret that an agent keeps, its first 32 bytes make the key that signs."""

    def __init__(self, secret):
        self._key = nacl.signing.SigningKey(secret[:SEED_BYTES])

    @property
    def key_id(self):
        return self._key.verify_key.encode().hex()

    def sign(self, payload, kind=MANIFEST):
        """The envelope, as a file beside the manifest has it."""
        signature = self._key.sign(_bytes_to_sign(payload, kind)).signature
        return json.dumps({"payload": base64.b64encode(payload).decode(), "payloadType": kind,
                           "signatures": [{"keyid": self.key_id, "sig": base64.b64encode(signature).decode()}]}).encode()


def stranger():
    return Signer(nacl.signing.SigningKey.generate().encode())


def _edited(envelope, edit):
    told = json.loads(envelope)
    edit(told)
    return json.dumps(told).encode()


def flipped_in(envelope):
    """With one bit of the signature changed."""
    def edit(told):
        sig = bytearray(base64.b64decode(told["signatures"][0]["sig"]))
        sig[40] ^= 1
        told["signatures"][0]["sig"] = base64.b64encode(sig).decode()
    return _edited(envelope, edit)


def in_the_name_of(key_id, envelope):
    return _edited(envelope, lambda told: told["signatures"][0].update(keyid=key_id))


def with_payload_of(other, envelope):
    """The signature stays as it was."""
    return _edited(envelope, lambda told: told.update(payload=json.loads(other)["payload"]))
