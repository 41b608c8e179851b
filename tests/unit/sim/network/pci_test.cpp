#include "agent/host/sim/network/pci.h"

#include <fmt/format.h>

#include "agent/kinds/pci/audit.h"
#include "tests/support/must.h"
#include "tests/support/transcript.h"

namespace relab::agent::sim {

namespace {

using pci::AuditPci;

struct Card {
  std::string address;
  std::string ids;
  std::string class_id;
  std::string driver;
  std::string number;
};

void add(SimHost& host, const Card& card) {
  const auto real = "/sys/devices/pci0000:00/" + card.address;
  host.link("/sys/bus/pci/devices/" + card.address, "../../../devices/pci0000:00/" + card.address);
  host.file(real + "/vendor", "0x" + card.ids.substr(0, 4) + "\n");
  host.file(real + "/device", "0x" + card.ids.substr(5) + "\n");
  host.file(real + "/class", "0x" + card.class_id + "\n");
  host.file(real + "/subsystem_vendor", "0x1849\n");
  host.file(real + "/subsystem_device", "0x6006\n");
  host.file(real + "/revision", "0x05\n");
  if (!card.driver.empty()) host.link(real + "/driver", "../../bus/pci/drivers/" + card.driver);
  if (card.number.empty()) return;
  const auto render = "renderD" + std::to_string(128 + std::stoi(card.number));
  for (const auto& node : {"card" + card.number, render}) {
    host.link("/sys/class/drm/" + node, fmt::format("../..{}/drm/{}", real.substr(4), node));
    host.link(real + "/drm/" + node + "/device", "../../../" + card.address);
    host.device("/dev/dri/" + node,
                {.type = FileType::character, .mode = 0660, .gid = 104, .major = 226});
  }
  host.link("/dev/dri/by-path/pci-" + card.address + "-render", "../" + render);
}

/// An Arc A310 for media, an RTX 3060, and a render node of another bus.
void workstation(SimHost& host) {
  host.file("/usr/share/misc/pci.ids", data_file("pci/pci.ids"));
  add(host, {"0000:04:00.0", "8086:56a6", "030000", "i915", "0"});
  add(host, {"0000:05:00.0", "8086:4f92", "040300", "snd_hda_intel", ""});
  add(host, {"0000:06:00.0", "dead:beef", "ff0000", "", ""});
  add(host, {"0000:0b:00.0", "10de:2504", "030000", "nvidia", "1"});
  host.link("/sys/devices/pci0000:00/0000:04:00.0/iommu_group", "../../../kernel/iommu_groups/31");
  host.file("/sys/devices/pci0000:00/0000:0b:00.0/boot_vga", "1\n");
  host.file("/sys/kernel/debug/dri/0/gt0/uc/huc_info", data_file("pci/host-huc_info.ok.txt"));
  host.device("/dev/dri/renderD130",
              {.type = FileType::character, .mode = 0666, .uid = 1, .major = 226, .minor = 130});
  host.program("nvidia-smi",
               Output{.out = "00000000:0B:00.0, NVIDIA GeForce RTX 3060, GPU-5f2c1a7e, "
                             "580.95.05, 12288, 5421, [N/A], 52\n"});
}

Message<AuditPci::Facts> audit(SimHost& host) {
  static const auto params = must(Message<schema::AuditPci>::from_json("{}"));
  return must(AuditPci::observe(params.reader(), host));
}

/// That an audit of a machine made of these facts finds them again.
void check_again(const Message<AuditPci::Facts>& facts) {
  Draft<schema::World> draft;
  draft->setPci(facts.reader());
  const auto world = std::move(draft).finish();
  SimHost host;
  host.strict({});
  const Pci part(host, world.reader());

  CHECK(audit(host).to_json() == facts.to_json());
  CHECK(host.unknown().empty());
}

}  // namespace

TEST_CASE("simulated pci: an audit finds again what it was made of", "[sim][pci]") {
  SimHost host;
  workstation(host);
  const auto facts = audit(host);

  REQUIRE(facts.reader().getCoverage().getProblems().size() == 0);
  REQUIRE(facts.reader().getGpus().size() == 2);
  check_again(facts);
}

TEST_CASE("simulated pci: what is absent stays absent", "[sim][pci]") {
  SimHost host;
  workstation(host);
  host.remove("/usr/share/misc/pci.ids");
  host.remove("/sys/kernel/debug/dri/0");
  host.program("nvidia-smi", [](const Command&) -> Result<Output> {
    return fail(Fault::missing, "no nvidia-smi on this machine");
  });
  const auto facts = audit(host);

  REQUIRE(facts.reader().getCoverage().getParts().size() == 3);
  check_again(facts);
}

TEST_CASE("simulated pci: a machine without PCI has none", "[sim][pci]") {
  SimHost host;

  check_again(audit(host));
}

TEST_CASE("simulated pci: nvidia-smi knows one question only", "[sim][pci]") {
  SimHost real;
  workstation(real);
  const auto facts = audit(real);
  Draft<schema::World> draft;
  draft->setPci(facts.reader());
  const auto world = std::move(draft).finish();
  SimHost host;
  const Pci part(host, world.reader());

  CHECK(host.run({.argv = {"nvidia-smi"}}).error().fault == Fault::unsupported);
}

}  // namespace relab::agent::sim
