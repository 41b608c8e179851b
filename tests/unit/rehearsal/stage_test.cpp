// Phases that a real controller orders of real agents, over simulated machines.

#include "controller/rehearsal/stage.h"

#include "controller/lab/lab.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/sim_inside.h"

namespace relab::rehearsal {

namespace {

/// Keeps what was told.
class Lines final : public controller::Narrator {
 public:
  void agent_up(const std::string& agent, const controller::Greeting& /*greeting*/) override {
    lines.push_back("up " + agent);
  }
  void agent_down(const std::string& agent, const Error& /*why*/) override {
    lines.push_back("down " + agent);
  }
  void step_changed(const controller::StepRun& run) override {
    if (!run.ended()) return;
    lines.push_back(std::string(controller::name(run.state)) + " " + run.step.path);
    if (!run.why.empty()) lines.push_back("why: " + run.why);
  }
  void progress(const controller::StepRun& /*run*/, schema::Progress::Reader /*progress*/,
                Millis /*at*/) override {}
  void still_waiting(const controller::Engine& /*engine*/, Millis /*since*/) override {}
  void warn(const std::string& what) override { lines.push_back("warning " + what); }
  void enrolled(const std::string& agent, const Party& /*party*/) override {
    lines.push_back("enrolled " + agent);
  }
  bool has(const std::string& line) const { return std::ranges::find(lines, line) != lines.end(); }

  std::vector<std::string> lines;
};

class SimMachine final : public Machine {
 public:
  explicit SimMachine(std::string id) : id_(std::move(id)) {
    host.file("/proc/uptime", "5000.00 9000.00\n");
    host.file("/proc/loadavg", "0.00 0.00 0.00 1/100 1000\n");
    host.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    host.file("/etc/group", "root:x:0:\n");
  }
  agent::Host& host_at(Instant now) override {
    host.at(now);
    return host;
  }
  void hand(const agent::Job& job) override {
    if (on_delivery) on_delivery(job.delivery);
  }
  void ask(const agent::Waiting& /*waiting*/) override {}
  std::string machine_id() const override { return id_; }

  agent::SimHost host;
  std::function<void(const std::optional<agent::Delivery>&)> on_delivery;

 private:
  std::string id_;
};

constexpr std::string_view lab_head = R"(name = "home"
[network]
supernet = "10.42.0.0/16"
[[network.vlans]]
name = "agents"
id = 60
subnet = "10.42.60.0/24"
gateway = "10.42.60.1"
[[hosts]]
name = "pve"
vlan = "agents"
ip = "10.42.60.2"
[[guests]]
name = "pbs"
vmid = 100
type = "lxc"
template = "debian-12-standard"
vlan = "agents"
ip = "10.42.60.12"
cores = 1
memory = "512MiB"
disk = "4GiB"
)";

Message<schema::Lab> lab_with(std::string_view phases) {
  auto reading = lab::parse_lab(std::string(lab_head) + std::string(phases), "lab.toml");
  for (const auto& mistake : reading.mistakes) UNSCOPED_INFO(lab::to_string(mistake));
  REQUIRE(reading.lab);
  return std::move(*reading.lab);
}

std::string everything() { return sample("../../packaging/roles/proxmox.json"); }

/// One host with its agent, and a controller that knows it.
struct Scene {
  Scratch scratch;
  std::unique_ptr<Stage> stage = must(Stage::make(
      {.lab = "home", .begin = instant_of(1'790'000'000'000), .folder = scratch.path() / "stage"}));
  SimMachine pve = SimMachine("machine-of-pve");
  Lines lines;

  Scene() {
    must(stage->enrol({.name = "pve",
                       .endpoint = "tcp://10.42.60.2:7460",
                       .role = everything(),
                       .machine = pve}));
  }
  PhaseEnd run(const Message<schema::Lab>& lab, const std::string& phase) {
    return must(stage->run(lab, phase, lines));
  }
};

constexpr std::string_view two_phases = R"(
[[plan.phases]]
name = "one"
title = "One"
tracks = [{ name = "t", agent = "pve", steps = [
  { name = "hello", task = { ping = { echo = "hello" } } },
  { name = "folder", task = { directory = { path = "/srv/data" } } },
] }]
[[plan.phases]]
name = "two"
title = "Two"
after = ["one"]
tracks = [{ name = "u", agent = "pve", steps = [{ name = "hello", task = { ping = {} } }] }]
)";

}  // namespace

TEST_CASE("stage: a phase runs as it would, and its ledger is a ledger", "[rehearsal]") {
  Scene scene;
  scene.pve.host.directory("/srv");
  const auto lab = lab_with(two_phases);

  const auto end = scene.run(lab, "one");

  INFO(fmt::format("{}", fmt::join(scene.lines.lines, "\n")));
  CHECK(end.gate.open);
  CHECK(end.ran);
  CHECK(scene.lines.has("succeeded one/t/hello"));
  CHECK(scene.lines.has("succeeded one/t/folder"));
  CHECK(must(scene.pve.host.status("/srv/data")).type == agent::FileType::directory);
  const auto replayed = must(controller::State::replay(scene.stage->book().ledger()));
  CHECK(replayed.tasks().size() == 2);
  CHECK(scene.run(lab, "two").ran);
}

TEST_CASE("stage: behind a failed step the gate stays shut", "[rehearsal]") {
  Scene scene;  // without /srv
  const auto lab = lab_with(two_phases);

  CHECK(scene.run(lab, "one").ran);

  CHECK(scene.lines.has("failed one/t/folder"));
  const auto next = scene.run(lab, "two");
  CHECK_FALSE(next.gate.open);
  CHECK_FALSE(next.ran);
}

TEST_CASE("stage: an agent comes into a container that a step made, and works there",
          "[rehearsal]") {
  Scene scene;
  agent::SimPve pve;
  agent::SimInside inside;
  pve.offered = {{"debian-12-standard_12.12-1_amd64.tar.zst", std::string(128, 'a')}};
  pve.install(scene.pve.host);
  inside.install(pve, scene.pve.host);
  // Its delivery as the controller made it, with packages in reach.
  scene.pve.on_delivery = [&](const std::optional<agent::Delivery>& delivery) {
    if (!delivery) return;
    inside.deliver(scene.pve.host, {"relab-agent", "relab-agent-pbs"}, delivery->expected);
    auto whole = must(scene.pve.host.delivery());
    whole.controller = delivery->controller;
    whole.lab = delivery->lab;
    std::map<std::string, std::string> contents;
    for (const auto& name : {std::string("relab-agent"), std::string("relab-agent-pbs")})
      contents[name + "_2_amd64.deb"] = fmt::format("Package: {0}\nVersion: 2\nFrom: {0}\n", name);
    scene.pve.host.deliver(std::move(whole), std::move(contents));
  };
  SimMachine guest("m");
  guest.host.directory("/srv");
  must(scene.stage->place({.name = "pbs",
                           .endpoint = "tcp://10.42.60.12:7460",
                           .role = everything(),
                           .machine = guest,
                           .keys = agent::SimInside::fixed(2)}));
  const auto lab = lab_with(R"(
[[plan.phases]]
name = "2"
title = "A container"
tracks = [
  { name = "host", agent = "pve", steps = [
    { name = "template", task = { guest_template = { name = "debian-12-standard" } } },
    { name = "guest", task = { guest = { name = "pbs" } } },
    { name = "runs", task = { guest_power = { name = "pbs" } } },
    { name = "agent", task = { agent_install = { name = "pbs", role = "pbs" } } },
  ] },
  { name = "inside", agent = "pbs", steps = [
    { name = "folder", task = { directory = { path = "/srv/backups" } } },
  ] },
]
)");

  const auto end = scene.run(lab, "2");

  INFO(fmt::format("{}", fmt::join(scene.lines.lines, "\n")));
  CHECK(end.ran);
  CHECK(scene.lines.has("enrolled pbs"));
  CHECK(scene.lines.has("succeeded 2/inside/folder"));
  CHECK(must(guest.host.status("/srv/backups")).type == agent::FileType::directory);
  CHECK(scene.stage->book().state().agents().contains("pbs"));
  // Nobody waited for the container to start; it took its time all the same.
  CHECK(end.ended - end.began >= Millis(3000));
}

TEST_CASE("stage: what nobody answers stalls, and takes no year", "[rehearsal]") {
  Scene scene;
  const auto lab = lab_with(R"(
[[plan.phases]]
name = "2"
title = "A container"
tracks = [{ name = "inside", agent = "pbs", steps = [{ name = "hello", task = { ping = {} } }] }]
)");

  const auto end = scene.run(lab, "2");

  CHECK(end.gate.open);
  CHECK_FALSE(end.ran);
  CHECK(end.ended - end.began < std::chrono::minutes(5));
}

}  // namespace relab::rehearsal
