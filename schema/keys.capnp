@0xd1a9c2f0b7e64a17;
# The controller's keys as they lie on the disk, sealed under a passphrase, and its secrets, encrypted with one of those keys.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("relab::schema");

struct SealedKeys {
  # The 96 bytes of key material in a crypto_secretbox (XSalsa20-Poly1305) whose key is Argon2id of the passphrase.
  version @0 :UInt32;
  # 1
  salt @1 :Data;
  # 16 bytes
  operations @2 :UInt64;
  # Argon2id's passes.
  memory @3 :UInt64;
  # Argon2id's memory, bytes.
  algorithm @4 :Int32;
  # libsodium's number of it: 2 is Argon2id 1.3.
  nonce @5 :Data;
  # 24 bytes
  box @6 :Data;
  name @7 :Text;
  # The controller's name, in clear.
  signKey @8 :Data;
  # The public signing key, in clear, so that commands that only read need no passphrase.
}

struct SecretStore {
  # The secrets of all labs, each encrypted by itself. docs/formats/secrets.md tells how.
  version @0 :UInt32;
  # 1
  signKey @1 :Data;
  # The public signing key of the controller whose secret key they are encrypted with.
  entries @2 :List(StoredSecret);
  # In the order of lab and name, which no two have in common.
}

struct StoredSecret {
  lab @0 :Text;
  name @1 :Text;
  setAt @2 :UInt64;
  # Unix milliseconds.
  nonce @3 :Data;
  # 24 bytes
  box @4 :Data;
  # crypto_aead_xchacha20poly1305_ietf; lab, name and setAt are its associated data.
}
