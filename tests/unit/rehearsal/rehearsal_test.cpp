// Whole plans, from their first phase to where they stop.

#include "tests/support/rehearsed.h"

namespace relab::rehearsal {

TEST_CASE("rehearsal: the reference plan comes as far as it is automated", "[rehearsal]") {
  const Rehearsed done;
  INFO(done.told());

  CHECK(done.phase("0a").complete());
  CHECK(done.phase("0b").complete());
  CHECK_FALSE(done.phase("2").end.gate.open);
  CHECK(controller::cli::code_of(*done.rehearsal) == controller::ExitCode::gate_closed);
  for (const auto& trouble : done.rehearsal->troubles())
    CHECK(trouble.kind != Trouble::Kind::not_played);
  CHECK(done.length("write") > std::chrono::hours(1));
  CHECK(done.length("write") < std::chrono::hours(48));
}

TEST_CASE("rehearsal: where something goes wrong, no gate opens behind it", "[rehearsal]") {
  const auto* fault = GENERATE("usb full at 500 GB", "disk:NAAB0001 fails at 40% of zfs_backup",
                               "disk:NAAB0001 fails at 40% of zfs_backup_verify");
  const Rehearsed done({fault});
  INFO(fault << "\n" << done.told());

  CHECK(done.phase("0a").complete());
  CHECK_FALSE(done.phase("0b").complete());
  CHECK(done.phase("0b").end.failed > 0);
  CHECK(done.rehearsal->faults_left().empty());
  CHECK(controller::cli::code_of(*done.rehearsal) == controller::ExitCode::failed);
}

TEST_CASE("rehearsal: an agent that dies starts again, and the plan goes on", "[rehearsal]") {
  // What an interrupted drill left fills the pool, until the next one removes it.
  const auto* fault =
      GENERATE("agent:z640 dies during write", "agent:z640 dies at 88% of 0b/0b/verify");
  const Rehearsed done({fault});
  INFO(fault << "\n" << done.told());

  CHECK(done.phase("0b").complete());
  CHECK(done.rehearsal->faults_left().empty());
}

TEST_CASE("rehearsal: a folder that is there is not put to use", "[rehearsal]") {
  const Rehearsed done;
  std::vector<Message<schema::World>> worlds;
  const auto again = Rehearsal::make({.lab = done.lab,
                                      .worlds = std::move(worlds),
                                      .folder = done.rehearsal->folder(),
                                      .begin = rehearsal_begin});
  REQUIRE_FALSE(again);
  CHECK(again.error().fault == Fault::conflict);
}

}  // namespace relab::rehearsal
