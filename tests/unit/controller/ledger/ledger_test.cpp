// The chain holds, and whatever is done to the file is noticed and named.

#include "controller/ledger/ledger.h"

#include <fmt/format.h>
#include <fstream>
#include <sqlite3.h>

#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab::controller {

namespace {

Message<schema::Entry> removed(const std::string& name) {
  Draft<schema::Entry> entry;
  entry->setTime(1);
  entry->initRemoved().setName(name);
  return std::move(entry).finish();
}

/// A ledger of three entries on the disk.
class Three {
 public:
  Three() {
    auto ledger = must(Ledger::open(path));
    for (const auto* name : {"one", "two", "three"})
      must(ledger.append(must(ledger.next(removed(name)))));
  }
  /// Through SQLite alone, as somebody with a tool would; what it says, or nothing.
  std::string sql(const std::string& text) const {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    char* said = nullptr;
    sqlite3_exec(database, text.c_str(), nullptr, nullptr, &said);
    std::string words = said == nullptr ? "" : said;
    sqlite3_free(said);
    sqlite3_close(database);
    return words;
  }
  void force(const std::string& text) const {
    REQUIRE(sql("DROP TRIGGER IF EXISTS entry_is_never_changed;"
                "DROP TRIGGER IF EXISTS entry_is_never_removed") == "");
    REQUIRE(sql(text) == "");
  }
  std::string error() const {
    const auto ledger = Ledger::open(path);
    REQUIRE_FALSE(ledger);
    CHECK(ledger.error().fault == Fault::damaged);
    const auto reading = Ledger::open_read_only(path);
    REQUIRE_FALSE(reading);
    CHECK(reading.error().what == ledger.error().what);
    return ledger.error().what;
  }

  Scratch scratch;
  std::filesystem::path path = scratch.path() / "lab" / "ledger.db";
};

}  // namespace

TEST_CASE("ledger: what was appended is there again", "[controller][ledger]") {
  const Three three;

  const auto ledger = must(Ledger::open(three.path));

  REQUIRE(ledger.entries().size() == 3);
  CHECK(view(ledger.entries()[1].entry.reader().getRemoved().getName()) == "two");
  CHECK(ledger.entries()[1].number == 2);
  CHECK(ledger.head() == ledger.entries()[2].hash);
  CHECK(ledger.head() == chain(ledger.entries()[1].hash, removed("three").bytes()));
  CHECK(must(Ledger::open_read_only(three.path)).head() == ledger.head());
}

TEST_CASE("ledger: an empty one has the hash of nothing", "[controller][ledger]") {
  const Scratch scratch;

  CHECK(must(Ledger::open(scratch.path() / "l.db")).head() == crypto::Digest{});
}

TEST_CASE("ledger: one that is not there is not made by reading", "[controller][ledger]") {
  const Scratch scratch;

  CHECK(Ledger::open_read_only(scratch.path() / "l.db").error().fault == Fault::missing);
  CHECK(std::filesystem::is_empty(scratch.path()));
}

TEST_CASE("ledger: the database itself refuses changes", "[controller][ledger]") {
  const Three three;

  CHECK(three.sql("UPDATE entry SET body = x'00' WHERE number = 2") == "the ledger is append-only");
  CHECK(three.sql("DELETE FROM entry WHERE number = 3") == "the ledger is append-only");
  CHECK(must(Ledger::open(three.path)).entries().size() == 3);
}

TEST_CASE("ledger: any changed byte of any entry is noticed, and the entry named",
          "[controller][ledger]") {
  const auto number = GENERATE(1, 2, 3);
  const auto* name = std::array{"one", "two", "three"}.at(static_cast<std::size_t>(number) - 1);
  const auto whole = removed(name).bytes().size();
  const Three three;
  three.force("SELECT 1");

  for (std::size_t at = 0; at < whole; ++at) {
    INFO("byte " << at);
    const auto body = removed(name);
    Bytes changed(body.bytes().begin(), body.bytes().end());
    changed[at] = static_cast<std::uint8_t>(changed[at] ^ 1U);
    three.force(
        fmt::format("UPDATE entry SET body = x'{}' WHERE number = {}", hex(changed), number));
    CHECK(three.error().starts_with(fmt::format("entry {} of the ledger", number)));
  }
}

TEST_CASE("ledger: changed hashes, missing and exchanged entries are noticed and named",
          "[controller][ledger]") {
  const Three three;
  const auto row = GENERATE(table<std::string, std::string>({
      {"UPDATE entry SET hash = zeroblob(32) WHERE number = 1", "entry 1 of the ledger"},
      {"UPDATE entry SET hash = x'' WHERE number = 2", "entry 2 of the ledger"},
      {"UPDATE entry SET body = x'' WHERE number = 3", "entry 3 of the ledger"},
      {"DELETE FROM entry WHERE number = 1", "entry 1 of the ledger is missing"},
      {"DELETE FROM entry WHERE number = 2", "entry 2 of the ledger is missing"},
      {"UPDATE entry SET number = 9 WHERE number = 3", "entry 3 of the ledger is missing"},
      {"UPDATE entry SET number = 0 WHERE number = 3", "entry 1 of the ledger is missing"},
      {"UPDATE entry SET number = -number; UPDATE entry SET number = number + 4",
       "entry 1 of the ledger does not fit the chain"},
      {"INSERT INTO entry SELECT 4, body, hash FROM entry WHERE number = 3",
       "entry 4 of the ledger does not fit the chain"},
  }));
  const auto& [change, words] = row;
  three.force(change);

  CHECK(three.error().find(words) != std::string::npos);
}

TEST_CASE("ledger: a file that is no ledger is refused, and left as it is",
          "[controller][ledger]") {
  const Scratch scratch;
  const auto path = scratch.path() / "l.db";
  std::ofstream(path) << "something of somebody else, long enough to be looked at";

  CHECK(Ledger::open(path).error().fault == Fault::damaged);
  CHECK(Ledger::open_read_only(path).error().fault == Fault::damaged);
  CHECK(std::filesystem::file_size(path) == 55);
}

}  // namespace relab::controller
