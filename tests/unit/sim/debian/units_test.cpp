// The units of a simulated Debian, through the real task kinds.

#include "agent/host/sim/debian/debian.h"
#include "tests/unit/sim/debian/work.h"

namespace relab::agent::sim {

namespace {

struct Container {
  SimHost host;
  Debian debian{host, Debian::container("trixie", "vault")};

  Container() { host.strict({}); }
  /// A unit as an operator writes it.
  void write_unit(const std::string& program, const std::string& more = "") {
    must_carry_out(host, R"({"file": {"path": "/etc/systemd/system/app.service", "content":
      "[Unit]\nDescription=An app\n[Service]\nExecStart=)" +
                             program + "\\n" + more +
                             R"([Install]\nWantedBy=multi-user.target\n"}})");
  }
  Work have(const std::string& wish) {
    return carry_out(host, R"({"unit": {"name": "app.service", )" + wish + "}}");
  }
};

constexpr const char* runs = R"("starts": "enabled", "state": "active")";

}  // namespace

TEST_CASE("debian: a unit that was written is enabled and started, once", "[sim][debian]") {
  Container container;
  container.write_unit("/usr/bin/app");

  const auto work = container.have(runs);
  const auto again = container.have(runs);

  INFO(work.failure.sentence());
  REQUIRE(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes.size() == 2);
  CHECK(again.changes.empty());
  CHECK(must(container.host.read_link("/etc/systemd/system/multi-user.target.wants/app.service")) ==
        "/etc/systemd/system/app.service");
  CHECK(container.host.unknown().empty());
}

TEST_CASE("debian: a unit whose program nobody has brought fails as systemd says",
          "[sim][debian]") {
  Container container;
  container.write_unit("/opt/app/run");

  const auto work = container.have(runs);

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.what.find("status 203") != std::string::npos);
  CHECK(work.failure.what.find("Failed to locate executable /opt/app/run") != std::string::npos);
}

TEST_CASE("debian: a file of a unit that has changed is read anew, and the unit restarted",
          "[sim][debian]") {
  Container container;
  container.write_unit("/usr/bin/app");
  container.have(runs);
  container.host.spend(Millis(60'000));

  container.write_unit("/usr/bin/app --more");
  const auto work =
      container.have(std::string(runs) + R"(, "restartFor": ["/etc/systemd/system/app.service"])");

  INFO(work.failure.sentence());
  REQUIRE(work.outcome == schema::Outcome::SUCCEEDED);
  REQUIRE(work.changes.size() == 2);
  CHECK(work.changes[0].find("reads its units anew") != std::string::npos);
  CHECK(work.changes[1].find("restarted") != std::string::npos);
}

TEST_CASE("debian: a unit that dies soon after its start is seen", "[sim][debian]") {
  Container container;
  container.write_unit("/usr/bin/app", "Restart=always\\n");
  container.debian.units().lives("app.service", Millis(2000));

  const auto work = container.have(runs);

  CHECK(work.outcome == schema::Outcome::FAILED);
}

TEST_CASE("debian: who is told of a start may make it fail", "[sim][debian]") {
  Container container;
  container.host.strict({});
  must_carry_out(container.host,
                 R"({"packages": {"packages": [{"name": "wireguard-tools"}], "refresh": true}})");
  container.debian.units().on("wg-quick@", [](const std::string& unit, UnitAct act) {
    return act == UnitAct::start ? unit + ": there is no such key" : std::string();
  });

  const auto work =
      carry_out(container.host, R"({"unit": {"name": "wg-quick@wg0.service", "state": "active"}})");

  CHECK(work.failure.what.find("there is no such key") != std::string::npos);
}

TEST_CASE("debian: what is enabled runs again after a restart, and what is not does not",
          "[sim][debian]") {
  Container container;
  container.write_unit("/usr/bin/app");
  container.have(R"("state": "active")");
  auto& units = container.debian.units();

  units.shut_down();
  units.boot();

  CHECK_FALSE(units.is_active("app.service"));
  CHECK(units.is_active("cron.service"));
  CHECK(must(container.host.run({.argv = {"systemctl", "is-system-running"}})).out == "starting\n");
  container.host.spend(Millis(5000));
  CHECK(must(container.host.run({.argv = {"systemctl", "is-system-running"}})).out == "running\n");
}

TEST_CASE("debian: a hardened unit does not start where there are no namespaces", "[sim][debian]") {
  Container container;
  container.debian.units().namespaces(false);

  container.write_unit("/usr/bin/app", "ProtectSystem=full\\n");
  const auto work = container.have(runs);

  CHECK(work.failure.what.find("status 226") != std::string::npos);
}

TEST_CASE("debian: what systemctl is not known to do is an error", "[sim][debian]") {
  Container container;

  const auto output = container.host.run({.argv = {"systemctl", "edit", "cron.service"}});

  REQUIRE_FALSE(output);
  CHECK(output.error().fault == Fault::unsupported);
  CHECK(container.host.unknown().contains("systemctl edit cron.service"));
}

}  // namespace relab::agent::sim
