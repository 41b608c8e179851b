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

TEST_CASE("rehearsal: a disk that breaks while it is read ends the reading there", "[rehearsal]") {
  const Rehearsed undisturbed;
  const Rehearsed done({"disk:NAAB0001 fails at 20% of zfs_backup_verify"});
  INFO(done.told());

  CHECK(done.attempts("verify").back().outcome == "failed");
  CHECK(done.length("verify") < undisturbed.length("verify") / 2);
  CHECK(done.length("verify") > undisturbed.length("verify") / 8);
}

TEST_CASE("rehearsal: a disk of the pool that fails late keeps the gate shut", "[rehearsal]") {
  const auto* fault = GENERATE("disk:ZDH1A001 fails at 40% of zfs_backup",
                               "disk:ZDH1A002 fails at 80% of zfs_backup_verify");
  const Rehearsed done({fault});
  INFO(fault << "\n" << done.told());

  CHECK_FALSE(done.phase("0b").complete());
  CHECK_FALSE(done.phase("1").end.gate.open);
  CHECK_THAT(done.told(),
             Catch::Contains("pools.intact: health of datapool: the pool is DEGRADED"));
  CHECK(controller::cli::code_of(*done.rehearsal) == controller::ExitCode::gate_closed);
}

TEST_CASE("rehearsal: a gate that rests on an old look at a broken pool is told", "[rehearsal]") {
  Rehearsed rehearsed({"disk:ZDH1A001 fails at 40% of zfs_backup"}, Rehearsed::When::later,
                      [](std::string& text) {
                        const auto begin = text.find("  { name = \"health-again\"");
                        REQUIRE(begin != std::string::npos);
                        text.erase(begin, text.find('\n', begin) - begin);
                      });
  controller::cli::QuietOnlooker onlooker(rehearsed.printer);
  must(rehearsed.rehearsal->run(onlooker));

  CHECK(rehearsed.phase("0b").complete());
  CHECK_THAT(rehearsed.told(), Catch::Contains("pools.intact: datapool is DEGRADED by now"));
  CHECK(controller::cli::code_of(*rehearsed.rehearsal) != controller::ExitCode::done);
}

TEST_CASE("rehearsal: a fault that nothing met with is told", "[rehearsal]") {
  const auto* fault = GENERATE("guest:pbs does not start", "guest:monitoring is locked",
                               "download fails", "storage:local is full");
  const Rehearsed done({fault});
  INFO(fault);

  CHECK(done.rehearsal->faults_left() == std::vector<std::string>{fault});
  CHECK_THAT(done.told(), Catch::Contains("never came about"));
}

TEST_CASE("rehearsal: an archive takes the room that the pool says", "[rehearsal]") {
  const auto with = [](const std::string& folder) {
    return [=](std::string& text) {
      const auto at = text.find("  { name = \"snapshot\"");
      REQUIRE(at != std::string::npos);
      text.insert(at, R"(  { name = "more", deadline = "2d", task.preserve = { paths = [")" +
                          folder + R"("], folder = "/mnt/usb", name = "more" } },)" + "\n");
    };
  };
  const std::vector<std::string> faults = {"usb full at 400 GB"};
  // 800 GB, as lab.toml's own description has it.
  Rehearsed large(faults, Rehearsed::When::later, with("/datapool/media"));
  controller::cli::QuietOnlooker onlooker(large.printer);
  must(large.rehearsal->run(onlooker));
  CHECK_THAT(large.told(), Catch::Contains("the disk is full: /mnt/usb/more.tar.zst.part"));

  Rehearsed small(faults, Rehearsed::When::later, with("/etc/network"));
  must(small.rehearsal->run(onlooker));
  CHECK(small.told().find("0b/0b/more: ") == std::string::npos);
}

TEST_CASE("rehearsal: nothing goes beyond a new installation", "[rehearsal]") {
  Rehearsed rehearsed({}, Rehearsed::When::later, [](std::string& text) {
    const std::string track =
        "tracks = [{ name = \"1\", title = \"Installation that never touches "
        "data1 to data4\", agent = \"z640\" }]";
    const auto begin = text.find(track);
    REQUIRE(begin != std::string::npos);
    text.replace(begin, track.size(),
                 "tracks = [{ name = \"1\", agent = \"z640\", steps = [{ name = \"p\", task.ping = "
                 "{} }] }]");
  });
  controller::cli::QuietOnlooker onlooker(rehearsed.printer);
  must(rehearsed.rehearsal->run(onlooker));

  CHECK(rehearsed.phase("1").end.gate.open);
  CHECK_FALSE(rehearsed.phase("1").end.ran);
  CHECK_THAT(rehearsed.told(), Catch::Contains("which a rehearsal cannot play yet"));
  // Prometheus' data lie on the mirror of the system, and nobody has said that they may be lost.
  CHECK_THAT(rehearsed.told(), Catch::Contains("/var/lib/prometheus"));
}

TEST_CASE("rehearsal: VLANs and services are as lab.toml has them", "[rehearsal]") {
  using agent::Reach;
  const Rehearsed made({}, Rehearsed::When::later);
  auto& network = made.rehearsal->set().system("z640")->reachability();

  CHECK(network.reach("z640", {"10.42.20.10", 8096}) == Reach::open);
  CHECK(network.reach("z640", {"10.42.20.10", 8097}) == Reach::refused);
  CHECK(network.reach("trillian", {"10.42.10.2", 8006}) == Reach::silent);
  // Its own agent, and of the router nobody knows anything.
  CHECK(network.reach("pbs", {"10.42.10.2", 7460}) == Reach::open);
  auto& host = made.rehearsal->set().system("z640")->host();
  CHECK_FALSE(host.connect({.address = "10.42.10.1", .port = 53}, Millis(1000)));
  CHECK(host.unknown().contains("connect 10.42.10.1 53"));
  CHECK(host.connect({.address = "10.42.10.99", .port = 53}, Millis(1000)));
}

namespace {

/// What becomes of a probe of such an address behind the archives.
std::string probed(const std::string& task, const std::string& before = {}) {
  Rehearsed rehearsed({}, Rehearsed::When::later, [&](std::string& text) {
    const auto at = text.find("  { name = \"snapshot\"");
    REQUIRE(at != std::string::npos);
    text.insert(at, before + "  { name = \"asked\", task.http_probe = { " + task + " } },\n");
  });
  controller::cli::QuietOnlooker onlooker(rehearsed.printer);
  must(rehearsed.rehearsal->run(onlooker));
  for (const auto& trouble : rehearsed.rehearsal->troubles())
    if (trouble.kind == Trouble::Kind::not_played) return "not played: " + trouble.where;
  for (const auto& trouble : rehearsed.rehearsal->troubles())
    if (trouble.where == "0b/0b/asked") return trouble.what;
  return rehearsed.attempts("asked").back().outcome;
}

}  // namespace

TEST_CASE("rehearsal: services answer over HTTP as they do in truth, while they run",
          "[rehearsal]") {
  const std::string jellyfin = "http://10.42.20.10:8096/health";
  const auto health = [&](const std::string& more) { return "url = \"" + jellyfin + "\"" + more; };
  CHECK(probed(health(", text = \"Healthy\"")) == "succeeded");
  CHECK_THAT(probed(health(", text = \"Degraded\"")), Catch::Contains("Degraded"));
  CHECK(probed("url = \"http://10.42.10.12:9090/-/ready\", text = \"Ready\"") == "succeeded");
  CHECK_THAT(probed(health(""),
                    "  { name = \"off\", task.guest_power = { name = \"jellyfin\", "
                    "stopped = true } },\n"),
             Catch::Contains("10.42.20.10"));
  // What nobody knows the answer to is not answered.
  CHECK_THAT(probed("url = \"http://10.42.20.10:8096/web/\""),
             Catch::StartsWith("not played: curl"));
  CHECK_THAT(probed("url = \"https://10.42.10.10:8007/\""), Catch::StartsWith("not played: curl"));
  CHECK_THAT(probed("url = \"http://10.42.20.10:9999/\""),
             Catch::Contains("refused") || Catch::Contains("connect"));
}

TEST_CASE("rehearsal: a program whose unit is stopped refuses connections", "[rehearsal]") {
  using agent::Reach;
  const Rehearsed made({}, Rehearsed::When::later);
  auto* system = made.rehearsal->set().system("z640");
  auto& network = system->reachability();
  auto& units = system->proxmox().debian(110)->units();
  REQUIRE(network.reach("z640", {"10.42.20.10", 8096}) == Reach::open);

  units.stop("jellyfin.service");
  CHECK(network.reach("z640", {"10.42.20.10", 8096}) == Reach::refused);
  units.start("jellyfin.service");
  CHECK(network.reach("z640", {"10.42.20.10", 8096}) == Reach::open);
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

TEST_CASE("rehearsal: an agent may die in the middle of what flows", "[rehearsal]") {
  const std::string fault = "agent:z640 dies at 40% of write";
  const Rehearsed undisturbed;
  const Rehearsed done({fault});
  INFO(done.told());

  CHECK(done.phase("0b").complete());
  CHECK(done.rehearsal->faults_left().empty());
  const auto more = done.rehearsal->course().ended - undisturbed.rehearsal->course().ended;
  CHECK(more > undisturbed.length("write") / 3);
  CHECK(more < undisturbed.length("write") / 2);
  CHECK(done.rehearsal->faults_met() ==
        std::vector<std::string>{fault + ": in 0b/0b/write; what the agent had done by then is "
                                         "done, and is in no report: of it, nothing is among the "
                                         "changes"});
  // What it took until the agent answered again is in the chart.
  const auto attempts = done.attempts("write");
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].outcome == "unknown");
  CHECK(attempts[0].name() == "0b/write");
  CHECK(attempts[1].name() == "0b/write (2)");
  CHECK(attempts[0].ended - attempts[0].began > undisturbed.length("write") / 3);
  CHECK(attempts[1].began >= attempts[0].ended);
}

TEST_CASE("rehearsal: a step that runs out of time takes as long as it had", "[rehearsal]") {
  Rehearsed late({}, Rehearsed::When::later, [](std::string& text) {
    const std::string given = R"(name = "write", deadline = "3d")";
    const auto at = text.find(given);
    REQUIRE(at != std::string::npos);
    text.replace(at, given.size(), R"(name = "write", deadline = "1h")");
  });
  controller::cli::QuietOnlooker onlooker(late.printer);
  must(late.rehearsal->run(onlooker));
  INFO(late.told());

  CHECK(late.attempts("write").back().outcome == "failed");
  CHECK(late.length("write") >= std::chrono::hours(1));
  CHECK(late.length("write") < std::chrono::minutes(61));
}

TEST_CASE("rehearsal: a pool that is lost while it is sent is not sent", "[rehearsal]") {
  const Rehearsed done({"disk:ZDH1A001 fails at 10% of write",
                        "disk:ZDH1A002 fails at 10% of write",
                        "disk:ZDH1A003 fails at 10% of write"});
  INFO(done.told());

  CHECK(done.rehearsal->faults_left().empty());
  CHECK_THAT(done.told(), Catch::Contains("0b/0b/write: "));
  CHECK_THAT(done.told(), Catch::Contains("pool datapool: is SUSPENDED at the end"));
  CHECK(controller::cli::code_of(*done.rehearsal) == controller::ExitCode::failed);
}

TEST_CASE("rehearsal: a pool that is not well at the end is told, whether a gate asks or not",
          "[rehearsal]") {
  const Rehearsed done({"disk:ZDH1A001 fails during health-again"});
  CHECK_THAT(done.told(), Catch::Contains("pool datapool: is DEGRADED at the end"));
}

TEST_CASE("rehearsal: a disk that fails when its copy was verified is told", "[rehearsal]") {
  const Rehearsed done({"disk:NAAB0001 fails during health-again"});
  INFO(done.told());

  CHECK(done.phase("0b").complete());
  CHECK_THAT(done.told(), Catch::Contains("disk NAAB0001: has failed by the end"));
}

TEST_CASE("rehearsal: a disk may be broken when it is plugged in", "[rehearsal]") {
  const auto* fault = GENERATE("disk:NAAB0001 fails", "disk:NAAB0001 fails during disk");
  const Rehearsed done({fault});
  INFO(fault << "\n" << done.told());

  CHECK(done.rehearsal->faults_left().empty());
  CHECK_FALSE(done.phase("0b").complete());
  CHECK(done.phase("0b").end.failed == 1);
  CHECK(done.phase("0b").end.blocked > 0);
  // What was to be on it is not kept, and that is told although the phase before has failed.
  CHECK_THAT(done.told(), Catch::Contains("gate of phase 1: data.survives"));
}

TEST_CASE("rehearsal: a disk that has room enough all the same was never full", "[rehearsal]") {
  const std::string fault = "usb full at 2.4 TB";
  const Rehearsed done({fault});
  CHECK(done.phase("0b").complete());
  CHECK(done.rehearsal->faults_left() == std::vector<std::string>{fault});
}

TEST_CASE("rehearsal: what cannot come about is refused, or told", "[rehearsal]") {
  for (const auto* fault :
       {"disk:NAAB0001 is pulled", "disk:NAAB0001 is pulled during scrub",
        "guest:jellyfin ends after its start", "storage:local is full during write",
        "agent:z640 dies at 50% of paths"}) {
    INFO(fault);
    CHECK(Rehearsed({fault}).rehearsal->faults_left() == std::vector<std::string>{fault});
  }
  const Rehearsed made({}, Rehearsed::When::later);
  for (const auto* fault : {"usb full at 20 TB", "disk:ZDH1A001 full at 1 TB"}) {
    INFO(fault);
    const auto checked = made.rehearsal->set().check(must(parse_fault(fault)));
    REQUIRE_FALSE(checked);
    CHECK(checked.error().fault == Fault::invalid);
  }
}

TEST_CASE("rehearsal: a fault is credited with what it did, and with nothing else", "[rehearsal]") {
  const auto left = [](const std::vector<std::string>& faults) {
    const Rehearsed done(faults);
    INFO(done.told());
    CHECK(done.phase("0b").end.failed > 0);
    return done.rehearsal->faults_left();
  };
  CHECK(left({"usb full at 7.9 TB", "disk:NAAB0001 is pulled during write"}) ==
        std::vector<std::string>{"usb full at 7.9 TB"});
  // A copy that does not fit is not begun; an archive runs into the end.
  CHECK(left({"usb full at 500 GB"}).empty());
  CHECK(left({"usb full at 1 kB"}).empty());
}

TEST_CASE("rehearsal: of several steps of a kind the first one is meant", "[rehearsal]") {
  const Rehearsed done({"disk:NAAB0001 fails at 40% of preserve"});
  INFO(done.told());
  CHECK(done.rehearsal->faults_left().size() == 1);
  CHECK(done.phase("0b").complete());
  CHECK_THAT(done.told(), Catch::Contains("0b/0b/keep does not tell how far it is: say `during`") ||
                              Catch::Contains("0b/0b/keep came to "));
}

TEST_CASE("rehearsal: a disk that was pulled out and stays away is told", "[rehearsal]") {
  const Rehearsed done({"disk:NAAB0001 is pulled during health-again"});
  INFO(done.told());
  CHECK(done.phase("0b").complete());
  CHECK_THAT(done.told(), Catch::Contains("disk NAAB0001: was pulled out, and nobody"));
  CHECK(controller::cli::code_of(*done.rehearsal) != controller::ExitCode::done);
}

TEST_CASE("rehearsal: of an audit the disk for backups is plugged in as well", "[rehearsal]") {
  Rehearsed first;
  const auto& state = first.rehearsal->stage().book().state();
  const auto host = first.lab.reader().getHosts()[0];
  std::vector<Message<schema::World>> worlds;
  worlds.push_back(
      must(world_of_audit(state, first.lab.reader(), host, {.began = rehearsal_begin})));
  const auto world = worlds[0].reader();
  REQUIRE(world.getUnplugged().size() == 1);
  CHECK(view(world.getUnplugged()[0]) == "NAAB0001");
  CHECK_THAT(str(world.getAssumptions()[0]), Catch::Contains("which the audit has not seen"));

  auto again = must(Rehearsal::make({.lab = first.lab,
                                     .worlds = std::move(worlds),
                                     .folder = first.scratch.path() / "again",
                                     .begin = rehearsal_begin}));
  controller::cli::QuietOnlooker onlooker(first.printer);
  must(again->run(onlooker));
  for (const auto& phase : again->phases())
    if (phase.name == "0b") CHECK(phase.complete());
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
