// A loss of power in the middle of a write: what is on the disk then is some of the bytes that were
// written last, or other ones in their place. What was committed before must be there, whole.

#include <cstdint>
#include <filesystem>
#include <fstream>

#include "common/store/database.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"
#include "tests/support/seed.h"

namespace relab::store {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t rows_each = 3;
constexpr std::int64_t transactions = 12;

Opening opening(const fs::path& folder) {
  return {.path = folder / "store.db",
          .application_id = 77,
          .schema = "CREATE TABLE row(number INTEGER PRIMARY KEY, content BLOB NOT NULL)",
          .version = 1};
}

/// A store as it stood at some moment: the file, and the log of what was written since.
struct Image {
  fs::path folder;
  std::vector<std::uintmax_t> committed = {};  ///< the log's length after each transaction

  fs::path log() const { return folder / "store.db-wal"; }
  int byte_at(std::uintmax_t at) const {
    std::ifstream file(log(), std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    return file.get();
  }
  void copy_to(const fs::path& to) const {
    fs::remove_all(to);
    fs::create_directory(to);
    for (const auto* name : {"store.db", "store.db-wal"}) fs::copy_file(folder / name, to / name);
  }
};

void write(Database& database, std::int64_t transaction, Chance& chance) {
  must(database.transaction([&]() -> Result<void> {
    for (std::int64_t i = 0; i < rows_each; ++i) {
      RELAB_TRY(auto insert, database.prepare("INSERT INTO row VALUES(?, ?)"));
      const Bytes content(1 + chance.below(3000), static_cast<std::uint8_t>(transaction));
      RELAB_CHECK(insert.bind(transaction * rows_each + i).bind(ByteView(content)).run());
    }
    return {};
  }));
}

/// How many transactions are there; each must be there whole.
std::int64_t transactions_in(const fs::path& folder) {
  auto database = must(Database::open(opening(folder)));
  auto rows = must(database.prepare("SELECT number, content FROM row ORDER BY number"));
  std::int64_t count = 0;
  while (must(rows.step())) {
    REQUIRE(rows.number(0) == count);
    for (const auto byte : rows.blob(1)) REQUIRE(byte == count / rows_each);
    ++count;
  }
  REQUIRE(count % rows_each == 0);
  return count / rows_each;
}

}  // namespace

TEST_CASE("store: whatever a loss of power leaves of the last write, the ones before are whole",
          "[common][store]") {
  const Scratch scratch;
  Chance chance(GENERATE(range(0U, 4U)));
  INFO("RELAB_SEED=" << chance.seed());
  Image image{.folder = scratch.path() / "image"};
  fs::create_directory(image.folder);
  auto database = must(Database::open(opening(image.folder)));
  for (std::int64_t i = 0; i < transactions; ++i) {
    write(database, i, chance);
    image.committed.push_back(fs::file_size(image.log()));
  }
  const auto torn = scratch.path() / "torn";

  for (int round = 0; round < 60; ++round) {
    const auto whole = static_cast<std::int64_t>(1 + chance.below(transactions - 1));
    const auto from = image.committed[static_cast<std::size_t>(whole - 1)];
    const auto to = image.committed[static_cast<std::size_t>(whole)];
    const auto cut = from + chance.below(to - from);
    INFO("of the bytes from " << from << " to " << to << ", those from " << cut << " are lost");
    image.copy_to(torn);
    fs::resize_file(torn / "store.db-wal", cut);
    if (chance.one_in(2)) {
      // The file had its new length already, and what it was to hold was not there yet.
      std::ofstream log(torn / "store.db-wal", std::ios::binary | std::ios::app);
      log.put(static_cast<char>(~image.byte_at(cut)));
      for (auto at = cut + 1; at < to; ++at)
        log.put(static_cast<char>(chance.one_in(2) ? 0 : chance.below(256)));
    }
    CHECK(transactions_in(torn) == whole);
  }
}

}  // namespace relab::store
