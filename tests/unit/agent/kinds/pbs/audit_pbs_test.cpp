#include "agent/kinds/pbs/audit_pbs.h"

#include <fstream>
#include <iterator>

#include "agent/kinds/pbs/server_config.h"
#include "tests/support/must.h"
#include "tests/support/sim_guest.h"

namespace relab::agent::pbs {

namespace {

using Facts = schema::AuditPbs::Facts;

std::string sample(const std::string& name) {
  std::ifstream file(std::string(RELAB_TEST_DATA) + "/pve/" + name);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr auto gc_status =
    R"({"disk-bytes": 1099511627776, "pending-bytes": 4096,
        "upid": "UPID:pbs:000002C1:00001A2B:00000003:68F0A1B2:garbage_collection:tank-main:root@pam:"})";

/// A server's files below a root directory.
void add_server(SimHost& host, const std::string& root = "") {
  host.file(root + "/etc/hostname", "pbs");
  host.file(root + "/usr/sbin/proxmox-backup-manager", "");
  for (const auto* file : {"datastore.cfg", "prune.cfg", "verification.cfg"})
    host.file(root + "/etc/proxmox-backup/" + file, sample(file));
  host.file(
      root + "/etc/proxmox-backup/sync.cfg",
      "sync: offsite\n\tns pve\n\tremote home2\n\tremote-store other\n\tremove-vanished false\n"
      "\tschedule hourly\n\tstore tank-main\n");
  host.directory(root + "/mnt/datastore/tank-main/.chunks");
  host.file(root + "/mnt/datastore/tank-main/.gc-status", gc_status);
}

void add_proxmox(SimHost& host, const std::string& state) {
  host.link("/etc/pve/local", "nodes/pve");
  mount(host, {"/"});
  host.file("/etc/pve/nodes/pve/lxc/120.conf", sample("120.conf"));
  host.file("/etc/pve/storage.cfg", sample("storage.cfg"));
  host.file("/etc/pve/priv/storage/pbs-tank.enc", "canary");
  host.file("/etc/pve/priv/storage/pbs-tank.pw", "canary");
  host.answer("pvesh get /nodes/localhost/lxc --output-format json",
              {.out = R"([{"vmid": 120, "status": ")" + state + R"("}])"});
  host.answer("pvesh get /nodes/localhost/storage --output-format json",
              {.out = sample("pvesh-nodes-node-storage.json")});
  host.answer("pvesm path local-zfs:subvol-120-disk-0", {.out = "/rpool/subvol\n"});
  host.file("/rpool/subvol/etc/hostname", "pbs");
  host.directory("/rpool/subvol/mnt/datastore/tank-main");
  host.directory("/tank/pbs/.chunks");
}

Message<Facts> observe(Host& host) {
  const auto params = must(Message<schema::AuditPbs>::from_json("{}"));
  return must(AuditPbs::observe(params.reader(), host));
}

Facts::Reader of(const Message<Facts>& message) { return message.reader(); }

std::vector<std::string> problems(const Message<Facts>& message) {
  std::vector<std::string> texts;
  for (auto gap : of(message).getCoverage().getProblems())
    texts.push_back(str(gap.getPart()) + ": " + str(gap.getWhy()));
  return texts;
}

}  // namespace

TEST_CASE("pbs: a server in a container comes with datastores and jobs", "[agent][pbs]") {
  SimHost guest;
  add_server(guest);
  SimHost host;
  add_proxmox(host, "running");
  host.program("pct", containers({{"120", &guest}}));

  const auto message = observe(host);

  CHECK(problems(message).empty());
  REQUIRE(of(message).getServers().size() == 1);
  CHECK(of(message).getServers()[0].getInstalled());
  CHECK(of(message).getServers()[0].getVmid() == 120);
  REQUIRE(of(message).getDatastores().size() == 2);
  const auto store = of(message).getDatastores()[0];
  CHECK(view(store.getName()) == "tank-main");
  CHECK(view(store.getPath()) == "/mnt/datastore/tank-main");
  CHECK(view(store.getHostPath()) == "/tank/pbs");
  CHECK(view(store.getComment()) == "on data pool");
  CHECK(view(store.getGcSchedule()) == "daily");
  CHECK(store.getVerifyNew());
  CHECK(store.getChunks());
  CHECK(store.getLastGc() == std::uint64_t{0x68F0A1B2} * 1000);
  CHECK(store.getGcDiskBytes() == std::uint64_t{1} << 40U);
  // A datastore in maintenance is away by intent.
  CHECK_FALSE(of(message).getDatastores()[1].getChunks());
  CHECK(of(message).getCoverage().getParts().size() == 1);
}

TEST_CASE("pbs: jobs come with retention and schedule", "[agent][pbs]") {
  SimHost host;
  add_server(host);

  const auto message = observe(host);

  CHECK(problems(message).empty());
  REQUIRE(of(message).getPruneJobs().size() == 2);
  const auto job = of(message).getPruneJobs()[0];
  CHECK(job.getEnabled());
  CHECK(job.getKeep().getLast() == 3);
  CHECK(job.getKeep().getDaily() == 14);
  CHECK(job.getKeep().getHourly() == 0);
  CHECK(job.getKeep().getYearly() == 1);
  CHECK_FALSE(of(message).getPruneJobs()[1].getEnabled());
  REQUIRE(of(message).getVerifyJobs().size() == 1);
  CHECK(of(message).getVerifyJobs()[0].getOutdatedAfter() == 30);
  REQUIRE(of(message).getSyncJobs().size() == 1);
  CHECK(view(of(message).getSyncJobs()[0].getRemote()) == "home2");
  CHECK_FALSE(of(message).getSyncJobs()[0].getRemoveVanished());
}

TEST_CASE("pbs: storages tell whether a key is there, never what it is", "[agent][pbs]") {
  SimHost guest;
  SimHost host;
  add_proxmox(host, "running");
  host.program("pct", containers({{"120", &guest}}));

  const auto message = observe(host);

  CHECK(problems(message).empty());
  REQUIRE(of(message).getStorages().size() == 1);
  const auto storage = of(message).getStorages()[0];
  CHECK(view(storage.getId()) == "pbs-tank");
  CHECK(view(storage.getServer()) == "10.42.10.20");
  CHECK(view(storage.getUsername()) == "pve-backup@pbs!pve");
  CHECK_THAT(str(storage.getFingerprint()), Catch::StartsWith("3a:9f:10"));
  CHECK(storage.getEncrypted());
  CHECK(storage.getPassword());
  CHECK_FALSE(storage.getMasterKey());
  CHECK(storage.getEnabled());
  CHECK(storage.getActive());
  CHECK(storage.getAvailable() == 7784560590848);
  CHECK_THAT(message.to_json(), !Catch::Contains("canary"));
}

TEST_CASE("pbs: storages without their state are a problem", "[agent][pbs]") {
  SimHost guest;
  SimHost host;
  add_proxmox(host, "running");
  host.program("pct", containers({{"120", &guest}}));
  host.answer("pvesh get /nodes/localhost/storage --output-format json",
              GENERATE(Output{.status = 1, .err = "failed\n"}, Output{.out = "{}"},
                       Output{.out = "[]"}, Output{.out = ""}));

  const auto message = observe(host);

  CHECK(of(message).getStorages().size() == 1);
  CHECK(problems(message).size() == 1);
}

TEST_CASE("pbs: a stopped server is read from its disk", "[agent][pbs]") {
  SimHost host;
  add_proxmox(host, "stopped");
  add_server(host, "/rpool/subvol");

  const auto message = observe(host);

  CHECK(problems(message).empty());
  CHECK_FALSE(of(message).getServers()[0].getRunning());
  CHECK(of(message).getDatastores()[0].getChunks());
}

TEST_CASE("pbs: a datastore on a file system that its bind mount does not show is a problem",
          "[agent][pbs]") {
  SimHost guest;
  add_server(guest);
  SimHost host;
  add_proxmox(host, "running");
  host.program("pct", containers({{"120", &guest}}));
  host.file("/etc/pve/nodes/pve/lxc/120.conf",
            "hostname: pbs\nrootfs: local-zfs:subvol-120-disk-0\nmp0: /tank,mp=/mnt/datastore\n");
  host.directory("/tank/tank-main/.chunks");
  mount(host, {"/", "/tank", "/tank/tank-main"});

  const auto message = observe(host);

  CHECK(view(of(message).getDatastores()[0].getHostPath()).empty());
  REQUIRE(problems(message).size() == 1);
  CHECK_THAT(problems(message)[0],
             Catch::StartsWith("directory of datastore tank-main") &&
                 Catch::Contains("/mnt/datastore/tank-main is on /tank/tank-main"));
}

TEST_CASE("pbs: a datastore without its chunks is a problem", "[agent][pbs]") {
  SimHost host;
  add_server(host);
  host.remove("/mnt/datastore/tank-main/.chunks");

  const auto message = observe(host);

  REQUIRE(problems(message).size() == 1);
  CHECK_THAT(problems(message)[0], Catch::Contains("is it mounted?"));
}

TEST_CASE("pbs: a missing file is believed only if the tool agrees", "[agent][pbs]") {
  SimHost host;
  add_server(host);
  host.remove("/etc/proxmox-backup/prune.cfg");
  const std::string command = "proxmox-backup-manager prune-job list --output-format json";

  SECTION("it lists none") {
    host.answer(command, {.out = "[]"});
    const auto message = observe(host);
    CHECK(problems(message).empty());
    CHECK(of(message).getPruneJobs().size() == 0);
  }
  SECTION("it lists some") {
    host.answer(command, {.out = sample("pbs-prune-job-list.json")});
    const auto message = observe(host);
    CHECK(problems(message).empty());
    REQUIRE(of(message).getPruneJobs().size() == 2);
    CHECK(of(message).getPruneJobs()[0].getKeep().getWeekly() == 8);
    CHECK_FALSE(of(message).getPruneJobs()[1].getEnabled());
  }
  SECTION("it fails") {
    host.answer(command, {.status = 255, .err = "Error: connection refused\n"});
    CHECK(problems(observe(host)).size() == 1);
  }
  SECTION("it cannot be run") { CHECK(problems(observe(host)).size() == 1); }
}

TEST_CASE("pbs: a malformed file is a problem, and the others still come", "[agent][pbs]") {
  SimHost host;
  add_server(host);
  host.file("/etc/proxmox-backup/prune.cfg",
            GENERATE("prune: a\n\tkeep-last 1\ncanary\n", "datastore: a\n\tpath /canary\n"));

  const auto message = observe(host);

  REQUIRE(problems(message).size() == 1);
  CHECK(of(message).getPruneJobs().size() == 0);
  CHECK(of(message).getDatastores().size() == 2);
  CHECK_THAT(message.to_json(), !Catch::Contains("canary"));
}

TEST_CASE("pbs: a machine without any of it says so", "[agent][pbs]") {
  SimHost host;
  host.directory("/etc/proxmox-backup");

  const auto message = observe(host);

  CHECK_THAT(str(of(message).getCoverage().getAbsent()), Catch::StartsWith("no Proxmox Backup"));
}

TEST_CASE("pbs: the tool's lists are read as the files are", "[agent][pbs]") {
  const auto from_file = must(parse_config_file(sample("datastore.cfg"), datastores));
  const auto from_tool = must(parse_config_json(sample("pbs-datastore-list.json"), datastores));

  REQUIRE(from_file.size() == from_tool.size());
  for (std::size_t i = 0; i < from_file.size(); ++i) {
    CHECK(from_file[i].id == from_tool[i].id);
    CHECK(from_file[i].value("path") == from_tool[i].value("path"));
    CHECK(from_file[i].truth("verify-new") == from_tool[i].truth("verify-new"));
    CHECK(from_file[i].value("maintenance-mode") == from_tool[i].value("maintenance-mode"));
  }
}

TEST_CASE("pbs: what is no list is an error", "[agent][pbs]") {
  const auto text = GENERATE("", "{}", "[{}]", "[1]", "[{\"name\":\"a\"", "null");

  CHECK_FALSE(parse_config_json(text, datastores));
}

TEST_CASE("pbs: garbage collection that never ran has no time", "[agent][pbs]") {
  CHECK(must(parse_gc_status(R"({"upid": null, "disk-bytes": 0})")).started == 0);
  CHECK(must(parse_gc_status(R"({"upid": "UPID:x:garbage_collection:"})")).started == 0);
  CHECK_FALSE(parse_gc_status("[]"));
  CHECK_FALSE(parse_gc_status("{"));
}

}  // namespace relab::agent::pbs
