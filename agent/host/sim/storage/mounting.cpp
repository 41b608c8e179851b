#include "agent/host/sim/storage/mounting.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::agent::sim {

std::string kernel_options(std::string_view asked, bool read_only) {
  std::vector<std::string> options = {""};
  for (const auto word : split(asked, ',')) {
    if (word == "ro") read_only = true;
    if (word != "ro" && word != "rw" && word != "zfsutil" && word != "relatime" && !word.empty())
      options.emplace_back(word);
  }
  options[0] = read_only ? "ro" : "rw";
  options.emplace_back("relatime");
  return fmt::format("{}", fmt::join(options, ","));
}

Mounting::Mounting(SimHost& host, Disks& disks, Pools& pools)
    : host_(host), disks_(disks), pools_(pools) {
  host_.program("mount", [this](const Command& command) { return mount(command); });
  host_.program("umount", [this](const Command& command) { return unmount(command); });
}

Result<Output> Mounting::mount(const Command& command) {
  const auto& argv = command.argv;
  if (argv.size() != 7 || argv[1] != "-t" || argv[3] != "-o") return host_.does_not_know(command);
  SimMount wanted{.point = argv[6], .type = argv[2], .source = argv[5], .options = argv[4]};
  if (wanted.type == "zfs") return pools_.mount(wanted);
  wanted.options = kernel_options(argv[4], false);
  return disks_.mount(wanted);
}

Result<Output> Mounting::unmount(const Command& command) {
  const auto& argv = command.argv;
  if (argv.size() != 2 || argv[1].starts_with("-")) return host_.does_not_know(command);
  const auto point = Path(argv[1]).lexically_normal();
  const auto& mounts = host_.mounts();
  const auto last = std::ranges::find(mounts.rbegin(), mounts.rend(), point, &SimMount::point);
  if (last == mounts.rend() && !host_.status(point))
    return Output{.status = 32,
                  .err = fmt::format("umount: {}: no mount point specified.\n", argv[1])};
  if (last == mounts.rend())
    return Output{.status = 32, .err = fmt::format("umount: {}: not mounted.\n", argv[1])};
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): it is erased meanwhile
  const auto mounted = *last;
  const auto done = mounted.type == "zfs" ? pools_.unmount(mounted) : disks_.unmount(mounted);
  if (done) return Output{};
  return Output{.status = 32, .err = fmt::format("umount: {}: target is busy.\n", argv[1])};
}

}  // namespace relab::agent::sim
