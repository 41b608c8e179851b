#include "common/store/database.h"

#include <fstream>

#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab::store {

namespace {

constexpr std::int32_t test_id = 0x7465'7374;

Opening opening_of(const std::filesystem::path& path) {
  return {.path = path,
          .application_id = test_id,
          .schema = "CREATE TABLE t(n INTEGER, b BLOB)",
          .version = 1};
}

}  // namespace

TEST_CASE("database: what was committed is there when it is opened again", "[common][store]") {
  const Scratch scratch;
  const auto opening = opening_of(scratch.path() / "a.db");
  {
    auto database = must(Database::open(opening));
    must(must(database.prepare("INSERT INTO t VALUES(?, ?)"))
             .bind(std::int64_t{7})
             .bind(ByteView{})
             .run());
  }

  auto database = must(Database::open(opening));
  auto rows = must(database.prepare("SELECT n, b FROM t"));

  REQUIRE(must(rows.step()));
  CHECK(rows.number(0) == 7);
  CHECK(rows.blob(1).empty());
  CHECK_FALSE(must(rows.step()));
}

TEST_CASE("database: a statement that is used again starts anew", "[common][store]") {
  const Scratch scratch;
  auto database = must(Database::open(opening_of(scratch.path() / "a.db")));
  constexpr auto insert = "INSERT INTO t VALUES(?, ?)";
  must(must(database.prepare(insert)).bind(std::int64_t{1}).bind("one").run());
  must(must(database.prepare(insert)).bind(std::int64_t{2}).run());

  constexpr auto all = "SELECT n, b FROM t ORDER BY n";
  auto left_half_way = std::optional(must(database.prepare(all)));
  REQUIRE(must(left_half_way->step()));
  auto beside_it = must(database.prepare(all));
  REQUIRE(must(beside_it.step()));
  CHECK(beside_it.number(0) == 1);
  left_half_way.reset();
  auto again = must(database.prepare(all));

  REQUIRE(must(again.step()));
  CHECK(again.number(0) == 1);
  CHECK(again.text(1) == "one");
  REQUIRE(must(again.step()));
  CHECK(again.text(1).empty());
}

TEST_CASE("database: after a relaxed change, others are as durable as before", "[common][store]") {
  const Scratch scratch;
  auto database = must(Database::open(opening_of(scratch.path() / "a.db")));
  const auto synchronous = [&] {
    auto row = must(database.prepare("PRAGMA synchronous"));
    REQUIRE(must(row.step()));
    return row.number(0);
  };
  constexpr auto normal = 1;
  constexpr auto full = 2;
  REQUIRE(synchronous() == full);

  const auto failed = database.relaxed([&]() -> Result<void> {
    CHECK(synchronous() == normal);
    return fail(Fault::refused, "on second thoughts");
  });

  CHECK_FALSE(failed);
  CHECK(synchronous() == full);
}

TEST_CASE("database: a transaction that fails leaves nothing", "[common][store]") {
  const Scratch scratch;
  auto database = must(Database::open(opening_of(scratch.path() / "a.db")));

  const auto failed = database.transaction([&]() -> Result<void> {
    RELAB_CHECK(database.execute("INSERT INTO t VALUES(1, NULL)"));
    return fail(Fault::refused, "on second thoughts");
  });

  CHECK_FALSE(failed);
  auto rows = must(database.prepare("SELECT count(*) FROM t"));
  REQUIRE(must(rows.step()));
  CHECK(rows.number(0) == 0);
}

TEST_CASE("database: a file that is no database, another's or newer is refused by name",
          "[common][store]") {
  const Scratch scratch;
  std::ofstream(scratch.path() / "text.db") << std::string(4096, 'x');
  must(Database::open(opening_of(scratch.path() / "a.db")));
  auto other = opening_of(scratch.path() / "a.db");
  other.application_id = 1;
  auto older = opening_of(scratch.path() / "a.db");
  older.version = 0;

  CHECK(Database::open(opening_of(scratch.path() / "text.db")).error().fault == Fault::damaged);
  CHECK(Database::open(other).error().fault == Fault::damaged);
  CHECK(Database::open(older).error().fault == Fault::unsupported);
}

}  // namespace relab::store
