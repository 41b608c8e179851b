#include "common/crypto/chunks.h"

#include <algorithm>
#include <sodium.h>

namespace relab::crypto {

namespace {

template <typename State>
crypto_generichash_state* state_of(State& state) {
  static_assert(sizeof(State) >= sizeof(crypto_generichash_state));
  return reinterpret_cast<crypto_generichash_state*>(&state);
}

}  // namespace

Blake2b::Blake2b() {
  crypto_generichash_init(state_of(state_), nullptr, 0, std::tuple_size_v<Digest>);
}

void Blake2b::add(ByteView bytes) {
  crypto_generichash_update(state_of(state_), bytes.data(), bytes.size());
  bytes_ += bytes.size();
}

Digest Blake2b::finish() {
  Digest digest{};
  crypto_generichash_final(state_of(state_), digest.data(), digest.size());
  return digest;
}

Digest Blake2b::of(ByteView bytes) {
  Blake2b hash;
  hash.add(bytes);
  return hash.finish();
}

ChunkDigests::ChunkDigests(std::uint64_t chunk_bytes) : chunk_bytes_(chunk_bytes) {
  RELAB_ASSERT(chunk_bytes > 0);
}

void ChunkDigests::add(ByteView bytes) {
  while (!bytes.empty()) {
    const auto count = std::min<std::uint64_t>(bytes.size(), chunk_bytes_ - chunk_.bytes());
    chunk_.add(bytes.first(count));
    bytes = bytes.subspan(count);
    bytes_ += count;
    if (chunk_.bytes() == chunk_bytes_) end_chunk();
  }
}

void ChunkDigests::finish() {
  if (chunk_.bytes() != 0) end_chunk();
}

void ChunkDigests::end_chunk() {
  chunks_.push_back(chunk_.finish());
  chunk_ = {};
}

Digest ChunkDigests::whole() const { return digest_of_chunks(chunks_); }

Digest digest_of_chunks(const std::vector<Digest>& chunks) {
  Blake2b all;
  for (const auto& chunk : chunks) all.add(chunk);
  return all.finish();
}

}  // namespace relab::crypto
