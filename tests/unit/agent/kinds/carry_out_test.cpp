#include "agent/kinds/carry_out.h"

#include "tests/support/faulty_host.h"
#include "tests/support/must.h"
#include "tests/support/sim_ip.h"
#include "tests/support/sim_pve.h"

namespace relab::agent {

namespace {

using Texts = std::vector<std::string>;
using schema::Outcome;

Message<schema::Order> order(const std::string& task, schema::Mode mode = schema::Mode::APPLY) {
  Draft<schema::Order> draft;
  draft->setMode(mode);
  draft->setDeadline(60);
  draft->setTask(must(Message<schema::Task>::from_json(task)).reader());
  return std::move(draft).finish();
}

constexpr auto move_address =
    R"({"ipAddresses": {"interface": "eth0", "addresses": ["10.0.0.2/24"]}})";
constexpr auto await_disk = R"({"diskAttached": {"serial": "WD-1"}})";

/// A machine with an interface, and a disk that somebody plugs in after five seconds.
struct Machine {
  Machine() {
    ip.interfaces["eth0"] = {.addresses = {{.cidr = "10.0.0.1/24"}}};
    host.program("ip", ip.program());
    host.directory("/run/udev/data");
    host.program("lsblk", [this, plugged = host.now() + Millis(5000)](const Command&) {
      return Result<Output>(Output{
          .out =
              host.now() < plugged
                  ? R"({"blockdevices":[]})"
                  : R"({"blockdevices":[{"kname":"sdb","type":"disk","size":9,"serial":"WD-1"}]})"});
    });
  }
  Work work(const Message<schema::Order>& ordered) {
    return carry_out(ordered.reader(), {.host = host, .rescue = host}, [this](const auto& facts) {
      kept.push_back(facts.to_json());
      return unarmed ? Result<void>(fail(Fault::busy, "the disk is full")) : Result<void>();
    });
  }

  SimIp ip;
  SimHost host;
  Texts kept;
  bool unarmed = false;
};

}  // namespace

TEST_CASE("carry out: a change is made, seen, and waits to be confirmed", "[agent][kinds]") {
  Machine machine;

  const auto work = machine.work(order(move_address));

  CHECK(work.outcome == Outcome::SUCCEEDED);
  CHECK(work.unconfirmed);
  CHECK(work.changes == Texts{"+ address 10.0.0.2/24 on eth0", "- address 10.0.0.1/24 on eth0"});
  CHECK(view(work.facts->reader().getIpAddresses().getAddresses()[0].getCidr()) == "10.0.0.2/24");
  REQUIRE(machine.kept.size() == 1);
  CHECK_THAT(machine.kept[0], Catch::Contains("10.0.0.1/24"));
}

TEST_CASE("carry out: where nothing differs, nothing is kept or waited for", "[agent][kinds]") {
  Machine machine;
  machine.ip.interfaces["eth0"].addresses[0].cidr = "10.0.0.2/24";

  const auto work = machine.work(order(move_address));

  CHECK(work.outcome == Outcome::SUCCEEDED);
  CHECK_FALSE(work.unconfirmed);
  CHECK(work.changes.empty());
  CHECK(machine.kept.empty());
}

TEST_CASE("carry out: what is not in effect after all is in the report", "[agent][kinds]") {
  Machine machine;
  SimPve pve;
  pve.containers[100] = {
      .settings = {{"hostname", "pbs"}}, .pending = {{"cores", "4"}}, .running = true};
  pve.install(machine.host);
  const std::string note =
      "! not in effect before the next start of container 100 (pbs): cores (guest_power with "
      "`apply_waiting` restarts it)";
  const auto power = [](const std::string& more) {
    return R"({"guestPower": {"name": "pbs", "vmid": 100)" + more + "}}";
  };

  const auto work = machine.work(order(power("")));
  CHECK(work.outcome == Outcome::SUCCEEDED);
  CHECK(work.changes == Texts{note});
  CHECK(machine.work(order(power(""), schema::Mode::CHECK)).changes == Texts{note});

  const auto applied = machine.work(order(power(R"(, "applyWaiting": true)")));
  CHECK(applied.changes == Texts{"restart container 100 (pbs): 1 changes wait for it"});
}

TEST_CASE("carry out: what a program warned of is below its change", "[agent][kinds]") {
  Machine machine;
  SimPve pve;
  pve.containers[100] = {.settings = {{"hostname", "pbs"}}};
  pve.install(machine.host);
  pve.warning = "Systemd 257 detected. You may need to enable nesting.";

  const auto work = machine.work(order(R"({"guestPower": {"name": "pbs", "vmid": 100}})"));
  CHECK(work.outcome == Outcome::SUCCEEDED);
  CHECK(work.changes ==
        Texts{"start container 100 (pbs)",
              "! Proxmox warns: Systemd 257 detected. You may need to enable nesting."});

  // Also below one that failed.
  pve.ends_after_start = true;
  pve.containers[100].running = false;
  const auto failed = machine.work(order(R"({"guestPower": {"name": "pbs", "vmid": 100}})"));
  CHECK(failed.outcome == Outcome::FAILED);
  CHECK(failed.changes ==
        Texts{"! Proxmox warns: Systemd 257 detected. You may need to enable nesting."});
}

TEST_CASE("carry out: check mode tells what would be changed, and changes nothing",
          "[agent][kinds]") {
  Machine machine;
  const auto before = machine.ip.interfaces;

  const auto work = machine.work(order(move_address, schema::Mode::CHECK));

  CHECK(work.outcome == Outcome::SUCCEEDED);
  CHECK_FALSE(work.unconfirmed);
  CHECK(work.changes.size() == 2);
  CHECK(machine.ip.interfaces == before);
  CHECK(machine.kept.empty());
}

TEST_CASE("carry out: without a way back that is kept, nothing is changed", "[agent][kinds]") {
  Machine machine;
  machine.unarmed = true;
  const auto before = machine.ip.interfaces;

  const auto work = machine.work(order(move_address));

  CHECK(work.outcome == Outcome::FAILED);
  CHECK(work.changes.empty());
  CHECK(machine.ip.interfaces == before);
}

TEST_CASE("carry out: a kind that declines has changed nothing", "[agent][kinds]") {
  Machine machine;
  machine.ip.interfaces["eth0"].addresses[0].dynamic = true;
  const auto before = machine.ip.interfaces;

  const auto work = machine.work(order(move_address));

  CHECK(work.outcome == Outcome::REFUSED);
  CHECK(machine.ip.interfaces == before);
  CHECK(machine.kept.empty());
}

TEST_CASE("carry out: a failure half way is undone, and both are told", "[agent][kinds]") {
  Machine machine;
  const auto before = machine.ip.interfaces;
  machine.ip.refused = {"10.0.0.3/24"};

  const auto work = machine.work(order(
      R"({"ipAddresses": {"interface": "eth0", "addresses": ["10.0.0.2/24", "10.0.0.3/24"]}})"));

  CHECK(work.outcome == Outcome::FAILED);
  CHECK(work.changes == Texts{"+ address 10.0.0.2/24 on eth0"});
  CHECK(work.aftermath == "undone");
  CHECK_THAT(work.failure.sentence(), Catch::Contains("not permitted"));
  CHECK(machine.ip.interfaces == before);
}

TEST_CASE("carry out: whatever fails, the change stands whole or is undone, or it is told",
          "[agent][kinds]") {
  const auto how = GENERATE(Failing::error, Failing::status, Failing::cut);
  Machine counted;
  FaultyHost all(counted.host);
  const auto ordered = order(move_address);
  carry_out(ordered.reader(), {.host = all, .rescue = all},
            [](const auto&) { return Result<void>(); });

  for (std::size_t n = 0; n < all.calls().size(); ++n) {
    Machine machine;
    const auto before = machine.ip.interfaces;
    FaultyHost host(machine.host, n, how);
    const auto work = carry_out(ordered.reader(), {.host = host, .rescue = machine.host},
                                [](const auto&) { return Result<void>(); });
    INFO("call " << n << ": " << all.calls()[n] << ", " << work.failure.sentence());
    if (work.outcome == Outcome::SUCCEEDED) {
      CHECK(machine.ip.interfaces["eth0"].addresses ==
            std::vector<SimIp::Address>{{"10.0.0.2/24"}});
    } else {
      CHECK(machine.ip.interfaces == before);
    }
    CHECK(work.unconfirmed == (work.outcome == Outcome::SUCCEEDED));
  }
}

TEST_CASE("carry out: a way back that fails is not called undone", "[agent][kinds]") {
  Machine machine;
  const auto ordered = order(move_address);
  SimHost gone;
  FaultyHost host(machine.host, 4, Failing::error);

  const auto work = carry_out(ordered.reader(), {.host = host, .rescue = gone},
                              [](const auto&) { return Result<void>(); });

  CHECK(work.outcome == Outcome::FAILED);
  CHECK(work.stuck);
  CHECK_THAT(work.aftermath, Catch::StartsWith("could not be undone at first: "));
}

TEST_CASE("carry out: a confirmed change is looked at again", "[agent][kinds]") {
  Machine machine;
  const auto ordered = order(move_address);
  REQUIRE(machine.work(ordered).unconfirmed);

  const auto still = review(ordered.reader(), machine.host);
  CHECK(still.unconfirmed);
  CHECK(still.facts);

  machine.ip.interfaces["eth0"].addresses.clear();
  const auto gone = review(ordered.reader(), machine.host);
  CHECK_FALSE(gone.unconfirmed);
  CHECK(gone.outcome == Outcome::FAILED);
}

TEST_CASE("carry out: what a person does is waited for", "[agent][kinds]") {
  Machine machine;
  const auto begun = machine.host.now();

  const auto work = machine.work(order(await_disk));

  CHECK(work.outcome == Outcome::SUCCEEDED);
  CHECK(work.facts->reader().getDiskAttached().getAttached());
  CHECK(machine.host.now() - begun == Millis(6000));
}

TEST_CASE("carry out: a person who does not come is told of at the deadline", "[agent][kinds]") {
  Machine machine;
  machine.host.stop_at(machine.host.now() + Millis(3000));

  const auto work = machine.work(order(await_disk));

  CHECK(work.outcome == Outcome::FAILED);
  CHECK(work.failure.fault == Fault::missing);
  CHECK(work.failure.what == "no disk with serial WD-1 was attached within 1 min 0 s");
}

TEST_CASE("carry out: check mode waits for nobody", "[agent][kinds]") {
  Machine machine;
  const auto begun = machine.host.now();

  const auto work = machine.work(order(await_disk, schema::Mode::CHECK));

  CHECK(work.outcome == Outcome::SUCCEEDED);
  CHECK(work.changes == Texts{"a person attaches the disk WD-1"});
  CHECK(machine.host.now() == begun);
}

TEST_CASE("undo: what was kept of another task undoes nothing", "[agent][kinds]") {
  Machine machine;
  const auto facts = must(Message<schema::Facts>::from_json(R"({"ping": {}})"));

  CHECK(undo(order(move_address).reader(), facts.reader(), machine.host).error().fault ==
        Fault::damaged);
  CHECK(machine.host.ran().empty());
}

}  // namespace relab::agent
