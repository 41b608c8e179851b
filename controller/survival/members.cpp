#include "controller/survival/members.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <vector>

#include "common/base/text.h"
#include "common/wire/message.h"

namespace relab::controller {

namespace {

using schema::Lab;
using Vdev = schema::AuditZfs::Vdev::Reader;
using Vdevs = capnp::List<schema::AuditZfs::Vdev>::Reader;

/// What was taken out of a pool leaves one of these in its place; and a spare of dRAID is spread
/// over the other devices.
bool is_no_device(Vdev vdev) {
  return view(vdev.getKind()) == "hole" || view(vdev.getKind()) == "indirect" ||
         (view(vdev.getRole()) == "spare" && view(vdev.getName()).starts_with("draid"));
}

bool has(Lab::Pool::Reader pool, std::string_view disk) {
  return any_in(pool.getDisks(), [&](auto name) { return view(name) == disk; });
}

std::string_view word_of(Lab::Disk::Role role) {
  return role == Lab::Disk::Role::OS ? "os" : role == Lab::Disk::Role::BACKUP ? "backup" : "data";
}

/// Why that device must not be where it is; empty: it may.
std::string leaf_concern(Lab::Reader lab, Lab::Pool::Reader pool, Vdev leaf,
                         std::string_view serial) {
  const auto disk = disk_with_serial(lab, serial);
  if (!disk)
    return fmt::format("{} of it is the disk {}, which lab.toml does not know",
                       view(leaf.getName()), serial);
  const auto what =
      fmt::format("{} of it is {} ({})", view(leaf.getName()), view(disk->getName()), serial);
  if (disk->getRole() != Lab::Disk::Role::DATA)
    return fmt::format("{}, which has the role {} in lab.toml, and not data", what,
                       word_of(disk->getRole()));
  if (view(leaf.getRole()) == "data" && !has(pool, view(disk->getName())))
    return fmt::format("{}, which is none of its disks in lab.toml", what);
  return {};
}

}  // namespace

std::optional<Lab::Disk::Reader> disk_with_serial(Lab::Reader lab, std::string_view serial) {
  for (const auto disk : lab.getDisks())
    if (view(disk.getSerial()) == serial) return disk;
  return {};
}

std::vector<Vdev> leaves_of(std::string_view pool, Vdevs vdevs) {
  std::set<std::int32_t> parents;
  for (const auto vdev : vdevs) parents.insert(vdev.getParent());
  std::vector<Vdev> leaves;
  for (unsigned i = 0; i < vdevs.size(); ++i)
    if (view(vdevs[i].getPool()) == pool && vdevs[i].getDepth() != 0 &&
        !parents.contains(static_cast<std::int32_t>(i)) && !is_no_device(vdevs[i]))
      leaves.push_back(vdevs[i]);
  return leaves;
}

bool is_absent(Vdev leaf) {
  const auto state = view(leaf.getState());
  return leaf.getSerial().size() == 0 &&
         (state == "UNAVAIL" || state == "REMOVED" || state == "OFFLINE" || state == "FAULTED");
}

std::string member_concern(Lab::Reader lab, Lab::Pool::Reader pool, Vdevs vdevs) {
  const auto leaves = leaves_of(view(pool.getName()), vdevs);
  if (leaves.empty()) return "its disks are not known";
  std::set<std::string> seen;
  unsigned absent = 0;
  for (const auto leaf : leaves) {
    const auto serials = view(leaf.getSerial());
    if (serials.empty() && !is_absent(leaf))
      return fmt::format("{} of it tells no serial number: which disk that is, nobody knows",
                         view(leaf.getName()));
    if (serials.empty()) {
      ++absent;
      continue;
    }
    for (const auto serial : split(serials, ',')) {
      if (auto concern = leaf_concern(lab, pool, leaf, serial); !concern.empty()) return concern;
      seen.insert(str(disk_with_serial(lab, serial)->getName()));
    }
  }
  std::vector<std::string> missing;
  for (const auto name : pool.getDisks())
    if (!seen.contains(str(name))) missing.push_back(str(name));
  if (missing.size() <= absent) return {};
  return fmt::format("lab.toml gives it {}, and the machine has it on none of them",
                     fmt::join(missing, ", "));
}

}  // namespace relab::controller
