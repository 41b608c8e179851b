// What holds for every task kind that is registered, without a word about any one of them.

#include <algorithm>
#include <capnp/schema.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

#include "agent/kinds/carry_out.h"
#include "agent/kinds/kind.h"
#include "common/base/text.h"
#include "common/reflect/notes.h"
#include "common/reflect/resource.h"
#include "common/reflect/union.h"
#include "schema/coverage.capnp.h"
#include "tests/support/evidence.h"
#include "tests/support/faulty_host.h"
#include "tests/support/must.h"
#include "tests/support/sim_disk.h"
#include "tests/support/sim_inside.h"
#include "tests/support/sim_ip.h"
#include "tests/support/sim_packages.h"
#include "tests/support/sim_pools.h"
#include "tests/support/sim_pve.h"
#include "tests/support/sim_scrub.h"
#include "tests/support/sim_tar.h"
#include "tests/support/sim_units.h"
#include "tests/support/sim_usb.h"
#include "tests/support/sim_zfs.h"
#include "tests/support/workshop.h"

namespace relab::agent {

namespace {

using Names = std::vector<std::string>;

Names arms_of(capnp::StructSchema schema) {
  Names names;
  for (const auto field : schema.getUnionFields()) names.push_back(str(field.getProto().getName()));
  return names;
}

Names arms_with_kinds() {
  Names names;
  for (const auto& kind : all_kinds()) names.emplace_back(kind.arm);
  return names;
}

Names audit_arms() {
  Names names;
  for (const auto field : reflect::choices(capnp::Schema::from<schema::Task>()))
    if (!reflect::notes_of(field).audit.empty()) names.push_back(str(field.getProto().getName()));
  return names;
}

Result<Message<schema::Facts>> observe(const std::string& arm, Host& host) {
  const auto task = must(Message<schema::Task>::from_json("{\"" + arm + "\": {}}"));
  return must(find_kind(arm))->observe(task.reader(), host);
}

schema::Coverage::Reader coverage_of(const Message<schema::Facts>& facts, const std::string& arm) {
  return capnp::toDynamic(facts.reader())
      .get(kj::StringPtr(arm.c_str()))
      .as<capnp::DynamicStruct>()
      .get("coverage")
      .as<schema::Coverage>();
}

bool makes_files(const std::string& call) {
  return call.starts_with("create ") || call.starts_with("remove ") || call.starts_with("put ");
}

/// A word that only a program which changes something is given.
bool changes_something(const std::string& call) {
  static const std::set<std::string> verbs = {
      "add",     "apply",      "attach",  "clear",      "clone",
      "create",  "delete",     "destroy", "detach",     "disable",
      "enable",  "export",     "flush",   "force",      "format",
      "inherit", "install",    "kill",    "labelclear", "load-key",
      "migrate", "mkfs",       "mount",   "mv",         "offline",
      "online",  "promote",    "purge",   "reboot",     "receive",
      "reload",  "remove",     "rename",  "replace",    "reset",
      "restart", "restore",    "resume",  "rm",         "rollback",
      "scrub",   "send",       "set",     "shutdown",   "snapshot-create",
      "split",   "start",      "stop",    "suspend",    "trim",
      "umount",  "unload-key", "unlock",  "unmount",    "update",
      "upgrade", "write"};
  const auto words_of_call = split(call, ' ');
  if (call.starts_with("run zpool import") && call != "run zpool import") return true;
  if (call.starts_with("run wipefs ")) return call.find(" --no-act ") == std::string::npos;
  // Only tells how much it would be.
  if (call.starts_with("run zfs send -nvP ")) return false;
  // Only tells what it would do.
  if (call.starts_with("run apt-get --simulate ")) return false;
  // `blkid -o export` names the form of its output.
  if (call.starts_with("run blkid -p -o export ")) return false;
  // What is run in a container is a script of ours, judged where it is written.
  const auto own = std::find(words_of_call.begin(), words_of_call.end(), "sh");
  return std::any_of(words_of_call.begin() + 1, own,
                     [](std::string_view word) { return verbs.contains(std::string(word)); });
}

/// Gaps of the coverage, by part: what a failure must add to.
std::multiset<std::string> gaps_of(schema::Coverage::Reader coverage) {
  std::multiset<std::string> gaps;
  for (const auto gap : coverage.getProblems()) gaps.insert("problem " + str(gap.getPart()));
  for (const auto gap : coverage.getParts()) gaps.insert("part " + str(gap.getPart()));
  if (coverage.getAbsent().size() != 0) gaps.insert("absent");
  return gaps;
}

/// Paths as the host sees them are empty wherever they cannot be told, by their own definition.
void erase_host_paths(nlohmann::json& json) {
  if (json.is_object())
    for (const auto* name : {"hostPath", "hostConfigPath", "hostDataPath"}) json.erase(name);
  for (auto& element : json)
    if (element.is_structured()) erase_host_paths(element);
}

/// The facts without the coverage.
nlohmann::json findings_of(const Message<schema::Facts>& facts, const std::string& arm) {
  auto json = nlohmann::json::parse(facts.to_json());
  json[arm].erase("coverage");
  erase_host_paths(json);
  return json;
}

struct Baseline {
  explicit Baseline(const std::string& arm)
      : facts(must(observe(arm, counted))),
        calls(counted.calls()),
        gaps(gaps_of(coverage_of(facts, arm))) {}
  Workshop workshop;
  FaultyHost counted = FaultyHost(workshop.host);
  Message<schema::Facts> facts;
  Names calls;
  std::multiset<std::string> gaps;
};

/// A task of each kind that changes something, on a machine where there is something to change.
const std::map<std::string, std::string> examples = {
    {"ipAddresses",
     R"({"ipAddresses": {"interface": "eth7", "addresses": ["10.7.0.2/24", "10.7.0.3/24"]}})"},
    {"wipeDisk", R"({"wipeDisk": {"serial": "OLD1"}})"},
    {"zfsSnapshot", R"({"zfsSnapshot": {"dataset": "datapool", "name": "pre-rebuild"}})"},
    {"zfsBackup",
     R"({"zfsBackup": {"dataset": "datapool", "snapshot": "daily", "folder": "/mnt/usb",
                                     "name": "copy"}})"},
    {"zfsPoolBackup",
     R"({"zfsPoolBackup": {"dataset": "datapool", "snapshot": "daily", "target": "usbpool/copy"}})"},
    {"usbDisk", R"({"usbDisk": {"serial": "USB1", "folder": "/mnt/usb", "format": true}})"},
    {"preserve", R"({"preserve": {"paths": ["/etc/network"], "folder": "/mnt/usb", "name": "c"}})"},
    {"restore", R"({"restore": {"folder": "/mnt/usb", "name": "c", "into": "/back"}})"},
    {"zfsScrub", R"({"zfsScrub": {"pool": "tank"}})"},
    {"usbPool", R"({"usbPool": {"serial": "USB1", "pool": "usbpool"}})"},
    {"guestTemplate", R"({"guestTemplate": {"name": "debian-12-standard"}})"},
    {"guest", R"({"guest": {"name": "pbs", "vmid": 100, "template": "debian-12-standard",
      "storage": "local-zfs", "disk": "17179869184", "cores": 2, "memory": "2147483648",
      "bridge": "vmbr0", "tag": 10, "address": "10.42.10.10/24", "gateway": "10.42.10.1"}})"},
    {"guestPower", R"({"guestPower": {"name": "pbs", "vmid": 100}})"},
    {"agentInstall", R"({"agentInstall": {"name": "pbs", "vmid": 100, "role": "pbs"}})"},
    {"file", R"({"file": {"path": "/etc/app/app.conf", "content": "one\ntwo\n", "owner": "app",
                          "mode": "0640"}})"},
    {"directory", R"({"directory": {"path": "/srv/app/data", "owner": "app", "parents": true}})"},
    {"packages", R"({"packages": {"packages": [{"name": "jellyfin"}], "refresh": true}})"},
    {"aptRepository",
     R"({"aptRepository": {"name": "app", "uris": ["https://repo.example/debian"],
         "suites": ["stable"], "components": ["main"], "key": "-----BEGIN PGP PUBLIC KEY BLOCK-----",
         "fingerprint": "4918AABC486CA052358D778D49023CD01DE21A7B",
         "disable": ["/etc/apt/sources.list.d/pve.sources"]}})"},
    {"unit", R"({"unit": {"name": "app.service", "starts": "enabled", "state": "active",
                          "restartFor": ["/etc/app/app.conf"]}})"}};

/// A task of each kind that judges.
const std::map<std::string, std::string> judgements = {
    {"mountCheck", R"({"mountCheck": {"path": "/mnt/data"}})"},
    {"httpProbe", R"({"httpProbe": {"url": "http://10.0.0.1/"}})"},
    {"tcpProbe", R"({"tcpProbe": {"address": "10.0.0.1", "port": 80, "expect": "blocked",
                                  "control": "10.0.0.1", "controlPort": 22}})"},
    {"dnsProbe", R"({"dnsProbe": {"name": "x.example", "server": "10.0.0.1", "none": true}})"},
    {"commandProbe", R"({"commandProbe": {"command": "status"}})"}};

Work work_on(const std::string& arm, Host& host, schema::Mode mode = schema::Mode::APPLY);

struct Changeable {
  explicit Changeable(const std::string& arm) {
    if (arm == "zfsScrub") {
      scrub.install(workshop.host);
      return;
    }
    if (arm == "preserve" || arm == "restore") {
      add_usb_disk(workshop.host);
      tar.install(workshop.host);
      workshop.host.file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
      workshop.host.directory("/back");
      if (arm == "restore") REQUIRE(work_on("preserve", workshop.host).facts);
      return;
    }
    if (arm.starts_with("zfs")) {
      pool.install(workshop.host);
      add_usb_disk(workshop.host);
      if (arm != "zfsPoolBackup") return;
      pools.install(workshop.host);
      // What the workshop has recorded knows of one pool less.
      workshop.host.answer("zpool list -Hp -o name,guid,health",
                           {.out = "datapool\t7001\tONLINE\nusbpool\t8001\tONLINE\n"});
      return;
    }
    if (arm == "file" || arm == "directory" || arm == "unit") {
      workshop.host.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:990:990::/:/bin/false\n");
      workshop.host.file("/etc/group", "root:x:0:\napp:x:990:\n");
      workshop.host.file("/etc/app/app.conf", "one\n");
      workshop.host.directory("/srv");
      units.install(workshop.host);
      units.units["app.service"] = {};
      return;
    }
    if (arm == "packages" || arm == "aptRepository") {
      packages.install(workshop.host);
      packages.installed["libbad"] = {.version = "1", .status = "iF "};
      units.install(workshop.host);
      return;
    }
    if (arm == "usbDisk") {
      usb.install(workshop.host);
      return;
    }
    if (arm.starts_with("guest")) {
      pve.offered = {{"debian-12-standard_12.12-1_amd64.tar.zst", std::string(128, 'a')}};
      if (arm == "guest") pve.templates = pve.offered;
      if (arm == "guestPower") pve.containers[100] = {.settings = {{"hostname", "pbs"}}};
      pve.install(workshop.host);
      return;
    }
    if (arm == "agentInstall") {
      pve.containers[100] = {.settings = {{"hostname", "pbs"}}, .running = true};
      pve.install(workshop.host);
      inside.install(pve, workshop.host);
      inside.deliver(workshop.host, {"relab-agent", "relab-agent-pbs"});
      return;
    }
    if (arm == "usbPool") {
      workshop.host.forget_answers("zpool");
      workshop.host.forget_answers("lsblk");
      pool.install(workshop.host);
      pools.install(workshop.host);
      pools.imported = false;
      return;
    }
    ip.interfaces["eth7"] = {.addresses = {{.cidr = "10.7.0.1/24"}, {.cidr = "10.7.0.2/24"}}};
    workshop.host.program("ip", ip.program());
    disk.install(workshop.host);
  }
  Workshop workshop;
  SimIp ip;
  SimDisk disk;
  SimUsb usb;
  SimZfs pool;
  SimScrub scrub;
  SimTar tar;
  SimPve pve;
  SimInside inside;
  SimPools pools = SimPools(pool);
  SimPackages packages;
  SimUnits units;
};

Names change_arms() {
  Names names;
  for (const auto& kind : all_kinds())
    if (kind.plan != nullptr) names.emplace_back(kind.arm);
  return names;
}

Message<schema::Order> order_of(const std::string& arm, schema::Mode mode) {
  Draft<schema::Order> draft;
  draft->setMode(mode);
  draft->setTask(must(Message<schema::Task>::from_json(examples.at(arm))).reader());
  return std::move(draft).finish();
}

Work work_on(const std::string& arm, Host& host, schema::Mode mode) {
  const auto ordered = order_of(arm, mode);
  Draft<schema::Order> order(ordered.reader());
  // What it was like when it was approved of: as every such machine is at first.
  if (must(find_kind(arm))->departs != nullptr) {
    Changeable untouched(arm);
    order->initEvidence(1).set(0, blob(report_on_disks(untouched.workshop.host)));
  }
  return carry_out(order->asReader(), {.host = host, .rescue = host},
                   [](const auto& /*facts*/) { return Result<void>(); });
}

std::string seen(const std::string& arm, Host& host) {
  const auto order = order_of(arm, schema::Mode::APPLY);
  return must(must(find_kind(arm))->observe(order.reader().getTask(), host)).to_json();
}

}  // namespace

TEST_CASE("laws: tasks and facts have the same arms in the same order", "[agent][kinds]") {
  CHECK(arms_of(capnp::Schema::from<schema::Task>()) ==
        arms_of(capnp::Schema::from<schema::Facts>()));
}

TEST_CASE("laws: every arm has one kind, every kind an arm", "[agent][kinds]") {
  auto arms = arms_of(capnp::Schema::from<schema::Task>());
  std::erase(arms, "unset");
  auto kinds = arms_with_kinds();

  std::ranges::sort(arms);
  std::ranges::sort(kinds);

  CHECK(kinds == arms);
}

TEST_CASE("laws: every section of the audit tells how much it covers", "[agent][kinds]") {
  const auto facts = capnp::Schema::from<schema::Facts>();
  for (const auto& arm : audit_arms()) {
    INFO(arm);
    const auto section = facts.getFieldByName(kj::StringPtr(arm.c_str())).getType().asStruct();
    KJ_IF_MAYBE (coverage, section.findFieldByName("coverage")) {
      CHECK(coverage->getType() == capnp::Type::from<schema::Coverage>());
    } else {
      FAIL_CHECK("it has no coverage");
    }
  }
}

TEST_CASE("laws: a section that finds nothing says why", "[agent][kinds]") {
  const auto arm = GENERATE(from_range(audit_arms()));
  SimHost nothing;

  const auto facts = observe(arm, nothing);

  INFO(arm);
  if (!facts) return;
  CHECK_FALSE(gaps_of(coverage_of(*facts, arm)).empty());
  CHECK(capnp::toDynamic(facts->reader()).which() != nullptr);
  CHECK(reflect::member_of(capnp::toDynamic(facts->reader())) == arm);
}

TEST_CASE("laws: the workshop has something for every section, and no problems", "[agent][kinds]") {
  const auto arm = GENERATE(from_range(audit_arms()));
  const Baseline baseline(arm);

  INFO(arm << ": " << baseline.facts.to_json());
  CHECK(view(coverage_of(baseline.facts, arm).getAbsent()).empty());
  CHECK(coverage_of(baseline.facts, arm).getProblems().size() == 0);
}

TEST_CASE("laws: to observe twice is to see the same", "[agent][kinds]") {
  const auto arm = GENERATE(from_range(audit_arms()));

  CHECK(Baseline(arm).facts.to_json() == Baseline(arm).facts.to_json());
}

TEST_CASE("laws: no section runs anything that changes the machine", "[agent][kinds]") {
  const auto arm = GENERATE(from_range(audit_arms()));

  for (const auto& call : Baseline(arm).calls) {
    INFO(arm << ": " << call);
    CHECK_FALSE(((call.starts_with("run ") && changes_something(call)) || makes_files(call)));
  }
}

TEST_CASE("laws: no single failure changes the findings unseen", "[agent][kinds]") {
  const auto arm = GENERATE(from_range(audit_arms()));
  const auto how = GENERATE(Failing::error, Failing::status, Failing::cut);
  Baseline baseline(arm);

  for (std::size_t n = 0; n < baseline.calls.size(); ++n) {
    if (how != Failing::error && !baseline.calls[n].starts_with("run ")) continue;
    FaultyHost host(baseline.workshop.host, n, how);
    const auto facts = observe(arm, host);
    if (!facts || !host.failed()) continue;
    const auto gaps = gaps_of(coverage_of(*facts, arm));
    const bool told = !std::ranges::includes(baseline.gaps, gaps) ||
                      facts->to_json().find(FaultyHost::mark) != std::string::npos;
    // What fails where nothing was to be found, or is found in another way as well, does no harm.
    if (told || findings_of(*facts, arm) == findings_of(baseline.facts, arm)) continue;
    FAIL_CHECK(arm << " does not tell of failure " << static_cast<int>(how)
                   << " of: " << baseline.calls[n]);
  }
}

TEST_CASE("laws: a kind that may cut the agent off has a way back, and no other has one",
          "[agent][kinds]") {
  for (const auto field : reflect::choices(capnp::Schema::from<schema::Task>())) {
    const auto arm = str(field.getProto().getName());
    INFO(arm);
    CHECK(reflect::notes_of(field).commit_confirmed == (must(find_kind(arm))->revert != nullptr));
    CHECK(reflect::notes_of(field).destructive == (must(find_kind(arm))->departs != nullptr));
    CHECK(reflect::notes_of(field).waits == (must(find_kind(arm))->awaits != nullptr));
  }
}

TEST_CASE("laws: what a kind works on has a name", "[agent][kinds]") {
  for (const auto& kind : all_kinds()) {
    INFO(kind.arm);
    CHECK((kind.plan == nullptr) == (kind.apply == nullptr));
    CHECK((kind.attempt == nullptr) == (kind.intends == nullptr));
    CHECK((kind.plan == nullptr || kind.attempt == nullptr));
    // What is changed has a name, under which only one task at a time works on it.
    Draft<schema::Task> task;
    capnp::toDynamic(*task).init(std::string(kind.arm).c_str());
    CHECK(reflect::resource_of(task->asReader()).empty() ==
          (kind.plan == nullptr && kind.attempt == nullptr));
    CHECK(examples.contains(std::string(kind.arm)) == (kind.plan != nullptr));
  }
}

TEST_CASE("laws: a probe that judges does not succeed where nothing is", "[agent][kinds]") {
  for (const auto& kind : all_kinds()) {
    const std::string arm(kind.arm);
    INFO(arm);
    CHECK(judgements.contains(arm) == (kind.judge != nullptr));
    if (kind.judge == nullptr) continue;
    CHECK((kind.plan == nullptr && kind.attempt == nullptr && kind.awaits == nullptr));
    Draft<schema::Order> order;
    order->setTask(must(Message<schema::Task>::from_json(judgements.at(arm))).reader());
    SimHost nothing;
    const auto work = carry_out(order->asReader(), {.host = nothing, .rescue = nothing},
                                [](const auto& /*facts*/) { return Result<void>(); });
    CHECK(work.outcome != schema::Outcome::SUCCEEDED);
    CHECK_FALSE(work.failure.what.empty());
  }
}

TEST_CASE("laws: to look at what is to be changed changes nothing", "[agent][kinds]") {
  const auto arm = GENERATE(from_range(change_arms()));
  Changeable machine(arm);
  FaultyHost counted(machine.workshop.host);

  const auto first = seen(arm, counted);

  CHECK(seen(arm, machine.workshop.host) == first);
  for (const auto& call : counted.calls()) {
    INFO(call);
    CHECK_FALSE(((call.starts_with("run ") && changes_something(call)) || makes_files(call)));
  }
}

TEST_CASE("laws: what was applied is not applied again", "[agent][kinds]") {
  const auto arm = GENERATE(from_range(change_arms()));
  Changeable machine(arm);

  const auto first = work_on(arm, machine.workshop.host);
  const auto after = seen(arm, machine.workshop.host);
  const auto second = work_on(arm, machine.workshop.host);

  CHECK(first.outcome == schema::Outcome::SUCCEEDED);
  CHECK_FALSE(first.changes.empty());
  CHECK(second.outcome == schema::Outcome::SUCCEEDED);
  CHECK(second.changes.empty());
  CHECK(seen(arm, machine.workshop.host) == after);
}

TEST_CASE("laws: check mode tells what apply mode does, and changes nothing", "[agent][kinds]") {
  const auto arm = GENERATE(from_range(change_arms()));
  Changeable machine(arm);
  const auto before = seen(arm, machine.workshop.host);
  FaultyHost counted(machine.workshop.host);

  const auto checked = work_on(arm, counted, schema::Mode::CHECK);

  CHECK(checked.outcome == schema::Outcome::SUCCEEDED);
  CHECK(seen(arm, machine.workshop.host) == before);
  for (const auto& call : counted.calls())
    CHECK_FALSE(((call.starts_with("run ") && changes_something(call)) || makes_files(call)));
  CHECK(work_on(arm, machine.workshop.host).changes == checked.changes);
}

TEST_CASE("laws: after a failure at any call, a second run converges", "[agent][kinds]") {
  const auto arm = GENERATE(from_range(change_arms()));
  const auto how = GENERATE(Failing::error, Failing::status, Failing::cut);
  Changeable whole(arm);
  FaultyHost counted(whole.workshop.host);
  work_on(arm, counted);
  const auto wished = seen(arm, whole.workshop.host);

  for (std::size_t n = 0; n < counted.calls().size(); ++n) {
    Changeable machine(arm);
    FaultyHost host(machine.workshop.host, n, how);
    const auto first = work_on(arm, host);
    const auto second = work_on(arm, machine.workshop.host);
    INFO(arm << ", failure " << static_cast<int>(how) << " of: " << counted.calls()[n]);
    CHECK((first.outcome == schema::Outcome::SUCCEEDED || !first.failure.what.empty()));
    CHECK(second.outcome == schema::Outcome::SUCCEEDED);
    CHECK(seen(arm, machine.workshop.host) == wished);
  }
}

}  // namespace relab::agent
