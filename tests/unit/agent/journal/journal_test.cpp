// The journal's rows, and what outlives a restart.

#include "agent/journal/journal.h"

#include <fstream>

#include "common/wire/envelope.h"
#include "tests/support/must.h"
#include "tests/support/numbered.h"
#include "tests/support/scratch.h"

namespace relab::agent {

namespace {

JournalRow row(std::uint8_t number, TaskState state = TaskState::accepted) {
  return {.id = task(number),
          .task_digest = {number},
          .order_digest = {number, number},
          .state = state,
          .order = {1, 2, 3}};
}

TaskState state_of(Journal& journal, std::uint8_t number) {
  const auto found = must(journal.find(task(number)));
  REQUIRE(found);
  return found->state;
}

const Bytes report = {9, 8, 7};

}  // namespace

TEST_CASE("journal: a task goes from accepted to acknowledged", "[agent][journal]") {
  const Scratch scratch;
  auto journal = must(Journal::open(scratch.path()));

  must(journal.accept(row(1)));
  CHECK(state_of(journal, 1) == TaskState::accepted);
  must(journal.begin(task(1)));
  CHECK(state_of(journal, 1) == TaskState::running);
  must(journal.finish({.id = task(1), .report = report}));
  CHECK(must(journal.find(task(1)))->report == report);
  CHECK(state_of(journal, 1) == TaskState::finished);
  must(journal.acknowledge(task(1)));
  CHECK(state_of(journal, 1) == TaskState::acknowledged);
}

TEST_CASE("journal: what was written is there again when it is opened again", "[agent][journal]") {
  const Scratch scratch;
  {
    auto journal = must(Journal::open(scratch.path()));
    must(journal.accept(row(3, TaskState::running)));
    must(journal.accept(row(1)));
    must(journal.accept(row(2)));
    must(journal.finish({.id = task(2), .report = report}));
    must(journal.accept(row(4)));
    must(journal.finish({.id = task(4), .report = report}));
    must(journal.acknowledge(task(4)));
  }

  auto journal = must(Journal::open(scratch.path()));

  CHECK_FALSE(journal.lost());
  const auto held = must(journal.held());
  REQUIRE(held.size() == 3);
  CHECK(held[0].id == task(1));
  CHECK(held[0].state == TaskState::accepted);
  CHECK(held[0].order == Bytes{1, 2, 3});
  CHECK(held[0].task_digest == crypto::Digest{1});
  CHECK(held[0].order_digest == crypto::Digest{1, 1});
  CHECK(held[1].state == TaskState::finished);
  CHECK(held[1].report == report);
  CHECK(held[2].state == TaskState::running);
}

TEST_CASE("journal: an acknowledged task gives up its bytes, never its id", "[agent][journal]") {
  const Scratch scratch;
  auto journal = must(Journal::open(scratch.path()));
  must(journal.accept(row(1)));
  must(journal.finish({.id = task(1), .report = report}));

  must(journal.acknowledge(task(1)));

  const auto found = must(journal.find(task(1)));
  REQUIRE(found);
  CHECK(found->order.empty());
  CHECK(found->report.empty());
  CHECK(found->task_digest == crypto::Digest{1});
  CHECK(must(journal.held()).empty());
  CHECK_FALSE(journal.accept(row(1)));
}

TEST_CASE("journal: an id is accepted once", "[agent][journal]") {
  const Scratch scratch;
  auto journal = must(Journal::open(scratch.path()));
  must(journal.accept(row(1)));

  CHECK_FALSE(journal.accept(row(1)));

  CHECK(must(journal.held()).size() == 1);
}

TEST_CASE("journal: no task begins twice, or without having been accepted", "[agent][journal]") {
  const Scratch scratch;
  auto journal = must(Journal::open(scratch.path()));
  must(journal.accept(row(1)));
  must(journal.begin(task(1)));

  CHECK(journal.begin(task(1)).error().fault == Fault::conflict);
  CHECK(journal.begin(task(2)).error().fault == Fault::conflict);
  must(journal.finish({.id = task(1), .report = report}));
  CHECK(journal.begin(task(1)).error().fault == Fault::conflict);
}

TEST_CASE("journal: a report is never written over, and none without a task", "[agent][journal]") {
  const Scratch scratch;
  auto journal = must(Journal::open(scratch.path()));
  must(journal.accept(row(1)));
  must(journal.finish({.id = task(1), .report = report}));

  CHECK(journal.finish({.id = task(1), .report = bytes_of("other")}).error().fault ==
        Fault::conflict);
  CHECK(journal.finish({.id = task(2), .report = report}).error().fault == Fault::conflict);

  CHECK(must(journal.find(task(1)))->report == report);
  CHECK_FALSE(must(journal.find(task(2))));
}

TEST_CASE("journal: a task without a report cannot be acknowledged away", "[agent][journal]") {
  const Scratch scratch;
  auto journal = must(Journal::open(scratch.path()));
  must(journal.accept(row(1)));

  static_cast<void>(journal.acknowledge(task(1)).has_value());

  CHECK(state_of(journal, 1) == TaskState::accepted);
  CHECK(must(journal.held()).size() == 1);
}

TEST_CASE("journal: a damaged file is put aside, and that is told", "[agent][journal]") {
  const Scratch scratch;
  const auto content = GENERATE(as<std::string>(), std::string(5000, 'x'),
                                "SQLite format 3" + std::string(5000, '\0'));
  std::ofstream(scratch.path() / "journal.db") << content;

  auto journal = must(Journal::open(scratch.path()));

  CHECK(journal.lost());
  CHECK(must(journal.held()).empty());
  must(journal.accept(row(1)));
  std::size_t aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path()))
    if (entry.path().filename().string().starts_with("journal.db.damaged-")) {
      ++aside;
      CHECK(entry.file_size() == content.size());
    }
  CHECK(aside == 1);
}

TEST_CASE("journal: it is the same one until it is lost", "[agent][journal]") {
  const Scratch scratch;
  const auto first = must(Journal::open(scratch.path())).identity();
  CHECK(first.size() == 16);
  CHECK(must(Journal::open(scratch.path())).identity() == first);

  if (GENERATE(true, false))
    std::filesystem::remove(scratch.path() / "journal.db");
  else
    std::ofstream(scratch.path() / "journal.db", std::ios::trunc);

  CHECK(must(Journal::open(scratch.path())).identity() != first);
}

TEST_CASE("journal: a page in the middle that was overwritten is noticed", "[agent][journal]") {
  const Scratch scratch;
  {
    auto journal = must(Journal::open(scratch.path()));
    for (std::uint8_t i = 1; i < 60; ++i) {
      auto large = row(i);
      large.order = Bytes(3000, i);
      must(journal.accept(large));
    }
  }
  std::fstream file(scratch.path() / "journal.db", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(8192, '\xA5');
  file.close();

  CHECK(must(Journal::open(scratch.path())).lost());
}

TEST_CASE("journal: the ballast is there, and private", "[agent][journal]") {
  const Scratch scratch;
  const auto journal = must(Journal::open(scratch.path() / "state"));

  CHECK(std::filesystem::file_size(scratch.path() / "state" / "ballast") == 1U << 20U);
  CHECK(must(journal.room()) > 0);
  const auto mode = std::filesystem::status(scratch.path() / "state").permissions();
  CHECK((mode & std::filesystem::perms::mask) == std::filesystem::perms::owner_all);
}

TEST_CASE("journal: it tells the newest report on each kind of task, let go of or not",
          "[agent][journal]") {
  crypto::start();
  const Scratch scratch;
  const auto keys = must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, 2)));
  const auto signed_report = [&](std::uint64_t ended) {
    Draft<schema::Report> draft;
    draft->setEndedAt(ended);
    return sign(keys, std::move(draft).finish());
  };
  const auto first = signed_report(1);
  const auto second = signed_report(2);
  const auto of_a_check = signed_report(3);
  {
    auto journal = must(Journal::open(scratch.path()));
    CHECK_FALSE(must(journal.newest_report("auditDisks", "")));
    for (std::uint8_t i = 1; i <= 3; ++i) must(journal.accept(row(i, TaskState::running)));
    must(journal.finish({.id = task(1), .report = first.bytes(), .arm = "auditDisks"}));
    CHECK(must(journal.newest_report("auditDisks", "")) == Newest{payload_digest(first.bytes())});
    must(journal.finish({.id = task(2), .report = second.bytes(), .arm = "auditDisks"}));
    must(journal.finish({.id = task(3), .report = of_a_check.bytes()}));
    must(journal.acknowledge(task(2)));
    // What is not stored is not the newest either.
    CHECK_FALSE(journal.finish({.id = task(1), .report = first.bytes(), .arm = "auditDisks"}));
  }

  auto journal = must(Journal::open(scratch.path()));

  CHECK(must(journal.newest_report("auditDisks", "")) == Newest{payload_digest(second.bytes())});
  CHECK_FALSE(must(journal.newest_report("auditZfs", "")));
}

TEST_CASE("journal: what destroys outdates what was seen of its resource", "[agent][journal]") {
  const Scratch scratch;
  auto journal = must(Journal::open(scratch.path()));
  const auto keys = must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, 2)));
  const auto seen = sign(keys, Draft<schema::Report>().finish());
  const auto outdated = [&](const char* resource) {
    return must(journal.newest_report("auditDisks", resource))->outdated;
  };
  const auto look = [&](std::uint8_t number) {
    must(journal.accept(row(number, TaskState::running)));
    must(journal.finish({.id = task(number), .report = seen.bytes(), .arm = "auditDisks"}));
  };
  const auto wipe = [&](std::uint8_t number, TaskState state) {
    auto deed = row(number, state);
    deed.destroys = "disk A";
    must(journal.accept(deed));
  };
  look(1);
  CHECK_FALSE(outdated("disk A"));

  wipe(2, TaskState::accepted);
  CHECK_FALSE(outdated("disk A"));
  must(journal.begin(task(2)));
  CHECK(outdated("disk A"));
  CHECK_FALSE(outdated("disk B"));

  // Begun while it was at work: nobody knows which state that shows.
  must(journal.accept(row(3, TaskState::running)));
  must(journal.finish({.id = task(2), .report = report}));
  must(journal.finish({.id = task(3), .report = seen.bytes(), .arm = "auditDisks"}));
  CHECK(outdated("disk A"));

  look(4);
  CHECK_FALSE(outdated("disk A"));
  wipe(5, TaskState::running);
  CHECK(outdated("disk A"));
  {
    auto again = std::move(journal);
    journal = must(Journal::open(scratch.path()));
  }
  CHECK(outdated("disk A"));
}

TEST_CASE("journal: a way back outlives a journal that is damaged", "[agent][journal]") {
  const Scratch scratch;
  const Bytes before = {4, 5, 6};
  {
    auto journal = must(Journal::open(scratch.path()));
    for (std::uint8_t i = 1; i <= 3; ++i) must(journal.accept(row(i, TaskState::running)));
    for (std::uint8_t i = 1; i <= 3; ++i) must(journal.arm(task(i), before, "boot"));
    must(journal.finish({.id = task(2), .report = report}));
    must(journal.hold(task(3), report, {}));
    must(journal.keep({.id = task(3), .report = report}));
  }
  std::ofstream(scratch.path() / "journal.db") << "no database";

  auto journal = must(Journal::open(scratch.path()));

  CHECK(journal.lost());
  const auto held = must(journal.held());
  REQUIRE(held.size() == 1);
  CHECK(held[0].id == task(1));
  CHECK(held[0].state == TaskState::running);
  CHECK(held[0].before == before);
  CHECK(held[0].order == row(1, TaskState::running).order);
  must(journal.finish({.id = task(1), .report = report}));
  CHECK(must(Journal::open(scratch.path())).held()->size() == 1);
}

TEST_CASE("journal: a damaged way back does not keep the agent from starting", "[agent][journal]") {
  const Scratch scratch;
  {
    auto journal = must(Journal::open(scratch.path()));
    must(journal.accept(row(1, TaskState::running)));
    must(journal.arm(task(1), {}, "boot"));
  }
  for (const auto& file : std::filesystem::directory_iterator(scratch.path()))
    if (file.path().filename().string().starts_with("way-back-"))
      std::ofstream(file.path()) << "rubbish";

  CHECK(must(Journal::open(scratch.path())).held()->size() == 1);
  CHECK(must(Journal::open(scratch.path())).held()->size() == 1);
}

TEST_CASE("journal: a change is kept only if its way back was stored, and it waited",
          "[agent][journal]") {
  const Scratch scratch;
  const Bytes before = {4, 5, 6};
  const auto until = instant_of(1'790'000'000'000);
  {
    auto journal = must(Journal::open(scratch.path()));
    for (std::uint8_t i = 1; i <= 3; ++i) must(journal.accept(row(i, TaskState::running)));
    CHECK_FALSE(journal.hold(task(1), report, until));
    must(journal.arm(task(1), before, "boot"));
    must(journal.arm(task(2), before, "boot"));
    CHECK_FALSE(journal.keep({.id = task(1), .report = report, .arm = "ipAddresses"}));
    must(journal.hold(task(1), report, until));
    must(journal.hold(task(2), report, until));
    CHECK_FALSE(journal.arm(task(1), before, "boot"));
  }

  auto journal = must(Journal::open(scratch.path()));

  const auto held = must(journal.held());
  REQUIRE(held.size() == 3);
  CHECK(held[0].state == TaskState::unconfirmed);
  CHECK(held[0].before == before);
  CHECK(held[0].boot == "boot");
  CHECK(held[0].until == until);
  CHECK(held[0].report == report);

  must(journal.keep({.id = task(1), .report = report, .arm = "ipAddresses"}));
  CHECK(state_of(journal, 1) == TaskState::finished);
  CHECK(must(journal.find(task(1)))->report == report);
  CHECK(must(journal.find(task(1)))->before.empty());
  CHECK(must(journal.newest_report("ipAddresses", "")));

  must(journal.retract(task(2)));
  CHECK_FALSE(journal.keep({.id = task(2), .report = report, .arm = "ipAddresses"}));
  CHECK(state_of(journal, 2) == TaskState::running);
  CHECK(must(journal.find(task(2)))->report.empty());
  CHECK(must(journal.find(task(2)))->before == before);
  must(journal.finish({.id = task(2), .report = report}));
  CHECK(must(journal.find(task(2)))->before.empty());
}

TEST_CASE("journal: one of the version before is brought up, with all that it holds",
          "[agent][journal]") {
  const Scratch scratch;
  {
    auto old = must(store::Database::open(
        {.path = scratch.path() / "journal.db",
         .application_id = 0x726a'6e6c,
         .schema = "CREATE TABLE task(id BLOB PRIMARY KEY, task_digest BLOB NOT NULL, "
                   "order_digest BLOB NOT NULL, state INTEGER NOT NULL, order_bytes BLOB NOT NULL, "
                   "report BLOB NOT NULL, before BLOB NOT NULL DEFAULT x'', boot TEXT NOT NULL "
                   "DEFAULT '', until INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
                   "CREATE INDEX held ON task(id) WHERE state <> 4;"
                   "CREATE TABLE newest(arm TEXT PRIMARY KEY, report_digest BLOB NOT NULL) "
                   "WITHOUT ROWID;"
                   "CREATE TABLE identity(id BLOB NOT NULL);"
                   "INSERT INTO identity VALUES(x'00112233445566778899aabbccddeeff');"
                   "INSERT INTO newest VALUES('auditDisks', zeroblob(32));"
                   "INSERT INTO task VALUES(x'00000000000000000000000000000001', zeroblob(32), "
                   "zeroblob(32), 2, x'01', x'', x'', '', 0);"
                   "INSERT INTO task VALUES(x'00000000000000000000000000000002', zeroblob(32), "
                   "zeroblob(32), 4, x'', x'', x'', '', 0)",
         .version = 3}));
  }

  auto journal = must(Journal::open(scratch.path()));

  CHECK_FALSE(journal.lost());
  CHECK(journal.identity().front() == 0x00);
  CHECK(journal.identity().back() == 0xff);
  REQUIRE(must(journal.held()).size() == 1);
  CHECK(state_of(journal, 1) == TaskState::running);
  CHECK(state_of(journal, 2) == TaskState::acknowledged);
  // Nobody knows what was done to the machine since that was seen.
  CHECK_FALSE(must(journal.newest_report("auditDisks", "")));
  must(journal.arm(task(1), report, "boot"));
  must(journal.hold(task(1), report, {}));
  CHECK(must(journal.held()).at(0).state == TaskState::unconfirmed);
  must(journal.keep({.id = task(1), .report = report, .arm = "ping"}));
  must(journal.keep_checkpoint({}, report));
}

TEST_CASE("journal: the newest checkpoint of each controller is kept, in a damaged one too",
          "[agent][journal]") {
  const Scratch scratch;
  const crypto::PublicKey one = {1};
  const crypto::PublicKey other = {2};
  const Bytes older = {4, 5};
  {
    auto journal = must(Journal::open(scratch.path()));
    CHECK(must(journal.checkpoint(one)).empty());
    must(journal.keep_checkpoint(one, older));
    must(journal.keep_checkpoint(one, report));
    must(journal.keep_checkpoint(other, older));
    CHECK(must(journal.checkpoint(one)) == report);
  }
  const auto copy_of_one = scratch.path() / "checkpoint-0100000000000000";
  SECTION("it is in the journal itself") {
    REQUIRE(std::filesystem::remove(copy_of_one));
    CHECK(must(must(Journal::open(scratch.path())).checkpoint(one)) == report);
  }
  SECTION("it outlives the journal") {
    std::filesystem::resize_file(scratch.path() / "journal.db", 100);
    auto journal = must(Journal::open(scratch.path()));
    REQUIRE(journal.lost());
    CHECK(must(journal.checkpoint(one)) == report);
  }
  SECTION("until it is forgotten") {
    auto journal = must(Journal::open(scratch.path()));
    must(journal.forget_checkpoint(one));
    CHECK(must(journal.checkpoint(one)).empty());
    CHECK(must(journal.checkpoint(other)) == older);
  }
}

}  // namespace relab::agent
