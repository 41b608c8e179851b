#include "controller/ledger/ledger.h"

#include <fmt/format.h>

#include "common/base/file.h"
#include "common/base/time.h"

namespace relab::controller {

namespace {

constexpr std::int32_t ledger_id = 0x726c'6467;  // "rldg"
constexpr std::string_view tables =
    "CREATE TABLE entry(number INTEGER PRIMARY KEY, body BLOB NOT NULL, hash BLOB NOT NULL);"
    "CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'the "
    "ledger is append-only'); END;"
    "CREATE TRIGGER entry_is_never_removed BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'the "
    "ledger is append-only'); END;";

store::Opening opening_of(const std::filesystem::path& path) {
  return {.path = path, .application_id = ledger_id, .schema = tables, .version = 1};
}

tl::unexpected<Error> broken(std::uint64_t number, std::string_view why) {
  return fail(Fault::damaged, fmt::format("entry {} of the ledger {}", number, why),
              "somebody or something changed the ledger: stop, keep the file, restore a copy that "
              "verifies");
}

}  // namespace

crypto::Digest chain(const crypto::Digest& before, ByteView entry) {
  return crypto::digest_of({before, entry}, crypto::Purpose::ledger);
}

Result<Ledger> Ledger::open(const std::filesystem::path& path) {
  RELAB_CHECK(make_private_folder(path.parent_path()));
  RELAB_TRY(auto database, store::Database::open(opening_of(path)));
  Ledger ledger(std::move(database));
  RELAB_CHECK(ledger.load());
  return ledger;
}

Result<Ledger> Ledger::open_read_only(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return fail(Fault::missing, fmt::format("there is no ledger yet at {}", path.string()),
                "`relab enrol` or `relab run` begins it");
  RELAB_TRY(auto database, store::Database::open_read_only(opening_of(path)));
  Ledger ledger(std::move(database));
  RELAB_CHECK(ledger.load());
  return ledger;
}

Result<void> Ledger::load() {
  RELAB_TRY(auto rows, database_.prepare("SELECT number, body, hash FROM entry ORDER BY number"));
  for (;;) {
    RELAB_TRY(const bool more, rows.step());
    if (!more) return {};
    const auto number = static_cast<std::uint64_t>(rows.number(0));
    if (number != entries_.size() + 1) return broken(entries_.size() + 1, "is missing");
    const auto body = rows.blob(1);
    const auto hash = chain(head(), body);
    if (!crypto::equal(hash, rows.blob(2)))
      return broken(number, "does not fit the chain: it, or one before it, was changed");
    auto entry = Message<schema::Entry>::parse(body);
    if (!entry) return broken(number, fmt::format("cannot be read: {}", entry.error().what));
    entries_.push_back({.number = number, .entry = std::move(*entry), .hash = hash});
  }
}

Result<LedgerEntry> Ledger::next(const Message<schema::Entry>& entry) const {
  RELAB_TRY(auto copy, Message<schema::Entry>::parse(entry.bytes()));
  return LedgerEntry{.number = entries_.size() + 1,
                     .entry = std::move(copy),
                     .hash = chain(head(), entry.bytes())};
}

Result<void> Ledger::append(LedgerEntry entry) {
  RELAB_ASSERT(entry.number == entries_.size() + 1);
  RELAB_TRY(auto insert, database_.prepare("INSERT INTO entry VALUES(?, ?, ?)"));
  insert.bind(static_cast<std::int64_t>(entry.number))
      .bind(entry.entry.bytes())
      .bind(ByteView(entry.hash));
  RELAB_CHECK(insert.run().during("writing the ledger"));
  entries_.push_back(std::move(entry));
  return {};
}

}  // namespace relab::controller
