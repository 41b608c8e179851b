#include "controller/survival/file_systems.h"

#include <algorithm>
#include <string_view>

#include "common/wire/message.h"
#include "controller/survival/ground.h"

namespace relab::controller {

namespace {

using Mount = schema::AuditDisks::Mount::Reader;

/// Where systems are divided among partitions. What of /var counts is found for itself. /home and
/// /srv are not among them: nobody but people puts files there.
constexpr std::string_view system_points[] = {"/",        "/boot", "/boot/efi", "/boot/firmware",
                                              "/efi",     "/usr",  "/var",      "/var/log",
                                              "/var/tmp", "/tmp"};
constexpr std::string_view picture_types[] = {"squashfs", "iso9660", "erofs", "cramfs"};
/// Optical drives, memory, files, volumes of ZFS, the network, and programs that act as a file
/// system.
constexpr std::string_view other_devices[] = {"/dev/sr",   "/dev/ram", "/dev/zram",
                                              "/dev/loop", "/dev/zd",  "/dev/zvol/",
                                              "/dev/nbd",  "/dev/rbd", "/dev/fuse"};

bool is_of_a_disk(Mount mount) {
  const auto source = view(mount.getSource());
  // A file system of many disks may name them all: "/dev/sdb:/dev/sdc".
  return view(mount.getType()) != "zfs" && source.starts_with("/dev/") &&
         std::ranges::find(picture_types, view(mount.getType())) == std::end(picture_types) &&
         std::ranges::none_of(other_devices,
                              [&](auto prefix) { return source.starts_with(prefix); });
}

bool is_system_point(std::string_view point) {
  return std::ranges::find(system_points, point) != std::end(system_points);
}

}  // namespace

std::vector<Mount> own_file_systems(schema::AuditDisks::Facts::Reader disks) {
  // Services see folders of the system mounted onto themselves, or elsewhere below it.
  const auto is_of_the_system = [&](Mount mount) {
    return is_system_point(view(mount.getPoint())) || any_in(disks.getMounts(), [&](auto other) {
             return is_system_point(view(other.getPoint())) &&
                    view(other.getSource()) == view(mount.getSource()) &&
                    is_below(view(mount.getPoint()), view(other.getPoint()));
           });
  };
  std::vector<Mount> found;
  for (const auto mount : disks.getMounts())
    if (is_of_a_disk(mount) && !is_of_the_system(mount)) found.push_back(mount);
  return found;
}

}  // namespace relab::controller
