#include "agent/kinds/disks/wipe.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "agent/kinds/disks/attached.h"
#include "agent/kinds/support/block.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/json.h"
#include "common/needs/needs.h"

namespace relab::agent::disks {

namespace {

using Params = schema::WipeDisk;
using Facts = schema::WipeDisk::Facts;

/// The disk and its partitions, those first: what is on a partition is found by the table.
std::vector<const BlockDevice*> parts_of(const BlockDevices& devices, const std::string& disk) {
  std::vector<const BlockDevice*> parts;
  for (const auto& device : devices.all())
    if (device.type == "part" && std::ranges::find(device.parents, disk) != device.parents.end())
      parts.push_back(&device);
  if (const auto* whole = devices.find(disk); whole != nullptr) parts.push_back(whole);
  return parts;
}

/// What could not be looked into may be a member of anything.
Result<void> check_read(const BlockDevices& devices, const std::vector<const BlockDevice*>& parts) {
  for (const auto& unread : devices.unread())
    if (std::ranges::find(parts, unread.name, &BlockDevice::name) != parts.end())
      return fail(Fault::damaged,
                  fmt::format("{} could not be looked into: {}", unread.name, unread.why));
  return {};
}

Result<std::vector<Signature>> read_signatures(Host& host,
                                               const std::vector<const BlockDevice*>& parts) {
  Command command{.argv = {"wipefs", "--no-act", "--json"}};
  for (const auto* part : parts) command.argv.push_back(part->path);
  RELAB_TRY(const auto output, host.run(command));
  if (output.status != 0 || output.truncated)
    return fail(Fault::damaged, fmt::format("wipefs could not read the disk: it ended with {}: {}",
                                            output.status, first_words(output)));
  return parse_signatures(output.out);
}

/// Whether the device is still on the disk with that serial number, and nothing is mounted there.
Result<void> check_still(Host& host, const std::string& path, const std::string& serial) {
  RELAB_TRY(const auto devices, BlockDevices::read(host));
  Draft<schema::DiskAttached::Facts> now;
  RELAB_CHECK(describe_disk(serial, devices, host, *now));
  const auto name = Path(path).filename().string();
  const auto disks = devices.disks_of(name);
  if (disks.size() != 1 || disks[0]->path != view(now->asReader().getPath()))
    return fail(Fault::conflict, fmt::format("{} is not on the disk {} any more", path, serial));
  const auto use = needs::use_of(now->asReader());
  if (use.empty()) return {};
  return fail(Fault::refused, fmt::format("the disk {} is used now: {}", serial, use));
}

std::string words_of(const Signature& signature) {
  return signature.label.empty() ? signature.type : signature.type + " " + signature.label;
}

/// wipefs and lsblk both take their words from libblkid.
template <typename Seen>
bool is_what(schema::WipeDisk::Signature::Reader now, Seen seen) {
  return view(now.getType()) == view(seen.getFileSystem()) &&
         view(now.getLabel()) == view(seen.getLabel()) &&
         (now.getUuid().size() == 0 || view(now.getUuid()) == view(seen.getUuid()));
}

/// The kernel may have given the disk another name since, with the same numbers behind it.
bool was_seen(schema::WipeDisk::Signature::Reader now, std::string_view whole,
              schema::AuditDisks::Disk::Reader disk, schema::AuditDisks::Facts::Reader audit) {
  const auto device = view(now.getDevice());
  if (!device.starts_with(whole)) return false;
  const auto part = device.substr(whole.size());
  if (!part.empty())
    return any_in(audit.getPartitions(), [&](auto seen) {
      return view(seen.getDisk()) == view(disk.getName()) &&
             view(seen.getName()) == str(disk.getName()) + std::string(part) && is_what(now, seen);
    });
  const auto type = view(now.getType());
  // What guards a gpt from programs that know none.
  if (type == "PMBR") return view(disk.getPartitionTable()) == "gpt";
  return type == view(disk.getPartitionTable()) || is_what(now, disk);
}

/// The partition was there, in the same place.
bool was_there(schema::WipeDisk::Part::Reader now, std::string_view whole,
               schema::AuditDisks::Disk::Reader disk, schema::AuditDisks::Facts::Reader audit) {
  const auto device = view(now.getDevice());
  return device.starts_with(whole) && any_in(audit.getPartitions(), [&](auto seen) {
           return view(seen.getDisk()) == view(disk.getName()) &&
                  view(seen.getName()) ==
                      str(disk.getName()) + std::string(device.substr(whole.size())) &&
                  seen.getStart() == now.getStart() && seen.getSize() == now.getSize();
         });
}

}  // namespace

Result<std::vector<Signature>> parse_signatures(std::string_view json) {
  if (json.find_first_not_of(" \n") == std::string_view::npos) return std::vector<Signature>();
  RELAB_TRY(const auto document, parse_json(json, "the output of wipefs"));
  const auto& rows = member(document, "signatures");
  if (!rows.is_array()) return fail(Fault::damaged, "the output of wipefs lists no signatures");
  std::vector<Signature> signatures;
  signatures.reserve(rows.size());
  for (const auto& row : rows) {
    signatures.push_back({.device = text_of(row, "device"),
                          .type = text_of(row, "type"),
                          .label = text_of(row, "label"),
                          .offset = text_of(row, "offset"),
                          .uuid = text_of(row, "uuid")});
    if (signatures.back().device.empty() || signatures.back().type.empty())
      return fail(Fault::damaged, "the output of wipefs has a signature without device or type");
  }
  return signatures;
}

Result<Message<Facts>> WipeDisk::observe(Params::Reader params, Host& host) {
  const auto serial = str(params.getSerial());
  if (serial.empty()) return fail(Fault::invalid, "no serial number is given");
  RELAB_TRY(const auto devices, BlockDevices::read(host));
  Draft<Facts> facts;
  RELAB_CHECK(describe_disk(serial, devices, host, facts->initDisk()));
  const auto disk = facts->asReader().getDisk();
  if (!disk.getAttached())
    return fail(Fault::missing, fmt::format("there is no disk with the serial number {}", serial));
  const auto name = Path(str(disk.getPath())).filename().string();
  const auto parts = parts_of(devices, name);
  RELAB_CHECK(check_read(devices, parts));
  RELAB_TRY(const auto signatures, read_signatures(host, parts));
  fill(facts->initSignatures(size_of(signatures)), signatures,
       [](auto row, const Signature& signature) {
         row.setDevice(signature.device);
         row.setType(signature.type);
         row.setLabel(signature.label);
         row.setOffset(signature.offset);
         row.setUuid(signature.uuid);
       });
  const auto whole = [&](const BlockDevice* part) { return part->name == name; };
  std::vector<const BlockDevice*> partitions;
  std::ranges::remove_copy_if(parts, std::back_inserter(partitions), whole);
  fill(facts->initPartitions(size_of(partitions)), partitions, [](auto row, const auto* part) {
    row.setDevice(part->name);
    row.setStart(part->start);
    row.setSize(part->size);
  });
  return std::move(facts).finish();
}

Result<std::vector<Change>> WipeDisk::plan(Params::Reader params, Facts::Reader facts) {
  const auto serial = str(params.getSerial());
  if (const auto use = needs::use_of(facts.getDisk()); !use.empty())
    return fail(Fault::refused, fmt::format("the disk {} is not wiped: {}", serial, use),
                "a disk that anything uses is left alone");
  const auto whole = Path(str(facts.getDisk().getPath())).filename().string();
  std::vector<std::string> devices;
  std::map<std::string, std::vector<std::string>> found;
  for (const auto row : facts.getSignatures()) {
    const auto device = str(row.getDevice());
    if (found[device].empty() && device != whole) devices.push_back(device);
    found[device].push_back(words_of({.type = str(row.getType()), .label = str(row.getLabel())}));
  }
  // Last, since its table is the way to the partitions.
  if (found.contains(whole)) devices.push_back(whole);
  std::vector<Change> changes;
  changes.reserve(devices.size());
  for (const auto& device : devices)
    changes.push_back({.what = fmt::format("- {} on {} of the disk {}",
                                           fmt::join(found[device], ", "), device, serial),
                       .how = {"/dev/" + device, serial}});
  return changes;
}

std::string WipeDisk::departs(Params::Reader params, Facts::Reader facts,
                              schema::Facts::Reader evidence) {
  if (!evidence.isAuditDisks()) return "the evidence is not about disks";
  const auto audit = evidence.getAuditDisks();
  for (const auto disk : audit.getDisks()) {
    if (view(disk.getSerial()) != view(params.getSerial())) continue;
    if (disk.getSize() != facts.getDisk().getSize())
      return fmt::format("the disk had {} then, and has {} now", human_bytes(disk.getSize()),
                         human_bytes(facts.getDisk().getSize()));
    const auto whole = Path(str(facts.getDisk().getPath())).filename().string();
    for (const auto row : facts.getSignatures())
      if (!was_seen(row, whole, disk, audit))
        return fmt::format("{}{}{} on {} was not there then, or not this one", str(row.getType()),
                           row.getLabel().size() == 0 ? "" : " ", str(row.getLabel()),
                           str(row.getDevice()));
    for (const auto part : facts.getPartitions())
      if (!was_there(part, whole, disk, audit))
        return fmt::format("the partition {} was not there then, or not in this place",
                           str(part.getDevice()));
    return {};
  }
  return "the evidence does not show this disk";
}

Result<void> WipeDisk::apply(const Change& change, Host& host) {
  RELAB_ASSERT(change.how.size() == 2);
  const auto& path = change.how[0];
  RELAB_CHECK(check_still(host, path, change.how[1]));
  // Without --force: the kernel says no where somebody holds the device.
  RELAB_TRY(const auto output, host.run({.argv = {"wipefs", "--all", "--lock", path}}));
  if (output.status == 0) return {};
  return fail(Fault::damaged, fmt::format("wipefs ended with {} on {}: {}", output.status, path,
                                          first_words(output)));
}

}  // namespace relab::agent::disks
