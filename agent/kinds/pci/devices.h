#pragma once

/// PCI devices, GPUs and render nodes as /sys and /dev have them.

#include <optional>
#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/pci/names.h"

namespace relab::agent::pci {

struct Device {
  /// "0000:04:00.0"
  std::string address;
  Ids ids;
  std::string revision = {};
  /// Empty: none bound.
  std::string driver = {};
  std::optional<std::uint32_t> iommu_group = {};
  bool boot_vga = false;

  bool is_display() const { return ids.device_class.starts_with("03"); }
};

/// The addresses of all devices. Fault::missing on a machine without PCI.
Result<std::vector<std::string>> list_devices(Host& host);
Result<Device> read_device(Host& host, const std::string& address);

/// What the driver of a GPU offers.
struct Nodes {
  std::string card = {};
  std::string render = {};
  /// The render node's name below /dev/dri/by-path.
  std::string by_path = {};
  bool in_dev = false;
};
Result<Nodes> find_nodes(Host& host, const Device& gpu);

/// The state of the firmware that an Intel GPU needs for low-power encoding.
struct Huc {
  std::string firmware;
  std::string status;
};
/// Of the huc_info file that i915 and xe keep in debugfs. Fault::damaged if it has no status.
Result<Huc> parse_huc(std::string_view text);
/// Fault::missing if debugfs has no such file, as without debugfs or with an unbound driver.
Result<Huc> read_huc(Host& host, const Device& gpu, const std::string& card);

/// "0000:0b:00.0" of any text that ends in a PCI address, however many digits its domain has; empty
/// otherwise.
std::string normal_address(std::string_view text);

}  // namespace relab::agent::pci
