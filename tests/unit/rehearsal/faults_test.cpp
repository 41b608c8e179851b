// Faults: how they are asked for.

#include "controller/rehearsal/faults.h"

#include "tests/support/rehearsed.h"

namespace relab::rehearsal {

TEST_CASE("faults: each form is understood, whole", "[rehearsal]") {
  const auto fails = must(parse_fault("disk:ZDH1A001 fails at 40% of zfs_backup"));
  CHECK(fails.kind == FaultKind::disk_fails);
  CHECK(fails.who == "ZDH1A001");
  CHECK(fails.during == "zfs_backup");
  CHECK(fails.at == Approx(0.4));

  const auto full = must(parse_fault("usb full at 1.2 TB"));
  CHECK(full.kind == FaultKind::disk_full);
  CHECK(full.who.empty());
  CHECK(full.bytes == 1'200'000'000'000);
  CHECK(must(parse_fault("disk:NAAB0001 full at 500GiB")).bytes == std::uint64_t{500} << 30U);

  const auto dies = must(parse_fault("agent:pve dies during guest:pbs"));
  CHECK(dies.kind == FaultKind::agent_dies);
  CHECK(dies.who == "pve");
  CHECK(dies.during == "guest:pbs");
  CHECK(must(parse_fault("guest:pbs does not start")).kind == FaultKind::guest_does_not_start);
  CHECK(must(parse_fault("download fails")).kind == FaultKind::download_fails);
}

TEST_CASE("faults: what is no fault is told what there is", "[rehearsal]") {
  for (const auto* text :
       {"", "disk", "disk:", "disk:A burns", "disk fails", "disk:A fails at 140% of x",
        "disk:A fails at 100% of x", "disk:A fails at 40%", "usb full", "usb full at 1.2345 TB",
        "usb full at -1 TB", "usb full at 1.2 apples", "agent:a dies during",
        "agent:a dies during b c", "guest:pbs does not start during x", "download fails twice"}) {
    INFO(text);
    const auto parsed = parse_fault(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().fault == Fault::invalid);
    CHECK(parsed.error().hint.find("usb full at 1.2 TB") != std::string::npos);
  }
}

TEST_CASE("faults: a name that more than one step may have is refused", "[rehearsal]") {
  const auto checked = [](const std::string& renamed, const std::string& during) {
    const auto lab = Rehearsed::read([&](std::string& text) {
      const std::string name = "{ name = \"health\"";
      const auto at = text.find(name);
      REQUIRE(at != std::string::npos);
      text.replace(at, name.size(), "{ name = \"" + renamed + "\"");
    });
    const auto done =
        check_step(must(parse_fault("agent:z640 dies during " + during)), lab.reader());
    return done ? std::string() : done.error().what;
  };
  CHECK(checked("pbs", "pbs") ==
        "fault 'agent:z640 dies during pbs': more than one step may be meant by 'pbs': "
        "0a/0a-pbs/pbs, 0b/0b/pbs");
  CHECK_THAT(checked("zfs_backup", "zfs_backup"), Catch::Contains("0b/0b/zfs_backup, 0b/0b/write"));
  CHECK(checked("pbs", "0b/0b/pbs").empty());
  CHECK(checked("well", "well").empty());
  // Of a kind, the first one is meant.
  CHECK(checked("well", "preserve").empty());
  CHECK_THAT(checked("well", "guest:nobody"), Catch::Contains("no step of the plan is called"));
  CHECK_THAT(checked("well", "nosuchstep"), Catch::Contains("no step of the plan is called"));
}

}  // namespace relab::rehearsal
