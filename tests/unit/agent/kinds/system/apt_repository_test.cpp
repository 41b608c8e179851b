#include "agent/kinds/system/apt_repository.h"

#include "agent/kinds/carry_out.h"
#include "agent/kinds/system/sources_file.h"
#include "tests/support/must.h"
#include "tests/support/sim_packages.h"

namespace relab::agent::system {

namespace {

using Texts = std::vector<std::string>;

struct Machine {
  Machine() {
    packages.install(host);
    host.directory("/etc/apt/sources.list.d");
  }
  Work carry_out(const std::string& more = {}, schema::Mode mode = schema::Mode::APPLY) {
    Draft<schema::Order> order;
    order->setMode(mode);
    order->setTask(must(Message<schema::Task>::from_json(
                            R"({"aptRepository": {"name": "app",
          "uris": ["https://repo.example/debian"], "suites": ["stable"], "components": ["main"],
          "key": "-----BEGIN PGP PUBLIC KEY BLOCK-----",
          "fingerprint": "4918AABC486CA052358D778D49023CD01DE21A7B")" +
                            more + "}}"))
                       .reader());
    return relab::agent::carry_out(order->asReader(), {.host = host, .rescue = host},
                                   [](const auto& /*facts*/) { return Result<void>(); });
  }

  SimHost host;
  SimPackages packages;
};

}  // namespace

TEST_CASE("apt repository: key, source and lists come in this order", "[agent][system]") {
  Machine machine;

  const auto work = machine.carry_out();

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes ==
        Texts{"+ /etc/apt/keyrings/app.asc, the key 4918AABC486CA052358D778D49023CD01DE21A7B",
              "+ /etc/apt/sources.list.d/app.sources: https://repo.example/debian stable",
              "~ lists of app read"});
  CHECK(must(machine.host.read_file("/etc/apt/sources.list.d/app.sources")) ==
        "Types: deb\nURIs: https://repo.example/debian\nSuites: stable\nComponents: main\n"
        "Signed-By: /etc/apt/keyrings/app.asc\n");
  CHECK(machine.carry_out().changes.empty());
}

TEST_CASE("apt repository: a key with another fingerprint is not put in place", "[agent][system]") {
  Machine machine;
  machine.packages.fingerprint = "0000AABC486CA052358D778D49023CD01DE21A7B";

  const auto work = machine.carry_out();

  CHECK(work.outcome == schema::Outcome::REFUSED);
  CHECK_THAT(work.failure.what, Catch::Contains("0000AABC"));
  CHECK_FALSE(machine.host.status("/etc/apt/keyrings/app.asc"));
}

TEST_CASE("apt repository: without gpg nobody can look at the key", "[agent][system]") {
  SimHost host;
  SimPackages packages;
  packages.install(host);
  host.program("gpg", [](const Command&) -> Result<Output> {
    return fail(Fault::missing, "no gpg on this machine");
  });
  const auto params = must(Message<schema::AptRepository>::from_json(
      R"({"name": "app", "uris": ["https://x/"], "suites": ["s"], "key": "k", "fingerprint": "F"})"));

  CHECK(AptRepository::observe(params.reader(), host).error().fault == Fault::missing);
}

TEST_CASE("apt repository: lists that apt complains about are an error, now and the next time",
          "[agent][system]") {
  Machine machine;
  machine.packages.update_words =
      "W: GPG error: https://repo.example stable InRelease: NO_PUBKEY\n";
  // As if lists of an earlier source were there.
  machine.packages.listed = true;

  const auto first = machine.carry_out();
  const auto second = machine.carry_out();
  machine.packages.update_words.clear();
  const auto third = machine.carry_out();

  CHECK(first.outcome == schema::Outcome::FAILED);
  CHECK_THAT(first.failure.what, Catch::Contains("NO_PUBKEY"));
  CHECK(second.outcome == schema::Outcome::FAILED);
  CHECK(third.outcome == schema::Outcome::SUCCEEDED);
}

TEST_CASE("apt repository: what goes by its name and is not of relab stays as it is",
          "[agent][system]") {
  Machine machine;
  const std::string path =
      GENERATE(as<std::string>(), "/etc/apt/sources.list.d/app.sources",
               "/etc/apt/sources.list.d/app.list", "/etc/apt/keyrings/app.asc");
  machine.host.file(path, "deb https://other.example stable main\n");
  const auto mode = GENERATE(schema::Mode::CHECK, schema::Mode::APPLY);

  const auto work = machine.carry_out({}, mode);

  CHECK(work.outcome == schema::Outcome::REFUSED);
  CHECK_THAT(work.failure.what, Catch::Contains(path + " "));
  CHECK(must(machine.host.read_file(path)) == "deb https://other.example stable main\n");
  CHECK_FALSE(machine.host.status("/etc/apt/keyrings/app.relab"));
}

TEST_CASE("apt repository: what somebody else wrote exactly so is taken over", "[agent][system]") {
  Machine machine;
  machine.host.file("/etc/apt/keyrings/app.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----");
  machine.host.file("/etc/apt/sources.list.d/app.sources",
                    "Types: deb\nURIs: https://repo.example/debian\nSuites: stable\n"
                    "Components: main\nSigned-By: /etc/apt/keyrings/app.asc\n");
  machine.host.file("/etc/apt/sources.list.d/app.list", "# deb https://x stable main\n");

  const auto work = machine.carry_out();

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes == Texts{"~ lists of app read"});
}

TEST_CASE("apt repository: its own source is changed, even if its lists were never read",
          "[agent][system]") {
  Machine machine;
  machine.packages.update_words = "E: The repository does not have a Release file.\n";
  REQUIRE(machine.carry_out().outcome == schema::Outcome::FAILED);
  machine.packages.update_words.clear();

  const auto work = machine.carry_out(R"(, "architectures": ["amd64"])");

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK_THAT(must(machine.host.read_file("/etc/apt/sources.list.d/app.sources")),
             Catch::Contains("Architectures: amd64"));
}

TEST_CASE("apt repository: a list by its name that is switched off is in nobody's way",
          "[agent][system]") {
  Machine machine;
  machine.host.file("/etc/apt/sources.list.d/app.list", "deb https://x stable main\n");

  const auto work = machine.carry_out(R"(, "disable": ["/etc/apt/sources.list.d/app.list"])");

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(must(machine.host.read_file("/etc/apt/sources.list.d/app.list")) ==
        "# deb https://x stable main\n");
}

TEST_CASE("apt repository: other sources are switched off, and nothing else of them changed",
          "[agent][system]") {
  Machine machine;
  machine.host.file("/etc/apt/sources.list.d/pve.sources", "# Proxmox\nTypes: deb\nURIs: x\n");
  machine.host.file("/etc/apt/sources.list.d/old.list", "deb https://x stable main\n");
  const auto* const more =
      R"(, "disable": ["/etc/apt/sources.list.d/pve.sources", "/etc/apt/sources.list.d/old.list",
                       "/etc/apt/sources.list.d/absent.list"])";

  CHECK(machine.carry_out(more).outcome == schema::Outcome::SUCCEEDED);

  CHECK(must(machine.host.read_file("/etc/apt/sources.list.d/pve.sources")) ==
        "# Proxmox\nEnabled: no\nTypes: deb\nURIs: x\n");
  CHECK(must(machine.host.read_file("/etc/apt/sources.list.d/old.list")) ==
        "# deb https://x stable main\n");
  CHECK(machine.carry_out(more).changes.empty());
}

TEST_CASE("apt repository: no value leads to another file, or another source", "[agent][system]") {
  Machine machine;
  const auto more =
      GENERATE(as<std::string>(), R"(, "disable": ["/etc/passwd"])",
               R"(, "disable": ["/etc/apt/sources.list.d/../x.list"])",
               R"(, "disable": ["/etc/apt/sources.list.d/app.sources"])",
               R"(, "architectures": ["amd64\nEnabled: yes"])", R"(, "architectures": ["a b"])");

  CHECK(machine.carry_out(more).failure.fault == Fault::invalid);
}

TEST_CASE("sources: every paragraph is switched off once", "[agent][system]") {
  const auto* const text =
      "Types: deb\nURIs: a\n\n# about\n\nEnabled: yes\nTypes: deb\n\nTypes: deb\nEnabled: no\n";
  const auto off = switched_off(text, true);

  CHECK(off ==
        "Enabled: no\nTypes: deb\nURIs: a\n\n# about\n\nEnabled: no\nTypes: deb\n\nTypes: deb\n"
        "Enabled: no\n");
  CHECK(switched_off(off, true) == off);
  CHECK(switched_off("# x\n\ndeb a b\n", false) == "# x\n\n# deb a b\n");
}

TEST_CASE("sources: only primary keys count, and no secret ones", "[agent][system]") {
  CHECK(must(parse_fingerprints("pub:-:\nfpr:::::::::AA:\nuid:\nsub:-:\nfpr:::::::::BB:\n")) ==
        Texts{"AA"});
  CHECK(must(parse_fingerprints("")).empty());
  CHECK(parse_fingerprints("sec:-:\nfpr:::::::::AA:\n").error().fault == Fault::invalid);
}

}  // namespace relab::agent::system
