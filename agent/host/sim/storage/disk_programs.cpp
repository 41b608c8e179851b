/// What lsblk, blkid, smartctl, wipefs, cmp and mkfs.ext4 print and do.

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/host/sim/storage/disks.h"
#include "agent/host/sim/storage/lsblk.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

using Json = nlohmann::ordered_json;
using Argv = std::vector<std::string>;

bool begins_with(const Argv& argv, const Argv& begin) {
  return argv.size() >= begin.size() && std::equal(begin.begin(), begin.end(), argv.begin());
}

/// What a program finds that looks for file systems and tables of partitions.
struct Signature {
  std::string offset;
  std::string type;
  std::string uuid = {};
  std::string label = {};
};

std::vector<Signature> signatures_of(const Device& device) {
  std::vector<Signature> found;
  if (!device.is_partition() && device.partition_table == "gpt")
    found.push_back({.offset = "0x1fe", .type = "PMBR"});
  if (!device.is_partition() && !device.partition_table.empty())
    found.push_back({.offset = device.partition_table == "gpt" ? "0x200" : "0x1fe",
                     .type = device.partition_table});
  if (device.file_system.empty()) return found;
  const auto offset = device.file_system.starts_with("ext")       ? "0x438"
                      : device.file_system == "zfs_member"        ? "0x3f000"
                      : device.file_system == "LVM2_member"       ? "0x218"
                      : device.file_system == "vfat"              ? "0x52"
                      : device.file_system == "linux_raid_member" ? "0x1000"
                                                                  : "0x0";
  found.push_back(
      {.offset = offset, .type = device.file_system, .uuid = device.uuid, .label = device.label});
  return found;
}

Output no_such_file(std::string_view program, const std::string& path) {
  return {.status = 1,
          .err = fmt::format("{}: error: {}: probing initialization failed: No such file or "
                             "directory\n",
                             program, path)};
}

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

/// As udev does before a character that a shell would mind.
std::string escaped(const std::string& value) {
  std::string text;
  for (const char letter : value) {
    if (std::string_view(" \\\"'$`").find(letter) != std::string_view::npos) text += '\\';
    text += letter;
  }
  return text;
}

/// Of a file system that is made, always the same for one disk.
std::string made_uuid(const std::string& serial) {
  const auto number = std::hash<std::string>{}(serial);
  return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", number & 0xffffffffU,
                     number >> 32U & 0xffffU, number >> 48U & 0xfffU, number >> 20U & 0xfffU,
                     number >> 8U & 0xffffffffffffU);
}

}  // namespace

void Disks::install() {
  const auto add = [this](const char* name, Result<Output> (Disks::*answer)(const Command&)) {
    host_.program(name,
                  [this, answer](const Command& command) { return (this->*answer)(command); });
  };
  cmp_of_files_ = host_.program_of("cmp");
  add("lsblk", &Disks::lsblk);
  add("blkid", &Disks::blkid);
  add("smartctl", &Disks::smartctl);
  add("wipefs", &Disks::wipefs);
  add("cmp", &Disks::cmp);
  add("mkfs.ext4", &Disks::make_ext4);
}

Result<Output> Disks::lsblk(const Command& command) {
  const auto& argv = command.argv;
  const Argv known = {"lsblk", "--json", "--list", "--bytes", "--all", "--output"};
  if (!begins_with(argv, known) || argv.size() != known.size() + 1)
    return host_.does_not_know(command);
  std::vector<LsblkRow> rows;
  for (const auto& device : devices_) {
    if (!is_there(device)) continue;
    const auto* table = device.is_partition() ? find(device.parents[0]) : &device;
    rows.push_back({.device = &device,
                    .partition_table = table == nullptr ? "" : table->partition_table,
                    .mountpoints = mountpoints_of(device)});
  }
  auto text = lsblk_json(rows, argv.back());
  if (!text) return host_.does_not_know(command);
  return Output{.out = *std::move(text)};
}

Result<Output> Disks::blkid(const Command& command) {
  const auto& argv = command.argv;
  if (!begins_with(argv, {"blkid", "-p", "-o", "export"}) || argv.size() != 5)
    return host_.does_not_know(command);
  const auto* device = at(argv.back());
  // Without a word.
  if (device == nullptr) return Output{.status = 2};
  if (!is_well(device->name))
    return Output{.status = 2,
                  .err = fmt::format("blkid: error: {}: Input/output error\n", argv.back())};
  Output output;
  const auto tell = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) output.out += fmt::format("{}={}\n", key, escaped(value));
  };
  tell("LABEL", device->label);
  tell("UUID", device->uuid);
  tell("TYPE", device->file_system);
  tell("PTTYPE", device->partition_table);
  tell("PART_ENTRY_NAME", device->part_label);
  tell("PART_ENTRY_UUID", device->part_uuid);
  if (output.out.empty()) return Output{.status = 2};
  output.out = fmt::format("DEVNAME={}\n", argv.back()) + output.out;
  return output;
}

Result<Output> Disks::smartctl(const Command& command) {
  const auto& argv = command.argv;
  if (!smart_.has_smartctl()) return relab::fail(Fault::missing, "no smartctl on this machine");
  const bool plain = argv.size() == 4;
  const bool by_bridge = argv.size() == 6 && argv[3] == "-d" && argv[4] == "sat";
  if (!begins_with(argv, {"smartctl", "--json=c", "-a"}) || (!plain && !by_bridge))
    return host_.does_not_know(command);
  const auto* device = at(argv.back());
  if (device == nullptr) return SmartReports::not_opened(argv);
  return smart_.report(*device, argv);
}

Result<Output> Disks::wipefs(const Command& command) {
  const auto& argv = command.argv;
  if (argv.size() == 4 && begins_with(argv, {"wipefs", "--all", "--lock"})) {
    const auto* device = at(argv.back());
    if (device == nullptr) return no_such_file("wipefs", argv.back());
    return wipe(*device, argv.back());
  }
  const bool as_json = begins_with(argv, {"wipefs", "--no-act", "--json"});
  if (!as_json && !(begins_with(argv, {"wipefs", "--no-act"}) && argv.size() == 3))
    return host_.does_not_know(command);
  Json rows = Json::array();
  std::string table;
  for (auto path = argv.begin() + (as_json ? 3 : 2); path != argv.end(); ++path) {
    if (path->starts_with("-")) return host_.does_not_know(command);
    const auto* device = at(*path);
    if (device == nullptr || !is_well(device->name)) return no_such_file("wipefs", *path);
    for (const auto& found : signatures_of(*device)) {
      // By the name that it was given.
      const auto name = Path(*path).filename().string();
      rows.push_back({{"device", name},
                      {"offset", found.offset},
                      {"type", found.type},
                      {"uuid", or_null(found.uuid)},
                      {"label", or_null(found.label)}});
      table +=
          fmt::format("{} {} {} {} {}\n", name, found.offset, found.type, found.uuid, found.label);
    }
  }
  if (rows.empty() && as_json) return Output{.out = "{\n   \"signatures\": [\n\n   ]\n}\n"};
  // Nothing at all is printed where there is nothing.
  if (rows.empty()) return Output{};
  if (as_json) return Output{.out = Json{{"signatures", rows}}.dump(3) + "\n"};
  return Output{.out = "DEVICE OFFSET TYPE UUID LABEL\n" + table};
}

Output Disks::wipe(const Device& device, const std::string& path) {
  auto* wiped = find(device.name);
  const bool used = !mountpoints_of(*wiped).empty() || (in_use_ && in_use_(wiped->name));
  if (used || !is_well(wiped->name))
    return {.status = 1,
            .err = fmt::format("wipefs: error: {}: probing initialization failed: {}\n", path,
                               used ? "Device or resource busy" : "Input/output error")};
  if (const auto found = signatures_of(*wiped); wiped->read_only && !found.empty())
    return {.status = 1,
            .err = fmt::format(
                "wipefs: {}: failed to erase {} magic string at offset 0x{:08x}: "
                "Operation not permitted\n",
                path, found.front().type,
                parse_number<std::uint64_t>(found.front().offset.substr(2), 16).value_or(0))};
  wiped->file_system = wiped->label = wiped->uuid = {};
  wiped->wiped = true;
  wiped->room.reset();
  if (wiped->is_partition() || wiped->partition_table.empty()) return {};
  // The kernel reads the table again, and finds none.
  wiped->partition_table.clear();
  drop_partitions(wiped->name);
  return {};
}

void Disks::drop_partitions(const std::string& disk) {
  for (const auto& part : devices_)
    if (part.is_partition() && part.parents[0] == disk) hide(part);
  std::erase_if(devices_,
                [&](const Device& part) { return part.is_partition() && part.parents[0] == disk; });
}

Result<Output> Disks::cmp(const Command& command) {
  const auto& argv = command.argv;
  const bool known = argv.size() == 6 && begins_with(argv, {"cmp", "--silent"}) &&
                     argv[2].starts_with("--bytes=") && argv[3].starts_with("--ignore-initial=") &&
                     argv[3].ends_with(":0") && argv[5] == "/dev/zero";
  const auto* device = known ? at(argv[4]) : nullptr;
  // Files are compared by somebody else.
  if (device == nullptr && cmp_of_files_) return cmp_of_files_(command);
  if (!known) return host_.does_not_know(command);
  if (device == nullptr || !is_well(device->name))
    return Output{.status = 2, .err = fmt::format("cmp: {}: Input/output error\n", argv[4])};
  // Tables lie at both ends, and what file systems keep there is never all zeroes.
  const bool blank = device->partition_table.empty() && device->file_system.empty();
  return Output{.status = blank ? 0 : 1};
}

Result<Output> Disks::make_ext4(const Command& command) {
  const auto& argv = command.argv;
  if (argv.size() != 5 || !begins_with(argv, {"mkfs.ext4", "-q", "-m", "0"}))
    return host_.does_not_know(command);
  const auto* seen = at(argv.back());
  if (seen == nullptr)
    return Output{
        .status = 1,
        .err = fmt::format("The file {} does not exist and no size was specified.\n", argv.back())};
  if (!mountpoints_of(*seen).empty())
    return Output{
        .status = 1,
        .err = fmt::format("{} is mounted; will not make a filesystem here!\n", argv.back())};
  const auto name = seen->name;
  if (seen->read_only)
    return Output{.status = 1,
                  .err = fmt::format("{}: Operation not permitted while setting up superblock\n",
                                     argv.back())};
  if (!is_well(name))
    return Output{
        .status = 1,
        .err = "mkfs.ext4: Input/output error while writing out and closing file system\n"};
  drop_partitions(name);
  auto* device = find(name);
  device->partition_table.clear();
  device->file_system = "ext4";
  device->wiped = true;
  device->label.clear();
  device->uuid = made_uuid(disks_of(name).front()->serial);
  device->room.reset();
  // It writes the tables of inodes later; what it does at once takes seconds for each TB.
  constexpr std::uint64_t bytes_each_second = 200'000'000'000;
  host_.spend(device->size, bytes_each_second);
  return Output{};
}

}  // namespace relab::agent::sim
