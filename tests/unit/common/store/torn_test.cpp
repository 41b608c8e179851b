// A program or its machine that dies in the middle of a write: what was committed before is there,
// whole, and of the last transaction all or nothing.

#include <algorithm>
#include <cstdint>

#include "common/store/database.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"
#include "tests/support/seed.h"
#include "tests/support/sim_files.h"

namespace relab::store {

namespace {

constexpr std::int64_t rows_each = 3;

Opening opening(const Scratch& scratch) {
  return {.path = scratch.path() / "store.db",
          .application_id = 77,
          .schema = "CREATE TABLE row(number INTEGER PRIMARY KEY, content BLOB NOT NULL)",
          .version = 1};
}

Result<void> write(Database& database, std::int64_t transaction, Chance& chance) {
  return database.transaction([&]() -> Result<void> {
    for (std::int64_t i = 0; i < rows_each; ++i) {
      RELAB_TRY(auto insert, database.prepare("INSERT INTO row VALUES(?, ?)"));
      const Bytes content(1 + chance.below(5000), static_cast<std::uint8_t>(transaction));
      RELAB_CHECK(insert.bind(transaction * rows_each + i).bind(ByteView(content)).run());
    }
    return {};
  });
}

/// How many transactions are there; each must be there whole.
std::int64_t transactions_in(Database& database) {
  auto rows = must(database.prepare("SELECT number, content FROM row ORDER BY number"));
  std::int64_t count = 0;
  while (must(rows.step())) {
    REQUIRE(rows.number(0) == count);
    REQUIRE(std::ranges::all_of(rows.blob(1), [&](auto byte) {
      return byte == static_cast<std::uint8_t>(count / rows_each);
    }));
    ++count;
  }
  REQUIRE(count % rows_each == 0);
  return count / rows_each;
}

/// Lives until it dies at a write, after that many operations; tells how many transactions are
/// committed then.
std::int64_t live(const Opening& opening, SimFiles& files, std::int64_t committed, Chance& chance) {
  files.die_after(chance.below(80));
  auto database = Database::open(opening);
  while (!files.dead() && database) {
    if (!write(*database, committed, chance)) break;
    ++committed;
  }
  REQUIRE(files.dead());
  return committed;
}

void die(SimFiles& files, Chance& chance) {
  if (chance.one_in(2)) files.lose_power([&](std::uint64_t end) { return chance.below(end); });
  files.revive();
}

}  // namespace

TEST_CASE("store: whatever a death leaves of the last write, the ones before are whole",
          "[common][store]") {
  const Scratch scratch;
  Chance chance(GENERATE(range(0U, 6U)));
  INFO("RELAB_SEED=" << chance.seed());
  SimFiles files(scratch.path().string());
  std::int64_t committed = 0;
  for (int round = 0; round < 30; ++round) {
    committed = live(opening(scratch), files, committed, chance);
    die(files, chance);
    auto database = must(Database::open(opening(scratch)));
    const auto found = transactions_in(database);
    // The last one may be there although nobody was told so.
    CHECK((found == committed || found == committed + 1));
    committed = found;
  }
  CHECK(committed > 30);
}

TEST_CASE("store: what is found after a death is there for good", "[common][store]") {
  // Wherever in its last write it was killed, what the next one sees does not go with the power.
  for (std::uint64_t operations = 0; operations < 12; ++operations) {
    INFO(operations);
    const Scratch scratch;
    Chance chance(3);
    SimFiles files(scratch.path().string());
    {
      auto database = must(Database::open(opening(scratch)));
      files.die_after(operations);
      static_cast<void>(write(database, 0, chance).has_value());
      files.die();
    }
    files.revive();
    std::int64_t found = 0;
    {
      auto database = must(Database::open(opening(scratch)));
      found = transactions_in(database);
      files.die();
    }
    files.lose_power([](std::uint64_t) -> std::uint64_t { return 0; });
    files.revive();
    auto database = must(Database::open(opening(scratch)));
    CHECK(transactions_in(database) == found);
  }
}

TEST_CASE("store: on a disk that lies about its syncs, transactions are lost", "[common][store]") {
  const Scratch scratch;
  Chance chance(1);
  SimFiles files(scratch.path().string());
  {
    auto database = must(Database::open(opening(scratch)));
    files.lazy = true;
    must(write(database, 0, chance));
    files.die();
  }
  files.lose_power([](std::uint64_t) -> std::uint64_t { return 0; });
  files.revive();
  auto database = must(Database::open(opening(scratch)));
  CHECK(transactions_in(database) == 0);
}

TEST_CASE("store: a full disk takes nothing, and loses nothing", "[common][store]") {
  const Scratch scratch;
  Chance chance(2);
  SimFiles files(scratch.path().string());
  auto database = must(Database::open(opening(scratch)));
  must(write(database, 0, chance));
  files.full = true;
  CHECK_FALSE(write(database, 1, chance));
  CHECK(transactions_in(database) == 1);
  files.full = false;
  must(write(database, 1, chance));
  CHECK(transactions_in(database) == 2);
}

}  // namespace relab::store
