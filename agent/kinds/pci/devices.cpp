#include "agent/kinds/pci/devices.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::pci {

namespace {

const Path devices_folder = "/sys/bus/pci/devices";

/// "0x8086\n" without what is around the digits.
Result<std::string> read_id(Host& host, const Path& file) {
  RELAB_TRY(const auto text, host.read_file(file));
  auto digits = trim(text);
  if (digits.starts_with("0x")) digits.remove_prefix(2);
  if (!parse_number<std::uint32_t>(digits, 16))
    return fail(Fault::damaged, fmt::format("{} holds no number", file.string()));
  return std::string(digits);
}

/// The last part of a link's target; empty if there is no link.
Result<std::string> target_of(Host& host, const Path& link) {
  const auto target = host.read_link(link);
  if (target) return Path(*target).filename().string();
  if (target.error().fault != Fault::missing) return fail(target.error());
  return std::string();
}

/// Without white space around it; empty if there is no such file.
Result<std::string> text_if_any(Host& host, const Path& file) {
  const auto text = host.read_file(file);
  if (text) return std::string(trim(*text));
  if (text.error().fault != Fault::missing) return fail(text.error());
  return std::string();
}

Result<bool> exists(Host& host, const Path& path) {
  const auto status = host.status(path);
  if (!status && status.error().fault != Fault::missing) return fail(status.error());
  return status.has_value();
}

bool is_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Result<std::vector<std::string>> list_devices(Host& host) { return host.list(devices_folder); }

Result<Device> read_device(Host& host, const std::string& address) {
  const auto folder = devices_folder / address;
  Device device = {.address = address, .ids = {}};
  RELAB_TRY(device.ids.vendor, read_id(host, folder / "vendor"));
  RELAB_TRY(device.ids.device, read_id(host, folder / "device"));
  RELAB_TRY(device.ids.device_class, read_id(host, folder / "class"));
  RELAB_TRY(device.ids.subsystem_vendor, read_id(host, folder / "subsystem_vendor"));
  RELAB_TRY(device.ids.subsystem, read_id(host, folder / "subsystem_device"));
  RELAB_TRY(const auto revision, text_if_any(host, folder / "revision"));
  device.revision = revision.starts_with("0x") ? revision.substr(2) : revision;
  RELAB_TRY(device.driver, target_of(host, folder / "driver"));
  RELAB_TRY(const auto group, target_of(host, folder / "iommu_group"));
  if (const auto number = parse_number<std::uint32_t>(group)) device.iommu_group = *number;
  RELAB_TRY(const auto boot, text_if_any(host, folder / "boot_vga"));
  device.boot_vga = boot == "1";
  return device;
}

Result<Nodes> find_nodes(Host& host, const Device& gpu) {
  Nodes nodes;
  const auto names = host.list(devices_folder / gpu.address / "drm");
  if (!names && names.error().fault != Fault::missing) return fail(names.error());
  if (!names) return nodes;
  for (const auto& name : *names) {
    if (name.starts_with("card") && name.find('-') == std::string::npos) nodes.card = name;
    if (name.starts_with("renderD")) nodes.render = name;
  }
  if (nodes.render.empty()) return nodes;
  RELAB_TRY(nodes.in_dev, exists(host, Path("/dev/dri") / nodes.render));
  const auto link = fmt::format("pci-{}-render", gpu.address);
  RELAB_TRY(const bool linked, exists(host, Path("/dev/dri/by-path") / link));
  if (linked) nodes.by_path = link;
  return nodes;
}

Result<Huc> parse_huc(std::string_view text) {
  Huc huc;
  for (const auto raw : lines(text)) {
    const auto line = trim(raw);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto value = std::string(trim(line.substr(colon + 1)));
    if (line.starts_with("HuC firmware:")) huc.firmware = value;
    if (line.starts_with("status:") && huc.status.empty()) huc.status = value;
  }
  if (huc.status.empty()) return fail(Fault::damaged, "huc_info tells no status");
  return huc;
}

Result<Huc> read_huc(Host& host, const Device& gpu, const std::string& card) {
  const Path debug = "/sys/kernel/debug/dri";
  // Kernels name the folder by the card's number, newer ones also by its address.
  const auto number = card.starts_with("card") ? card.substr(4) : card;
  for (const auto& name : {gpu.address, number}) {
    const auto entries = host.list(debug / name);
    if (!entries) continue;
    for (const auto& gt : *entries) {
      if (!gt.starts_with("gt")) continue;
      if (const auto text = host.read_file(debug / name / gt / "uc" / "huc_info"))
        return parse_huc(*text);
    }
  }
  return fail(Fault::missing, "there is no huc_info of it below " + debug.string());
}

std::string normal_address(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto parts = split(lower, ':');
  if (parts.size() != 3 || !is_hex(parts[0]) || !is_hex(parts[1])) return {};
  const auto slot = split(parts[2], '.');
  if (slot.size() != 2 || !is_hex(slot[0]) || !is_hex(slot[1])) return {};
  const auto domain = parse_number<std::uint32_t>(parts[0], 16);
  return domain ? fmt::format("{:04x}:{}:{}", *domain, parts[1], parts[2]) : std::string();
}

}  // namespace relab::agent::pci
