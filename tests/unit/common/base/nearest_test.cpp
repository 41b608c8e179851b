#include <catch2/catch.hpp>

#include "common/base/text.h"

namespace relab {

TEST_CASE("nearest: a likely slip finds what was meant", "[common][text]") {
  const std::vector<std::string> names = {"zfs", "disks", "name", "network"};
  const auto [slip, meant] = GENERATE(table<std::string, std::string>({
      {"zfs", "zfs"},
      {"zsf", "zfs"},
      {"nmae", "name"},
      {"names", "name"},
      {"netwrok", "network"},
      {"disk", "disks"},
      {"weather", ""},
      {"", ""},
  }));

  CHECK(nearest(slip, names) == meant);
}

}  // namespace relab
