#include "controller/ledger/ledger.h"

#include <algorithm>
#include <fmt/format.h>

namespace relab::controller {

namespace {

tl::unexpected<Error> broken(std::uint64_t number, std::string_view why) {
  return fail(Fault::damaged, fmt::format("entry {} of the ledger {}", number, why),
              "somebody or something changed the ledger: stop, keep the file, restore a copy that "
              "verifies");
}

/// Why the row at `at` does not follow from the hash before it, as far as the rows tell.
std::string why_not(const std::vector<StoredEntry>& rows, std::size_t at,
                    const crypto::Digest& before) {
  const auto follows = [](ByteView hash, const StoredEntry& row) {
    crypto::Digest head{};
    if (hash.size() != head.size()) return false;
    std::ranges::copy(hash, head.begin());
    return crypto::equal(chain(head, row.body), row.hash);
  };
  const auto belongs =
      std::ranges::find_if(rows, [&](const auto& r) { return follows(before, r); });
  if (belongs != rows.end())
    return fmt::format("it is out of order, what belongs there is entry {} now", belongs->number);
  const bool last = at + 1 == rows.size();
  if (!last && follows(chain(before, rows[at].body), rows[at + 1]))
    return "its hash was changed, what it says was not";
  if (!last && follows(rows[at].hash, rows[at + 1]))
    return "what it says was changed, or an entry before it was taken out";
  return "it, or one before it, was changed";
}

}  // namespace

crypto::Digest chain(const crypto::Digest& before, ByteView entry) {
  return crypto::digest_of({before, entry}, crypto::Purpose::ledger);
}

Result<Ledger> Ledger::open(std::unique_ptr<EntryStore> store) {
  Ledger ledger(std::move(store));
  RELAB_CHECK(ledger.load());
  return ledger;
}

Result<Ledger> Ledger::open(const std::filesystem::path& path) {
  RELAB_TRY(auto store, open_entries(path));
  return open(std::move(store));
}

Result<Ledger> Ledger::open_read_only(const std::filesystem::path& path) {
  RELAB_TRY(auto store, open_entries_read_only(path));
  return open(std::move(store));
}

Result<void> Ledger::load() {
  RELAB_TRY(const auto stored, store_->load());
  for (std::size_t at = 0; at < stored.size(); ++at) {
    const auto& row = stored[at];
    if (row.number != entries_.size() + 1) return broken(entries_.size() + 1, "is missing");
    const auto hash = chain(head(), row.body);
    if (!crypto::equal(hash, row.hash))
      return broken(row.number,
                    fmt::format("does not fit the chain: {}", why_not(stored, at, head())));
    auto entry = Message<schema::Entry>::parse(row.body);
    if (!entry) return broken(row.number, fmt::format("cannot be read: {}", entry.error().what));
    entries_.push_back({.number = row.number, .entry = std::move(*entry), .hash = hash});
  }
  return {};
}

Result<LedgerEntry> Ledger::next(const Message<schema::Entry>& entry) const {
  RELAB_TRY(auto copy, Message<schema::Entry>::parse(entry.bytes()));
  return LedgerEntry{.number = entries_.size() + 1,
                     .entry = std::move(copy),
                     .hash = chain(head(), entry.bytes())};
}

Result<void> Ledger::append(LedgerEntry entry) {
  RELAB_ASSERT(entry.number == entries_.size() + 1);
  const auto body = entry.entry.bytes();
  RELAB_CHECK(store_
                  ->append({.number = entry.number,
                            .body = Bytes(body.begin(), body.end()),
                            .hash = Bytes(entry.hash.begin(), entry.hash.end())})
                  .during("writing the ledger"));
  entries_.push_back(std::move(entry));
  return {};
}

}  // namespace relab::controller
