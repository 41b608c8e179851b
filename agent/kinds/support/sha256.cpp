#include "agent/kinds/support/sha256.h"

#include <array>
#include <sodium.h>

namespace relab::agent {

std::string sha256(ByteView bytes) {
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), bytes.data(), bytes.size());
  return hex(digest);
}

}  // namespace relab::agent
