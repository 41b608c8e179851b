// Disks, pools and backups: no disk has two uses, and no data is where an installation writes.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>

#include "common/base/time.h"
#include "common/wire/message.h"
#include "controller/lab/checks.h"
#include "controller/lab/external_disks.h"
#include "controller/lab/hosts.h"
#include "controller/lab/steps.h"

namespace relab::lab {

namespace {

using schema::Lab;
using Role = Lab::Disk::Role;
using Layout = Lab::Pool::Layout;

std::optional<Lab::Disk::Reader> disk_named(Lab::Reader lab, std::string_view name) {
  for (const auto disk : lab.getDisks())
    if (view(disk.getName()) == name) return disk;
  return std::nullopt;
}

/// Calls `use` with each disk of a pool that exists, and the path of its name in the pool's list.
template <typename Use>
void for_each_disk(Lab::Reader lab, unsigned pool, const Findings& findings, Use use) {
  const auto list = findings.element_path("pools", pool) + ".disks";
  const auto names = lab.getPools()[pool].getDisks();
  for (unsigned i = 0; i < names.size(); ++i)
    if (const auto disk = disk_named(lab, view(names[i])))
      use(*disk, fmt::format("{}[{}]", list, i));
}

void serials_are_unique(Lab::Reader lab, Findings& findings) {
  std::map<std::string, std::string> taken;
  for (unsigned i = 0; i < lab.getDisks().size(); ++i) {
    const auto disk = lab.getDisks()[i];
    const auto serial = str(disk.getSerial());
    if (serial.empty()) continue;
    const auto [first, is_new] = taken.emplace(serial, str(disk.getName()));
    if (!is_new)
      findings.report(findings.element_path("disks", i) + ".serial",
                      fmt::format("serial {} is that of '{}' too", serial, first->second),
                      "no two disks have one serial number");
  }
}

void disks_are_in_one_pool(Lab::Reader lab, Findings& findings) {
  std::map<std::string, std::string> taken;
  for (unsigned pool = 0; pool < lab.getPools().size(); ++pool) {
    const auto own = str(lab.getPools()[pool].getName());
    for_each_disk(lab, pool, findings, [&](Lab::Disk::Reader disk, const std::string& path) {
      const auto [first, is_new] = taken.emplace(str(disk.getName()), own);
      if (!is_new && first->second != own)
        findings.report(path,
                        fmt::format("disk '{}' is in pool '{}' too", first->first, first->second),
                        "a disk belongs to one pool at most");
    });
  }
}

void pools_do_not_mix_roles(Lab::Reader lab, Findings& findings) {
  for (unsigned pool = 0; pool < lab.getPools().size(); ++pool) {
    auto first = Role::UNSET;
    for_each_disk(lab, pool, findings, [&](Lab::Disk::Reader disk, const std::string& path) {
      if (disk.getRole() == Role::BACKUP)
        findings.report(path, fmt::format("disk '{}' takes backups and cannot be in a pool of the "
                                          "lab",
                                          view(disk.getName())));
      if (disk.getRole() == Role::BACKUP || disk.getRole() == Role::UNSET) return;
      if (first == Role::UNSET) first = disk.getRole();
      if (first != disk.getRole())
        findings.report(path, "disks of the operating system and disks of data are in one pool",
                        "a clean installation would overwrite the data");
    });
  }
}

void data_is_not_in_rpool(Lab::Reader lab, Findings& findings) {
  for (unsigned pool = 0; pool < lab.getPools().size(); ++pool) {
    if (view(lab.getPools()[pool].getName()) != "rpool") continue;
    auto reported = false;
    for_each_disk(lab, pool, findings, [&](Lab::Disk::Reader disk, const std::string&) {
      if (disk.getRole() != Role::DATA || reported) return;
      reported = true;
      findings.report(findings.element_path("pools", pool) + ".name",
                      "a pool of data disks is called rpool",
                      "the Proxmox installer renames any pool of that name; call it otherwise");
    });
  }
}

unsigned least_disks(Layout layout) {
  switch (layout) {
    case Layout::UNSET:
      return 0;
    case Layout::SINGLE:
      return 1;
    case Layout::MIRROR:
    case Layout::RAIDZ1:
      return 2;
    case Layout::RAIDZ2:
      return 3;
    case Layout::RAIDZ3:
      return 4;
  }
  return 0;
}

void layouts_have_their_disks(Lab::Reader lab, Findings& findings) {
  for (unsigned i = 0; i < lab.getPools().size(); ++i) {
    const auto pool = lab.getPools()[i];
    const auto path = findings.element_path("pools", i) + ".disks";
    const auto count = pool.getDisks().size();
    const auto least = least_disks(pool.getLayout());
    if (count == 0) continue;
    if (count < least)
      findings.report(path, fmt::format("{} disks are too few for this layout", count),
                      fmt::format("it needs {} or more", least));
    if (pool.getLayout() == Layout::SINGLE && count > 1)
      findings.report(path, fmt::format("{} disks are too many for a single disk", count),
                      "striped disks lose everything together");
  }
}

/// Of a pool that an installation makes. One of data is as it is.
void new_disks_of_a_pool_are_of_a_size(Lab::Reader lab, Findings& findings) {
  for (unsigned pool = 0; pool < lab.getPools().size(); ++pool) {
    std::uint64_t first = 0;
    for_each_disk(lab, pool, findings, [&](Lab::Disk::Reader disk, const std::string& path) {
      if (disk.getRole() == Role::DATA) return;
      const auto size = disk.getSize();
      if (first == 0) first = size;
      // The installer refuses a mirror whose disks differ by more than a tenth.
      if (size == 0 || (size >= first / 10 * 9 && size <= first / 10 * 11)) return;
      findings.report(path,
                      fmt::format("disk '{}' has {}, the first of the pool {}",
                                  view(disk.getName()), human_bytes(size), human_bytes(first)),
                      "disks of one vdev differ by a tenth at most");
    });
  }
}

void encrypted_pools_have_a_key_format(Lab::Reader lab, Findings& findings) {
  for (unsigned i = 0; i < lab.getPools().size(); ++i) {
    const auto pool = lab.getPools()[i];
    const auto path = findings.element_path("pools", i);
    const auto format = findings.given(path + ".key_format");
    if (pool.getEncrypted() && !format)
      findings.report(path, "an encrypted pool needs a key_format",
                      "for example: key_format = \"passphrase\"");
    if (!pool.getEncrypted() && format)
      findings.report(path + ".key_format", "a pool that is not encrypted has no key",
                      "remove this, or say encrypted = true");
  }
}

void disks_of_a_pool_are_in_its_host(Lab::Reader lab, Findings& findings) {
  for (unsigned pool = 0; pool < lab.getPools().size(); ++pool)
    for_each_disk(lab, pool, findings, [&](Lab::Disk::Reader disk, const std::string& path) {
      if (view(disk.getHost()) == view(lab.getPools()[pool].getHost())) return;
      findings.report(
          path, fmt::format("disk '{}' is in another host than its pool", view(disk.getName())));
    });
}

void backups_go_to_backup_disks(Lab::Reader lab, Findings& findings) {
  for (unsigned i = 0; i < lab.getBackups().size(); ++i) {
    const auto backup = lab.getBackups()[i];
    const auto disk = disk_named(lab, view(backup.getDisk()));
    if (!disk || disk->getRole() == Role::BACKUP || disk->getRole() == Role::UNSET) continue;
    findings.report(findings.element_path("backups", i) + ".disk",
                    fmt::format("disk '{}' does not have the role backup", view(disk->getName())),
                    "a backup overwrites its disk: it needs one of its own");
  }
}

template <typename List>
void check_hosts(List list, const std::string& at, Findings& findings) {
  for (unsigned i = 0; i < list.size(); ++i)
    if (const auto path = findings.element_path(at, i); !findings.given(path + ".host"))
      findings.report(path, "with several hosts, this needs a host", "for example: host = \"pve\"");
}

void parts_name_their_host(Lab::Reader lab, Findings& findings) {
  if (lab.getHosts().size() < 2) return;
  check_hosts(lab.getDisks(), "disks", findings);
  check_hosts(lab.getPools(), "pools", findings);
  check_hosts(lab.getGpus(), "gpus", findings);
  check_hosts(lab.getGuests(), "guests", findings);
  check_hosts(lab.getKeep(), "keep", findings);
}

void nothing_is_kept_and_lost(Lab::Reader lab, Findings& findings) {
  const auto keeps = lab.getKeep();
  for (unsigned i = 0; i < keeps.size(); ++i)
    for (unsigned k = 0; k < i; ++k)
      if (view(keeps[i].getPath()) == view(keeps[k].getPath()) &&
          keeps[i].getVmid() == keeps[k].getVmid() &&
          host_of(keeps[i], lab) == host_of(keeps[k], lab))
        findings.report(findings.element_path("keep", i),
                        fmt::format("{} is named twice{}", view(keeps[i].getPath()),
                                    keeps[i].getLose() == keeps[k].getLose()
                                        ? ""
                                        : ": once to be kept, and once to be lost"));
}

/// The disk of that serial that holds, or is to hold, what nobody wants to lose.
std::optional<Lab::Disk::Reader> treasure_with(Lab::Reader lab, std::string_view serial) {
  for (const auto disk : lab.getDisks())
    if (view(disk.getSerial()) == serial && disk.getRole() != Role::OS) return disk;
  return std::nullopt;
}

void no_step_wipes_data(Lab::Reader lab, Findings& findings) {
  each_step(lab, findings, [&](Lab::Step::Reader step, const std::string& path) {
    if (!step.getTask().isWipeDisk()) return;
    if (const auto disk = treasure_with(lab, view(step.getTask().getWipeDisk().getSerial())))
      findings.report(path + ".task.wipe_disk.serial",
                      fmt::format("this is the disk '{}', which holds data or its backup",
                                  str(disk->getName())),
                      "no phase may wipe such a disk: wipe it by hand if you must");
  });
}

void external_disks_are_not_the_labs_own(Lab::Reader lab, Findings& findings) {
  each_step(lab, findings, [&](Lab::Step::Reader step, const std::string& path) {
    const auto [kind, serial] = external_disk_of(step.getTask());
    if (serial.empty()) return;
    for (const auto disk : lab.getDisks())
      if (view(disk.getSerial()) == serial && disk.getRole() != Role::BACKUP)
        findings.report(
            fmt::format("{}.task.{}.serial", path, kind),
            fmt::format("this is the disk '{}', one of the lab's own", view(disk.getName())),
            "name the external disk, whose role is backup");
  });
}

constexpr Check checks[] = {
    {"no two disks have one serial", serials_are_unique},
    {"a disk is in one pool at most", disks_are_in_one_pool},
    {"no pool mixes disks of different roles", pools_do_not_mix_roles},
    {"a pool of data is not called rpool", data_is_not_in_rpool},
    {"a layout has the disks that it needs", layouts_have_their_disks},
    {"the disks of a pool that is made are of a size", new_disks_of_a_pool_are_of_a_size},
    {"a pool has a key format if and only if it is encrypted", encrypted_pools_have_a_key_format},
    {"a pool's disks are in its host", disks_of_a_pool_are_in_its_host},
    {"no step wipes a disk of data or backups", no_step_wipes_data},
    {"external disks are for backups", external_disks_are_not_the_labs_own},
    {"backups go to disks for backups", backups_go_to_backup_disks},
    {"with several hosts, every part names its own", parts_name_their_host},
    {"no path is both kept and lost", nothing_is_kept_and_lost},
};

}  // namespace

std::span<const Check> storage_checks() { return checks; }

}  // namespace relab::lab
