#pragma once

/// The keys of one party: Ed25519 to sign, X25519 for the transport, X25519 for sealed secrets.

#include <array>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/secret.h"

namespace relab::crypto {

/// A public key, of any of the three kinds.
using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

/// Fault::damaged unless there are exactly 32 bytes.
Result<PublicKey> public_key(ByteView bytes);

/// How people compare keys: the first 16 bytes of the key's digest, "3f2a 9c01 ..." in eight
/// groups.
std::string fingerprint(const PublicKey& key);

/// 32 bytes in ZeroMQ's base 85: 40 characters.
std::string z85(ByteView key);

/// The three secret keys, derived from nothing but chance; never printed.
class Keys {
 public:
  static constexpr std::size_t secret_size = 96;

  static Keys make();
  /// From `secret()`; Fault::damaged unless there are `secret_size` bytes.
  static Result<Keys> from(ByteView secret);

  /// What must be kept to have the keys again.
  const Secret& secret() const { return secret_; }
  const PublicKey& sign_key() const { return sign_public_; }
  const PublicKey& curve_key() const { return curve_public_; }
  const PublicKey& seal_key() const { return seal_public_; }
  /// For ZeroMQ, which wants it as text.
  std::string curve_secret_z85() const;

  Signature sign(ByteView message) const;
  /// What was sealed to `seal_key()`; nothing if it was sealed to another key, or altered.
  std::optional<Secret> open(ByteView box) const;
  /// The key for what this party keeps for itself alone.
  Secret store_key() const;

 private:
  explicit Keys(Secret secret);
  Secret secret_;
  Secret sign_secret_;
  PublicKey sign_public_{};
  PublicKey curve_public_{};
  PublicKey seal_public_{};
};

/// A box that only the owner of this seal key can open; it does not tell who made it.
Bytes seal(const PublicKey& seal_key, ByteView plain);

bool verify(const PublicKey& key, ByteView message, ByteView signature);

}  // namespace relab::crypto
