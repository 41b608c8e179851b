// The packages of a simulated Debian, through the real task kinds.

#include "agent/host/sim/debian/debian.h"
#include "tests/unit/sim/debian/work.h"

namespace relab::agent::sim {

namespace {

struct Container {
  SimHost host;
  Debian debian{host, Debian::container("bookworm", "monitoring")};

  Container() { host.strict({}); }
  Work install(const std::string& name, const std::string& more = R"(, "refresh": true)") {
    return carry_out(host,
                     R"({"packages": {"packages": [{"name": ")" + name + "\"}]" + more + "}}");
  }
};

}  // namespace

TEST_CASE("debian: a package of Debian is installed once its lists are read", "[sim][debian]") {
  Container container;

  const auto without_lists = container.install("prometheus", "");
  const auto work = container.install("prometheus");

  CHECK(without_lists.failure.what.find("Unable to locate package prometheus") !=
        std::string::npos);
  INFO(work.failure.sentence());
  REQUIRE(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(container.debian.packages().find("prometheus")->version == "2.42.0+ds-5+deb12u1");
  CHECK(container.debian.packages().is_installed("prometheus-node-exporter"));
  CHECK(container.debian.units().is_active("prometheus.service"));
  CHECK(must(container.host.read_file("/etc/passwd")).find("\nprometheus:x:") != std::string::npos);
  CHECK(container.install("prometheus").changes.empty());
  CHECK(container.host.unknown().empty());
}

TEST_CASE("debian: a package of nobody is not found, in apt's own words", "[sim][debian]") {
  Container container;

  const auto work = container.install("no-such-package");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.what.find("E: Unable to locate package no-such-package") != std::string::npos);
}

TEST_CASE("debian: a package whose script fails is left half configured, and repaired later",
          "[sim][debian]") {
  Container container;
  container.debian.packages().fails_to_configure("curl", "curl: no certificates");

  const auto work = container.install("curl");
  container.debian.packages().configures("curl");
  const auto again = container.install("curl");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.what.find("dpkg: error processing package curl") != std::string::npos);
  INFO(again.failure.sentence());
  CHECK(again.outcome == schema::Outcome::SUCCEEDED);
  REQUIRE(!again.changes.empty());
  CHECK(again.changes[0].find("goes on with what was interrupted") != std::string::npos);
}

TEST_CASE("debian: what does not fit on the disk is not installed", "[sim][debian]") {
  Container container;
  container.host.file_system("/", {.size = 10U << 20U, .free = 5U << 20U});

  const auto work = container.install("prometheus");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.what.find("You don't have enough free space") != std::string::npos);
}

TEST_CASE("debian: nothing is removed for a package that nobody lets go", "[sim][debian]") {
  Container container;

  const auto refused = container.install("ifupdown2");
  const auto work =
      container.install("ifupdown2", R"(, "refresh": true, "removeOk": ["ifupdown"])");

  CHECK(refused.failure.what.find("apt would remove ifupdown") != std::string::npos);
  INFO(work.failure.sentence());
  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK_FALSE(container.debian.packages().is_installed("ifupdown"));
}

TEST_CASE("debian: what is not free comes only from its component", "[sim][debian]") {
  Container container;

  const auto before = container.install("nvidia-smi");
  container.host.file("/etc/apt/sources.list",
                      "deb http://deb.debian.org/debian bookworm main non-free\n");
  const auto after = container.install("nvidia-smi");

  CHECK(before.failure.what.find("Unable to locate package nvidia-smi") != std::string::npos);
  CHECK(after.outcome == schema::Outcome::SUCCEEDED);
}

TEST_CASE("debian: another program's lock is waited for", "[sim][debian]") {
  Container container;
  container.debian.packages().locked_until(container.host.now() + std::chrono::minutes(2));

  const auto work = container.install("curl");

  INFO(work.failure.sentence());
  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(container.host.now() - Instant(std::chrono::hours(24 * 365 * 56)) >
        std::chrono::minutes(2));
}

}  // namespace relab::agent::sim
