#include "agent/kinds/pci/audit.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/pci/devices.h"
#include "agent/kinds/pci/nvidia.h"
#include "agent/kinds/support/gaps.h"

namespace relab::agent::pci {

namespace {

using Facts = schema::AuditPci::Facts;

constexpr std::size_t pci_ids_size_max = std::size_t{8} << 20U;
constexpr std::string_view intel = "8086";

unsigned length(std::size_t size) { return static_cast<unsigned>(size); }

std::vector<Device> read_devices(Host& host, const std::vector<std::string>& addresses,
                                 Gaps& gaps) {
  std::vector<Device> devices;
  for (const auto& address : addresses) {
    auto device = read_device(host, address);
    if (!device) gaps.problem(fmt::format("PCI device {}", address), device.error());
    if (device) devices.push_back(std::move(*device));
  }
  return devices;
}

Names read_names(Host& host, const std::vector<Device>& devices, Gaps& gaps) {
  Names names;
  for (const auto& device : devices) names.want(device.ids);
  const auto text = host.read_file("/usr/share/misc/pci.ids", pci_ids_size_max);
  if (!text && text.error().fault == Fault::missing) {
    gaps.absent("names of PCI devices", "there is no pci.ids: install pci.ids");
  } else if (!text) {
    gaps.problem("names of PCI devices", text.error());
  } else if (const auto read = names.read(*text); !read) {
    gaps.problem("names of PCI devices", read.error());
  }
  return names;
}

void write_devices(const std::vector<Device>& devices, const Names& names, Facts::Builder facts) {
  auto list = facts.initDevices(length(devices.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const auto& device = devices[i];
    auto entry = list[i];
    entry.setAddress(device.address);
    entry.setClassId(device.ids.device_class);
    entry.setClassName(names.device_class(device.ids));
    entry.setVendorId(device.ids.vendor);
    entry.setVendor(names.vendor(device.ids));
    entry.setDeviceId(device.ids.device);
    entry.setDevice(names.device(device.ids));
    entry.setSubsystemVendorId(device.ids.subsystem_vendor);
    entry.setSubsystemId(device.ids.subsystem);
    entry.setSubsystem(names.subsystem(device.ids));
    entry.setRevision(device.revision);
    entry.setDriver(device.driver);
    if (device.iommu_group) entry.setIommuGroup(static_cast<std::int32_t>(*device.iommu_group));
    entry.setBootVga(device.boot_vga);
  }
}

void write_huc(Host& host, const Device& gpu, const Nodes& nodes,
               schema::AuditPci::Gpu::Builder entry, Gaps& gaps) {
  if (gpu.ids.vendor != intel || (gpu.driver != "i915" && gpu.driver != "xe")) return;
  const auto part = fmt::format("HuC of GPU {}", gpu.address);
  const auto huc = read_huc(host, gpu, nodes.card);
  if (!huc && huc.error().fault == Fault::missing) return gaps.absent(part, huc.error().what);
  if (!huc) return gaps.problem(part, huc.error());
  entry.setHuc(huc->status);
  entry.setHucFirmware(huc->firmware);
}

void write_gpus(Host& host, const std::vector<Device>& gpus, const Names& names,
                Facts::Builder facts, Gaps& gaps) {
  auto list = facts.initGpus(length(gpus.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const auto& gpu = gpus[i];
    auto found = find_nodes(host, gpu);
    if (!found) gaps.problem("nodes of " + gpu.address, found.error());
    const auto nodes = std::move(found).value_or(Nodes());
    auto entry = list[i];
    entry.setAddress(gpu.address);
    entry.setVendor(names.vendor(gpu.ids));
    entry.setName(names.device(gpu.ids));
    entry.setDriver(gpu.driver);
    entry.setCard(nodes.card);
    entry.setRender(nodes.render);
    entry.setRenderNode(nodes.in_dev);
    entry.setByPath(nodes.by_path);
    write_huc(host, gpu, nodes, entry, gaps);
  }
}

/// The PCI device behind a node; empty if it is on another bus.
std::string address_of(Host& host, const std::string& node, Gaps& gaps) {
  const auto device = host.canonical(Path("/sys/class/drm") / node / "device");
  if (!device && device.error().fault != Fault::missing)
    gaps.problem("device of " + node, device.error());
  // A virtio GPU's device is a child of the PCI device.
  if (!device) return {};
  const auto own = normal_address(device->filename().string());
  return own.empty() ? normal_address(device->parent_path().filename().string()) : own;
}

void write_node(Host& host, const std::string& name, const FileStatus& status,
                schema::AuditPci::Node::Builder entry, Gaps& gaps) {
  entry.setName(name);
  entry.setAddress(address_of(host, name, gaps));
  entry.setMode(fmt::format("{:04o}", status.mode));
  entry.setUid(status.uid);
  entry.setGid(status.gid);
  entry.setMajor(status.major);
  entry.setMinor(status.minor);
}

void write_nodes(Host& host, Facts::Builder facts, Gaps& gaps) {
  const Path folder = "/dev/dri";
  const auto names = host.list(folder);
  if (!names && names.error().fault == Fault::missing)
    return gaps.absent("render nodes", "there is no /dev/dri");
  if (!names) return gaps.problem("render nodes", names.error());
  std::vector<std::pair<std::string, FileStatus>> nodes;
  for (const auto& name : *names) {
    const auto status = host.status(folder / name);
    if (!status) gaps.problem("node " + name, status.error());
    if (status && status->type == FileType::character) nodes.emplace_back(name, *status);
  }
  auto list = facts.initRenderNodes(length(nodes.size()));
  for (unsigned i = 0; i < list.size(); ++i)
    write_node(host, nodes[i].first, nodes[i].second, list[i], gaps);
}

void write_cards(const std::vector<Nvidia>& cards, Facts::Builder facts) {
  auto list = facts.initNvidia(length(cards.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const auto& card = cards[i];
    auto entry = list[i];
    entry.setAddress(card.address);
    entry.setName(card.name);
    entry.setUuid(card.uuid);
    entry.setDriverVersion(card.driver_version);
    entry.setMemoryTotal(card.memory_total);
    entry.setMemoryUsed(card.memory_used);
    entry.setUtilization(card.utilization.value_or(std::int16_t{-1}));
    entry.setTemperature(card.temperature.value_or(std::int16_t{-1}));
  }
}

/// nvidia-smi loads the driver where it is not loaded, so it is asked only where it is bound.
void write_nvidia(Host& host, const std::vector<Device>& gpus, Facts::Builder facts, Gaps& gaps) {
  const auto bound = std::ranges::count(gpus, "nvidia", &Device::driver);
  if (bound == 0) return;
  const auto cards = read_nvidia(host);
  if (!cards && cards.error().fault == Fault::missing)
    return gaps.absent("NVIDIA's own figures", cards.error().what);
  if (!cards) return gaps.problem("NVIDIA's own figures", cards.error());
  write_cards(*cards, facts);
  for (const auto& gpu : gpus)
    if (gpu.driver == "nvidia" && std::ranges::count(*cards, gpu.address, &Nvidia::address) == 0)
      gaps.problem(fmt::format("GPU {}", gpu.address),
                   "the nvidia driver holds it, but nvidia-smi does not list it");
}

}  // namespace

Result<Message<Facts>> AuditPci::observe(Params::Reader, Host& host) {
  Draft<Facts> facts;
  Gaps gaps;
  const auto addresses = list_devices(host);
  if (!addresses && addresses.error().fault != Fault::missing) return fail(addresses.error());
  if (!addresses || addresses->empty()) {
    gaps.all_absent("no PCI device on this machine");
  } else {
    const auto devices = read_devices(host, *addresses, gaps);
    std::vector<Device> gpus;
    std::ranges::copy_if(devices, std::back_inserter(gpus), &Device::is_display);
    const auto names = read_names(host, devices, gaps);
    write_devices(devices, names, *facts);
    write_gpus(host, gpus, names, *facts, gaps);
    write_nvidia(host, gpus, *facts, gaps);
  }
  write_nodes(host, *facts, gaps);
  gaps.store(facts->initCoverage());
  return std::move(facts).finish();
}

}  // namespace relab::agent::pci
