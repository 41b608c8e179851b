#pragma once

/// The controller's append-only, hash-chained record. Format: docs/formats/ledger.md.

#include <filesystem>
#include <memory>
#include <vector>

#include "common/base/result.h"
#include "common/crypto/hash.h"
#include "common/wire/message.h"
#include "controller/ledger/entries.h"
#include "schema/ledger.capnp.h"

namespace relab::controller {

/// One entry as it is stored.
struct LedgerEntry {
  /// From 1.
  std::uint64_t number;
  Message<schema::Entry> entry;
  crypto::Digest hash;
};

class Ledger {
 public:
  /// Made if it is not there. The whole chain is checked: Fault::damaged names the first entry that
  /// does not fit.
  static Result<Ledger> open(const std::filesystem::path& path);
  static Result<Ledger> open(std::unique_ptr<EntryStore> store);
  /// Fault::missing if there is none.
  static Result<Ledger> open_read_only(const std::filesystem::path& path);

  /// The entry as it would be stored next; nothing is written.
  Result<LedgerEntry> next(const Message<schema::Entry>& entry) const;
  /// Takes what `next` gave. Durable when it returns; the entry then has the last number.
  Result<void> append(LedgerEntry entry);

  const std::vector<LedgerEntry>& entries() const { return entries_; }
  crypto::Digest head() const { return entries_.empty() ? crypto::Digest{} : entries_.back().hash; }

 private:
  explicit Ledger(std::unique_ptr<EntryStore> store) : store_(std::move(store)) {}
  Result<void> load();

  std::unique_ptr<EntryStore> store_;
  std::vector<LedgerEntry> entries_;
};

/// The chain's hash after an entry.
crypto::Digest chain(const crypto::Digest& before, ByteView entry);

}  // namespace relab::controller
