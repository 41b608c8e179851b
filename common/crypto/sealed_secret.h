#pragma once

/// Secrets on their way to the one agent that needs them: each sealed to its key, and bound to one
/// task.

#include <string_view>

#include "common/base/bytes.h"
#include "common/crypto/keys.h"

namespace relab::crypto {

/// The most bytes that a secret may have.
inline constexpr std::size_t secret_size_max = std::size_t{64} << 10U;

/// What a box is for: in no other place is it of any use.
struct SecretUse {
  std::string_view lab;
  ByteView task;
  std::string_view name;
};

/// Whoever has the box learns neither the secret nor its exact length.
Bytes seal_secret(const PublicKey& seal_key, const SecretUse& use, const Secret& value);

/// Fault::refused for a box that these keys do not open, or that was sealed for another use.
Result<Secret> open_secret(const Keys& keys, const SecretUse& use, ByteView box);

/// "tank-key": up to 32 lower-case letters, digits and dashes, no dash at either end.
bool is_secret_name(std::string_view name);

}  // namespace relab::crypto
