#include "agent/host/sim/network/pci.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <string_view>
#include <vector>

#include "agent/host/sim/network/coverage.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Facts = schema::AuditPci::Facts::Reader;

constexpr auto bus_folder = "/sys/devices/pci0000:00";

Path folder_of(std::string_view address) { return Path(bus_folder) / address; }

void put_device(SimHost& host, schema::AuditPci::Device::Reader device) {
  const auto address = str(device.getAddress());
  const auto folder = folder_of(address);
  host.directory(folder);
  host.link("/sys/bus/pci/devices/" + address, "../../../devices/pci0000:00/" + address);
  const auto put_id = [&](const char* name, capnp::Text::Reader digits) {
    host.file(folder / name, fmt::format("0x{}\n", view(digits)));
  };
  put_id("vendor", device.getVendorId());
  put_id("device", device.getDeviceId());
  put_id("class", device.getClassId());
  put_id("subsystem_vendor", device.getSubsystemVendorId());
  put_id("subsystem_device", device.getSubsystemId());
  if (device.getRevision().size() != 0) put_id("revision", device.getRevision());
  if (device.getDriver().size() != 0)
    host.link(folder / "driver", "../../../bus/pci/drivers/" + str(device.getDriver()));
  if (device.getIommuGroup() >= 0)
    host.link(folder / "iommu_group",
              fmt::format("../../../kernel/iommu_groups/{}", device.getIommuGroup()));
  if (view(device.getClassId()).starts_with("03"))
    host.file(folder / "boot_vga", device.getBootVga() ? "1\n" : "0\n");
}

void put_node_of_gpu(SimHost& host, const std::string& address, const std::string& node) {
  if (node.empty()) return;
  host.link(folder_of(address) / "drm" / node / "device", "../../../" + address);
  host.link("/sys/class/drm/" + node,
            fmt::format("../../devices/pci0000:00/{}/drm/{}", address, node));
}

void put_gpu(SimHost& host, schema::AuditPci::Gpu::Reader gpu) {
  const auto address = str(gpu.getAddress());
  const auto card = str(gpu.getCard());
  const auto render = str(gpu.getRender());
  put_node_of_gpu(host, address, card);
  put_node_of_gpu(host, address, render);
  if (gpu.getByPath().size() != 0)
    host.link("/dev/dri/by-path/" + str(gpu.getByPath()), "../" + render);
  if (gpu.getHuc().size() == 0) return;
  const auto number = card.starts_with("card") ? card.substr(4) : address;
  host.file(fmt::format("/sys/kernel/debug/dri/{}/gt0/uc/huc_info", number),
            fmt::format("HuC firmware: {}\n\tstatus: {}\n", view(gpu.getHucFirmware()),
                        view(gpu.getHuc())));
}

void put_node(SimHost& host, schema::AuditPci::Node::Reader node) {
  const auto name = str(node.getName());
  std::uint32_t mode = 0;
  const auto digits = view(node.getMode());
  std::from_chars(digits.data(), digits.data() + digits.size(), mode, 8);
  host.device("/dev/dri/" + name, {.type = FileType::character,
                                   .mode = mode,
                                   .uid = node.getUid(),
                                   .gid = node.getGid(),
                                   .major = node.getMajor(),
                                   .minor = node.getMinor()});
  const Path told = "/sys/class/drm/" + name;
  if (node.getAddress().size() != 0 && !is_there(host, told))
    host.link(told / "device", "../../../devices/pci0000:00/" + str(node.getAddress()));
}

void put_nodes(SimHost& host, Facts facts) {
  if (is_absent(facts.getCoverage(), "render nodes")) return;
  host.directory("/dev/dri");
  for (const auto node : facts.getRenderNodes()) put_node(host, node);
}

void put_nvidia(SimHost& host, Facts facts) {
  if (is_absent(facts.getCoverage(), "NVIDIA's own figures")) return leave_out(host, "nvidia-smi");
  if (facts.getNvidia().size() == 0) return;
  host.program("nvidia-smi",
               [&host, text = nvidia_text(facts)](const Command& command) -> Result<Output> {
                 const std::vector<std::string> known = {
                     "--query-gpu=pci.bus_id,name,uuid,driver_version,memory.total,memory.used,"
                     "utilization.gpu,temperature.gpu",
                     "--format=csv,noheader,nounits"};
                 const auto& argv = command.argv;
                 if (std::vector<std::string>(argv.begin() + 1, argv.end()) != known)
                   return host.does_not_know(command);
                 return Output{.out = text};
               });
}

/// "0000:0b:00.0" as nvidia-smi writes it: "00000000:0B:00.0".
std::string bus_id_of(std::string_view address) {
  auto text = "0000" + std::string(address);
  std::ranges::transform(text, text.begin(), [](unsigned char letter) {
    return static_cast<char>(std::toupper(letter));
  });
  return text;
}

template <typename Number>
std::string or_not_told(Number number, bool is_told) {
  return is_told ? std::to_string(number) : "[N/A]";
}

/// Names by number: of a vendor, its devices, their subsystems.
struct Names {
  std::string name = {};
  std::map<std::string, Names> below = {};

  void print(std::size_t depth, std::string& text) const {
    for (const auto& [number, names] : below) {
      text += fmt::format("{:\t<{}}{}  {}\n", "", depth, number, names.name);
      names.print(depth + 1, text);
    }
  }
};

}  // namespace

std::string pci_ids_text(Facts facts) {
  Names vendors;
  // A whole pci.ids ends in the classes.
  Names classes{.name = {}, .below = {{"C 00", {.name = "Unclassified device", .below = {}}}}};
  for (const auto device : facts.getDevices()) {
    const auto id = view(device.getClassId());
    if (device.getClassName().size() != 0 && id.size() >= 4)
      classes.below[fmt::format("C {}", id.substr(0, 2))].below[std::string(id.substr(2, 2))].name =
          str(device.getClassName());
    if (device.getVendor().size() == 0) continue;
    auto& vendor = vendors.below[str(device.getVendorId())];
    vendor.name = str(device.getVendor());
    if (device.getDevice().size() == 0) continue;
    auto& one = vendor.below[str(device.getDeviceId())];
    one.name = str(device.getDevice());
    if (device.getSubsystem().size() == 0) continue;
    one.below[fmt::format("{} {}", view(device.getSubsystemVendorId()),
                          view(device.getSubsystemId()))]
        .name = str(device.getSubsystem());
  }
  std::string text = "# List of PCI ID's, as far as they are simulated\n";
  vendors.print(0, text);
  classes.print(0, text);
  return text;
}

std::string nvidia_text(Facts facts) {
  std::string text;
  for (const auto card : facts.getNvidia()) {
    const bool has_memory = card.getMemoryTotal() != 0;
    text += fmt::format("{}, {}, {}, {}, {}, {}, {}, {}\n", bus_id_of(view(card.getAddress())),
                        view(card.getName()), view(card.getUuid()), view(card.getDriverVersion()),
                        or_not_told(card.getMemoryTotal(), has_memory),
                        or_not_told(card.getMemoryUsed(), has_memory),
                        or_not_told(card.getUtilization(), card.getUtilization() >= 0),
                        or_not_told(card.getTemperature(), card.getTemperature() >= 0));
  }
  return text;
}

Pci::Pci(SimHost& host, World world) {
  const auto facts = world.getPci();
  for (const auto device : facts.getDevices()) put_device(host, device);
  for (const auto gpu : facts.getGpus()) put_gpu(host, gpu);
  put_nodes(host, facts);
  put_nvidia(host, facts);
  if (facts.getDevices().size() != 0 && !is_absent(facts.getCoverage(), "names of PCI devices"))
    host.file("/usr/share/misc/pci.ids", pci_ids_text(facts));
}

}  // namespace relab::agent::sim
