#pragma once

/// BLAKE2b-256: digests of bytes, chained hashes, and keyed proofs.

#include <array>

#include "common/base/bytes.h"
#include "common/crypto/secret.h"

namespace relab::crypto {

using Digest = std::array<std::uint8_t, 32>;

/// What a hash is for; hashes of one purpose never equal those of another.
enum class Purpose { content, ledger, enrol_key, enrol_proof, secret_box, secret_store };

Digest digest(ByteView bytes, Purpose purpose = Purpose::content);
/// `digest` of one text after the other, each preceded by its length in 8 bytes, little-endian.
Digest digest_of(std::initializer_list<ByteView> parts, Purpose purpose);
/// Keyed with 16 to 64 bytes.
Digest keyed_digest(ByteView key, std::initializer_list<ByteView> parts, Purpose purpose);

/// Another key, of 32 bytes, from one of 16 to 64 bytes: neither tells of the other.
Secret derived_key(ByteView key, Purpose purpose);

/// In time that does not depend on where they differ.
bool equal(ByteView a, ByteView b);

}  // namespace relab::crypto
