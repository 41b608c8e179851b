#include "agent/kinds/system/unit.h"

#include "agent/kinds/carry_out.h"
#include "agent/kinds/system/unit_watch.h"
#include "tests/support/must.h"
#include "tests/support/sim_units.h"

namespace relab::agent::system {

namespace {

using Texts = std::vector<std::string>;

struct Machine {
  Machine() {
    units.install(host);
    units.units["app.service"] = {};
  }
  SimUnits::Unit& app() { return units.units["app.service"]; }
  void start() {
    app().active = "active";
    app().sub = "running";
    app().since = host.now();
  }
  Work carry_out(const std::string& params, schema::Mode mode = schema::Mode::APPLY) {
    Draft<schema::Order> order;
    order->setMode(mode);
    order->setTask(must(Message<schema::Task>::from_json(R"({"unit": {"name": "app.service", )" +
                                                         params + "}}"))
                       .reader());
    return relab::agent::carry_out(order->asReader(), {.host = host, .rescue = host},
                                   [](const auto& /*facts*/) { return Result<void>(); });
  }

  SimHost host;
  SimUnits units;
};

}  // namespace

TEST_CASE("unit: it is enabled and started", "[agent][system]") {
  Machine machine;

  const auto work = machine.carry_out(R"("starts": "enabled", "state": "active")");

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes ==
        Texts{"~ app.service enabled (was: disabled)", "+ app.service started (was: inactive)"});
  CHECK(machine.app().active == "active");
  CHECK(machine.carry_out(R"("starts": "enabled", "state": "active")").changes.empty());
}

TEST_CASE("unit: one that dies after two seconds does not count as running", "[agent][system]") {
  Machine machine;
  machine.app().lives = Millis(2000);

  const auto work = machine.carry_out(R"("state": "active")");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK_THAT(work.failure.what, Catch::Contains("does not run") &&
                                    Catch::Contains("failed (exit-code, status 1)") &&
                                    Catch::Contains("it cannot read"));
  CHECK_THAT(work.failure.what, !Catch::Contains("hunter2"));
}

TEST_CASE("unit: one that systemd starts over and over does not count as running",
          "[agent][system]") {
  Machine machine;
  machine.app().lives = Millis(2000);
  machine.app().comes_back = true;
  const bool runs = GENERATE(false, true);
  if (runs) machine.start();

  const auto work = machine.carry_out(R"("state": "active")");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK_THAT(work.failure.what, Catch::Contains("started again"));
}

TEST_CASE("unit: one that lives longer than it is watched is taken for running",
          "[agent][system]") {
  Machine machine;
  machine.app().lives = Millis(60000);

  CHECK(machine.carry_out(R"("state": "active", "settle": 5)").outcome ==
        schema::Outcome::SUCCEEDED);

  Machine other;
  other.app().lives = Millis(60000);
  CHECK(other.carry_out(R"("state": "active", "settle": 90)").outcome == schema::Outcome::FAILED);
}

TEST_CASE("unit: it is restarted for a file that is newer than its start", "[agent][system]") {
  Machine machine;
  machine.host.file("/etc/app.conf", "old", {.mode = 0644, .modified = machine.host.now()});
  machine.host.at(machine.host.now() + std::chrono::minutes(1));
  machine.start();
  const auto* const params = R"("state": "active", "restartFor": ["/etc/app.conf"])";
  CHECK(machine.carry_out(params).changes.empty());

  REQUIRE(machine.host.put_file("/etc/app.conf", {.text = "new"}, {.mode = 0644}));
  const auto work = machine.carry_out(params);

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes == Texts{"~ app.service restarted, for /etc/app.conf"});
  CHECK(machine.carry_out(params).changes.empty());
}

TEST_CASE("unit: it is restarted for a file that was put in place with an older time, as by dpkg",
          "[agent][system]") {
  Machine machine;
  const auto packed = machine.host.now() - std::chrono::days(5);
  machine.host.file("/usr/bin/app", "old", {.mode = 0755, .modified = packed});
  machine.start();
  const auto* const params = R"("state": "active", "restartFor": ["/usr/bin/app"])";
  REQUIRE(machine.carry_out(params).changes.empty());
  machine.host.at(machine.host.now() + std::chrono::minutes(1));

  machine.host.file("/usr/bin/app", "new",
                    {.mode = 0755, .modified = packed, .changed = machine.host.now()});

  CHECK(machine.carry_out(params).changes == Texts{"~ app.service restarted, for /usr/bin/app"});
}

TEST_CASE("unit: a file that is not there is nothing to be restarted for", "[agent][system]") {
  Machine machine;
  machine.start();

  const auto work = machine.carry_out(R"("state": "active", "restartFor": ["/etc/app.conf"])");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.fault == Fault::missing);
}

TEST_CASE("unit: files of its own that have changed are read first", "[agent][system]") {
  Machine machine;
  machine.app().reload = true;

  const auto work = machine.carry_out(R"("state": "active")");

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  REQUIRE(work.changes.size() == 2);
  CHECK_THAT(work.changes[0], Catch::Contains("reads its units anew"));
}

TEST_CASE("unit: it is stopped, disabled, masked", "[agent][system]") {
  Machine machine;
  machine.app().file = "enabled";
  machine.start();

  CHECK(machine.carry_out(R"("starts": "disabled", "state": "inactive")").outcome ==
        schema::Outcome::SUCCEEDED);
  CHECK(machine.app().file == "disabled");
  CHECK(machine.app().active == "inactive");
  CHECK(machine.carry_out(R"("starts": "masked")").outcome == schema::Outcome::SUCCEEDED);
  CHECK(machine.app().file == "masked");
  CHECK(machine.carry_out(R"("state": "active")").outcome == schema::Outcome::REFUSED);
  CHECK(machine.carry_out(R"("starts": "enabled", "state": "active")").outcome ==
        schema::Outcome::SUCCEEDED);
}

TEST_CASE("unit: one that is started again after it was stopped does not count as stopped",
          "[agent][system]") {
  Machine machine;
  machine.start();
  machine.app().restarted_after = Millis(2000);

  const auto work = machine.carry_out(R"("state": "inactive")");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK_THAT(work.failure.what, Catch::Contains("it was started again: it is active, running"));
  CHECK_THAT(work.failure.hint, Catch::Contains("see what undoes it"));
}

TEST_CASE("unit: one that starts and ends while it is watched does not count as stopped",
          "[agent][system]") {
  Machine machine;
  machine.app().stopped = machine.host.now();
  machine.app().restarted_after = Millis(1500);
  machine.app().lives = Millis(0);

  const auto work = machine.carry_out(R"("state": "inactive")");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK_THAT(work.failure.what, Catch::Contains("it was started again, and ended"));
}

TEST_CASE("unit: what an active timer or socket would start is not ordered to be inactive",
          "[agent][system]") {
  Machine machine;
  machine.app().triggered_by = "app.socket app.timer off.path";
  machine.units.units["app.socket"] = {.active = "active", .sub = "listening"};
  machine.units.units["app.timer"] = {.active = "active", .sub = "waiting"};
  machine.units.units["off.path"] = {};
  const auto mode = GENERATE(schema::Mode::CHECK, schema::Mode::APPLY);
  if (GENERATE(false, true)) machine.start();

  const auto work = machine.carry_out(R"("state": "inactive")", mode);

  CHECK(work.outcome == schema::Outcome::REFUSED);
  CHECK_THAT(work.failure.what,
             Catch::Contains("app.socket, app.timer, active now") && !Catch::Contains("off.path"));
  CHECK(machine.units.done.empty());
}

TEST_CASE("unit: what starts another is stopped before it, or that one is masked",
          "[agent][system]") {
  Machine machine;
  machine.start();
  machine.app().triggered_by = "app.timer";
  machine.units.units["app.timer"] = {.active = GENERATE("inactive", "active")};
  const bool is_off = machine.units.units["app.timer"].active == "inactive";

  const auto work = machine.carry_out(is_off ? R"("state": "inactive")"
                                             : R"("starts": "masked", "state": "inactive")");

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(machine.app().active == "inactive");
}

TEST_CASE("unit: one that is inactive already is watched for as long as it has to stay so",
          "[agent][system]") {
  Machine machine;
  const auto begun = machine.host.now();

  CHECK(machine.carry_out(R"("state": "inactive", "settle": 7)").changes.empty());
  CHECK(machine.host.now() - begun == std::chrono::seconds(7));
}

TEST_CASE("unit: one that cannot be enabled is refused", "[agent][system]") {
  Machine machine;
  machine.app().file = "static";

  CHECK(machine.carry_out(R"("starts": "enabled")").outcome == schema::Outcome::REFUSED);
}

TEST_CASE("unit: one that is not there is missing, whatever was ordered", "[agent][system]") {
  Machine machine;
  machine.units.units.clear();
  const auto params = GENERATE(as<std::string>(), R"("state": "active")", R"("state": "inactive")",
                               R"("starts": "disabled")", R"("starts": "masked")");

  const auto work = machine.carry_out(params);

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.fault == Fault::missing);
}

TEST_CASE("unit: a systemctl that prints nothing is an error, though it ends with 0",
          "[agent][system]") {
  Machine machine;
  machine.host.program("systemctl", Output{});

  const auto work = machine.carry_out(R"("state": "inactive")");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.fault == Fault::damaged);
}

TEST_CASE("unit: without systemctl there is no answer", "[agent][system]") {
  SimHost host;
  const auto params =
      must(Message<schema::Unit>::from_json(R"({"name": "app.service", "state": "inactive"})"));

  CHECK(Unit::observe(params.reader(), host).error().fault == Fault::missing);
}

TEST_CASE("unit: an order that says nothing, or cannot be, is invalid", "[agent][system]") {
  SimHost host;
  const auto json = GENERATE(
      as<std::string>(), R"({"name": "app.service"})", R"({"name": "", "state": "active"})",
      R"({"name": "-x.service", "state": "active"})", R"({"name": "app", "state": "active"})",
      R"({"name": "a b.service", "state": "active"})",
      R"({"name": "app.scope", "state": "active"})",
      R"({"name": "app.service", "state": "active", "starts": "masked"})",
      R"({"name": "app.service", "state": "inactive", "restartFor": ["/x"]})",
      R"({"name": "app.service", "state": "active", "restartFor": ["x"]})");

  CHECK(Unit::observe(must(Message<schema::Unit>::from_json(json)).reader(), host).error().fault ==
        Fault::invalid);
}

TEST_CASE("unit: what systemd tells is read", "[agent][system]") {
  CHECK(parse_show("A=1\nB=x=y\nnothing\n=z\nA=2\n") == UnitProperties{{"A", "1"}, {"B", "x=y"}});
  CHECK(parse_unix_time("@1700000000") == 1700000000);
  CHECK(parse_unix_time("") == 0);
  CHECK(parse_unix_time("@x") == 0);
}

}  // namespace relab::agent::system
