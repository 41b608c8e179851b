#include "agent/kinds/support/pve_guests.h"

#include <algorithm>

#include "agent/host/sim/sim_host.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"

namespace relab::agent {

namespace {

const Path node = "/etc/pve/nodes/pve";

/// A node whose pvesh answers as it was recorded.
void add_node(SimHost& host) {
  host.link("/etc/pve/local", "nodes/pve");
  host.file(node / "lxc/112.conf", sample("pve/112.conf"));
  host.file(node / "lxc/120.conf", sample("pve/120.conf"));
  host.file(node / "qemu-server/200.conf", "name: homeassistant\n");
  host.file(node / "qemu-server/201.conf", "name: win11-a-very-long-name-over-20\n");
  for (const std::string type : {"lxc", "qemu"})
    host.answer("pvesh get /nodes/localhost/" + type + " --output-format json",
                {.out = sample("pve/pvesh-nodes-node-" + type + ".json")});
}

const PveGuest& guest(const PveGuests& guests, std::uint32_t vmid) {
  const auto found = std::ranges::find(guests.guests, vmid, &PveGuest::vmid);
  REQUIRE(found != guests.guests.end());
  return *found;
}

}  // namespace

TEST_CASE("pve guests: states are those that pvesh lists", "[agent][support]") {
  SimHost host;
  add_node(host);
  host.file(node / "lxc/121.conf", "hostname: prometheus\n");
  Gaps gaps;

  const auto guests = must(read_pve_guests(host, States::all, gaps));

  CHECK_FALSE(gaps.has_problems());
  CHECK(guests.node == "pve");
  REQUIRE(guests.guests.size() == 5);
  CHECK(guest(guests, 112).status == "stopped");
  CHECK(guest(guests, 120).running());
  CHECK(guest(guests, 121).title() == "container 121 (prometheus)");
  CHECK(guest(guests, 121).running());
  CHECK(guest(guests, 200).running());
  CHECK(guest(guests, 200).type == GuestType::qemu);
  CHECK(guest(guests, 201).status == "stopped");
}

TEST_CASE("pve guests: one that only pvesh lists is a problem", "[agent][support]") {
  SimHost host;
  add_node(host);
  Gaps gaps;

  const auto guests = must(read_pve_guests(host, States::all, gaps));

  CHECK(gaps.has_problems());
  CHECK(guests.guests.size() == 4);
}

}  // namespace relab::agent
