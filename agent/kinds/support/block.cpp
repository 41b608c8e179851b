#include "agent/kinds/support/block.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/json.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr std::size_t devices_max = 4096;

constexpr auto columns =
    "NAME,KNAME,PKNAME,PATH,TYPE,SIZE,START,LOG-SEC,PHY-SEC,ROTA,RM,RO,MODEL,SERIAL,WWN,VENDOR,REV,"
    "TRAN,PTTYPE,PARTTYPENAME,PARTLABEL,PARTUUID,FSTYPE,LABEL,UUID,MOUNTPOINTS";

Command lsblk() {
  return {.argv = {"lsblk", "--json", "--list", "--bytes", "--all", "--output", columns}};
}

std::string trimmed(const Json& row, std::string_view key) {
  return std::string(trim(text_of(row, key)));
}

std::vector<std::string> mountpoints_of(const Json& row) {
  std::vector<std::string> mountpoints;
  for (const auto& point : member(row, "mountpoints"))
    if (point.is_string()) mountpoints.push_back(point.get<std::string>());
  return mountpoints;
}

BlockDevice device_from(const Json& row) {
  BlockDevice device = {.name = text_of(row, "kname"),
                        .path = text_of(row, "path"),
                        .type = text_of(row, "type"),
                        .size = number_of(row, "size").value_or(0),
                        .start = number_of(row, "start").value_or(0),
                        .logical_sector = number_of(row, "log-sec").value_or(0),
                        .physical_sector = number_of(row, "phy-sec").value_or(0),
                        .rotational = truth_of(row, "rota"),
                        .removable = truth_of(row, "rm"),
                        .read_only = truth_of(row, "ro"),
                        .model = trimmed(row, "model"),
                        .serial = trimmed(row, "serial"),
                        .wwn = trimmed(row, "wwn"),
                        .vendor = trimmed(row, "vendor"),
                        .revision = trimmed(row, "rev"),
                        .transport = text_of(row, "tran"),
                        .partition_table = text_of(row, "pttype"),
                        .partition_type = text_of(row, "parttypename"),
                        .partition_label = text_of(row, "partlabel"),
                        .partition_uuid = text_of(row, "partuuid"),
                        .file_system = text_of(row, "fstype"),
                        .label = text_of(row, "label"),
                        .uuid = text_of(row, "uuid"),
                        .mountpoints = mountpoints_of(row)};
  if (auto parent = text_of(row, "pkname"); !parent.empty())
    device.parents.push_back(std::move(parent));
  return device;
}

/// Without udev's database lsblk misses serials that the kernel has: of virtio, of NVMe.
std::string serial_in_sys(Host& host, const std::string& name) {
  const auto folder = Path("/sys/class/block") / name;
  for (const auto& file : {folder / "serial", folder / "device/serial"})
    if (const auto text = host.read_file(file); text && !trim(*text).empty())
      return std::string(trim(*text));
  return {};
}

/// Values come with a backslash before every character that a shell would mind.
std::string unescaped(std::string_view value) {
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    text += value[i];
  }
  return text;
}

/// Probing by itself: without -p, blkid writes what it finds into a cache.
Result<void> look_into(Host& host, BlockDevice& device) {
  const Command command = {.argv = {"blkid", "-p", "-o", "export", device.path}};
  RELAB_TRY(const auto output, host.run(command));
  // 2 is "nothing recognised", but also "could not be opened", which comes with words.
  if (output.status != 0 && (output.status != 2 || !output.err.empty()))
    return fail(Fault::damaged,
                "blkid ended with " + std::to_string(output.status) + ": " + first_words(output));
  take_content(output.out, device);
  return {};
}

}  // namespace

void take_content(std::string_view exported, BlockDevice& device) {
  for (const auto line : lines(exported)) {
    const auto equals = std::min(line.find('='), line.size());
    const auto key = line.substr(0, equals);
    const auto value = unescaped(line.substr(std::min(equals + 1, line.size())));
    if (key == "TYPE") device.file_system = value;
    if (key == "LABEL") device.label = value;
    if (key == "UUID") device.uuid = value;
    if (key == "PTTYPE") device.partition_table = value;
    if (key == "PART_ENTRY_NAME") device.partition_label = value;
    if (key == "PART_ENTRY_UUID") device.partition_uuid = value;
  }
}

Result<BlockDevices> BlockDevices::parse(std::string_view json) {
  RELAB_TRY(const auto root, parse_json(json, "lsblk"));
  const auto& rows = member(root, "blockdevices");
  if (!rows.is_array()) return fail(Fault::damaged, "lsblk printed no list of block devices");
  if (rows.size() > devices_max) return fail(Fault::damaged, "lsblk lists too many devices");
  BlockDevices devices;
  for (const auto& row : rows) {
    auto device = device_from(row);
    if (device.name.empty() || device.type.empty())
      return fail(Fault::damaged, "lsblk printed a device without a name or type");
    devices.add(std::move(device));
  }
  return devices;
}

Result<BlockDevices> BlockDevices::read(Host& host) {
  RELAB_TRY(const auto text, output_of(host, lsblk()));
  RELAB_TRY(auto devices, parse(text));
  for (auto& device : devices.devices_)
    if (device.type == "disk" && device.serial.empty())
      device.serial = serial_in_sys(host, device.name);
  if (!host.status("/run/udev/data")) devices.look_into_devices(host);
  return devices;
}

void BlockDevices::look_into_devices(Host& host) {
  for (auto& device : devices_) {
    if (device.size == 0 || device.type == "rom" || !device.file_system.empty()) continue;
    const auto looked = look_into(host, device);
    if (!looked && device.mountpoints.empty())
      unread_.push_back({.name = device.name, .why = looked.error().sentence()});
  }
}

void BlockDevices::add(BlockDevice device) {
  // A device on several others comes once for each of them.
  const auto known = std::ranges::find(devices_, device.name, &BlockDevice::name);
  if (known == devices_.end()) {
    devices_.push_back(std::move(device));
  } else {
    for (auto& parent : device.parents)
      if (std::ranges::find(known->parents, parent) == known->parents.end())
        known->parents.push_back(std::move(parent));
  }
}

const BlockDevice* BlockDevices::find(std::string_view name) const {
  const auto found = std::ranges::find(devices_, name, &BlockDevice::name);
  return found == devices_.end() ? nullptr : &*found;
}

std::vector<const BlockDevice*> BlockDevices::disks_of(std::string_view name) const {
  std::vector<const BlockDevice*> beneath;
  std::vector<const BlockDevice*> disks;
  if (const auto* device = find(name)) beneath.push_back(device);
  // The list grows while it is walked; what is in it already is not entered again, so that rows
  // which name each other as parents end too.
  for (std::size_t i = 0; i < beneath.size(); ++i) {
    const auto* device = beneath[i];
    if (device->parents.empty() && device->type != "part") disks.push_back(device);
    for (const auto& parent : device->parents)
      if (const auto* below = find(parent); below && std::ranges::count(beneath, below) == 0)
        beneath.push_back(below);
  }
  return disks;
}

Result<std::vector<const BlockDevice*>> BlockDevices::all_on(const BlockDevice& disk) const {
  std::vector<const BlockDevice*> found = {&disk};
  for (const auto& device : devices_)
    if (&device != &disk && std::ranges::count(disks_of(device.name), &disk) != 0)
      found.push_back(&device);
  for (const auto& unread : unread_)
    if (std::ranges::find(found, unread.name, &BlockDevice::name) != found.end())
      return fail(Fault::damaged,
                  fmt::format("{} could not be looked into: {}", unread.name, unread.why));
  return found;
}

Result<std::map<std::string, std::vector<std::string>>> read_by_id(Host& host) {
  const Path folder = "/dev/disk/by-id";
  RELAB_TRY(const auto names, host.list(folder));
  std::map<std::string, std::vector<std::string>> links;
  for (const auto& name : names) {
    const auto target = host.read_link(folder / name);
    // A disk may be pulled while it is looked at.
    if (!target && target.error().fault != Fault::missing) return fail(target.error());
    if (target) links[Path(*target).filename().string()].push_back(name);
  }
  for (auto& [device, aliases] : links) std::ranges::sort(aliases);
  return links;
}

Result<std::vector<std::string>> aliases_of(Host& host, const std::string& name) {
  auto links = read_by_id(host);
  if (!links && links.error().fault == Fault::missing) return std::vector<std::string>();
  if (!links) return fail(links.error());
  return (*links)[name];
}

Result<std::string> device_of(Host& host, const Path& path) {
  RELAB_TRY(const auto real, host.canonical(path));
  return real.filename().string();
}

}  // namespace relab::agent
