#include "agent/kinds/system/packages.h"

#include "agent/kinds/carry_out.h"
#include "agent/kinds/system/apt.h"
#include "agent/kinds/system/dpkg.h"
#include "tests/support/must.h"
#include "tests/support/sim_packages.h"
#include "tests/support/sim_units.h"

namespace relab::agent::system {

namespace {

using Texts = std::vector<std::string>;

struct Machine {
  explicit Machine(bool with_systemd = false) {
    packages.install(host);
    if (with_systemd) units.install(host);
    if (!with_systemd) host.file("/proc/1/comm", "sh\n");
  }
  Work carry_out(const std::string& params, schema::Mode mode = schema::Mode::APPLY) {
    Draft<schema::Order> order;
    order->setMode(mode);
    order->setTask(
        must(Message<schema::Task>::from_json(R"({"packages": {)" + params + "}}")).reader());
    return relab::agent::carry_out(order->asReader(), {.host = host, .rescue = host},
                                   [](const auto& /*facts*/) { return Result<void>(); });
  }

  SimHost host;
  SimPackages packages;
  SimUnits units;
};

constexpr auto jellyfin = R"("packages": [{"name": "jellyfin"}])";

}  // namespace

TEST_CASE("packages: what is missing is installed, with what it needs", "[agent][system]") {
  Machine machine(GENERATE(false, true));

  const auto work = machine.carry_out(jellyfin);

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes == Texts{"+ packages libfoo 1.2, jellyfin 10.10.7"});
  CHECK(machine.packages.installed.contains("jellyfin"));
  CHECK(machine.carry_out(jellyfin).changes.empty());
  REQUIRE(machine.packages.done.size() == 1);
  CHECK(machine.packages.done[0] ==
        "apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confdef -o "
        "Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 --no-remove install -- jellyfin");
}

TEST_CASE("packages: where systemd runs, apt runs in a unit of its own", "[agent][system]") {
  Machine machine(true);

  machine.carry_out(jellyfin);

  const auto ran = std::ranges::find_if(
      machine.host.ran(), [](const auto& line) { return line.starts_with("systemd-run "); });
  REQUIRE(ran != machine.host.ran().end());
  CHECK_THAT(*ran, Catch::Contains("--unit=relab-packages.service") &&
                       Catch::Contains("--setenv=DEBIAN_FRONTEND=noninteractive") &&
                       Catch::Contains("--setenv=NEEDRESTART_SUSPEND=1"));
  CHECK_FALSE(machine.units.units.contains("relab-packages.service"));
}

TEST_CASE("packages: what an earlier agent has left running is waited for", "[agent][system]") {
  Machine machine(true);
  machine.units.units["relab-packages.service"] = {.active = "activating"};
  const auto until = machine.host.now() + std::chrono::seconds(30);
  machine.host.program("systemctl", [&](const Command& command) -> Result<Output> {
    const bool over = machine.host.now() >= until;
    if (command.argv[1] == "stop") machine.units.units.clear();
    const bool is_left = machine.units.units.contains("relab-packages.service");
    return Output{.out = std::string("ExecMainStatus=0\nActiveState=") +
                         (is_left && !over && machine.packages.done.empty() ? "activating"
                          : is_left                                         ? "active"
                                                                            : "inactive") +
                         "\n"};
  });

  const auto work = machine.carry_out(jellyfin);

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(machine.host.now() >= until);
}

TEST_CASE("packages: apt's word for success is not believed", "[agent][system]") {
  Machine machine(GENERATE(false, true));
  machine.packages.lies = true;

  const auto work = machine.carry_out(jellyfin);

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.fault == Fault::conflict);
}

TEST_CASE("packages: nothing else is removed unless it may be", "[agent][system]") {
  Machine machine;
  machine.packages.installed["exim4"] = {.version = "4"};
  machine.packages.available["postfix"] = {.version = "3", .removes = {"exim4"}};

  const auto refused = machine.carry_out(R"("packages": [{"name": "postfix"}])");
  CHECK(refused.outcome == schema::Outcome::REFUSED);
  CHECK(refused.failure.what == "apt would remove exim4");
  CHECK(machine.packages.done.empty());

  const auto permitted =
      machine.carry_out(R"("packages": [{"name": "postfix"}], "removeOk": ["exim4"])");
  CHECK(permitted.outcome == schema::Outcome::SUCCEEDED);
  CHECK(permitted.changes == Texts{"+ packages postfix 3\n        - packages exim4 4"});
}

TEST_CASE("packages: what would be removed by now is looked at once more", "[agent][system]") {
  Machine machine;
  machine.packages.installed["exim4"] = {.version = "4"};
  machine.packages.available["postfix"] = {.version = "3", .removes = {"exim4"}};

  const auto done = install(machine.host, {.items = {"postfix"}});

  REQUIRE_FALSE(done);
  CHECK(done.error().fault == Fault::refused);
  CHECK(machine.packages.done.empty());
}

TEST_CASE("packages: a version is that version, and any other is not", "[agent][system]") {
  Machine machine;
  machine.packages.installed["jellyfin"] = {.version = "10.9.0"};
  machine.packages.installed["libfoo"] = {.version = "1.2"};

  CHECK(machine.carry_out(jellyfin).changes.empty());
  CHECK(machine.carry_out(R"("packages": [{"name": "jellyfin", "version": "10.8.0"}])")
            .failure.fault == Fault::missing);
  CHECK(machine.carry_out(R"("packages": [{"name": "jellyfin", "version": "10.10.7"}])").outcome ==
        schema::Outcome::SUCCEEDED);
  CHECK(machine.packages.installed["jellyfin"].version == "10.10.7");
}

TEST_CASE("packages: one on hold is left alone, and told", "[agent][system]") {
  Machine machine;
  machine.packages.installed["jellyfin"] = {.version = "10.9.0", .status = "hi "};

  const auto work =
      machine.carry_out(R"("packages": [{"name": "jellyfin", "version": "10.10.7"}])");

  CHECK(work.outcome == schema::Outcome::REFUSED);
  CHECK_THAT(work.failure.what, Catch::Contains("on hold"));
  CHECK(work.facts->reader().getPackages().getPackages()[0].getHeld());
}

TEST_CASE("packages: only 'ii' and 'hi' are installed", "[agent][system]") {
  Machine machine;
  const auto row = GENERATE(table<std::string, bool>({{"ii ", true},
                                                      {"hi ", true},
                                                      {"iiR", false},
                                                      {"rc ", false},
                                                      {"iU ", false},
                                                      {"iF ", false},
                                                      {"iW ", false},
                                                      {"un ", false}}));
  machine.packages.installed["jellyfin"] = {.version = "10.10.7", .status = std::get<0>(row)};

  const auto work = machine.carry_out(jellyfin, schema::Mode::CHECK);

  CHECK(work.changes.empty() == std::get<1>(row));
}

TEST_CASE("packages: a package of another architecture is another package", "[agent][system]") {
  Machine machine;
  machine.packages.installed["jellyfin"] = {.version = "10.10.7", .architecture = "i386"};

  CHECK_FALSE(machine.carry_out(jellyfin, schema::Mode::CHECK).changes.empty());
}

TEST_CASE("packages: an interrupted dpkg goes on first", "[agent][system]") {
  Machine machine;
  const bool is_noted = GENERATE(false, true);
  if (is_noted) machine.host.file("/var/lib/dpkg/updates/0001", "Package: x\n");
  if (!is_noted) machine.packages.installed["libbad"] = {.version = "1", .status = "iF "};

  const auto work = machine.carry_out(jellyfin, schema::Mode::CHECK);

  REQUIRE(work.changes.size() == 2);
  CHECK(work.changes[0] == (is_noted
                                ? "~ dpkg goes on with what was interrupted: dpkg was ended in "
                                  "the middle of its work"
                                : "~ dpkg goes on with what was interrupted: libbad (iF)"));
}

TEST_CASE("packages: what dpkg cannot repair is an error", "[agent][system]") {
  Machine machine;
  machine.packages.installed["libbad"] = {.version = "1", .status = "iF "};
  machine.packages.stuck = true;

  const auto work = machine.carry_out(jellyfin);

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK_THAT(work.failure.what,
             Catch::Contains("libbad (iF)") && Catch::Contains("error processing package libbad"));
  CHECK_FALSE(machine.packages.installed.contains("jellyfin"));
}

TEST_CASE("packages: a lock is waited for, with a limit", "[agent][system]") {
  Machine machine;
  machine.packages.installed["libbad"] = {.version = "1", .status = "iF "};
  const auto tries = GENERATE(3, 1000000);
  machine.packages.locked = tries;

  const auto work = machine.carry_out(std::string(jellyfin) + R"(, "lockWait": 60)");

  CHECK((work.outcome == schema::Outcome::SUCCEEDED) == (tries == 3));
  if (tries != 3) CHECK(work.failure.fault == Fault::busy);
}

TEST_CASE("packages: a lock that is held while apt waits is told", "[agent][system]") {
  Machine machine(GENERATE(false, true));
  machine.packages.locked = 1000000;

  const auto work = machine.carry_out(jellyfin);

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.fault == Fault::busy);
  CHECK_THAT(work.failure.what, Catch::Contains("Could not get lock"));
}

TEST_CASE("packages: what apt does not know is missing", "[agent][system]") {
  Machine machine;

  const auto work = machine.carry_out(R"("packages": [{"name": "nonesuch"}])");

  CHECK(work.failure.fault == Fault::missing);
  CHECK_THAT(work.failure.what, Catch::Contains("Unable to locate package nonesuch"));
}

TEST_CASE("packages: lists that could not all be read are an error", "[agent][system]") {
  Machine machine;
  machine.packages.update_words =
      "Err:2 http://gone.example stable InRelease\n"
      "W: Failed to fetch http://gone.example/dists/stable/InRelease\n";

  const auto work = machine.carry_out(std::string(jellyfin) + R"(, "refresh": true)");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.fault == Fault::unreachable);
  CHECK_FALSE(machine.packages.installed.contains("jellyfin"));
}

TEST_CASE("packages: from a folder, no source is looked at", "[agent][system]") {
  Machine machine;
  machine.host.file("/mnt/usb/jellyfin_10.10.7_amd64.deb", "deb");
  machine.packages.files["/mnt/usb/jellyfin_10.10.7_amd64.deb"] = "jellyfin";

  const auto work = machine.carry_out(std::string(jellyfin) + R"(, "from": "/mnt/usb")");

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  REQUIRE(machine.packages.done.size() == 1);
  CHECK_THAT(machine.packages.done[0],
             Catch::Contains("Dir::Etc::SourceParts=/dev/null") &&
                 Catch::EndsWith("install -- /mnt/usb/jellyfin_10.10.7_amd64.deb"));
}

TEST_CASE("packages: a file that is missing, or there twice, is an error", "[agent][system]") {
  Machine machine;
  machine.host.directory("/mnt/usb");
  const bool twice = GENERATE(false, true);
  for (const auto* name : {"/mnt/usb/a.deb", "/mnt/usb/b.deb"}) {
    if (!twice) continue;
    machine.host.file(name, "deb");
    machine.packages.files[name] = "jellyfin";
  }

  const auto work = machine.carry_out(std::string(jellyfin) + R"(, "from": "/mnt/usb")");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(machine.packages.done.empty());
}

TEST_CASE("packages: without dpkg or apt there is no answer", "[agent][system]") {
  SimHost host;
  const auto params =
      must(Message<schema::Packages>::from_json(R"({"packages": [{"name": "jellyfin"}]})"));

  CHECK(Packages::observe(params.reader(), host).error().fault == Fault::missing);

  host.program("dpkg-query", Output{.out = "ii \tbash\t5\tamd64\n"});
  host.program("dpkg", Output{.out = "amd64\n"});
  CHECK(Packages::observe(params.reader(), host).error().fault == Fault::missing);

  host.program("dpkg-query", Output{.out = ""});
  CHECK(Packages::observe(params.reader(), host).error().fault == Fault::damaged);
}

TEST_CASE("packages: no name is an order of another kind to apt", "[agent][system]") {
  Machine machine;
  const auto name = GENERATE(as<std::string>(), "", "-y", "jellyfin-", "jellyfin+", "jelly*", "a b",
                             "--allow", "x=1", "/etc/x.deb", "./x", "Jellyfin", "x/stable");

  const auto work = machine.carry_out(R"("packages": [{"name": ")" + name + R"("}])");

  CHECK(work.failure.fault == Fault::invalid);
}

TEST_CASE("apt: steps are read out of a simulation", "[agent][system]") {
  const auto steps = must(
      parse_simulation("Reading package lists...\n"
                       "Remv exim4 [4.96]\n"
                       "Inst bash [5.2.15-2+b8] (5.2.15-2+b13 Debian:12.15/oldstable [amd64])\n"
                       "Inst libc6:i386 (2.36 Debian:12 [i386]) []\n"
                       "Conf bash (5.2.15-2+b13 Debian:12.15/oldstable [amd64])\n"));

  CHECK(steps == std::vector<AptStep>{{"Remv", "exim4", "4.96"},
                                      {"Inst", "bash", "5.2.15-2+b13"},
                                      {"Inst", "libc6", "2.36"},
                                      {"Conf", "bash", "5.2.15-2+b13"}});
  CHECK(parse_simulation("Inst something odd\n").error().fault == Fault::damaged);
}

TEST_CASE("apt: what went wrong with lists is told by words, not by the exit code",
          "[agent][system]") {
  CHECK(
      parse_update("Hit:1 http://deb.debian.org/debian bookworm InRelease\nReading...\n").empty());
  for (const auto* line : {"Err:1 http://x stable InRelease", "Ign:1 http://x stable InRelease",
                           "W: Some index files failed to download.", "E: The repository is gone"})
    CHECK(parse_update(std::string("Hit:1 http://y\n") + line + "\n") == line);
}

TEST_CASE("dpkg: a table of another form is an error", "[agent][system]") {
  CHECK(parse_packages("").error().fault == Fault::damaged);
  CHECK(parse_packages("ii\tbash\t5\tamd64\n").error().fault == Fault::damaged);
  CHECK(parse_packages("ii \tbash\t5\n").error().fault == Fault::damaged);
  CHECK(parse_package_file("Package: x\nVersion: 1\n").error().fault == Fault::damaged);
}

}  // namespace relab::agent::system
