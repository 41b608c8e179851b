#include "agent/kinds/system/apt.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>

#include "agent/kinds/support/apt_words.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/redact.h"
#include "agent/kinds/system/apart.h"
#include "agent/kinds/system/dpkg.h"
#include "common/base/text.h"

namespace relab::agent::system {

namespace {

using Argv = std::vector<std::string>;

constexpr auto work_time_max = std::chrono::hours(2);
constexpr auto look_again = std::chrono::seconds(5);
constexpr std::size_t line_max = 300;

/// So that neither apt nor the scripts of a package ask anybody, and nothing restarts what has
/// nothing to do with it.
const Argv& environment() {
  static const Argv variables = {"DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1",
                                 "APT_LISTCHANGES_FRONTEND=none", "UCF_FORCE_CONFFOLD=1",
                                 "LC_ALL=C.UTF-8"};
  return variables;
}

void add_options(Argv& argv, const Argv& options) {
  for (const auto& option : options) {
    argv.emplace_back("-o");
    argv.push_back(option);
  }
}

void add_what(Argv& argv, const Installing& installing) {
  if (installing.offline)
    add_options(argv, {"Dir::Etc::SourceList=/dev/null", "Dir::Etc::SourceParts=/dev/null"});
  argv.insert(argv.end(), {"install", "--"});
  argv.insert(argv.end(), installing.items.begin(), installing.items.end());
}

/// "libc6:i386" is libc6.
std::string without_architecture(std::string_view name) {
  return std::string(name.substr(0, name.find(':')));
}

bool is_lock(std::string_view text) {
  const auto has = [text](std::string_view words) {
    return text.find(words) != std::string_view::npos;
  };
  return has("Could not get lock") || has("Unable to acquire the dpkg") ||
         has("lock was locked by another process") || has("Unable to lock directory");
}

/// Runs something until it finds the lock free.
Result<Output> with_lock(Host& host, std::chrono::seconds lock_wait,
                         const std::function<Result<Output>()>& run) {
  const auto start = host.now();
  for (;;) {
    RELAB_TRY(auto output, run());
    if (output.status == 0 || !(is_lock(output.out) || is_lock(output.err))) return output;
    if (host.now() - start >= lock_wait)
      return fail(Fault::busy,
                  fmt::format("another program has held the lock of the packages for {}: {}",
                              human(lock_wait), complaint_of(output.out + output.err)),
                  "see what installs packages there, and run this again after its end");
    RELAB_CHECK(host.pause(look_again, {.what = "waiting for another program that installs "
                                                "packages"}));
  }
}

}  // namespace

Result<std::vector<AptStep>> parse_simulation(std::string_view text) {
  std::vector<AptStep> steps;
  for (const auto line : lines(text)) {
    const auto parts = words(line);
    const auto is_step = [&](std::string_view verb) { return line.starts_with(verb); };
    if (!is_step("Inst ") && !is_step("Conf ") && !is_step("Remv ") && !is_step("Purg ")) continue;
    // "Inst bash [5.2-1] (5.2-2 Debian:12 [amd64])", "Remv bash [5.2-1]"
    const bool comes = is_step("Inst ") || is_step("Conf ");
    const auto version = std::find_if(parts.begin() + 1, parts.end(), [&](std::string_view part) {
      return part.starts_with(comes ? '(' : '[');
    });
    if (parts.size() < 3 || version == parts.end())
      return fail(Fault::damaged, fmt::format("apt-get printed a step of no known form: {}",
                                              clean_text(line.substr(0, line_max))));
    auto text_of_version = version->substr(1);
    while (text_of_version.ends_with(']') || text_of_version.ends_with(')'))
      text_of_version.remove_suffix(1);
    steps.push_back({.verb = std::string(parts[0]),
                     .package = without_architecture(parts[1]),
                     .version = std::string(text_of_version)});
  }
  return steps;
}

Result<Simulation> simulate(Host& host, const Installing& installing) {
  Command command{.argv = {"apt-get", "--simulate", "-y"}};
  add_what(command.argv, installing);
  RELAB_TRY(const auto output, host.run(command));
  if (output.truncated)
    return fail(Fault::damaged, "apt-get --simulate printed more than is ever read of it");
  Simulation simulation;
  if (output.status != 0) {
    simulation.obstacle =
        conflict_of(output.out) + complaint_of(output.err.empty() ? output.out : output.err);
    return simulation;
  }
  RELAB_TRY(simulation.steps, parse_simulation(output.out));
  return simulation;
}

std::vector<std::string> forbidden_removals(const std::vector<AptStep>& steps,
                                            const std::vector<std::string>& remove_ok) {
  std::vector<std::string> forbidden;
  for (const auto& step : steps)
    if ((step.verb == "Remv" || step.verb == "Purg") &&
        std::ranges::find(remove_ok, step.package) == remove_ok.end())
      forbidden.push_back(step.package);
  return forbidden;
}

Result<void> install(Host& host, const Installing& installing) {
  RELAB_TRY(const auto simulation, simulate(host, installing));
  if (!simulation.obstacle.empty())
    return fail(Fault::missing, fmt::format("apt cannot install that: {}", simulation.obstacle));
  const auto forbidden = forbidden_removals(simulation.steps, installing.remove_ok);
  if (!forbidden.empty())
    return fail(Fault::refused, fmt::format("apt would remove {}", fmt::join(forbidden, ", ")));
  Argv argv = {"apt-get", "-q", "-y"};
  add_options(argv, {fmt::format("DPkg::Lock::Timeout={}", installing.lock_wait.count()),
                     "Dpkg::Options::=--force-confdef", "Dpkg::Options::=--force-confold",
                     "Dpkg::Use-Pty=0"});
  if (installing.remove_ok.empty()) argv.emplace_back("--no-remove");
  add_what(argv, installing);
  const auto wait = installing.lock_wait + work_time_max;
  RELAB_TRY(const auto output, with_lock(host, std::chrono::seconds(0), [&] {
              return run_apart(host, {.argv = argv, .environment = environment(), .wait = wait});
            }));
  if (output.status == 0) return {};
  return fail(Fault::damaged,
              fmt::format("apt-get ended with {}: {}", output.status, complaint_of(output.out)));
}

Result<void> repair(Host& host, std::chrono::seconds lock_wait) {
  const Argv argv = {"dpkg", "--force-confdef", "--force-confold", "--configure", "-a"};
  RELAB_TRY(const auto output, with_lock(host, lock_wait, [&] {
              return run_apart(host,
                               {.argv = argv, .environment = environment(), .wait = work_time_max});
            }));
  RELAB_TRY(const auto dpkg, Dpkg::read(host));
  if (dpkg.interrupted().empty()) return {};
  return fail(Fault::damaged,
              fmt::format("dpkg --configure -a ended with {}, and there is still something "
                          "unfinished: {}; {}",
                          output.status, dpkg.interrupted(), complaint_of(output.out)),
              "see what is wrong with these packages, and repair them by hand");
}

std::string parse_update(std::string_view text) {
  std::string complaints;
  for (const auto line : lines(text)) {
    const bool is_bad = line.starts_with("W: ") || line.starts_with("E: ") ||
                        line.starts_with("Err:") || line.starts_with("Ign:");
    if (is_bad && complaints.size() < 2 * line_max)
      complaints += (complaints.empty() ? "" : "; ") + redact(trim(line).substr(0, line_max));
  }
  return complaints;
}

Result<void> refresh(Host& host, const std::string& sources, std::chrono::seconds lock_wait) {
  Argv argv = {"apt-get", "-q"};
  add_options(argv, {"APT::Get::List-Cleanup=0", "Acquire::Retries=2"});
  if (!sources.empty())
    add_options(argv, {"Dir::Etc::SourceList=" + sources, "Dir::Etc::SourceParts=/dev/null"});
  argv.emplace_back("update");
  RELAB_TRY(const auto output, with_lock(host, lock_wait, [&]() -> Result<Output> {
              Command command{.argv = {"env"}, .timeout = work_time_max};
              command.argv.insert(command.argv.end(), environment().begin(), environment().end());
              command.argv.insert(command.argv.end(), argv.begin(), argv.end());
              return host.run(command);
            }));
  const auto complaints = parse_update(output.out + "\n" + output.err);
  if (output.status == 0 && complaints.empty() && !output.truncated) return {};
  return fail(Fault::unreachable,
              fmt::format("not all lists of packages could be read: apt-get update ended with {}: "
                          "{}",
                          output.status, complaints.empty() ? first_words(output) : complaints),
              "see whether the sources of packages are right and can be reached");
}

}  // namespace relab::agent::system
