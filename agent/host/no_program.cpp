#include "agent/host/no_program.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

namespace relab::agent {

namespace {

struct Recommended {
  std::string_view program;
  std::string_view package;
};

/// As in packaging/debian/control: what only some task kinds run.
constexpr std::array recommended = {
    Recommended{"curl", "curl"}, Recommended{"dig", "bind9-dnsutils"}, Recommended{"gpg", "gpg"}};

}  // namespace

Error no_program(const std::string& name) {
  Error error{.fault = Fault::missing, .what = fmt::format("no {} on this machine", name)};
  const auto* found = std::ranges::find(recommended, name, &Recommended::program);
  if (found != recommended.end())
    error.hint = fmt::format(
        "install Debian's package {}; agent_install does so with the agent where the folder of "
        "packages has it",
        found->package);
  return error;
}

}  // namespace relab::agent
