#include "agent/kinds/support/external.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/number.h"

namespace relab::agent {

Awaited until_attached(const std::string& serial) {
  return {.change = fmt::format("a person attaches the disk {}", serial),
          .waiting = {.what = fmt::format("waiting for the disk {}", serial),
                      .for_person = fmt::format("attach the disk {}", serial)},
          .missed = fmt::format("no disk with serial {} was attached", serial)};
}

Result<void> check_on_usb(const std::string& serial, std::string_view bus) {
  if (bus == "usb") return {};
  return refuse(fmt::format("the disk {} is connected by {}, not by USB", serial,
                            bus.empty() ? "something unknown" : bus),
                "name the external disk by its own serial number");
}

Result<void> check_by_id(const std::string& serial, const std::string& wanted,
                         capnp::List<capnp::Text>::Reader aliases) {
  std::vector<std::string> names;
  for (const auto alias : aliases) names.push_back(str(alias));
  if (wanted.empty() || std::ranges::find(names, wanted) != names.end()) return {};
  return refuse(
      fmt::format("the disk {} is not {} below /dev/disk/by-id: it is {}", serial, wanted,
                  names.empty() ? "nothing there" : fmt::format("{}", fmt::join(names, ", "))),
      "two disks may have one serial number: see that the right one is attached");
}

Result<void> check_size(const std::string& what, std::uint64_t size, std::uint64_t least) {
  if (size >= least) return {};
  return refuse(
      fmt::format("{} has {}, and {} are asked for", what, human_bytes(size), human_bytes(least)),
      "take a larger disk");
}

}  // namespace relab::agent
