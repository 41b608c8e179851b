#include "agent/kinds/pci/audit.h"

#include "agent/host/sim/sim_host.h"
#include "tests/support/must.h"
#include "tests/support/transcript.h"

namespace relab::agent::pci {

namespace {

using Facts = schema::AuditPci::Facts;
using Texts = std::vector<std::string>;

struct Card {
  std::string address;
  std::string ids;
  std::string driver;
  std::string number;
};

void add(SimHost& host, const Card& card) {
  const auto real = "/sys/devices/pci0000:00/" + card.address;
  host.directory(real);
  host.link("/sys/bus/pci/devices/" + card.address, "../../../devices/pci0000:00/" + card.address);
  host.file(real + "/vendor", "0x" + card.ids.substr(0, 4) + "\n");
  host.file(real + "/device", "0x" + card.ids.substr(5) + "\n");
  host.file(real + "/class", card.number.empty() ? "0x040300\n" : "0x030000\n");
  host.file(real + "/subsystem_vendor", "0x1849\n");
  host.file(real + "/subsystem_device", "0x6006\n");
  host.file(real + "/revision", "0x05\n");
  if (!card.driver.empty()) host.link(real + "/driver", "../../bus/pci/drivers/" + card.driver);
  if (card.number.empty()) return;
  const auto render = "renderD" + std::to_string(128 + std::stoi(card.number));
  for (const auto& node : {"card" + card.number, render}) {
    host.link("/sys/class/drm/" + node, "../.." + real.substr(4) + "/drm/" + node);
    host.link(real + "/drm/" + node + "/device", "../../../" + card.address);
    host.device("/dev/dri/" + node,
                {.type = FileType::character, .mode = 0660, .gid = 104, .major = 226});
  }
  host.link("/dev/dri/by-path/pci-" + card.address + "-render", "../" + render);
}

/// A workstation with an Arc A310 for media and an RTX 3060.
struct Workstation {
  Workstation() {
    host.file("/usr/share/misc/pci.ids", data_file("pci/pci.ids"));
    add(host, {"0000:04:00.0", "8086:56a6", "i915", "0"});
    add(host, {"0000:05:00.0", "8086:4f92", "snd_hda_intel", ""});
    add(host, {"0000:0b:00.0", "10de:2504", "nvidia", "1"});
    host.link("/sys/devices/pci0000:00/0000:04:00.0/iommu_group",
              "../../../kernel/iommu_groups/31");
    host.file("/sys/devices/pci0000:00/0000:0b:00.0/boot_vga", "1\n");
    host.file("/sys/kernel/debug/dri/0/gt0/uc/huc_info", data_file("pci/host-huc_info.ok.txt"));
    host.program("nvidia-smi",
                 Output{.out = "00000000:0B:00.0, NVIDIA GeForce RTX 3060, GPU-5f2c1a7e, "
                               "580.95.05, 12288, 5421, 37, 52\n"});
  }
  Message<Facts> observe() {
    static const auto params = must(Message<schema::AuditPci>::from_json("{}"));
    return must(AuditPci::observe(params.reader(), host));
  }
  SimHost host;
};

Texts problems_of(const Message<Facts>& facts) {
  Texts parts;
  for (const auto gap : facts.reader().getCoverage().getProblems())
    parts.push_back(str(gap.getPart()));
  return parts;
}

Texts absent_of(const Message<Facts>& facts) {
  Texts parts;
  for (const auto gap : facts.reader().getCoverage().getParts())
    parts.push_back(str(gap.getPart()));
  return parts;
}

}  // namespace

TEST_CASE("audit pci: devices, drivers and groups", "[agent][pci]") {
  Workstation station;

  const auto message = station.observe();
  const auto devices = message.reader().getDevices();

  REQUIRE(devices.size() == 3);
  CHECK(view(devices[0].getDevice()) == "DG2 [Arc A310]");
  CHECK(view(devices[0].getClassName()) == "VGA compatible controller");
  CHECK(devices[0].getIommuGroup() == 31);
  CHECK(devices[1].getIommuGroup() == -1);
  CHECK(view(devices[1].getDriver()) == "snd_hda_intel");
  CHECK(devices[2].getBootVga());
  CHECK(problems_of(message).empty());
  CHECK(absent_of(message).empty());
}

TEST_CASE("audit pci: GPUs with render nodes and HuC", "[agent][pci]") {
  Workstation station;

  const auto message = station.observe();
  const auto gpus = message.reader().getGpus();

  REQUIRE(gpus.size() == 2);
  CHECK(view(gpus[0].getRender()) == "renderD128");
  CHECK(gpus[0].getRenderNode());
  CHECK(view(gpus[0].getByPath()) == "pci-0000:04:00.0-render");
  CHECK(view(gpus[0].getHuc()) == "RUNNING");
  CHECK(view(gpus[1].getHuc()).empty());
  const auto nodes = message.reader().getRenderNodes();
  REQUIRE(nodes.size() == 4);
  CHECK(view(nodes[3].getName()) == "renderD129");
  CHECK(view(nodes[3].getAddress()) == "0000:0b:00.0");
  CHECK(view(nodes[3].getMode()) == "0660");
  CHECK(nodes[3].getGid() == 104);
  CHECK(view(message.reader().getNvidia()[0].getAddress()) == "0000:0b:00.0");
}

TEST_CASE("audit pci: nvidia-smi that fails or forgets a card is a problem", "[agent][pci]") {
  const auto [output, part] = GENERATE(table<Output, const char*>(
      {{Output{.status = 255, .out = data_file("pci/nvidia-smi.cgroup-lost.txt")},
        "NVIDIA's own figures"},
       {Output{.status = 9, .out = data_file("pci/nvidia-smi.no-driver.rc9.txt")},
        "NVIDIA's own figures"},
       {Output{.status = 18, .out = data_file("pci/nvidia-smi.version-mismatch.rc18.txt")},
        "NVIDIA's own figures"},
       {Output{}, "GPU 0000:0b:00.0"}}));
  Workstation station;
  station.host.program("nvidia-smi", output);

  CHECK(problems_of(station.observe()) == Texts{part});
}

TEST_CASE("audit pci: nvidia-smi is not asked where another driver holds the card",
          "[agent][pci]") {
  Workstation station;
  station.host.link("/sys/devices/pci0000:00/0000:0b:00.0/driver",
                    "../../bus/pci/drivers/vfio-pci");

  const auto message = station.observe();

  CHECK(view(message.reader().getGpus()[1].getDriver()) == "vfio-pci");
  CHECK(station.host.ran().empty());
  CHECK(problems_of(message).empty());
}

TEST_CASE("audit pci: what is not here is absence", "[agent][pci]") {
  Workstation station;
  station.host.remove("/usr/share/misc/pci.ids");
  station.host.remove("/sys/kernel/debug/dri/0");

  const auto message = station.observe();

  CHECK(absent_of(message) == Texts{"names of PCI devices", "HuC of GPU 0000:04:00.0"});
  CHECK(view(message.reader().getDevices()[0].getVendorId()) == "8086");
}

TEST_CASE("audit pci: one device that cannot be read does not hide the others", "[agent][pci]") {
  Workstation station;
  station.host.file("/sys/devices/pci0000:00/0000:05:00.0/vendor", "garbage\n");

  const auto message = station.observe();

  CHECK(message.reader().getDevices().size() == 2);
  CHECK(problems_of(message) == Texts{"PCI device 0000:05:00.0"});
}

TEST_CASE("audit pci: a machine without PCI is absence", "[agent][pci]") {
  SimHost host;
  const auto params = must(Message<schema::AuditPci>::from_json("{}"));

  const auto message = must(AuditPci::observe(params.reader(), host));

  CHECK(view(message.reader().getCoverage().getAbsent()) == "no PCI device on this machine");
}

}  // namespace relab::agent::pci
