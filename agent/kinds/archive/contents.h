#pragma once

/// What is in a tar stream, compressed or not: read by libarchive while the stream flows by.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/host/flow.h"
#include "common/crypto/chunks.h"

namespace relab::agent::archive {

/// One entry, as both an archive and a tree of files have it.
struct Entry {
  /// As the place sees it that it was taken from: absolute.
  std::string path;
  /// file, folder, link, hardlink, fifo, character, block.
  std::string type;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  /// Of a file.
  std::uint64_t bytes = 0;
  /// Unix seconds.
  std::int64_t modified = 0;
  /// Of a link, as written in it; of a hard link, the path of the entry that has the content.
  std::string target = {};
  /// Of a file's content, hexadecimal.
  std::string digest = {};
  /// Of ACLs and extended attributes, hexadecimal; empty: it has none.
  std::string more = {};

  bool operator==(const Entry&) const = default;
};

struct Contents {
  std::vector<Entry> entries;
  std::uint64_t bytes = 0;
  /// Files whose content begins as that of an SQLite database.
  std::vector<std::string> databases;
};

/// Takes a whole stream. libarchive reads in a thread of its own, which gets each piece while
/// `take` waits.
class ContentsReader final : public Sink {
 public:
  ContentsReader();
  ContentsReader(const ContentsReader&) = delete;
  ContentsReader& operator=(const ContentsReader&) = delete;
  ~ContentsReader() override;

  /// Fault::damaged once what came is no archive.
  Result<void> take(ByteView piece) override;
  /// That the archive is whole, with nothing behind it. To be called once.
  Result<Contents> finish();

 private:
  class Reading;
  std::unique_ptr<Reading> reading_;
};

}  // namespace relab::agent::archive
