#pragma once

/// Bytes that are too many for memory: they flow in order, piece by piece, from programs and files
/// into whoever takes them.

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace relab::agent {

/// Who takes what flows. An error ends the flow.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// The next piece, of any size but 0; it is gone after the call.
  virtual Result<void> take(ByteView piece) = 0;

  /// Where the next bytes may be put before they are taken, which then copies nothing; empty: it
  /// has no such place. Good until the next call of anything else.
  virtual std::span<std::uint8_t> room() { return {}; }
};

/// A file in the making. Until it is published it has another name, and it is removed if it never
/// is: nobody takes a half file for a whole one. A crash leaves it under that other name.
class NewFile : public Sink {
 public:
  /// Once everything is on the disk, the file gets its name, and that is on the disk, too.
  /// Fault::conflict if there is something of that name in the same folder already. To be called
  /// once, and nothing else after it.
  virtual Result<void> publish(const std::filesystem::path& name) = 0;
};

/// Some of the bytes of a file or disk.
struct Range {
  /// Of its first byte; a multiple of `alignment`.
  std::uint64_t offset = 0;
  /// Bytes; there may be fewer.
  std::uint64_t size = std::numeric_limits<std::uint64_t>::max();

  static constexpr std::uint64_t alignment = 4096;
};

/// How much room a file system has.
struct FileSystem {
  /// Bytes.
  std::uint64_t size = 0;
  /// Bytes free for everybody but root, who may have a little more.
  std::uint64_t free = 0;

  bool operator==(const FileSystem&) const = default;
};

}  // namespace relab::agent
