// The roles that an agent can be installed with.

#include "controller/lab/roles.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "controller/lab/lab.h"
#include "tests/support/must.h"

namespace relab::lab {

namespace {

/// What is wrong with a lab whose plan installs an agent with this role.
std::vector<std::string> mistakes_with(const std::string& role) {
  const auto text = fmt::format(R"(
name = "home"
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
bridge = "vmbr0"
expect = []
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
[[plan.phases]]
name = "one"
title = "One"
tracks = [{{ name = "t", agent = "pve", steps = [
  {{ name = "agent", task = {{ agent_install = {{ name = "pbs", role = "{}" }} }} }},
] }}]
)",
                                role);
  std::vector<std::string> mistakes;
  for (const auto& mistake : parse_lab(text, "lab.toml").mistakes)
    mistakes.push_back(to_string(mistake));
  return mistakes;
}

}  // namespace

TEST_CASE("roles of the lab: they are those that have a package", "[controller][lab]") {
  std::vector<std::string> packaged;
  for (const auto& entry :
       std::filesystem::directory_iterator(RELAB_TEST_DATA "/../../packaging/roles"))
    packaged.push_back(entry.path().stem().string());
  std::ranges::sort(packaged);

  CHECK(packaged == std::vector<std::string>(roles.begin(), roles.end()));
}

TEST_CASE("roles of the lab: an agent is not installed with one that does not exist",
          "[controller][lab]") {
  CHECK(mistakes_with("pbs").empty());

  const auto mistakes = mistakes_with("pbbs");

  REQUIRE(mistakes.size() == 1);
  CHECK_THAT(mistakes[0],
             Catch::Contains("plan.phases.one.tracks.t.steps.agent.task.agent_install.role") &&
                 Catch::Contains("there is no role 'pbbs'; one of admin, arr, jellyfin, "
                                 "monitoring, pbs, proxmox, trillian, vault, wireguard"));
}

}  // namespace relab::lab
