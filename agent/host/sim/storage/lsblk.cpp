#include "agent/host/sim/storage/lsblk.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string_view>

#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

/// The kernel names no transport for these.
Json transport_of(const Device& device) {
  static constexpr std::array unnamed = {"virtio", "mmc", "xen"};
  if (std::ranges::find(unnamed, device.bus) != unnamed.end()) return {};
  return text_or_null(device.bus);
}

Json whole_row(const LsblkRow& row, const std::string& parent) {
  const auto& device = *row.device;
  Json points = Json::array();
  for (const auto& point : row.mountpoints) points.push_back(point);
  if (points.empty()) points.push_back(nullptr);
  return {{"name", Path(device.path).filename().string()},
          {"kname", device.name},
          {"pkname", text_or_null(parent)},
          {"path", device.path},
          {"type", device.type},
          {"size", device.size},
          {"start", device.is_partition() ? Json(device.start) : Json()},
          {"log-sec", device.logical_sector},
          {"phy-sec", device.physical_sector},
          {"rota", device.rotational},
          {"rm", device.removable},
          {"ro", device.read_only},
          {"model", text_or_null(device.model)},
          {"serial", text_or_null(device.serial)},
          {"wwn", text_or_null(device.wwn)},
          {"vendor", text_or_null(device.vendor)},
          {"rev", text_or_null(device.firmware)},
          {"tran", transport_of(device)},
          {"pttype", text_or_null(row.partition_table)},
          {"parttypename", text_or_null(device.type_name)},
          {"partlabel", text_or_null(device.part_label)},
          {"partuuid", text_or_null(device.part_uuid)},
          {"fstype", text_or_null(device.file_system)},
          {"label", text_or_null(device.label)},
          {"uuid", text_or_null(device.uuid)},
          {"mountpoints", points}};
}

std::string lower(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return small;
}

}  // namespace

Result<std::string> lsblk_json(const std::vector<LsblkRow>& rows, const std::string& columns) {
  Json table = Json::array();
  for (const auto& row : rows) {
    auto parents = row.device->parents;
    if (parents.empty()) parents.emplace_back();
    for (const auto& parent : parents) {
      const auto whole = whole_row(row, parent);
      Json asked;
      for (const auto column : split(columns, ',')) {
        const auto value = whole.find(lower(column));
        if (value == whole.end())
          return relab::fail(Fault::missing, fmt::format("lsblk has no column '{}'", column));
        asked[value.key()] = *value;
      }
      table.push_back(std::move(asked));
    }
  }
  return Json{{"blockdevices", table}}.dump(3) + "\n";
}

Path sys_place(const Device& device, std::size_t number) {
  static constexpr auto slot = "/sys/devices/pci0000:00/0000:00:1f.2";
  if (device.bus == "usb")
    return fmt::format("/sys/devices/pci0000:00/0000:00:14.0/usb2/2-{0}/2-{0}:1.0/host{0}", number);
  if (device.bus == "sata") return fmt::format("{0}/ata{1}/host{1}/target{1}:0:0", slot, number);
  if (device.bus == "nvme") return fmt::format("{0}/nvme/nvme{1}", slot, number);
  if (device.bus == "virtio") return fmt::format("{0}/virtio{1}", slot, number);
  if (device.bus == "mmc") return fmt::format("{0}/mmc_host/mmc{1}", slot, number);
  if (device.bus == "xen") return fmt::format("/sys/devices/vbd-{}", number);
  if (device.bus.empty()) return fmt::format("/sys/devices/platform/disk{}", number);
  return fmt::format("{0}/host{1}/target{1}:0:0", slot, number);
}

}  // namespace relab::agent::sim
