#pragma once

/// Digests of a stream by chunks, so that a bad spot can be located. Plain BLAKE2b-256: what `b2sum
/// -l 256` prints, for whoever checks a stream by hand.

#include <vector>

#include "common/crypto/hash.h"

namespace relab::crypto {

/// One digest of bytes that come in pieces.
class Blake2b {
 public:
  Blake2b();

  void add(ByteView bytes);
  std::uint64_t bytes() const { return bytes_; }
  /// Of all that was added; nothing may be added any more.
  Digest finish();

  static Digest of(ByteView bytes);

 private:
  struct State {
    alignas(64) std::array<std::uint8_t, 384> bytes;
  };
  State state_{};
  std::uint64_t bytes_ = 0;
};

class ChunkDigests {
 public:
  static constexpr std::uint64_t usual_chunk = std::uint64_t{64} << 20U;

  explicit ChunkDigests(std::uint64_t chunk_bytes = usual_chunk);

  /// The next bytes, in pieces of any size.
  void add(ByteView bytes);
  /// Ends the last chunk; nothing may be added any more.
  void finish();

  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t chunk_bytes() const { return chunk_bytes_; }
  /// One for each chunk that has ended.
  const std::vector<Digest>& chunks() const { return chunks_; }
  /// Over the digests of all chunks, one after the other.
  Digest whole() const;

 private:
  void end_chunk();

  Blake2b chunk_;
  std::uint64_t chunk_bytes_;
  std::uint64_t bytes_ = 0;
  std::vector<Digest> chunks_;
};

/// The same over such a list.
Digest digest_of_chunks(const std::vector<Digest>& chunks);

}  // namespace relab::crypto
