#include "controller/ledger/entries.h"

#include <fmt/format.h>

#include "common/base/file.h"
#include "common/store/database.h"

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

class Entries final : public EntryStore {
 public:
  explicit Entries(store::Database database) : database_(std::move(database)) {}

  Result<std::vector<StoredEntry>> load() override {
    RELAB_TRY(auto rows, database_.prepare("SELECT number, body, hash FROM entry ORDER BY number"));
    std::vector<StoredEntry> entries;
    for (;;) {
      RELAB_TRY(const bool more, rows.step());
      if (!more) return entries;
      entries.push_back({.number = static_cast<std::uint64_t>(rows.number(0)),
                         .body = rows.blob(1),
                         .hash = rows.blob(2)});
    }
  }

  Result<void> append(const StoredEntry& entry) override {
    RELAB_TRY(auto insert, database_.prepare("INSERT INTO entry VALUES(?, ?, ?)"));
    insert.bind(static_cast<std::int64_t>(entry.number));
    RELAB_CHECK(insert.bind(ByteView(entry.body)).bind(ByteView(entry.hash)).run());
    if (database_.changed() != 1)
      return fail(Fault::damaged,
                  fmt::format("the ledger did not take entry {}, and said nothing", entry.number),
                  "something was put into its file that is none of relab's: stop, and restore it "
                  "from a copy");
    return {};
  }

 private:
  store::Database database_;
};

}  // namespace

Result<std::unique_ptr<EntryStore>> open_entries(const std::filesystem::path& path) {
  RELAB_CHECK(make_private_folder(path.parent_path()));
  RELAB_TRY(auto database, store::Database::open(opening_of(path)));
  return std::make_unique<Entries>(std::move(database));
}

Result<std::unique_ptr<EntryStore>> open_entries_read_only(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return fail(Fault::missing, fmt::format("there is no ledger yet at {}", path.string()),
                "`relab enrol` or `relab run` begins it");
  RELAB_TRY(auto database, store::Database::open_read_only(opening_of(path)));
  return std::make_unique<Entries>(std::move(database));
}

}  // namespace relab::controller
