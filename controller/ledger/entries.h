#pragma once

/// Where the ledger's entries are kept, as bytes.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace relab::controller {

struct StoredEntry {
  std::uint64_t number;
  Bytes body;
  Bytes hash;
};

class EntryStore {
 public:
  EntryStore() = default;
  EntryStore(const EntryStore&) = delete;
  EntryStore& operator=(const EntryStore&) = delete;
  virtual ~EntryStore() = default;

  /// In the order of their numbers, whatever those are.
  virtual Result<std::vector<StoredEntry>> load() = 0;
  /// Durable when it returns.
  virtual Result<void> append(const StoredEntry& entry) = 0;
};

/// In an SQLite file, made if it is not there.
Result<std::unique_ptr<EntryStore>> open_entries(const std::filesystem::path& path);
/// Fault::missing if there is none.
Result<std::unique_ptr<EntryStore>> open_entries_read_only(const std::filesystem::path& path);

}  // namespace relab::controller
