"""A copy as four files, and the manifest that somebody makes who wants it to be believed."""

import dataclasses
import hashlib
import json

from ways.signature import Signer
from ways.stream import Package


def blake(data):
    return hashlib.blake2b(data, digest_size=32).digest()


@dataclasses.dataclass(frozen=True)
class Copy:
    """`made` are other streams of the same machine, by their names; a file that is None is not there. `signer` has the key of
    the agent: whoever has that is root on the host."""

    stream: bytes
    manifest: bytes
    signature: bytes
    head: bytes
    signer: Signer
    made: dict

    @property
    def package(self):
        return Package(self.stream)

    @property
    def told(self):
        return json.loads(self.manifest)

    def replaced(self, stream):
        """Another stream under the old manifest."""
        return dataclasses.replace(self, stream=stream)

    def signed(self, manifest):
        """The old stream with another manifest that the agent's own key has signed."""
        return dataclasses.replace(self, manifest=manifest, signature=self.signer.sign(manifest))

    def with_signature(self, signature):
        return dataclasses.replace(self, signature=signature)

    def telling(self, **changes):
        """With a manifest that says something else, signed by the agent's own key."""
        return self.signed(json.dumps(self.told | changes).encode())

    def passed_off(self, stream, **changes):
        """Another stream, and a manifest that has all its digests right."""
        size = int(self.told["chunkBytes"])
        chunks = [blake(stream[at:at + size]) for at in range(0, len(stream), size)]
        return self.replaced(stream).telling(bytes=str(len(stream)), chunks=[chunk.hex() for chunk in chunks],
                                             digest=blake(b"".join(chunks)).hex(), **changes)

    def put(self, folder):
        """Into a folder, under the names of the copy on its disk."""
        folder.mkdir(parents=True)
        for ending, content in (("zfs", self.stream), ("manifest", self.manifest), ("manifest.dsse", self.signature),
                                ("head.dsse", self.head)):
            if content is not None:
                (folder / f"copy.{ending}").write_bytes(content)
