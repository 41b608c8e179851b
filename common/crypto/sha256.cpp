#include "common/crypto/sha256.h"

#include <array>
#include <fmt/format.h>
#include <fstream>
#include <sodium.h>
#include <vector>

namespace relab::crypto {

namespace {

constexpr std::size_t piece_size = std::size_t{256} << 10U;

using Digits = std::array<std::uint8_t, crypto_hash_sha256_BYTES>;

}  // namespace

std::string sha256(ByteView bytes) {
  Digits digest{};
  crypto_hash_sha256(digest.data(), bytes.data(), bytes.size());
  return hex(digest);
}

Result<std::string> sha256_of_file(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return fail(Fault::missing, fmt::format("there is no file {}", path.string()));
  std::ifstream file(path, std::ios::binary);
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  std::vector<char> piece(piece_size);
  while (file.good()) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(piece.data()),
                              static_cast<unsigned long long>(file.gcount()));
  }
  if (!file.eof()) return fail(Fault::damaged, fmt::format("{} cannot be read", path.string()));
  Digits digest{};
  crypto_hash_sha256_final(&state, digest.data());
  return hex(digest);
}

}  // namespace relab::crypto
