// The manifests of roles that we ship.

#include <algorithm>
#include <capnp/schema.h>
#include <fstream>
#include <vector>

#include "agent/guard/role.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab::agent {

namespace {

const std::filesystem::path roles_dir = RELAB_TEST_DATA "/../../packaging/roles";

std::vector<std::string> task_kinds() {
  std::vector<std::string> kinds;
  for (const auto arm : capnp::Schema::from<schema::Task>().getUnionFields())
    if (const auto name = str(arm.getProto().getName()); name != "unset") kinds.push_back(name);
  return kinds;
}

const std::vector<std::string> shipped = {"admin",   "arr",      "jellyfin", "monitoring", "pbs",
                                          "proxmox", "trillian", "vault",    "wireguard"};

/// A folder with these manifests.
struct Folder {
  void add(const std::string& name, const std::string& json) const {
    std::ofstream(scratch.path() / (name + ".json")) << json;
  }
  Result<RoleLimits> load(const std::string& names) const {
    return RoleLimits::load(scratch.path(), names);
  }
  Scratch scratch;
};

}  // namespace

TEST_CASE("roles: a Proxmox host may be ordered every task kind there is", "[agent][guard]") {
  CHECK(must(RoleLimits::load(roles_dir, "proxmox")).kinds() == task_kinds());
}

TEST_CASE("roles: a hello tells the manifests as they are", "[agent][guard]") {
  const auto role = must(RoleLimits::load(roles_dir, "arr+vault"));

  Draft<schema::Hello> hello;
  role.tell(*hello);
  const auto told = std::move(hello).finish();

  const auto manifests = told.reader().getManifests();
  REQUIRE(manifests.size() == 2);
  CHECK(str(manifests[0].getName()) == "arr");
  CHECK(str(manifests[1].getName()) == "vault");
  CHECK(str(manifests[1].getUnits()[0]) == "vault.service");
}

TEST_CASE("roles: manifests that are too large are not told", "[agent][guard]") {
  const std::string path = "/" + std::string(1000, 'a');
  std::string paths = '"' + path + '"';
  for (int i = 0; i < 300; ++i) paths += ", \"" + path + '"';
  const auto role = must(RoleLimits::parse(R"({"name": "large", "paths": [)" + paths + "]}"));

  Draft<schema::Hello> hello;
  role.tell(*hello);

  CHECK(std::move(hello).finish().reader().getManifests().size() == 0);
}

TEST_CASE("roles: a Proxmox host may be ordered to see to whatever pools it has",
          "[agent][guard]") {
  const auto role = must(RoleLimits::load(roles_dir, "proxmox"));
  for (const auto* task :
       {R"({"poolHealth": {"pool": "datapool"}})",
        R"({"zfsPoolBackup": {"dataset": "rpool/data", "target": "usbpool/data"}})",
        R"({"zfsBackup": {"dataset": "datapool", "folder": "/mnt/usb"}})",
        R"({"usbDisk": {"serial": "s", "folder": "/mnt/usb"}})",
        R"({"preserve": {"paths": ["/root"], "folder": "/datapool/documents"}})"})
    CHECK(role.check_limits(must(Message<schema::Task>::from_json(task)).reader()));
}

TEST_CASE("roles: a guest may be ordered some of what a host may", "[agent][guard]") {
  const auto role = must(RoleLimits::load(roles_dir, GENERATE(as<std::string>(), "arr", "pbs")));

  auto kinds = role.kinds();
  auto all = task_kinds();
  std::ranges::sort(kinds);
  std::ranges::sort(all);
  CHECK(std::ranges::includes(all, kinds));
  CHECK(role.permits_kind("ping"));
  CHECK_FALSE(role.permits_kind("auditZfs"));
}

TEST_CASE("roles: none that we ship lets an agent lift its own limits", "[agent][guard]") {
  const auto role = must(RoleLimits::load(roles_dir, GENERATE(from_range(shipped))));
  const auto task =
      GENERATE(as<std::string>(), R"({"file": {"path": "/etc/default/relab-agent"}})",
               R"({"file": {"path": "/usr/lib/relab/roles.d/mine.json"}})",
               R"({"file": {"path": "/etc/systemd/system/relab-agent.service.d/mine.conf"}})",
               R"({"unit": {"name": "relab-agent.service"}})");

  CHECK(role.check_limits(must(Message<schema::Task>::from_json(task)).reader()).error().fault ==
        Fault::refused);
}

TEST_CASE("roles: who has a repository of its own may add one, and nobody else", "[agent][guard]") {
  const auto* const task = R"({"aptRepository": {"name": "app"}})";
  std::vector<std::string> able;
  for (const auto& name : shipped) {
    const auto role = must(RoleLimits::load(roles_dir, name));
    if (role.check_limits(must(Message<schema::Task>::from_json(task)).reader()))
      able.push_back(name);
  }

  CHECK(able == std::vector<std::string>{"jellyfin", "monitoring", "pbs", "proxmox", "vault"});
}

TEST_CASE("roles: the monitoring has the options of its own programs", "[agent][guard]") {
  const auto role = must(RoleLimits::load(roles_dir, "monitoring"));
  const auto permits = [&](const std::string& path) {
    const auto task =
        must(Message<schema::Task>::from_json(R"({"file": {"path": ")" + path + R"("}})"));
    return role.check_limits(task.reader()).has_value();
  };

  CHECK(permits("/etc/default/prometheus"));
  CHECK(permits("/etc/default/prometheus-node-exporter"));
  CHECK(permits("/etc/default/grafana-server"));
  CHECK_FALSE(permits("/etc/default/ssh"));
  CHECK_FALSE(permits("/etc/default"));
}

TEST_CASE("roles: each that we ship has a manifest of its name", "[agent][guard]") {
  std::string all;
  for (const auto& name : shipped) {
    CHECK(must(RoleLimits::load(roles_dir, name)).name() == name);
    all += (all.empty() ? "" : "+") + name;
  }

  CHECK(must(RoleLimits::load(roles_dir, "")).name() == all);
}

TEST_CASE("roles: several permit what one of them does, each within its own limits",
          "[agent][guard]") {
  const Folder folder;
  folder.add("one", R"({"name": "one", "kinds": ["ping", "auditArr"]})");
  folder.add("two", R"({"name": "two", "kinds": ["ping", "auditPbs"]})");

  const auto both = must(folder.load(GENERATE(as<std::string>(), "", "one+two")));

  CHECK(both.name() == "one+two");
  CHECK(both.kinds() == std::vector<std::string>{"ping", "auditArr", "auditPbs"});
  CHECK(both.permits_kind("auditArr"));
  CHECK(both.permits_kind("auditPbs"));
  CHECK_FALSE(both.permits_kind("auditZfs"));
  CHECK(both.check_limits(must(Message<schema::Task>::from_json(R"({"ping": {}})")).reader()));
  CHECK(both.check_limits(must(Message<schema::Task>::from_json(R"({"auditZfs": {}})")).reader())
            .error()
            .fault == Fault::refused);
}

TEST_CASE("roles: none at all, or one under another's name, is an error", "[agent][guard]") {
  const Folder folder;
  CHECK(folder.load("").error().fault == Fault::missing);
  CHECK_THAT(folder.load("").error().hint, Catch::Contains("relab-agent-proxmox"));
  CHECK(RoleLimits::load(folder.scratch.path() / "none", "").error().fault == Fault::missing);
  folder.add("one", R"({"name": "two", "kinds": ["ping"]})");

  CHECK(folder.load("one").error().fault == Fault::invalid);
  CHECK(folder.load("").error().fault == Fault::invalid);
  CHECK(folder.load("one+none").error().fault == Fault::invalid);
  CHECK(folder.load("none").error().fault == Fault::missing);
}

}  // namespace relab::agent
