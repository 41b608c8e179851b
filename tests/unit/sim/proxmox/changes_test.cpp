// What the real task kinds change on a simulated Proxmox.

#include "agent/host/sim/debian/debian.h"
#include "agent/kinds/guests/agent_install.h"
#include "agent/kinds/guests/guest.h"
#include "agent/kinds/guests/guest_power.h"
#include "agent/kinds/guests/guest_template.h"
#include "common/crypto/identity.h"
#include "common/crypto/sha256.h"
#include "tests/unit/sim/proxmox/scene.h"

namespace relab::agent::sim {

namespace {

constexpr auto guest_json = R"({"name": "media", "vmid": 105, "template": "debian-12-standard",
  "storage": "local-zfs", "disk": "8589934592", "cores": 2, "memory": "1073741824",
  "bridge": "vmbr0", "tag": 20, "address": "10.42.20.5/24", "gateway": "10.42.20.1",
  "nesting": true, "onboot": true, "order": 3, "purpose": "plays: films",
  "mounts": [{"source": "/tank/media", "target": "/media"}]})";
constexpr auto power_json = R"({"name": "media", "vmid": 105, "patience": 60})";

/// Plans, and does what is planned, as the agent does.
template <typename Kind>
Result<std::vector<std::string>> carry_out(SimHost& host, const std::string& json) {
  const auto params = must(Message<typename Kind::Params>::from_json(json));
  const auto plan = [&]() -> Result<std::vector<Change>> {
    RELAB_TRY(const auto facts, Kind::observe(params.reader(), host));
    return Kind::plan(params.reader(), facts.reader());
  };
  RELAB_TRY(const auto changes, plan());
  std::vector<std::string> words;
  for (const auto& change : changes) {
    RELAB_CHECK(Kind::apply(change, host));
    words.push_back(change.what);
  }
  RELAB_TRY(const auto left, plan());
  for (const auto& change : left) words.push_back("left: " + change.what);
  return words;
}

template <typename Kind>
Error error_of(SimHost& host, const std::string& json) {
  const auto done = carry_out<Kind>(host, json);
  REQUIRE_FALSE(done);
  return done.error();
}

/// A machine with a Debian of its own, and a template on it.
struct Ready : Scene {
  explicit Ready(Hooks hooks = {}) : Scene(sample_world(), std::move(hooks)) {
    must(carry_out<guests::GuestTemplate>(host, R"({"name": "debian-12-standard"})"));
  }
  std::string config() { return must(host.read_file("/etc/pve/lxc/105.conf")); }
  void make() { must(carry_out<guests::Guest>(host, guest_json)); }
  void start() { must(carry_out<guests::GuestPower>(host, power_json)); }

  Debian debian = Debian(host, Debian::container("bookworm", "pve"));
};

struct WithDebian : Scene {
  explicit WithDebian(Hooks hooks = {}) : Scene(sample_world(), std::move(hooks)) {}
  Debian debian = Debian(host, Debian::container("bookworm", "pve"));
  std::string config() { return must(host.read_file("/etc/pve/lxc/105.conf")); }
};

}  // namespace

TEST_CASE("simulated proxmox: a template is downloaded, and is what the index tells",
          "[sim][proxmox]") {
  WithDebian scene;
  const auto began = scene.host.now();
  const std::string params = R"({"name": "debian-12-standard"})";

  const auto done = must(carry_out<guests::GuestTemplate>(scene.host, params));

  CHECK(done == std::vector<std::string>{
                    "+ template debian-12-standard_12.12-1_amd64.tar.zst on the storage 'local'"});
  CHECK(must(carry_out<guests::GuestTemplate>(scene.host, params)).empty());
  CHECK(scene.host.now() - began > std::chrono::seconds(10));
  CHECK(scene.host.unknown().empty());
}

TEST_CASE("simulated proxmox: a download that fails is found out, with pveam's words",
          "[sim][proxmox]") {
  WithDebian scene;
  scene.proxmox->faults().download_fails = "404 Not Found";
  const std::string params = R"({"name": "debian-12-standard"})";
  CHECK_THAT(error_of<guests::GuestTemplate>(scene.host, params).what,
             Catch::Contains("404 Not Found"));

  scene.proxmox->faults().download_fails.clear();
  scene.host.file_system("/", {.size = 1000, .free = 1000});
  CHECK_THAT(error_of<guests::GuestTemplate>(scene.host, params).what,
             Catch::Contains("disk is full"));
}

TEST_CASE("simulated proxmox: a container is made, with its volume, and changed by steps",
          "[sim][proxmox]") {
  std::vector<std::string> volumes;
  Ready scene({.on_volume = [&](const Volume& volume) -> Result<void> {
    volumes.push_back(fmt::format("{} {}", volume.dataset, volume.bytes >> 30U));
    return {};
  }});

  scene.make();

  CHECK(volumes == std::vector<std::string>{"rpool/data/subvol-105-disk-0 8"});
  CHECK_THAT(scene.config(),
             Catch::StartsWith("#relab%3A media\n#plays%3A films\narch: amd64\n") &&
                 Catch::Contains("unprivileged: 1") &&
                 Catch::Contains("net0: name=eth0,bridge=vmbr0,gw=10.42.20.1,hwaddr="));
  CHECK(must(carry_out<guests::Guest>(scene.host, guest_json)).empty());

  scene.start();
  const auto facts = Json::parse(guest_json);
  auto more = facts;
  more["disk"] = "17179869184";
  more["cores"] = 4;
  more["keyctl"] = true;
  const auto done = must(carry_out<guests::Guest>(scene.host, more.dump()));

  CHECK(done.size() == 3);
  CHECK(volumes.back() == "rpool/data/subvol-105-disk-0 16");
  CHECK_THAT(scene.config(), Catch::Contains("\ncores: 4\n") && Catch::Contains("size=16G") &&
                                 Catch::Contains("[pve:pending]\nfeatures: nesting=1,keyctl=1\n"));
  CHECK(scene.host.unknown().empty());
}

TEST_CASE("simulated proxmox: there is no room, no device, no template: pct says so",
          "[sim][proxmox]") {
  Ready scene;
  scene.proxmox->storages().fill("local-zfs");
  CHECK_THAT(error_of<guests::Guest>(scene.host, guest_json).what, Catch::Contains("out of space"));
  CHECK_FALSE(scene.host.status("/etc/pve/lxc/105.conf"));

  auto with = Json::parse(guest_json);
  with["storage"] = "tank-guests";
  with["devices"] = {{{"path", "/dev/dri/renderD128"}}};
  CHECK_THAT(error_of<guests::Guest>(scene.host, with.dump()).what,
             Catch::Contains("Device /dev/dri/renderD128 does not exist"));
}

TEST_CASE("simulated proxmox: a container starts, stops, and takes over what waits",
          "[sim][proxmox]") {
  std::vector<std::string> power;
  Ready scene({.on_power = [&](std::uint32_t vmid, bool runs) {
    power.push_back(fmt::format("{} {}", vmid, runs ? "on" : "off"));
  }});
  scene.make();
  const auto began = scene.host.now();

  CHECK(must(carry_out<guests::GuestPower>(scene.host, power_json)) ==
        std::vector<std::string>{"start container 105 (media)"});
  CHECK(scene.host.now() - began > std::chrono::seconds(6));

  auto params = Json::parse(guest_json);
  params["keyctl"] = true;
  must(carry_out<guests::Guest>(scene.host, params.dump()));
  auto power_params = Json::parse(power_json);
  power_params["applyWaiting"] = true;
  must(carry_out<guests::GuestPower>(scene.host, power_params.dump()));
  CHECK_THAT(scene.config(),
             Catch::Contains("features: nesting=1,keyctl=1") && !Catch::Contains("pending"));

  power_params["stopped"] = true;
  must(carry_out<guests::GuestPower>(scene.host, power_params.dump()));
  CHECK(power == std::vector<std::string>{"105 on", "105 off", "105 on", "105 off"});
  CHECK(scene.host.unknown().empty());
}

TEST_CASE("simulated proxmox: a container that does not start, or not stay, or stays locked",
          "[sim][proxmox]") {
  Ready scene;
  scene.make();
  auto& faults = scene.proxmox->faults();

  faults.does_not_start.insert(105);
  CHECK_THAT(error_of<guests::GuestPower>(scene.host, power_json).what,
             Catch::Contains("startup for container '105' failed"));
  faults.does_not_start.clear();
  faults.ends_after_start.insert(105);
  CHECK_THAT(error_of<guests::GuestPower>(scene.host, power_json).what,
             Catch::Contains("ended right after its start: Main process exited"));
  faults.ends_after_start.clear();
  faults.locked[105] = "backup";
  CHECK(error_of<guests::GuestPower>(scene.host, power_json).fault == Fault::busy);
}

TEST_CASE("simulated proxmox: a unit that fails in a container is told", "[sim][proxmox]") {
  Ready scene;
  scene.make();
  scene.proxmox->debian(105)->units().install(
      "thing.service",
      "[Service]\nType=oneshot\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
      true);
  scene.proxmox->debian(105)->units().fails_to_start("thing.service", "no");
  scene.start();

  const auto params = must(Message<schema::GuestPower>::from_json(power_json));
  const auto facts = must(guests::GuestPower::observe(params.reader(), scene.host));

  CHECK(view(facts.reader().getSystemd()) == "degraded");
  REQUIRE(facts.reader().getFailed().size() == 1);
  CHECK(view(facts.reader().getFailed()[0]) == "thing.service");
}

namespace {

struct Delivered {
  explicit Delivered(SimHost& host) {
    crypto::start();
    Delivery delivery{.lab = "home",
                      .controller = state_identity(
                          controller, {.role = schema::Role::CONTROLLER, .name = "admin"})};
    std::map<std::string, std::string> contents;
    for (const auto* name : {"relab-agent", "relab-agent-pbs"}) {
      const auto file = std::string(name) + "_2_amd64.deb";
      contents[file] = fmt::format(
          "Package: {}\nVersion: 2\nArchitecture: amd64\nDepends: libc6 (>= 2.36)\n", name);
      delivery.parcels.push_back({.name = file,
                                  .sha256 = crypto::sha256(bytes_of(contents[file])),
                                  .size = contents[file].size()});
    }
    host.deliver(std::move(delivery), std::move(contents));
  }
  crypto::Keys controller = must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, 1)));
};

constexpr auto install_json = R"({"name": "media", "vmid": 105, "role": "pbs"})";

}  // namespace

TEST_CASE("simulated proxmox: an agent is brought into a container, and told of with its keys",
          "[sim][proxmox]") {
  std::vector<std::string> agents;
  std::optional<crypto::PublicKey> key;
  Ready scene({.on_agent = [&](const StartedAgent& agent) {
    agents.push_back(fmt::format("{} {} {} {}", agent.vmid, agent.name, agent.role, agent.lab));
    key = agent.keys.sign_key();
  }});
  scene.make();
  scene.start();
  const Delivered delivered(scene.host);

  const auto done = must(carry_out<guests::AgentInstall>(scene.host, install_json));

  CHECK(done.size() == 3);
  CHECK(agents == std::vector<std::string>{"105 media pbs home"});
  const auto params = must(Message<schema::AgentInstall>::from_json(install_json));
  const auto facts = must(guests::AgentInstall::observe(params.reader(), scene.host));
  const auto identity =
      must(read_identity(view(facts.reader().getIdentity()), schema::Role::AGENT));
  REQUIRE(key);
  CHECK(identity.sign_key == *key);
  CHECK(identity.agent_role == "pbs");
  CHECK(must(carry_out<guests::AgentInstall>(scene.host, install_json)).empty());
  CHECK(scene.proxmox->inside(105)->unknown().empty());
  CHECK(scene.host.unknown().empty());

  // It comes up again with its container.
  must(carry_out<guests::GuestPower>(scene.host,
                                     R"({"name": "media", "vmid": 105, "stopped": true})"));
  scene.start();
  CHECK(agents.size() == 2);
}

TEST_CASE("simulated proxmox: another role leaves the container", "[sim][proxmox]") {
  Ready scene;
  scene.make();
  scene.start();
  const Delivered delivered(scene.host);
  must(carry_out<guests::AgentInstall>(scene.host, install_json));
  scene.proxmox->debian(105)->packages().add("relab-agent-arr", {.version = "2"});

  const auto done = must(carry_out<guests::AgentInstall>(scene.host, install_json));

  REQUIRE(done.size() == 2);
  CHECK_THAT(done[0], Catch::StartsWith("- in container 105 (media): relab-agent-arr 2"));
  CHECK(must(carry_out<guests::AgentInstall>(scene.host, install_json)).empty());
  CHECK(scene.proxmox->inside(105)->unknown().empty());
}

TEST_CASE("simulated proxmox: packages that come only half are found out", "[sim][proxmox]") {
  Ready scene;
  scene.make();
  scene.start();
  const Delivered delivered(scene.host);
  scene.proxmox->faults().push_is_cut.insert(105);

  CHECK_THAT(error_of<guests::AgentInstall>(scene.host, install_json).what,
             Catch::Contains("did not come whole"));
}

TEST_CASE("simulated proxmox: what is not simulated is an error", "[sim][proxmox]") {
  Scene scene;

  for (const auto& argv : std::vector<std::vector<std::string>>{
           {"pct", "destroy", "112"},
           {"pct", "set", "120", "--lxc", "x"},
           {"pct", "exec", "120", "--keep-env", "0", "--", "sh", "-c", "rm -r /", "relab"},
           {"pct", "exec", "120", "--keep-env", "0", "--", "frobnicate"},
           {"pvesh", "get", "/cluster/backup", "--output-format", "json"},
           {"pvesm", "remove", "local"},
           {"pveam", "remove", "x"},
           {"qm", "start", "200"}}) {
    const auto output = scene.host.run({.argv = argv});
    REQUIRE_FALSE(output);
    CHECK(output.error().fault == Fault::unsupported);
  }
  CHECK(scene.host.unknown().size() == 8);
  CHECK(scene.proxmox->unknown().contains("frobnicate"));
}

}  // namespace relab::agent::sim
